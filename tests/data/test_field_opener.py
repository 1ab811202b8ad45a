"""Stacks: planes within a file and in files of their own, with their outlines, rows and tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.annotations import field_names
from napari_channelmix.data.write_dataset import save_dataset
from napari_channelmix.errors import DataError

Made = Callable[..., Path]

# Planes, channels, rows and columns; all differ.
PLANES, HEIGHT, WIDTH = 3, 40, 52


def pixels() -> npt.NDArray[np.uint16]:
    """A value of its own for each pixel of each plane and channel: (Z, C, Y, X)."""
    count = PLANES * 2 * HEIGHT * WIDTH
    return np.arange(count, dtype=np.uint16).reshape(PLANES, 2, HEIGHT, WIDTH)


def outlines() -> npt.NDArray[np.uint16]:
    """Cell 4 in planes 0 and 1, moving by 6 columns; cell 9 in plane 1, over 4 of plane 0."""
    labels = np.zeros((PLANES, HEIGHT, WIDTH), np.uint16)
    labels[0, 10:20, 10:20] = 4
    labels[1, 10:20, 16:26] = 4
    labels[1, 10:20, 10:13] = 9
    return labels


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Write stacks as one file or as files of planes, a table and a data-set file."""
    stack, labels = pixels(), outlines()
    about: dict[str, Any] = {
        "Channel": {"Name": ["DNA", "GFP"]},
        "PhysicalSizeY": 0.25,
        "PhysicalSizeX": 0.25,
    }
    for axis in "ZT":
        tifffile.imwrite(
            tmp_path / f"{axis}.ome.tif",
            stack,
            photometric="minisblack",
            metadata={"axes": f"{axis}CYX", **about},
        )
        tifffile.imwrite(
            tmp_path / f"{axis}_mask.ome.tif",
            labels,
            photometric="minisblack",
            metadata={"axes": f"{axis}YX"},
        )
    tifffile.imwrite(tmp_path / "flat_mask.tif", labels[1])
    tifffile.imwrite(tmp_path / "bare_mask.tif", labels, photometric="minisblack", metadata=None)
    tifffile.imwrite(tmp_path / "short_mask.ome.tif", labels[:2], metadata={"axes": "ZYX"})
    for plane in range(PLANES):
        for channel, name in enumerate(("dna", "gfp")):
            tifffile.imwrite(tmp_path / f"{name}_{plane}.tif", stack[plane, channel])
        tifffile.imwrite(tmp_path / f"mask_{plane}.tif", labels[plane])

    def make(rows: Sequence[dict[str, Any]], *lines: str) -> Path:
        pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
        path = tmp_path / "d.toml"
        path.write_text("\n".join(['name = "s"', 'table = "t.csv"', *lines]) + "\n", "utf-8")
        return path

    return make


IMAGE = ("[image]", 'column = "f"')
MASK = ("[cells]", 'from = "mask"', 'column = "m"', "crop = 12", "labelled = true")
Z = [{"f": "Z.ome.tif", "m": "Z_mask.ome.tif"}]
OWN = [
    {
        "well": "B03",
        "plane": plane + 5,
        "dna": f"dna_{plane}.tif",
        "gfp": f"gfp_{plane}.tif",
        "m": f"mask_{plane}.tif",
    }
    for plane in range(PLANES)
]
FILES = ("[channels]", 'DNA = "dna"', 'GFP = "gfp"')


def of_cells(cells: Cells) -> list[tuple[str, int, float]]:
    """Field, id and column of each cell."""
    frame = cells.to_frame()
    return list(zip(frame["field_name"], frame["object"].tolist(), frame["x"], strict=True))


# ------------------------------------------------------------------ planes within a file


def test_a_stack_without_a_word_is_refused_with_what_to_say(made: Made) -> None:
    with pytest.raises(DataError, match=r'along Z: say so under \[planes\].* z = "each"'):
        open_dataset(made(Z, *IMAGE, *MASK))


def test_every_plane_is_a_field_of_view_with_its_own_outlines_and_one_group(made: Made) -> None:
    cells = open_dataset(made(Z, *IMAGE, *MASK, "[planes]", 'z = "each"'))
    assert of_cells(cells) == [("Z_z0", 4, 14.5), ("Z_z1", 4, 20.5), ("Z_z1", 9, 11)]
    assert len(set(cells.groups)) == 1
    # The cell of plane 1 begins at row 9 and column 15 of the crop's image: GFP of plane 1.
    assert cells.read([1])[0, 1, 0, 0] == pixels()[1, 1, 9, 15]
    assert cells.fields[2].pixel_size == (0.25, 0.25) and cells.fields[2].unit == "µm"
    assert any("1 plane holds no cell, left out" in line for line in cells.warnings)


