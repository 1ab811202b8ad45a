"""Cells that are saved as a data set open as the same cells."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st

import napari_channelmix as cm
from napari_channelmix.data import Cells, open_dataset, save_dataset, save_dataset_job
from napari_channelmix.data.samples import (
    graded_channels,
    immunohistochemistry,
    synthetic_plate,
)
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import DataError, SaveError

# What a table, a spreadsheet or our own reader could take for something else.
NAMES = st.text(
    st.one_of(
        st.sampled_from("=+-@'\t\r\n\"; ,.01aN"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=6,
)


def same(one: Cells, other: Cells) -> None:
    assert (one.name, one.channels, one.classes, one.crop) == (
        other.name,
        other.channels,
        other.classes,
        other.crop,
    )
    for column in ("y0", "x0", "y1", "x1", "label", "group", "split"):
        assert one.table[column].tolist() == other.table[column].tolist(), column
    np.testing.assert_array_equal(one.read(), other.read())


@pytest.fixture(scope="module")
def plate() -> Cells:
    return synthetic_plate(0, wells=4, cells_per_well=8, side=128, crop=24).cells


def test_several_fields_with_outlines_classes_and_gaps(plate: Cells, tmp_path: Path) -> None:
    # Each image holds cells of several classes, of none, and a class has no cell at all.
    codes = np.arange(len(plate)) % 4 - 1
    cells = plate.with_labels(codes, ("a", 'b "quoted"', "µ", "nobody's"))
    back = open_dataset(save_dataset(cells, tmp_path / "set"))
    same(cells, back)
    assert back.table["object"].tolist() == cells.table["object"].tolist()
    assert back.fields[0].pixel_size == (0.65, 0.65) and back.fields[0].unit == "µm"
    for one, other in zip(back.fields, cells.fields, strict=True):
        np.testing.assert_array_equal(one.labels, other.labels)


def test_some_cells_in_another_order_and_some_channels(plate: Cells, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(len(plate))[:11]
    cells = plate.subset(order).with_channels(["stress", "DNA"])
    back = cm.open_dataset(cm.save_dataset(cells, tmp_path / "set"))
    same(cells, back)
    # Objects that are no cells of the set are none in its masks either.
    assert sum(len(np.unique(one.labels)) - 1 for one in back.fields) == 11


def test_splits_travel_and_half_a_split_is_refused(plate: Cells, tmp_path: Path) -> None:
    from dataclasses import replace

    parts = np.where(plate.table["field"] < 2, "train", "test")
    cells = replace(plate, table=plate.table.assign(split=parts))
    same(cells, open_dataset(save_dataset(cells, tmp_path / "set")))
    half = replace(plate, table=plate.table.assign(split=np.where(parts == "train", "", "test")))
    with pytest.raises(DataError, match="16 of 32 cells belong to no part of the split"):
        save_dataset(half, tmp_path / "half")
    assert not (tmp_path / "half" / "dataset.toml").exists()


@pytest.mark.parametrize("crop", [16, 17])
def test_points_up_to_the_border(crop: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    planes = [rng.normal(size=(40, 50)).astype(np.float32) for _ in range(2)]
    points = [(-0.5, 0), (39.5, 49.5), (39.5, 0.5), (20.2, 49.4), (20, 30)]
    cells = Cells.from_points(planes, ("one", "two"), points, crop=crop, name="[points]")
    same(cells, open_dataset(save_dataset(cells, tmp_path / "set")))
    named = cells.with_labels([0, 1, -1, 1, 0], ("x", "y"))
    same(named, open_dataset(save_dataset(named, tmp_path / "named")))


def test_arrays_one_channel_and_types_no_tiff_has(tmp_path: Path) -> None:
    cells = graded_channels(count=5, side=12).cells
    same(cells, open_dataset(save_dataset(cells, tmp_path / "set")))
    for dtype in (bool, np.int64, np.float16, np.uint8):
        crops = (np.random.default_rng(0).random((3, 1, 8, 8)) * 9).astype(dtype)
        one = Cells.from_array(crops, ["only"], [0, 1, 0], ["a", "b"])
        same(one, open_dataset(save_dataset(one, tmp_path / np.dtype(dtype).name)))


def test_boxes_of_other_sizes_than_the_crop(write_set: Any, tmp_path: Path) -> None:
    cells = open_dataset(
        write_set(
            'group = "well"',
            "[image]",
            'column = "stack"',
            "[cells]",
            'from = "box"',
            'columns = ["y0", "x0", "y1", "x1"]',
            "crop = 20",
        )
    )
    same(cells, open_dataset(save_dataset(cells, tmp_path / "set")))


def test_stained_tissue_with_one_object_left_is_no_binary_mask(tmp_path: Path) -> None:
    cells = immunohistochemistry().cells.subset([3])
    back = open_dataset(save_dataset(cells, tmp_path / "set"))
    same(cells, back)
    assert back.table["object"].tolist() == cells.table["object"].tolist()


def test_images_of_one_name_keep_files_of_their_own(plate: Cells, tmp_path: Path) -> None:
    from dataclasses import replace

    fields = tuple(replace(one, name="Image A/b?.tif") for one in plate.fields)
    cells = replace(plate, fields=fields)
    same(cells, open_dataset(save_dataset(cells, tmp_path / "set")))
    names = sorted(path.name for path in (tmp_path / "set" / "images").glob("*.ome.tif"))
    assert len(names) == 4 and all("?" not in name for name in names)


def test_a_step_for_every_channel_and_nothing_to_open_before_the_end(
    plate: Cells, tmp_path: Path
) -> None:
    job = save_dataset_job(plate, tmp_path / "set")
    steps = [next(job) for _ in range(8)]
    assert all(one.done < one.total for one in steps)
    job.close()
    assert not (tmp_path / "set" / "dataset.toml").exists()


def test_a_folder_that_cannot_be_written_is_named(plate: Cells, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SaveError, match="could not save"):
        save_dataset(plate, tmp_path / "file" / "set")


def test_an_image_without_cells_leaves_the_others_as_they_are(tmp_path):
    cells = synthetic_plate(0, wells=4, cells_per_well=8, side=128, crop=24).cells
    some = cells.subset(cells.table["field"].to_numpy() != 1)
    again = open_dataset(save_dataset(some, tmp_path / "set"))
    assert len(some.fields) == 4 and len(again.fields) == 3
    assert again.fingerprint == some.fingerprint
    assert again.signature == some.signature


def test_rows_of_a_mask_are_checked(plate: Cells, tmp_path: Path) -> None:
    path = save_dataset(plate, tmp_path / "set")
    table = tmp_path / "set" / "labels.csv"
    text = table.read_text()
    table.write_text(text.replace("A01_cells.tif,1,", "A01_cells.tif,999,", 1))
    with pytest.raises(
        DataError, match=r"line 2, column 'object': the mask has no object of .*999"
    ):
        open_dataset(path)
    table.write_text(text.replace("untreated", "strange", 1))
    with pytest.raises(DataError, match="'strange' is not among the classes untreated, treated"):
        open_dataset(path)
    assert tomllib.loads(path.read_text())["classes"] == ["untreated", "treated"]


def test_what_is_said_of_groups_travels(write_set: Any, tmp_path: Path) -> None:
    path = write_set(
        'group = "well"',
        "[image]",
        'column = "stack"',
        "[cells]",
        'from = "mask"',
        'column = "mask"',
        "crop = 20",
    )
    table = tmp_path / "table.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([f"{head},dose", *(f"{row},{n}.5" for n, row in enumerate(rows))]))
    cells = open_dataset(path)
    assert cells.conditions is not None and "dose" in cells.conditions
    back = open_dataset(save_dataset(cells, tmp_path / "set"))
    same(cells, back)
    assert back.conditions is not None
    assert back.conditions["dose"].to_dict() == cells.conditions["dose"].to_dict()


@settings(deadline=None, max_examples=60)
@given(st.lists(NAMES.filter(str.strip), min_size=2, max_size=2), NAMES)
@example(["=live", "'=live"], "-")
@example(["NA", "none"], "g")
@example(["a", "b"], "nan")
@example(["+", "-"], "@x")
@example(["a\r", "b\x85c"], "\tg")
def test_classes_and_groups_come_back_whatever_they_are_called(
    names: list[str], group: str
) -> None:
    crops = np.zeros((3, 1, 8, 8), np.uint8)
    groups = [group, group, f"another {group}"]
    if class_name(group) is None:
        with pytest.raises(DataError, match="cell 0 has no group"):
            Cells.from_array(crops, ["A"], groups=groups)
        return
    cells = Cells.from_array(crops, ["A"], groups=groups)
    cells = cells.with_labels([0, 1, -1], names)
    expected = tuple(class_name(name) or name.strip() for name in names)
    with TemporaryDirectory() as folder:
        if expected[0] == expected[1]:
            with pytest.raises(DataError, match=r"a table cannot tell the classes .* apart"):
                save_dataset(cells, folder)
            return
        back = open_dataset(save_dataset(cells, folder))
    assert back.classes == expected and back.labels.tolist() == [0, 1, -1]
    assert back.groups[0] == back.groups[1] != back.groups[2]


def test_a_class_without_a_name_is_not_saved(tmp_path: Path) -> None:
    cells = Cells.from_array(np.zeros((1, 1, 8, 8)), ["A"]).with_labels([0], [" "])
    with pytest.raises(DataError, match="class 1 has no name"):
        save_dataset(cells, tmp_path / "set")


@pytest.mark.parametrize(
    ("high", "dtype"), [(300, "uint16"), (70_000, "uint32"), (2**60, "uint64")]
)
def test_ids_of_any_size_travel(high: int, dtype: str, tmp_path: Path) -> None:
    labels = np.zeros((40, 50), np.int64)
    labels[5:12, 5:12], labels[20:30, 25:34], labels[32:38, 3:9] = high, 3, high - 1
    plane = np.random.default_rng(0).normal(size=labels.shape).astype(np.float32)
    cells = Cells.from_labels([plane], ["one"], labels, crop=12, name="plate").subset([0, 2])
    path = save_dataset(cells, tmp_path / "set")
    (mask,) = (tmp_path / "set" / "images").glob("*_cells.tif")
    assert tifffile.imread(mask).dtype == dtype
    back = open_dataset(path)
    assert back.table["object"].tolist() == [3, high]
    assert back.centres.tolist() == cells.centres.tolist() == [[24.5, 29], [8, 8]]
    assert np.unique(back.fields[0].labels).tolist() == [0, 3, high]
