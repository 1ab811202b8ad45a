"""cm.open: every kind of source, what it needs to be told, and what it refuses."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile

import napari_channelmix as cm
from napari_channelmix.data.write_dataset import save_dataset
from napari_channelmix.errors import DataError

HEIGHT, WIDTH = 44, 60
CHANNELS = ["DNA", "GFP"]


def image() -> npt.NDArray[np.uint16]:
    """A value of its own for each pixel, (C, Y, X)."""
    return np.arange(2 * HEIGHT * WIDTH, dtype=np.uint16).reshape(2, HEIGHT, WIDTH)


def labels() -> npt.NDArray[np.int32]:
    """Cells 3 (10 x 14) and 8 (12 x 10)."""
    result = np.zeros((HEIGHT, WIDTH), np.int32)
    result[6:16, 8:22], result[24:36, 40:50] = 3, 8
    return result


# ------------------------------------------------------------------ arrays


def test_an_array_with_a_label_image() -> None:
    cells = cm.open(
        image(), axes="CYX", channels=CHANNELS, labels=labels(), classes={3: "live", 8: "dead"}
    )
    # 14 pixels are the longest: the next step of 8.
    assert cells.shape == (2, 2, 16, 16)
    assert any("crops of 16 pixels were chosen: all 2 cells fit" in w for w in cells.warnings)
    assert cells.to_frame()[["object", "label", "y", "x"]].to_numpy().tolist() == [
        [3, "live", 10.5, 14.5],
        [8, "dead", 29.5, 44.5],
    ]
    assert cells.read([0])[0, 1, 0, 0] == image()[1, 3, 7]


@pytest.mark.parametrize("axes", ["YXC", "XCY"])
def test_channels_may_be_any_axis_that_is_named(axes: str) -> None:
    given: dict[str, Any] = {"channels": CHANNELS, "labels": labels(), "crop": 8}
    first = cm.open(image(), axes="CYX", **given)
    array = np.moveaxis(image(), [0, 1, 2], [axes.index(letter) for letter in "CYX"])
    for source in (array, da.from_array(array, chunks=20)):
        cells = cm.open(source, axes=axes, **given)
        np.testing.assert_array_equal(cells.read(), first.read())


def test_a_channel_axis_is_never_guessed() -> None:
    with pytest.raises(DataError, match=r'which axis of .* is not known; say so, as axes="CYX"'):
        cm.open(image(), labels=labels())
    with pytest.raises(DataError, match="do not fit an array"):
        cm.open(image(), axes="YX", channels=CHANNELS, labels=labels())
    with pytest.raises(DataError, match="nothing names its 2 channels"):
        cm.open(image(), axes="CYX", labels=labels(), crop=8)
    assert cm.open(image()[0], labels=labels(), crop=8).channels == ("image",)


def test_points_and_their_classes() -> None:
    cells = cm.open(image()[0], points=[(10, 12), (30, 33)], classes=["a", None], crop=8)
    assert cells.classes == ("a",) and cells.labels.tolist() == [0, -1]
    assert cells.read()[:, 0, 4, 4].tolist() == [image()[0, 10, 12], image()[0, 30, 33]]
    with pytest.raises(DataError, match=r"give crop=\.\.\. in pixels \(their distances suggest 40"):
        cm.open(image()[0], points=[(10, 12), (30, 29)])
    with pytest.raises(DataError, match="1 classes for 2 points"):
        cm.open(image()[0], points=[(10, 12), (30, 33)], classes=["a"], crop=8)


def test_several_images_are_groups_unless_groups_are_given() -> None:
    images = {"ctrl": image(), "drug": image() + 7}
    given = {"axes": "CYX", "channels": CHANNELS, "crop": 8}
    cells = cm.open(images, labels=[labels(), labels()], **given)
    assert cells.groups.tolist() == ["ctrl", "ctrl", "drug", "drug"]
    assert cells.field_names == ("ctrl", "drug")
    assert not any("all cells come from one image" in line for line in cells.warnings)
    by_name = cm.open(
        images, labels={"drug": labels(), "ctrl": labels()}, groups=["a", "a"], **given
    )
    assert set(by_name.groups) == {"a"}
    np.testing.assert_array_equal(by_name.read(), cells.read())
    with pytest.raises(DataError, match="labels: 1 are given for 2 images"):
        cm.open(images, labels=[labels()], **given)
    with pytest.raises(DataError, match="labels: nothing is said of image 'drug'"):
        cm.open(images, labels={"ctrl": labels()}, **given)


def test_crops_that_are_cut_out_already() -> None:
    crops = np.arange(3 * 2 * 8 * 8, dtype=np.float32).reshape(3, 2, 8, 8)
    cells = cm.open(crops, axes="NCYX", channels=CHANNELS, classes=["a", "b", "a"])
    np.testing.assert_array_equal(cells.read(), crops)
    assert cells.class_counts == {"a": 2, "b": 1}
    last = cm.open(np.moveaxis(crops, 1, 3), axes="NYXC", channels=CHANNELS, groups=["p", "p", "q"])
    np.testing.assert_array_equal(last.read(), crops)
    assert last.groups.tolist() == ["p", "p", "q"]
    with pytest.raises(DataError, match=r"crop=\.\.\. is not for crops"):
        cm.open(crops, axes="NCYX", channels=CHANNELS, crop=4)


def test_pixels_are_resampled_where_their_size_is_given() -> None:
    given: dict[str, Any] = {"labels": labels(), "crop": 8, "pixel_size": 0.5}
    cells = cm.open(image()[0], image_pixel_size=0.25, **given)
    assert (cells.boxes[:, 2] - cells.boxes[:, 0]).tolist() == [16, 16]
    with pytest.raises(DataError, match="does not state the size of its pixels"):
        cm.open(image()[0], **given)


@pytest.mark.parametrize(
    ("own", "size", "crop"),
    # 36 pixels of an image of 44 fill 18 of twice the side: no more than 22 fit into the image.
    # 108 of a third would not: what is cut out is no larger than the image.
    [(0.25, None, 40), (0.25, 0.5, 22), (0.25, 0.375, 24), (0.3, 0.1, 44)],
)
def test_the_crop_is_proposed_in_pixels_after_resampling(
    own: float, size: float | None, crop: int
) -> None:
    marks = np.zeros((HEIGHT, WIDTH), np.int32)
    marks[4:40, 10:40] = 1
    cells = cm.open(
        image(), axes="CYX", channels=CHANNELS, labels=marks, image_pixel_size=own, pixel_size=size
    )
    assert cells.shape[-1] == crop
    assert any(f"crops of {crop} pixels were chosen: " in line for line in cells.warnings)


def test_points_suggest_a_crop_in_pixels_after_resampling() -> None:
    with pytest.raises(DataError, match=r"their distances suggest 24\)"):
        cm.open(
            np.zeros((100, 100)),
            points=[(20, 20), (20, 50)],
            image_pixel_size=0.25,
            pixel_size=0.5,
        )


# ------------------------------------------------------------------ stacks


def film() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Three planes; cell 3 moves by 5 columns in each, cell 8 is in the second alone."""
    stack = np.stack([image()[0] + 100 * t for t in range(3)])
    marks = np.zeros(stack.shape, np.int32)
    for t in range(3):
        marks[t, 6:16, 8 + 5 * t : 18 + 5 * t] = 3
    marks[1, 24:34, 40:50] = 8
    return stack, marks