def test_one_plane_and_its_outlines(made: Made) -> None:
    cells = open_dataset(made(Z, *IMAGE, *MASK, "[planes]", "z = 1"))
    assert of_cells(cells) == [("Z", 4, 20.5), ("Z", 9, 11)]
    assert cells.read([0])[0, 0, 0, 0] == pixels()[1, 0, 9, 15]
    with pytest.raises(DataError, match=r"has 3 planes along Z, .*there is no plane 3"):
        open_dataset(made(Z, *IMAGE, *MASK, "[planes]", "z = 3"))


def test_the_maximum_projects_pixels_and_outlines_together(made: Made) -> None:
    cells = open_dataset(made(Z, *IMAGE, *MASK, "[planes]", 'z = "maximum"'))
    # 4 and 9 lie over each other in 3 columns, once each: the smaller id has them, 9 is gone.
    assert of_cells(cells) == [("Z", 4, 17.5)]
    assert cells.read([0])[0, 0, 0, 0] == pixels()[2, 0, 9, 12]
    (line,) = [line for line in cells.warnings if "projected" in line]
    assert "projected along Z: in 30 pixels" in line and "wholly behind others" in line


def test_a_label_image_of_one_plane_marks_every_plane_and_says_so(made: Made) -> None:
    rows = [{"f": "Z.ome.tif", "m": "flat_mask.tif"}]
    cells = open_dataset(made(rows, *IMAGE, *MASK, "[planes]", 'z = "each"'))
    assert [name for name, _, _ in of_cells(cells)] == [f"Z_z{z}" for z in (0, 0, 1, 1, 2, 2)]
    assert any("the same cells are marked in every plane" in line for line in cells.warnings)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ("short_mask.ome.tif", "has 2 planes along Z, the image has 3"),
        ("T_mask.ome.tif", "has 3 planes along T, and the image no axis T"),
    ],
)
def test_label_images_of_other_planes_are_refused(made: Made, mask: str, says: str) -> None:
    rows = [{"f": "Z.ome.tif", "m": mask}]
    with pytest.raises(DataError, match=f"t.csv, line 2, column 'm': .*{says}"):
        open_dataset(made(rows, *IMAGE, *MASK, "[planes]", 'z = "each"'))


def test_a_label_image_that_names_no_axes_has_those_of_its_image(made: Made) -> None:
    rows = [{"f": "Z.ome.tif", "m": "bare_mask.tif"}]
    cells = open_dataset(made(rows, *IMAGE, *MASK, "[planes]", 'z = "each"'))
    assert [number for _, number, _ in of_cells(cells)] == [4, 4, 9]


def test_rows_of_cells_name_their_plane_and_get_its_class(made: Made) -> None:
    rows = [
        {**Z[0], "o": 9, "frame": 1, "state": "late"},
        {**Z[0], "o": 4, "frame": 0, "state": "early"},
        {**Z[0], "o": 4, "frame": 1, "state": "late"},
    ]
    lines = ('label = "state"', *IMAGE, *MASK, 'object = "o"')
    planes = ("[planes]", 'z = "each"', 'z_column = "frame"')
    cells = open_dataset(made(rows, *lines, *planes))
    assert of_cells(cells) == [("Z_z1", 9, 11), ("Z_z0", 4, 14.5), ("Z_z1", 4, 20.5)]
    assert [cells.classes[code] for code in cells.labels] == ["late", "early", "late"]
    one = open_dataset(made(rows, *lines, "[planes]", "z = 0", 'z_column = "frame"'))
    assert of_cells(one) == [("Z", 4, 14.5)]
    assert any("2 rows are of other planes" in line for line in one.warnings)
    rows[2]["frame"] = 7
    with pytest.raises(DataError, match=r"line 4, column 'frame': the image has no plane '7'"):
        open_dataset(made(rows, *lines, *planes))


def test_an_object_without_a_plane_is_found_in_every_plane_that_has_it(made: Made) -> None:
    rows = [{**Z[0], "o": 9}, {**Z[0], "o": 4}]
    lines = (*IMAGE, *MASK, 'object = "o"', "[planes]", 'z = "each"')
    assert of_cells(open_dataset(made(rows, *lines))) == [
        ("Z_z1", 9, 11),
        ("Z_z0", 4, 14.5),
        ("Z_z1", 4, 20.5),
    ]
    with pytest.raises(DataError, match="line 2, column 'o': the mask has no object of the value"):
        open_dataset(made([{**Z[0], "o": 5}], *lines))


