import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.scan.tables import scan_table


@pytest.fixture
def stacks(tmp_path):
    """Two files of 3 planes and 2 channels; plane z of channel c holds 100 c + 10 z."""
    for stem in ("a", "b"):
        pixels = np.zeros((3, 2, 41, 53), np.uint16)
        for plane in range(3):
            for channel in range(2):
                pixels[plane, channel] = 100 * channel + 10 * plane
        metadata = {"axes": "ZCYX", "Labels": ["DNA", "GFP"] * 3}
        tifffile.imwrite(tmp_path / f"{stem}.tif", pixels, imagej=True, metadata=metadata)
    return tmp_path


def points(folder, **columns):
    frame = pd.DataFrame({"path": ["a.tif", "b.tif"], "x": [20, 30], "y": [11, 12]})
    return scan_table(frame.assign(**columns), images=folder, crop=8)


def test_planes_within_files_are_asked_for_and_never_chosen_silently(stacks):
    scan = points(stacks)
    choice = next(one for one in scan.choices if one.name == "planes")
    assert choice.chosen is None
    assert choice.options == (
        "every plane a field of view",
        "maximum over the planes",
        "only plane 0",
        "only plane 1",
        "only plane 2",
    )
    assert any("Choose 'planes'" in line for line in scan.problems)


@pytest.mark.parametrize(
    ("answer", "entry", "values"),
    [
        ("only plane 1", {"z": 1}, [10, 10]),
        ("maximum", {"z": "maximum"}, [20, 20]),
        ("every", {"z": "each"}, [0, 10, 20, 0, 10, 20]),
    ],
)
def test_the_answer_is_in_the_data_set_and_in_its_pixels(stacks, answer, entry, values):
    from napari_channelmix.data import open_dataset

    scan = points(stacks).with_choice("planes", answer)
    assert scan.description()["planes"] == entry
    cells = scan.cells()
    assert [int(crop[0, 4, 4]) for crop in cells.read(range(len(cells)))] == values
    saved = open_dataset(scan.save(stacks / "set.toml"))
    assert np.array_equal(saved.read(range(len(saved))), cells.read(range(len(cells))))


def test_a_point_lies_in_the_plane_that_its_row_names(stacks):
    scan = points(stacks, plane=[2, 0]).with_choice("planes", "every")
    assert scan.description()["planes"] == {"z": "each", "z_column": "plane"}
    cells = scan.cells()
    assert [int(crop[1, 4, 4]) for crop in cells.read([0, 1])] == [120, 100]


def test_a_label_image_of_as_many_planes_is_read_plane_by_plane(stacks):
    labels = np.zeros((3, 41, 53), np.uint16)
    labels[0, 5:12, 6:14] = 1
    labels[2, 20:30, 30:36] = 2
    tifffile.imwrite(stacks / "m.tif", labels, imagej=True, metadata={"axes": "ZYX"})
    frame = pd.DataFrame({"path": ["a.tif"], "mask_path": ["m.tif"]})
    scan = scan_table(frame, images=stacks, crop=8).with_choice("planes", "every")
    assert scan.problems == ()
    cells = scan.cells()
    assert cells.centres.tolist() == [[8.0, 9.5], [24.5, 32.5]]
    assert [int(crop[0, 4, 4]) for crop in cells.read([0, 1])] == [0, 20]


def test_planes_in_files_of_their_own_have_a_maximum_too(tmp_path):
    rows = []
    for field in ("f1", "f2"):
        for plane in (1, 2, 3):
            pixels = np.full((41, 53), 10 * plane, np.uint16)
            tifffile.imwrite(tmp_path / f"{field}_z{plane}.tif", pixels, metadata={"axes": "YX"})
            rows.append({"path": f"{field}_z{plane}.tif", "field": field, "plane": str(plane)})
    scan = scan_table(pd.DataFrame(rows), images=tmp_path).with_choice("cells", "each image")
    maximum = scan.with_choice("planes", "maximum")
    assert maximum.description()["planes"] == {"z": "maximum", "z_column": "plane"}
    cells = maximum.cells()
    assert [int(crop.max()) for crop in cells.read(range(len(cells)))] == [30, 30]
    assert len(scan.with_choice("planes", "only plane 2").cells()) == 2