def test_planes_of_a_stack_are_asked_for() -> None:
    stack, marks = film()
    with pytest.raises(DataError, match=r'3 planes along T; say .* choices={"times": "each"}'):
        cm.open(stack, axes="TYX", labels=marks, crop=8)
    with pytest.raises(DataError, match="there is no plane 5"):
        cm.open(stack, axes="TYX", labels=marks, crop=8, choices={"times": 5})


def test_every_plane_with_its_own_outlines_and_tracks_as_groups() -> None:
    stack, marks = film()
    given: dict[str, Any] = {"axes": "TYX", "labels": marks, "crop": 8}
    cells = cm.open(stack, choices={"times": "each"}, groups="track", name="film", **given)
    frame = cells.to_frame()
    assert frame["field_name"].tolist() == ["film_t0", "film_t1", "film_t1", "film_t2"]
    assert frame["x"].tolist() == [12.5, 17.5, 44.5, 22.5]
    assert frame["group"].tolist() == [f"film track {n}" for n in (3, 3, 8, 3)]
    one = cm.open(stack, choices={"times": 1}, **given)
    np.testing.assert_array_equal(one.read(), cells.read([1, 2]))


def test_pixels_and_outlines_are_projected_together() -> None:
    stack, marks = film()
    cells = cm.open(stack, axes="ZYX", labels=marks, crop=8, choices={"planes": "maximum"})
    assert cells.to_frame()[["object", "x"]].to_numpy().tolist() == [[3, 17.5], [8, 44.5]]
    assert cells.read([0])[0, 0, 0, 0] == stack[2, 7, 14]


