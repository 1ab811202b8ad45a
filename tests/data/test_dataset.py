"""Data-set files in all their forms, what is wrong with them, and the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from napari_channelmix.data import Cells, find_nuclei, open_dataset, open_dataset_job
from napari_channelmix.data.dataset import open_table
from napari_channelmix.data.description import Description, read_description
from napari_channelmix.data.table import Table
from napari_channelmix.data.tiff_source import TiffSource
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain

WriteSet = Callable[..., Path]

FILES = ('group = "well"', "[channels]", 'GFP = "gfp"', 'DNA = "dna"')
STACK = ('group = "well"', "[image]", 'column = "stack"')
SEGMENT = ("[cells]", 'from = "segment"', 'channel = "DNA"', "crop = 16")
POINT = ("[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 16")


def edited(path: Path, line: int, column: str, value: str) -> Path:
    """The data set with another value in its table; lines count from 1, as an editor does."""
    table = pd.read_csv(path.parent / "table.csv", dtype=str)
    table.loc[line - 2, column] = value
    table.to_csv(path.parent / "table.csv", index=False)
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as said:
        open_dataset(path)
    assert "\n" not in str(said.value)
    return str(said.value)


# ------------------------------------------------------------------ forms


def test_a_file_per_channel_keeps_the_order_of_the_data_set_file(write_set: WriteSet) -> None:
    cells = open_dataset(write_set(*FILES, *SEGMENT))
    assert cells.channels == ("GFP", "DNA")
    assert cells.classes == ("control", "treated")
    assert cells.shape == (24, 2, 16, 16)
    assert cells.class_counts == {"control": 12, "treated": 12}
    assert set(cells.groups) == {"W0", "W1", "W2", "W3"}
    crops = cells.read()
    assert (crops[:, 1, 8, 8] > 900).all(), "a nucleus is in the middle of its crop"
    assert crops[:, 0].mean() == pytest.approx(550, abs=10)


def test_one_file_with_a_channel_axis_takes_names_and_pixel_size_from_it(
    write_set: WriteSet,
) -> None:
    cells = open_dataset(write_set(*STACK, *SEGMENT))
    assert cells.channels == ("DNA", "GFP")
    assert cells.fields[0].pixel_size == (0.5, 0.5)
    assert cells.fields[0].unit == "µm"
    crops = cells.read()
    by_file = open_dataset(write_set(*FILES, *SEGMENT)).with_channels(["DNA", "GFP"])
    np.testing.assert_array_equal(crops, by_file.read())


def test_names_in_the_data_set_file_win_over_the_files_own(write_set: WriteSet) -> None:
    cells = open_dataset(write_set(*STACK, 'channels = ["a", "b"]', *POINT))
    assert cells.channels == ("a", "b")


def test_points_are_centres_of_crops_read_from_the_right_place(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    cells = open_dataset(path)
    picture = tifffile.imread(path.parent / "gfp2.tif")
    np.testing.assert_array_equal(cells.read([2])[0, 0], picture[6:22, 4:20])


def test_tiles_are_cut_at_their_corner_and_resized_where_crop_differs(write_set: WriteSet) -> None:
    tile = ("[cells]", 'from = "tile"', 'columns = ["y0", "x0"]', "size = 12")
    path = write_set(*FILES, *tile, "crop = 12")
    picture = tifffile.imread(path.parent / "gfp1.tif")
    np.testing.assert_array_equal(open_dataset(path).read([1])[0, 0], picture[8:20, 6:18])
    assert open_dataset(write_set(*FILES, *tile, "crop = 24")).read().shape == (4, 2, 24, 24)


def test_boxes_are_padded_square_and_resized(write_set: WriteSet) -> None:
    box = ("[cells]", 'from = "box"', 'columns = ["y0", "x0", "y1", "x1"]', "crop = 32")
    path = edited(write_set(*FILES, *box), 2, "x1", "22")
    cells = open_dataset(path)
    assert cells.table.loc[0, ["y0", "x0", "y1", "x1"]].tolist() == [6, 6, 22, 22]
    assert cells.table.loc[1, ["y0", "x0", "y1", "x1"]].tolist() == [8, 6, 20, 18]
    assert cells.read().shape == (4, 2, 32, 32)


def test_degenerate_boxes_are_left_out_and_said(write_set: WriteSet) -> None:
    box = ("[cells]", 'from = "box"', 'columns = ["y0", "x0", "y1", "x1"]')
    cells = open_dataset(edited(write_set(*FILES, *box), 4, "y1", "8"))
    assert len(cells) == 3
    (warning,) = cells.warnings
    assert "a box without area, left out" in warning
    assert "table.csv, line 4" in warning


@pytest.mark.parametrize("column", ["mask", "binary"])
def test_masks_labelled_or_binary_give_their_objects(write_set: WriteSet, column: str) -> None:
    mask = ("[cells]", 'from = "mask"', f'column = "{column}"', "crop = 16")
    cells = open_dataset(write_set(*FILES, *mask))
    assert len(cells) == 24
    assert (cells.read()[:, 1, 8, 8] > 900).all()
    first = cells.table["object"].tolist()[:6]
    assert first == ([2, 5, 8, 11, 14, 17] if column == "mask" else [1, 2, 3, 4, 5, 6])


def test_whole_images_of_different_sizes_become_one_size(tmp_path: Path) -> None:
    for name, shape in (("a", (30, 50)), ("b", (44, 20))):
        Image.fromarray(np.full(shape, 7, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "t.csv").write_text("path,label\na.png,x\nb.png,y\n")
    (tmp_path / "d.toml").write_text(
        'name = "d"\ntable = "t.csv"\nlabel = "label"\n[image]\ncolumn = "path"\n'
        '[cells]\nfrom = "image"\ncrop = 16\n'
    )
    cells = open_dataset(tmp_path / "d.toml")
    assert cells.channels == ("image",)
    assert cells.read().shape == (2, 1, 16, 16)
    np.testing.assert_allclose(cells.read(), 7)


def test_without_a_label_no_cell_has_a_class(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    path.write_text(path.read_text().replace('label = "label"\n', ""))
    cells = open_dataset(path)
    assert cells.classes == ()
    assert (cells.labels == -1).all()


def test_keep_filters_rows_orders_classes_and_says_what_no_row_has(write_set: WriteSet) -> None:
    keep = 'keep = {label = ["treated", "control", "tretaed"], well = ["W0", "W1", "W2"]}'
    cells = open_dataset(write_set(keep, *FILES, *POINT))
    assert cells.classes == ("treated", "control")
    assert cells.labels.tolist() == [1, 0, 1]
    assert cells.warnings == ("keep asks for 'tretaed', which no row of column 'label' has",)


def test_keep_matches_numbers_and_classes_sort_by_number(write_set: WriteSet) -> None:
    path = write_set("keep = {dose = [10, 9]}", *FILES, *POINT)
    path.write_text(path.read_text().replace('label = "label"', 'label = "name"'))
    table = pd.read_csv(path.parent / "table.csv").assign(
        dose=[9, 10, 10, 3], name=["dose 9", "dose 10", "dose 10", "?"]
    )
    table.to_csv(path.parent / "table.csv", index=False)
    assert open_dataset(path).classes == ("dose 9", "dose 10")


def test_an_own_split_is_kept(write_set: WriteSet) -> None:
    train, test = open_dataset(write_set('split = "part"', *FILES, *SEGMENT)).split(seed=5)
    assert set(train.groups) == {"W0", "W1"}
    assert set(test.groups) == {"W2", "W3"}


def test_a_table_with_tabs_a_byte_order_mark_and_blank_lines_is_read(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    table = (path.parent / "table.csv").read_text().splitlines()
    table.insert(2, "," * table[0].count(","))
    table.insert(4, "")
    text = "\n".join(table).replace(",", "\t") + "\n\n"
    (path.parent / "table.tsv").write_text("\ufeff" + text, "utf-8")
    path.write_text(path.read_text().replace("table.csv", "table.tsv"))
    assert len(open_dataset(path)) == 4
    (path.parent / "dna2.tif").unlink()
    assert "table.tsv, line 6, column 'dna'" in refused(path)


def test_opening_yields_a_step_per_image_and_decodes_none(
    write_set: WriteSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_set(*FILES, *POINT)
    monkeypatch.setattr(TiffSource, "decode", lambda *_: pytest.fail("pixels were decoded"))
    steps: list[Progress] = []
    drain(open_dataset_job(path), steps.append)
    opening = [step for step in steps if step.stage == "opening the images"]
    assert [step.done for step in opening] == [0, 1, 2, 3]
    assert all(step.total == 4 for step in opening)
    # A table of any size is read and looked through in steps as well.
    assert {"reading the table", "checking the table", "finding the cells"} < {
        step.stage for step in steps
    }


def test_no_value_of_a_table_that_is_right_is_looked_at_by_itself(
    write_set: WriteSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("number", "identifier"):
        original = getattr(Table, name)
        monkeypatch.setattr(
            Table,
            name,
            lambda self, row, column, name=name, original=original: (
                asked.append(name) or original(self, row, column)
            ),
        )
    table = pd.DataFrame({"label": "a", "y": 14, "x": np.arange(10, 50)})
    for name in ("dna", "gfp"):
        table[name] = f"{name}0.tif"
    assert len(open_dataset(write_set(*FILES[1:], *POINT, rows=table.to_csv(index=False)))) == 40
    ids = pd.DataFrame({"label": "a", "dna": "dna0.tif", "mask": "mask0.tif", "id": [2, 5, 8]})
    by_id = ('DNA = "dna"', "[cells]", 'from = "mask"', 'column = "mask"', 'object = "id"')
    path = write_set("[channels]", *by_id, "crop = 16", rows=ids.to_csv(index=False))
    assert open_dataset(path).table["object"].tolist() == [2, 5, 8]
    assert asked == []


# ------------------------------------------------------------------ what is wrong, and where


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        # What is wrong in an earlier row is said, whether it is a number, a place or a file.
        ({0: {"y": "x"}, 1: {"dna": "none.tif"}}, "line 2, column 'y': 'x' is not a number"),
        ({1: {"dna": "none.tif"}, 2: {"y": "x"}}, "line 3, column 'dna': .*none.tif"),
        ({1: {"x": "900"}, 2: {"y": "1_0"}}, "line 3: the cell at y=14, x=900 lies outside"),
        ({2: {"y": "1_0"}, 3: {"x": "900"}}, "line 4, column 'y': '1_0' is not a number"),
        # Within a row its columns in order, then its place.
        ({2: {"y": "1e10", "x": "?"}}, "line 4, column 'y': '1e10' is beyond the bound of 1e"),
    ],
)
def test_the_first_row_that_is_wrong_is_named(
    write_set: WriteSet, wrong: dict[int, dict[str, str]], says: str
) -> None:
    rows: list[dict[str, Any]] = [
        {"label": "ab"[n % 2], "dna": f"dna{n}.tif", "gfp": f"gfp{n}.tif", "y": 14, "x": 12}
        for n in range(4)
    ]
    for row, values in wrong.items():
        rows[row] |= values
    path = write_set(*FILES[1:], *POINT, rows=rows)
    with pytest.raises(DataError, match=says):
        open_dataset(path)


def test_cells_lie_where_their_rows_say_in_the_order_of_the_rows(write_set: WriteSet) -> None:
    rng = np.random.default_rng(0)
    files, y, x = rng.integers(0, 4, 300), rng.uniform(10, 50, 300), rng.uniform(10, 50, 300)
    table = pd.DataFrame(
        {
            "label": rng.choice(["b", "a"], 300),
            "dna": [f"dna{n}.tif" for n in files],
            "y": y,
            "x": x,
        }
    )
    table["gfp"] = table["dna"].str.replace("dna", "gfp")
    path = write_set(*FILES[1:], *POINT, rows=table.to_csv(index=False))
    cells = open_dataset(path)
    np.testing.assert_array_equal(cells.centres, np.column_stack([y, x]))
    shown = [cells.fields[n].planes[0].file.path.name for n in cells.table["field"]]  # type: ignore[union-attr]
    assert shown == table["gfp"].tolist()
    assert [cells.classes[code] for code in cells.labels] == table["label"].tolist()
    # Each row is a group; fields are numbered as their files come.
    assert cells.groups.tolist() == [str(n) for n in range(300)]
    assert cells.table["field"].drop_duplicates().tolist() == [0, 1, 2, 3]


def test_a_missing_table_column_or_channel_is_named(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    (path.parent / "table.csv").rename(path.parent / "other.csv")
    assert refused(path).endswith("table.csv does not exist")
    said = refused(write_set('group = "plate"', *FILES[1:], *POINT))
    assert "table.csv: no column 'plate', which dataset.toml names; it has well, label" in said
    said = refused(write_set(*STACK, *SEGMENT[:2], 'channel = "RNA"'))
    assert "'RNA' is not among its channels DNA, GFP" in said


@pytest.mark.parametrize("value", ["", "nowhere.tif"])
def test_a_missing_file_is_named_with_line_and_column(write_set: WriteSet, value: str) -> None:
    said = refused(edited(write_set(*FILES, *POINT), 3, "gfp", value))
    assert "table.csv, line 3, column 'gfp': " in said
    assert said.endswith("nowhere.tif does not exist" if value else "no file is named")


@pytest.mark.parametrize("column", ["gfp", "mask"])
def test_an_image_that_cannot_be_opened_is_named_with_line_and_column(
    write_set: WriteSet, column: str
) -> None:
    path = write_set(*FILES, "[cells]", 'from = "mask"', 'column = "mask"', "crop = 16")
    (path.parent / f"{column}1.tif").write_bytes(b"II*\0")
    said = refused(path)
    assert f"table.csv, line 3, column '{column}': " in said
    assert f"{column}1.tif: cannot be read, is it truncated?" in said


def test_a_truncated_image_is_named_when_it_is_opened(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    file = path.parent / "dna3.tif"
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"table\.csv, line 5, .*dna3\.tif: cannot be read, is it"):
        open_dataset(path)


def test_an_image_that_changes_or_vanishes_later_is_named(
    write_set: WriteSet,
) -> None:
    path = write_set(*FILES, *POINT)
    file = path.parent / "dna3.tif"
    cells = open_dataset(path)
    file.write_bytes(file.read_bytes()[:3000])
    assert cells.read([0, 1, 2]).shape[0] == 3
    with pytest.raises(DataError, match=r"table\.csv, line 5: .*dna3\.tif: changed while it was"):
        cells.read()
    file.unlink()
    with pytest.raises(DataError, match=r"table\.csv, line 5: .*dna3\.tif: is no longer there"):
        cells.read()


def test_a_truncated_image_is_named_when_nuclei_are_sought(write_set: WriteSet) -> None:
    path = write_set(*FILES, *SEGMENT)
    file = path.parent / "dna3.tif"
    file.write_bytes(file.read_bytes()[:3000])
    said = refused(path)
    assert "table.csv, line 5" in said
    assert "dna3.tif: cannot be read" in said


def test_rgb_where_a_channel_was_meant_is_refused_with_the_remedy(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    Image.new("RGB", (70, 60)).save(path.parent / "colour.png")
    said = refused(edited(path, 4, "gfp", "colour.png"))
    assert "table.csv, line 4, column 'gfp': " in said
    assert "this is an RGB image" in said
    assert 'axes = "YXC"' in said


def test_several_channels_where_one_was_meant_are_refused(write_set: WriteSet) -> None:
    said = refused(edited(write_set(*FILES, *POINT), 2, "gfp", "stack0.ome.tif"))
    assert "line 2, column 'gfp'" in said
    assert "has 2 channels, but stands for the one channel 'GFP'; use [image]" in said


def test_sizes_that_differ_between_channels_are_refused(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    tifffile.imwrite(path.parent / "dna1.tif", np.zeros((60, 71), np.uint16))
    said = refused(path)
    assert "table.csv, line 3" in said
    assert "channel 'DNA' is (60, 71) pixels, channel 'GFP' is (60, 70)" in said


def test_a_mask_of_another_size_is_refused(write_set: WriteSet) -> None:
    path = write_set(*FILES, "[cells]", 'from = "mask"', 'column = "mask"', "crop = 16")
    tifffile.imwrite(path.parent / "mask2.tif", np.ones((60, 71), np.uint16))
    assert "line 4, column 'mask': mask2.tif has 60 x 71 pixels, its image 60 x 70" in refused(path)


def test_an_empty_mask_leaves_its_image_out_with_a_word_unless_nothing_is_left(
    write_set: WriteSet,
) -> None:
    path = write_set(*FILES, "[cells]", 'from = "mask"', 'column = "mask"', "crop = 16")
    tifffile.imwrite(path.parent / "mask2.tif", np.zeros((60, 70), np.uint16))
    cells = open_dataset(path)
    assert len(cells) == 18 and sorted(set(cells.groups)) == ["W0", "W1", "W3"]
    (said,) = (line for line in cells.warnings if "mask" in line)
    assert said.startswith("1 row has a mask without any cell, left out (first: ")
    assert said.endswith("table.csv, line 4; 4 rows in all)")
    for well in (0, 1, 3):
        tifffile.imwrite(path.parent / f"mask{well}.tif", np.zeros((60, 70), np.uint16))
    assert "no cells were found in any of 4 rows (first: " in refused(path)


def test_images_without_nuclei_are_left_out_and_all_of_them_are_refused(
    write_set: WriteSet,
) -> None:
    path = write_set(*FILES, *SEGMENT)
    empty = np.full((60, 70), 100, np.uint16)
    tifffile.imwrite(path.parent / "dna0.tif", empty)
    cells = open_dataset(path)
    assert len(cells) == 18
    assert "no nuclei, left out" in cells.warnings[0]
    assert "line 2" in cells.warnings[0]
    for well in range(4):
        tifffile.imwrite(path.parent / f"dna{well}.tif", empty)
    assert "dataset.toml: no cells were found in any of 4 rows" in refused(path)


def test_nan_where_nuclei_are_sought_is_refused(write_set: WriteSet) -> None:
    path = write_set(*FILES, *SEGMENT)
    tifffile.imwrite(path.parent / "dna1.tif", np.full((60, 70), np.nan, np.float32))
    said = refused(path)
    assert "table.csv, line 3" in said
    assert "NaN or infinite pixels" in said


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused_when_read(write_set: WriteSet, bad: float) -> None:
    path = write_set(*FILES, *POINT)
    picture = np.ones((60, 70), np.float32)
    picture[15, 13] = bad
    tifffile.imwrite(path.parent / "gfp1.tif", picture)
    cells = open_dataset(path)
    says = r"line 3.*channel 'GFP' has NaN or infinite pixels in cell 1 \(near y=15, x=13\)"
    with pytest.raises(DataError, match=says):
        cells.read()


def test_a_crop_larger_than_the_image_is_refused(write_set: WriteSet) -> None:
    said = refused(write_set(*FILES, *POINT[:-1], "crop = 64"))
    assert "table.csv, line 2" in said
    assert "crop of 64 pixels is larger than the image (60, 70); choose a smaller" in said


def test_a_label_column_with_gaps_is_refused(write_set: WriteSet) -> None:
    path = edited(write_set(*FILES, *POINT), 3, "label", "")
    said = refused(edited(path, 5, "label", " "))
    assert "table.csv, line 3, column 'label': the label is empty (so are 1 more); fill" in said


def test_a_group_column_with_gaps_is_refused(write_set: WriteSet) -> None:
    said = refused(edited(write_set(*FILES, *POINT), 3, "well", ""))
    assert "table.csv, line 3, column 'well': the group is empty" in said


@pytest.mark.parametrize("value", ["Test", "", "training"])
def test_an_unknown_part_in_the_split_column_is_refused(write_set: WriteSet, value: str) -> None:
    said = refused(edited(write_set('split = "part"', *FILES, *POINT), 4, "part", value))
    assert f"table.csv, line 4, column 'part': {value!r} is none of train, val and test" in said


def test_a_split_column_that_divides_a_group_is_refused(write_set: WriteSet) -> None:
    said = refused(edited(write_set('split = "part"', *FILES, *POINT), 4, "well", "W0"))
    assert "line 4, column 'part': group 'W0' is in 'test' here and in 'train' in line 2" in said


@pytest.mark.parametrize("value", ["about 3", "", "nan", "inf"])
def test_a_value_that_is_no_number_is_refused(write_set: WriteSet, value: str) -> None:
    said = refused(edited(write_set(*FILES, *POINT), 3, "y", value))
    assert said.endswith(f"table.csv, line 3, column 'y': {value!r} is not a number")


@pytest.mark.parametrize(("column", "value"), [("y", "60"), ("x", "-1"), ("y", "900")])
def test_a_point_outside_the_image_is_refused(write_set: WriteSet, column: str, value: str) -> None:
    said = refused(edited(write_set(*FILES, *POINT), 3, column, value))
    assert "table.csv, line 3: the cell at" in said
    assert "lies outside the image of 60 x 70 pixels" in said


def test_a_tile_that_reaches_beyond_the_image_is_refused(write_set: WriteSet) -> None:
    tile = ("[cells]", 'from = "tile"', 'columns = ["y0", "x0"]', "size = 12")
    said = refused(edited(write_set(*FILES, *tile), 3, "x0", "60"))
    assert (
        "line 3: the tile of 12 pixels at y0=8, x0=60 reaches out of the image of 60 x 70" in said
    )


def test_channel_names_that_differ_between_files_are_refused(write_set: WriteSet) -> None:
    path = write_set(*STACK, *POINT)
    tifffile.imwrite(
        path.parent / "stack2.ome.tif",
        np.zeros((2, 60, 70), np.uint16),
        metadata={"axes": "CYX", "Channel": {"Name": ["DNA", "RFP"]}},
    )
    said = refused(path)
    assert "line 4, column 'stack': stack2.ome.tif has the channels DNA, RFP" in said
    assert "the files before it DNA, GFP" in said


def test_a_wrong_number_of_channel_names_is_refused(write_set: WriteSet) -> None:
    said = refused(write_set(*STACK, 'channels = ["a", "b", "c"]', *POINT))
    assert "line 2, column 'stack': stack0.ome.tif has 2 channels, 3 are named" in said


def test_unnamed_channels_and_unknown_axes_are_refused_with_the_remedy(
    write_set: WriteSet,
) -> None:
    path = write_set(*STACK, *POINT)
    for well in range(4):
        tifffile.imwrite(
            path.parent / f"stack{well}.ome.tif",
            np.zeros((2, 60, 70), np.uint16),
            ome=False,
            metadata=None,
        )
    said = refused(path)
    assert "line 2, column 'stack'" in said
    assert 'axes = "CYX" under [image]' in said
    path.write_text(path.read_text().replace("[cells]", 'axes = "CYX"\n[cells]'))
    assert "does not name them; name them with channels = [...] under [image]" in refused(path)
    path.write_text(path.read_text().replace("[cells]", 'channels = ["a", "b"]\n[cells]'))
    assert open_dataset(path).channels == ("a", "b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read as a table"),
        ("label,y,x,dna,gfp,well\n", "no rows"),
        ("label,y,x,dna,gfp,well\na,1,1,d,g,w,extra\n", "line 2 has 7 columns, more than the 6"),
        (
            "label,y,x,dna,gfp,well\na,1,1,d,g,w\na,1,1,d,g,w,extra\n",
            "line 3 has 7 columns, more than the 6",
        ),
    ],
)
def test_a_table_that_is_none_is_refused(write_set: WriteSet, text: str, says: str) -> None:
    path = write_set(*FILES, *POINT, rows=text)
    said = refused(path)
    assert "table.csv: " in said
    assert says in said


def test_keep_that_leaves_nothing_is_refused(write_set: WriteSet) -> None:
    said = refused(write_set('keep = {label = ["neither"]}', *FILES, *POINT))
    assert "table.csv: no rows are left by 'keep'" in said


def test_a_row_that_ends_early_is_refused_at_the_column_it_lacks(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    lines = (path.parent / "table.csv").read_text().splitlines()
    lines[2] = ",".join(lines[2].split(",")[:-5])
    (path.parent / "table.csv").write_text("\n".join(lines))
    assert "table.csv, line 3, column 'x': '' is not a number" in refused(path)


# ------------------------------------------------------------------ real image sets


@pytest.mark.parametrize(
    ("folder", "counts", "channels", "size"),
    [
        (
            "csm_breast_b14",
            {"CD8_GZMBneg": 38, "CD8_GZMBpos": 10, "OTHER": 129, "TUMOR": 641},
            ("DAPI", "PDL1", "GZMB", "PD1", "CK-EPCAM", "CD8a", "FOXP3"),
            24,
        ),
        (
            "jurkat_cellcycle_ifc",
            {"G1": 900, "S_phase": 900, "G2": 900, "Prophase": 606},
            ("brightfield", "DNA", "darkfield"),
            40,
        ),
        ("bccd_blood", {"Platelets": 361, "RBC": 4153, "WBC": 372}, ("R", "G", "B"), 64),
        (
            "lymphoid_mif_5ch",
            {"B": 249, "Cytotoxic T": 6, "Helper T": 15},
            ("Alexa594", "Cy3", "Cy5", "DAPI", "FITC"),
            32,
        ),
        ("ifcb_plankton", {"Mesodinium_major": 14, "Strombidium-like": 16}, ("brightfield",), 64),
    ],
)
def test_real_sets_give_the_counts_of_their_readme(
    shared_data: Path, folder: str, counts: dict[str, int], channels: tuple[str, ...], size: int
) -> None:
    cells = open_dataset(shared_data / folder / "dataset.toml")
    assert cells.class_counts == counts
    assert cells.channels == channels
    some = cells.read([0, len(cells) // 2, len(cells) - 1])
    assert some.shape == (3, len(channels), size, size)
    degenerate = [line for line in cells.warnings if line.startswith("2 rows have a box without")]
    assert len(degenerate) == (folder == "bccd_blood")


def test_nuclei_of_bbbc013_are_as_many_as_its_readme_counts(shared_data: Path) -> None:
    folder = shared_data / "bbbc013_wortmannin"
    cells = open_dataset(folder / "dataset.toml")
    assert cells.classes == ("negative", "positive")
    table = pd.read_csv(folder / "labels.csv").set_index("well")["approx_nuclei"]
    found: dict[str, Any] = cells.table.groupby("group").size().to_dict()
    assert len(found) == 12
    for well, number in found.items():
        assert number == pytest.approx(table[well], rel=0.1), well


def test_worms_of_bbbc010_lie_in_their_fields(shared_data: Path) -> None:
    cells: Cells = open_dataset(shared_data / "bbbc010_worms" / "dataset.toml")
    assert cells.channels == ("GFP", "brightfield")
    assert len(cells.fields) == 40
    wells = cells.table.groupby("label")["group"].nunique()
    assert wells.tolist() == [20, 20]
    # Dead worms take up the stain: 425-695 in worms, against 110-251 (README).
    crops = cells.read()[:, 0, 24:72, 24:72].mean(axis=(1, 2))
    dead = cells.labels == cells.classes.index("dead")
    assert crops[dead].mean() > 1.5 * crops[~dead].mean()


def test_cells_of_one_image_without_a_group_are_warned_of(write_set: WriteSet) -> None:
    without_group = [line for line in FILES if not line.startswith("group")]
    alone = open_dataset(write_set(*without_group, *POINT))
    shared = len(alone.fields) < len(alone)
    assert any("cells of one image" in line for line in alone.warnings) == shared
    assert not any(
        "cells of one image" in line for line in open_dataset(write_set(*FILES, *POINT)).warnings
    )


def test_cells_without_a_class_and_classes_without_a_cell(write_set: WriteSet) -> None:
    said = (
        'group = "well"',
        "unlabelled = true",
        'classes = ["treated", "other", "control"]',
        "[image]",
        'column = "stack"',
        "[cells]",
        'from = "mask"',
        'column = "mask"',
        "crop = 12",
    )
    path = write_set(*said)
    table = path.parent / "table.csv"
    table.write_text(table.read_text().replace("W0,control", "W0,"))
    cells = open_dataset(path)
    assert cells.classes == ("treated", "other", "control")
    assert cells.class_counts == {"treated": 12, "other": 0, "control": 6}
    assert set(cells.labels[cells.groups == "W0"]) == {-1}
    path.write_text(path.read_text().replace("unlabelled = true\n", ""))
    with pytest.raises(DataError, match=r"line 2, column 'label': the label is empty.*unlabelled"):
        open_dataset(path)


def test_a_row_per_object_of_a_mask(write_set: WriteSet) -> None:
    rows = [
        {"label": kind, "stack": "stack0.ome.tif", "mask": "mask0.tif", "value": value}
        for value, kind in ((5, "b"), (2, "a"), (14, "b"))
    ]
    path = write_set(
        "[image]",
        'column = "stack"',
        "[cells]",
        'from = "mask"',
        'column = "mask"',
        'object = "value"',
        "crop = 12",
        rows=rows,
    )
    cells = open_dataset(path)
    assert cells.table["object"].tolist() == [5, 2, 14] and cells.labels.tolist() == [1, 0, 1]
    assert len(cells.fields) == 1 and cells.table["x0"].tolist() == [28, 6, 28]
    text = path.read_text()
    path.write_text(text.replace('"mask"\ncolumn', '"segment"\nchannel = "DNA"\ncolumn'))
    with pytest.raises(DataError, match=r'object = .* is for from = "mask"'):
        open_dataset(path)


# ------------------------------------------------------------------ labels and borders


def test_a_mask_is_read_as_it_is_declared(write_set: WriteSet) -> None:
    mask = ("[cells]", 'from = "mask"', 'column = "mask"', "crop = 16", "min_area = 20")
    ids = np.zeros((60, 70), np.uint32)
    ids[10:20, 10:20] = ids[40:50, 40:50] = 3_000_000_000
    ids[10:20, 40:50] = 5

    def opened(*more: str) -> Cells:
        path = write_set(*FILES, *mask, *more)
        tifffile.imwrite(path.parent / "mask2.tif", ids)
        return open_dataset(path)

    safe = opened()
    here = safe.table[safe.table["field"] == 2]
    assert here["object"].tolist() == [1, 2, 3]
    assert safe.table["object"].tolist()[:6] == [2, 5, 8, 11, 14, 17]
    (said,) = (line for line in safe.warnings if "mask2" in line)
    assert said.startswith("mask2.tif: 2 ids lie in 3 regions of at least 20 pixels; each region")
    whole = opened("labelled = true")
    here = whole.table[whole.table["field"] == 2]
    assert here["object"].tolist() == [5, 3_000_000_000]
    assert here[["y", "x"]].to_numpy().tolist() == [[14.5, 44.5], [14.5, 14.5]]
    (said,) = (line for line in whole.warnings if "mask2" in line)
    assert said.startswith("mask2.tif: 1 id lies in 2 separate pieces; each cell lies at the")
    binary = opened("labelled = false")
    assert len(binary) == 21 and not any("mask2" in line for line in binary.warnings)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (('from = "point"', 'columns = ["y", "x"]', "labelled = true"), "labelled is for from ="),
        (
            ('from = "mask"', 'column = "mask"', 'object = "x"', "labelled = false"),
            "one of the two",
        ),
        (('from = "mask"', 'column = "mask"', 'border = "mirror"'), "border"),
    ],
)
def test_keys_of_cells_that_contradict_are_refused(
    write_set: WriteSet, lines: tuple[str, ...], says: str
) -> None:
    assert says in refused(write_set(*FILES, "[cells]", *lines))


def test_cells_at_the_border_are_said_or_left_out(write_set: WriteSet) -> None:
    point = (*FILES, "[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 26")
    cells = open_dataset(edited(write_set(*point), 2, "y", "13"))
    # Columns -1 to 24 around x = 12, in each of the four rows.
    assert cells.at_border.all()
    assert any(line.startswith("4 of 4 cells reach over the border") for line in cells.warnings)
    point = (*FILES, "[cells]", 'from = "point"', 'columns = ["y", "x"]', "crop = 24")
    path = edited(write_set(*point, 'border = "leave_out"'), 2, "y", "11")
    cells = open_dataset(path)
    assert len(cells) == 3 and not cells.at_border.any()
    said = [line for line in cells.warnings if "border" in line]
    assert said == ["1 of 4 cells reaches over the border of their image and was left out"]


def test_an_object_that_a_row_names_may_have_any_id(write_set: WriteSet) -> None:
    mask = ("[cells]", 'from = "mask"', 'column = "mask"', 'object = "x"', "crop = 16")
    path = write_set(*FILES, *mask)
    ids = np.zeros((60, 70), np.uint64)
    ids[10:20, 10:20], ids[40:50, 40:50] = 2**53 + 1, 2**53
    for well in range(4):
        tifffile.imwrite(path.parent / f"mask{well}.tif", ids)
        edited(path, well + 2, "x", str(2**53 + well % 2))
    cells = open_dataset(path)
    assert cells.table["object"].tolist() == [2**53, 2**53 + 1] * 2
    assert cells.table["y"].tolist() == [44.5, 14.5] * 2
    assert "has no object of the value 7" in refused(edited(path, 3, "x", "7"))


def test_points_up_to_half_a_pixel_beyond_the_image_are_kept_and_said(write_set: WriteSet) -> None:
    cells = open_dataset(edited(write_set(*FILES, *POINT), 3, "y", "59.75"))
    assert cells.table["y"].tolist() == [14, 59.75, 14, 14]
    (said,) = (line for line in cells.warnings if "half a pixel outside" in line)
    assert said.startswith("1 of 4 points lie") and "table.csv, line 3" in said
    assert len(open_dataset(edited(write_set(*FILES, *POINT), 3, "y", "-0.5"))) == 4
    assert "lies outside" in refused(edited(write_set(*FILES, *POINT), 3, "y", "-0.51"))


def test_one_file_for_two_channels_is_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((20, 20), 7, np.uint16))
    (tmp_path / "t.csv").write_text("p,q\na.tif,./a.tif\n", "utf-8")
    path = tmp_path / "d.toml"
    path.write_text(
        'table = "t.csv"\nname = "x"\n[channels]\nDNA = "p"\nER = "q"\n'
        '[cells]\nfrom = "image"\ncrop = 16\n',
        "utf-8",
    )
    lines = open_dataset(path).warnings
    assert any("is the file of channel 'DNA' and of 'ER' as well" in line for line in lines)


def test_boxes_without_area_say_which_corner_comes_first(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((40, 40), 7, np.uint16))
    (tmp_path / "t.csv").write_text("p,a,b,c,d\na.tif,30,30,10,10\n", "utf-8")
    path = tmp_path / "d.toml"
    path.write_text(
        'table = "t.csv"\nname = "x"\n[channels]\nDNA = "p"\n'
        '[cells]\nfrom = "box"\ncolumns = ["a", "b", "c", "d"]\ncrop = 16\n',
        "utf-8",
    )
    assert refused(path).endswith("no box has an area: its first corner comes first (a, b, c, d)")


@pytest.mark.parametrize(("names", "fits"), [("rgb", True), ("bgr", False), ("xyz", True)])
def test_colours_in_another_order_than_a_picture_has_them_are_refused(
    tmp_path: Path, names: str, fits: bool
) -> None:
    Image.fromarray(np.full((20, 20, 3), (9, 5, 2), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("p\na.png\n", "utf-8")
    path = tmp_path / "d.toml"
    path.write_text(
        'table = "t.csv"\nname = "x"\n[image]\ncolumn = "p"\naxes = "YXC"\n'
        f'channels = {list(names)}\n[cells]\nfrom = "image"\ncrop = 16\n',
        "utf-8",
    )
    if fits:
        assert open_dataset(path).read()[0, :, 0, 0].tolist() == [9, 5, 2]
    else:
        assert "its samples are red, green, blue, b, g, r by the data-set file" in refused(path)


def test_a_background_that_is_found_as_a_nucleus_is_said(tmp_path: Path) -> None:
    y, x = np.mgrid[:80, :80]
    cells = sum(((y - a) ** 2 + (x - b) ** 2 < 64) for a in (20, 60) for b in (20, 60))
    noise = np.random.default_rng(0).normal(0, 5, cells.shape)
    (tmp_path / "t.csv").write_text("p\na.tif\n", "utf-8")
    path = tmp_path / "d.toml"
    path.write_text(
        'table = "t.csv"\nname = "x"\n[channels]\nDNA = "p"\n'
        '[cells]\nfrom = "segment"\nchannel = "DNA"\ncrop = 16\n',
        "utf-8",
    )
    for sign, said in ((1, False), (-1, True)):
        pixels = (1000 + sign * 800 * cells + noise).astype(np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", pixels)
        lines = open_dataset(path).warnings
        assert any("reaches all four sides" in line for line in lines) is said


# ------------------------------------------------------------------ tables in memory


def described(path: Path) -> tuple[pd.DataFrame, Description]:
    return pd.read_csv(path.parent / "table.csv"), read_description(path)


def test_a_table_in_memory_gives_the_cells_of_the_same_table_in_a_file(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    table, description = described(path)
    cells = open_table(table, description, path.parent, "wells")
    from_file = open_dataset(path)
    pd.testing.assert_frame_equal(cells.table, from_file.table)
    assert cells.signature == from_file.signature
    assert cells.keys.equals(from_file.keys)


def test_messages_name_the_row_of_a_table_in_memory_by_its_index(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    table, description = described(path)
    table["y"] = table["y"].astype(object)
    table.loc[2, "y"] = "high"
    with pytest.raises(DataError, match=r"^wells, row 2, column 'y': 'high' is not a number"):
        open_table(table, description, path.parent, "wells")
    table.index = pd.Index(table.index + 2, name="line")
    with pytest.raises(DataError, match=r"^wells\.csv, line 4, column 'y': "):
        open_table(table, description, path.parent, "wells.csv")


def test_a_table_in_memory_without_a_column_that_is_named_is_refused(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    table, description = described(path)
    with pytest.raises(DataError, match=r"^wells: no column 'gfp'; it has .*'GFP' meant"):
        open_table(table.rename(columns={"gfp": "GFP"}), description, path.parent, "wells")
    with pytest.raises(DataError, match=r"^wells: no rows$"):
        open_table(table.iloc[:0], description, path.parent, "wells")


def test_rows_of_one_index_are_read_by_their_position(write_set: WriteSet) -> None:
    path = write_set(*FILES, *POINT)
    table, description = described(path)
    table.index = pd.Index([0] * len(table))
    assert len(open_table(table, description, path.parent, "wells")) == 4


def test_objects_are_segmented_as_the_data_set_file_says(write_set: WriteSet) -> None:
    plain = open_dataset(write_set(*FILES, *SEGMENT))
    grown = open_dataset(write_set(*FILES, *SEGMENT, "threshold = 1.0", "expand = 3"))
    assert len(grown) == len(plain)
    labels = [field.labels for field in grown.fields]
    before = [field.labels for field in plain.fields]
    assert all((new > 0).sum() > (old > 0).sum() for new, old in zip(labels, before, strict=True))
    none = refused(write_set(*FILES, *SEGMENT, "threshold = 1.0", "min_area = 100000"))
    assert "no cell" in none or "nothing" in none


def test_a_data_set_file_without_settings_of_segmentation_has_the_nuclei_it_always_had(
    write_set: WriteSet,
) -> None:
    cells = open_dataset(write_set(*FILES, *SEGMENT))
    for field in cells.fields:
        height, width = field.shape
        np.testing.assert_array_equal(
            field.labels, find_nuclei(field.planes[1][0:height, 0:width], min_area=40)
        )