def test_points_lie_in_the_plane_they_name(made: Made) -> None:
    rows = [{"f": "T.ome.tif", "y": 20, "x": 30, "t": t} for t in (2, 0)]
    cells = open_dataset(
        made(
            rows,
            *IMAGE,
            "[cells]",
            'from = "point"',
            'columns = ["y", "x"]',
            "crop = 12",
            "[planes]",
            't = "each"',
            't_column = "t"',
        )
    )
    assert cells.read()[:, 0, 6, 6].tolist() == [pixels()[t, 0, 20, 30] for t in (2, 0)]
    assert cells.to_frame()["field_name"].tolist() == ["T_t2", "T_t0"]


# ------------------------------------------------------------------ tracks


def test_tracks_are_groups_of_their_own(made: Made) -> None:
    rows = [{"f": "T.ome.tif", "m": "T_mask.ome.tif"}]
    mask = (*MASK, "tracks = true")
    cells = open_dataset(made(rows, *IMAGE, *mask, "[planes]", 't = "each"'))
    names = cells.groups.tolist()
    assert [number for _, number, _ in of_cells(cells)] == [4, 4, 9]
    assert names[0] == names[1] != names[2]
    assert any("each track is a group" in line for line in cells.warnings)
    # Ids of another film are other objects.
    two = open_dataset(made([*rows, *Z], *IMAGE, *mask, "[planes]", 't = "each"', 'z = "each"'))
    assert len(set(two.groups)) == 4


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("tracks = true",), r'say t = "each" under \[planes\]'),
        (("tracks = true", "[planes]", 't = "last"'), 'must be "each", "maximum"'),
        (("[planes]", 'z_column = "p"'), "z_column needs z"),
        (("[planes]", 'z = "each"', 'stack = ["f"]'), "stack is for planes in files of their own"),
        (("[planes]",), "needs z or t"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(
    made: Made, lines: tuple[str, ...], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        open_dataset(made(Z, *IMAGE, *MASK, *lines))


def test_a_group_column_and_tracks_are_two_answers(made: Made) -> None:
    lines = ('group = "f"', *IMAGE, *MASK, "tracks = true", "[planes]", 't = "each"')
    with pytest.raises(DataError, match="tracks = true makes each object a group"):
        open_dataset(made(Z, *lines))


# ------------------------------------------------------------------ planes in files of their own


def test_files_of_planes_are_fields_of_one_group(made: Made) -> None:
    planes = ("[planes]", 'z = "each"', 'z_column = "plane"')
    cells = open_dataset(made(OWN, *FILES, *MASK, *planes))
    assert of_cells(cells) == [("B03_z5", 4, 14.5), ("B03_z6", 4, 20.5), ("B03_z6", 9, 11)]
    assert len(set(cells.groups)) == 1
    assert cells.keys["plane"].tolist() == ["5", "6", "6"]
    tracks = open_dataset(made(OWN, *FILES, *MASK, "tracks = true", *planes))
    assert tracks.groups.tolist() == ["0 track 4", "0 track 4", "0 track 9"]


def test_one_plane_of_files_is_named_by_its_value(made: Made) -> None:
    cells = open_dataset(made(OWN, *FILES, *MASK, "[planes]", "z = 6", 'z_column = "plane"'))
    assert of_cells(cells) == [("B03", 4, 20.5), ("B03", 9, 11)]
    with pytest.raises(DataError, match="no row is of the plane z = 1"):
        open_dataset(made(OWN, *FILES, *MASK, "[planes]", "z = 1", 'z_column = "plane"'))


def test_files_of_planes_are_projected_with_their_outlines(made: Made) -> None:
    other = [{**row, "well": "B04"} for row in OWN[:2]]
    maximum = ("[planes]", 'z = "maximum"', 'z_column = "plane"')
    cells = open_dataset(made([*OWN, *other], *FILES, *MASK, *maximum))
    assert of_cells(cells) == [("B03", 4, 17.5), ("B04", 4, 17.5)]
    # The third plane is the brightest; B04 has two.
    assert cells.read()[:, 1, 0, 0].tolist() == [pixels()[z, 1, 9, 12] for z in (2, 1)]
    assert any("differ in planes: 1 of 3 planes, 1 of 2 planes" in line for line in cells.warnings)
    within = open_dataset(made(Z, *IMAGE, *MASK, "[planes]", 'z = "maximum"'))
    np.testing.assert_array_equal(cells.read([0]), within.read())


def test_rows_that_are_no_stack_are_refused_with_the_column_that_differs(made: Made) -> None:
    rows = [{**row, "acquired": f"12:0{number}"} for number, row in enumerate(OWN)]
    maximum = ("[planes]", 'z = "maximum"', 'z_column = "plane"')
    with pytest.raises(DataError, match=r"no two rows are planes of one stack, .*'acquired'"):
        open_dataset(made(rows, *FILES, *MASK, *maximum))
    cells = open_dataset(made(rows, *FILES, *MASK, *maximum, 'stack = ["well"]'))
    assert len(cells.fields) == 1
    rows[1]["plane"] = 5
    with pytest.raises(DataError, match=r"line 3, column 'plane': .* in line 2 already"):
        open_dataset(made(rows, *FILES, *MASK, *maximum, 'stack = ["well"]'))


def test_points_in_files_of_planes_lie_in_the_projection_of_their_stack(made: Made) -> None:
    rows = [{**row, "y": 20, "x": 30 + n, "area": n / 3} for n, row in enumerate(OWN)]
    point = ("[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 12")
    maximum = ("[planes]", 'z = "maximum"', 'z_column = "plane"')
    with pytest.raises(DataError, match=r"rows are cells, .*name the columns"):
        open_dataset(made(rows, *FILES, *point, *maximum))
    cells = open_dataset(made(rows, *FILES, *point, *maximum, 'stack = ["well"]'))
    assert len(cells.fields) == 1
    assert cells.read()[:, 0, 6, 6].tolist() == [pixels()[2, 0, 20, x] for x in (30, 31, 32)]


def test_channels_of_one_stack_have_the_same_planes(made: Made) -> None:
    rows = [{"dna": "Z.ome.tif", "gfp": "gfp_0.tif"}]
    with pytest.raises(DataError, match=r"column 'gfp': .*one plane, .* first channel 3 planes"):
        open_dataset(made(rows, *FILES, "[cells]", "crop = 12", "[planes]", 'z = "each"'))


def test_a_choice_that_no_image_asks_for_is_said(made: Made) -> None:
    rows = [{"f": "Z.ome.tif", "m": "Z_mask.ome.tif"}]
    cells = open_dataset(made(rows, *IMAGE, *MASK, "[planes]", "z = 1", "t = 0"))
    assert any("t is said under [planes], but no image" in line for line in cells.warnings)


def test_planes_are_saved_as_images_of_their_own(made: Made, tmp_path: Path) -> None:
    cells = open_dataset(made(Z, *IMAGE, *MASK, "[planes]", 'z = "each"'))
    again = open_dataset(save_dataset(cells, tmp_path / "copy"))
    np.testing.assert_array_equal(again.read(), cells.read())
    assert again.to_frame()["object"].tolist() == [4, 4, 9]
    assert field_names(cells)[:2] == ("Z.ome.tif, z=0", "Z.ome.tif, z=1")
    assert {path.name for path in (tmp_path / "copy/images").glob("*.ome.tif")} == {
        "Z_z_0.ome.tif",
        "Z_z_1.ome.tif",
    }


def test_rows_without_a_plane_are_of_every_plane_or_refused(made: Made) -> None:
    planes = ("[planes]", 't = "each"', 't_column = "t"')
    rows = [{"f": "T.ome.tif", "m": "T_mask.ome.tif", "o": o, "t": t} for o, t in ((4, ""), (9, 1))]
    cells = open_dataset(made(rows, *IMAGE, *MASK, 'object = "o"', *planes))
    names = cells.to_frame()[["field_name", "object"]].to_numpy().tolist()
    assert names == [["T_t0", 4], ["T_t1", 4], ["T_t1", 9]]
    point = ("[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 12")
    rows = [{"f": "T.ome.tif", "y": 20, "x": 30, "t": t} for t in ("", 1)]
    with pytest.raises(DataError, match="column 't': names no plane along T; fill it in"):
        open_dataset(made(rows, *IMAGE, *point, *planes))


def test_points_that_name_no_plane_are_said_to_be_in_every_one(made: Made) -> None:
    point = ("[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 12")
    rows = [{"f": "T.ome.tif", "y": 20, "x": 30}]
    cells = open_dataset(made(rows, *IMAGE, *point, "[planes]", 't = "each"'))
    assert len(cells) == PLANES
    assert any("1 row names no plane" in warning for warning in cells.warnings)