def test_points_are_tied_to_their_plane() -> None:
    stack, _ = film()
    cells = cm.open(
        stack,
        axes="TYX",
        points=[(2, 10, 12), (0, 30, 33)],
        classes=["late", "early"],
        crop=8,
        choices={"times": "each"},
    )
    frame = cells.to_frame()
    assert frame[["field_name", "label"]].to_numpy().tolist() == [
        ["image_t0", "early"],
        ["image_t2", "late"],
    ]
    assert cells.read()[:, 0, 4, 4].tolist() == [stack[0, 30, 33], stack[2, 10, 12]]


# ------------------------------------------------------------------ files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two wells of two channels in one file each, with label images beside them."""
    images = tmp_path / "in"
    images.mkdir()
    for well in ("B03", "C04"):
        tifffile.imwrite(
            images / f"plate1_{well}.ome.tif",
            image(),
            photometric="minisblack",
            metadata={"axes": "CYX", "Channel": {"Name": CHANNELS}, "PhysicalSizeX": 0.5},
        )
        tifffile.imwrite(tmp_path / f"{well}_mask.tif", labels().astype(np.uint16))
    return tmp_path


def test_image_files_name_their_channels(folder: Path) -> None:
    files = sorted((folder / "in").glob("*.tif"))
    masks = [folder / "B03_mask.tif", labels()]
    cells = cm.open(files, labels=masks, crop=8)
    assert cells.channels == ("DNA", "GFP") and cells.field_names == ("B03", "C04")
    alone = cm.open(str(files[0]), labels=labels(), crop=8)
    np.testing.assert_array_equal(alone.read(), cells.read([0, 1]))
    assert alone.field_names == ("plate1_B03",)


def test_a_folder_asks_what_a_cell_is_and_is_told(folder: Path) -> None:
    answers = {"cells": "each image is a cell"}
    cells = cm.open(folder / "in", choices=answers, crop=20)
    assert cells.shape == (2, 2, 20, 20) and cells.channels == ("DNA", "GFP")
    one = cm.open(folder / "in" / "plate1_B03.ome.tif", choices=answers, crop=20)
    assert len(one) == 1
    with pytest.raises(DataError, match=r"labels=\.\.\. is not for a folder"):
        cm.open(folder / "in", labels=labels())


def test_an_open_question_says_how_it_is_answered(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((600, 700), np.uint8))
    says = r"What is a cell\? \(cells: .* Answer as in choices={'cells': 'each image is a cell'}"
    with pytest.raises(DataError, match=says):
        cm.open(tmp_path)


def test_a_table_is_read_as_scan_table_reads_it(folder: Path) -> None:
    frame = pd.DataFrame(
        {"file": [str(folder / "in" / "plate1_B03.ome.tif")] * 2, "x": [20, 30], "y": [21, 31]}
    )
    frame.to_csv(folder / "cells.csv", index=False)
    for source in (frame, folder / "cells.csv"):
        cells = cm.open(source, crop=8)
        assert cells.centres.tolist() == [[21, 20], [31, 30]]
    with pytest.raises(DataError, match=r"classes=\.\.\. is not for a table.*Cells.from_frame"):
        cm.open(frame, classes=["a"])


def test_a_data_set_file_or_its_folder(folder: Path) -> None:
    path = save_dataset(cm.open(image()[0], labels=labels(), crop=8), folder / "set")
    assert cm.open(path).signature == cm.open(str(folder / "set")).signature
    with pytest.raises(DataError, match=r"crop=\.\.\. is not for a data-set file"):
        cm.open(path, crop=8)


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("nowhere", {}, "nowhere: no such file or folder"),
        (7, {}, "open: cannot open int"),
        ([], {"labels": []}, "open: an empty list"),
        (np.zeros((9, 9)), {}, "say where the cells are"),
        (np.zeros((9, 9)), {"labels": np.ones((9, 9), int), "points": [(1, 1)]}, "one of the two"),
        (np.zeros((9, 9)), {"labels": np.ones((8, 9), int), "crop": 4}, "labels are .*8, 9"),
        (np.zeros((9, 9)), {"labels": np.zeros((9, 9), int)}, "no cell is marked"),
        (np.zeros((9, 9), complex), {"points": [(1, 1)]}, "must be whole numbers or floats"),
        (np.zeros((9, 9)), {"points": "here"}, "points must be numbers"),
        (np.zeros((9, 9)), {"labels": np.eye(9, dtype=int), "choices": "each"}, "a mapping, such"),
        (np.zeros((9, 9)), {"labels": np.eye(9, dtype=int), "axes": 3}, "axes must be a text"),
        (np.zeros((9, 9)), {"points": [(1, 1)], "pixel_size": "x"}, "pixel_size must be micro"),
        (np.zeros((9, 9)), {"points": [(1, 1)], "image_pixel_size": -1}, "more than 0, not -1"),
        ([np.zeros((9, 9))], {"labels": [None], "crop": 4}, "nothing marks its cells"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_a_line(
    source: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as error:
        cm.open(source, **options)
    assert "\n" not in str(error.value)


def test_examples_run() -> None:
    module = importlib.import_module("napari_channelmix.scan.open")
    assert doctest.testmod(module).failed == 0


# ------------------------------------------------------------------ what is understood of arrays


def test_channels_that_are_named_tell_their_axis_and_it_is_said() -> None:
    for array, axes in ((image(), "CYX"), (np.moveaxis(image(), 0, 2), "YXC")):
        cells = cm.open(array, channels=CHANNELS, labels=labels(), crop=8)
        named = cm.open(array, axes=axes, channels=CHANNELS, labels=labels(), crop=8)
        np.testing.assert_array_equal(cells.read(), named.read())
        assert any(f"are read as {axes}, since 2 channels are named" in w for w in cells.warnings)


def test_two_axes_that_may_hold_the_channels_are_told_apart_by_the_labels_or_refused() -> None:
    array = np.zeros((9, 12, 9))
    with pytest.raises(DataError, match="which axis of"):
        cm.open(array, channels=[f"c{i}" for i in range(9)], points=[(4, 4)], crop=4)
    cells = cm.open(
        array, channels=[f"c{i}" for i in range(9)], labels=np.ones((12, 9), int), crop=4
    )
    assert any("are read as CYX" in line for line in cells.warnings)


def test_crops_without_axes_need_a_class_or_group_each() -> None:
    crops = np.arange(4 * 3 * 8 * 8, dtype=np.float32).reshape(4, 3, 8, 8)
    names = ["a", "b", "c"]
    cells = cm.open(np.moveaxis(crops, 1, 3), channels=names, classes=["u", "v", "u", "v"])
    np.testing.assert_array_equal(cells.read(), crops)
    with pytest.raises(DataError, match="say where the cells are"):
        cm.open(crops, channels=names)
    # Three pixels, and three channels.
    with pytest.raises(DataError, match="say where the cells are"):
        cm.open(crops[:, :, :3, :3], channels=names, classes=["u", "v", "u", "v"])


def test_points_of_a_table_keep_its_columns() -> None:
    points = pd.DataFrame({"cell_id": [7, 9], "X": [12, 33], "y": [10, 30], "state": ["a", "b"]})
    cells = cm.open(image()[0], points=points, classes="state", crop=8)
    assert cells.centres.tolist() == [[10, 12], [30, 33]]
    assert cells.keys.to_dict("list") == {"cell_id": ["7", "9"]}
    assert cells.class_counts == {"a": 1, "b": 1}
    with pytest.raises(DataError, match="have no column 'kind' for classes"):
        cm.open(image()[0], points=points, classes="kind", crop=8)


def test_a_mask_of_booleans_marks_regions() -> None:
    cells = cm.open(image()[0], labels=labels() > 0)
    assert len(cells) == 2 and cells.crop == 16


def test_arrays_of_numpy_are_read_and_pickles_are_not(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", image())
    np.save(tmp_path / "labels.npy", labels())
    given: dict[str, Any] = {"axes": "CYX", "channels": CHANNELS, "crop": 8}
    cells = cm.open(tmp_path / "image.npy", labels=tmp_path / "labels.npy", **given)
    np.testing.assert_array_equal(cells.read(), cm.open(image(), labels=labels(), **given).read())
    np.save(tmp_path / "x_seg.npy", np.array({"masks": labels()}), allow_pickle=True)
    for options in ({}, {"labels": labels()}):
        with pytest.raises(DataError, match=r"x_seg\.npy: holds no plain array but a pickle"):
            cm.open(tmp_path / "x_seg.npy", **options)


def test_what_a_scan_leaves_out_is_said_of_the_cells(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", image()[0])
    (tmp_path / "b.txt").write_text("?")
    cells = cm.open(tmp_path, choices={"cells": "each image is a cell"})
    (line,) = [line for line in cells.warnings if "left out" in line]
    assert line.startswith("left out: b.txt")


def test_classes_of_ids_that_are_no_cell_are_said_or_refused() -> None:
    given: dict[str, Any] = {"labels": labels(), "crop": 8}
    cells = cm.open(image()[0], classes={3: "live", 77: "dead"}, **given)
    assert any("1 of 2 ids that are given a class are of no cell" in w for w in cells.warnings)
    with pytest.raises(DataError, match="none of the ids in classes is in the label image"):
        cm.open(image()[0], classes={77: "dead"}, **given)
    with pytest.raises(DataError, match="'q' is not a whole number"):
        cm.open(image()[0], classes={"q": "dead"}, **given)


def test_planes_of_a_stack_are_one_group_unless_ids_are_tracks() -> None:
    stack, marks = film()
    cells = cm.open(stack, axes="TYX", labels=marks, crop=8, choices={"times": "each"})
    assert set(cells.groups) == {"image"}


def test_each_means_the_same_for_files_that_are_scanned(tmp_path: Path) -> None:
    stack, _ = film()
    tifffile.imwrite(tmp_path / "film.ome.tif", stack, metadata={"axes": "TYX"})
    answers = {"times": "each", "cells": "each image is a cell"}
    assert len(cm.open(tmp_path / "film.ome.tif", choices=answers).fields) == 3


def test_points_name_planes_that_are_there_or_count_in_each() -> None:
    stack, _ = film()
    given: dict[str, Any] = {"axes": "TYX", "crop": 8, "choices": {"times": "each"}}
    odd = r"1 point of 2 in planes along T .*first: point 1, t=3\); it has 3, numbered from 0"
    with pytest.raises(DataError, match=odd):
        cm.open(stack, points=[[1, 8, 8], [3, 9, 9]], **given)
    cells = cm.open(stack, points=[[8, 8]], **given)
    assert len(cells) == 3
    assert any("have no t, and are cells in each of 3 planes" in w for w in cells.warnings)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"points": [[8, 8]], "classes": {0: "live"}}, "classes of points are a list"),
        ({"points": [[8, 8]], "groups": "track"}, 'groups="track" is for label images'),
        ({"points": [[8, 8]], "choices": {"time": "each"}}, "questions times, planes, not 'time'"),
    ],
)
def test_what_images_do_not_have_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        cm.open(image()[0], crop=8, **given)


def test_values_of_images_that_are_not_there_are_refused() -> None:
    names: dict[str, Any] = {"a": labels(), "b": labels()}
    with pytest.raises(DataError, match="labels: there is no image 'b'"):
        cm.open({"a": image()[0]}, labels=names, crop=8)
    with pytest.raises(DataError, match="nothing to open"):
        cm.open({}, labels=names)


def test_ids_are_those_of_the_image_and_not_of_one_whose_name_goes_on() -> None:
    other = labels().copy()
    other[other == 3] = 50
    cells = cm.open(
        {"a": image()[0], "ab": image()[0]},
        labels={"a": labels(), "ab": other},
        classes={"a": {50: "live", 3: "dead"}, "ab": {50: "live"}},
        crop=8,
    )
    assert any(w.startswith("a: 1 of 2 ids that are given a class") for w in cells.warnings)


def test_an_ome_zarr_image_is_an_image_and_no_folder(tmp_path: Path) -> None:
    import zarr

    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=image()[0])
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
    answers = {"cells": "each image is a cell"}
    assert len(cm.open(tmp_path / "a.zarr", choices=answers)) == 1
    assert len(cm.open(tmp_path / "a.zarr", labels=labels(), crop=8)) == 2
