"""Masks: labelled or binary is declared, or decided by the regions and said with numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import objects_of_mask
from napari_channelmix.data.masks import mask_warnings, read_mask
from napari_channelmix.errors import DataError


def grid(ids: Any, side: int = 8) -> npt.NDArray[Any]:
    """Squares of a table of ids, each with a gap around it."""
    table = np.asarray(ids)
    labels = np.zeros((12 * table.shape[0], 12 * table.shape[1]), table.dtype)
    for (row, column), one in np.ndenumerate(table):
        labels[12 * row + 2 : 12 * row + 2 + side, 12 * column + 2 : 12 * column + 2 + side] = one
    return labels


@pytest.mark.parametrize("on", [1, 255])
def test_a_binary_mask_gives_its_connected_components(on: int) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[2:6, 2:6] = mask[10:15, 10:15] = mask[18, 18] = on
    labels = objects_of_mask(mask, min_area=4)
    assert sorted(np.unique(labels)) == [0, 1, 2]
    assert objects_of_mask(mask).max() == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64, np.float32])
def test_a_labelled_mask_is_taken_as_it_is(dtype: Any) -> None:
    mask = np.zeros((20, 20), dtype)
    mask[2:6, 2:6], mask[2:6, 6:9], mask[15, 15] = 4, 9, 12
    # Somebody drew these cells: none is too small.
    labels = objects_of_mask(mask, min_area=4)
    assert sorted(np.unique(labels)) == [0, 4, 9, 12]


def test_a_mask_of_two_labels_without_background_keeps_both() -> None:
    mask = np.ones((10, 10), np.uint8)
    mask[:, 5:] = 2
    assert sorted(np.unique(objects_of_mask(mask))) == [1, 2]


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((5, 5), int), "well 3: the mask is empty"),
        (np.full((5, 5), 0.5), "well 3: labels must be whole numbers"),
        (np.full((5, 5), np.nan), "well 3: labels must be whole numbers"),
        (np.full((5, 5), -1), "well 3: labels must not be negative"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask: npt.NDArray[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        objects_of_mask(mask, where="well 3")


FIVE = np.arange(16).reshape(4, 4) % 5 + 1


def test_one_id_on_several_cells_gives_a_cell_each_and_both_readings_are_said() -> None:
    mask = read_mask(grid(FIVE), where="z.tif", min_area=40)
    assert (mask.how, len(mask.objects)) == ("regions", 16)
    assert mask.objects.ids.tolist() == list(range(1, 17))
    # In reading order, each on its square: rows and columns 2 to 9 of a field of 12.
    wanted = [[12 * (n // 4) + 5.5, 12 * (n % 4) + 5.5] for n in range(16)]
    assert mask.objects.centres.tolist() == wanted
    said = mask_warnings([mask, mask], None, 40)
    assert said == (
        "z.tif and 1 more mask: 10 ids lie in 32 regions of at least 40 pixels; each region was "
        "taken as a cell (32 cells); labelled = true under [cells] would give 10, "
        "labelled = false says that this is right",
    )
    assert mask_warnings([read_mask(grid(FIVE), labelled=False)], False, 40) == ()


def test_declared_as_labelled_each_id_is_one_cell_and_its_pieces_are_said() -> None:
    labels = grid(FIVE)
    labels[2:11, 2:11] = 1
    mask = read_mask(labels, labelled=True, where="z.tif")
    assert mask.how == "ids" and mask.objects.ids.tolist() == [1, 2, 3, 4, 5]
    # The largest square of id 1 is the first: rows and columns 2 to 10.
    assert mask.objects.centres[0].tolist() == [6, 6]
    assert mask.labels is labels
    assert mask_warnings([mask], True, 40) == (
        "z.tif: 5 ids lie in 16 separate pieces; each cell lies at the largest piece of its id",
    )


def test_declared_as_binary_ids_that_touch_are_one_cell() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[2:8, 2:8], labels[2:8, 8:14] = 3, 4
    mask = read_mask(labels, labelled=False)
    assert mask.objects.ids.tolist() == [1] and mask.objects.boxes.tolist() == [[2, 2, 8, 14]]
    assert len(read_mask(labels).objects) == 2


def test_where_both_readings_agree_ids_stay_and_nothing_is_said() -> None:
    mask = read_mask(grid([[2**40, 7], [9, 11]]), min_area=40)
    assert mask.objects.ids.tolist() == [7, 9, 11, 2**40]
    assert mask_warnings([mask], None, 40) == ()
    # The id of a single cell stays, too.
    assert read_mask(grid([[7]]), min_area=40).objects.ids.tolist() == [7]


def test_a_speck_does_not_make_two_cells_of_one() -> None:
    labels = grid([[4, 6]])
    labels[0, 0] = labels[11, 23] = 6
    mask = read_mask(labels, where="m.png", min_area=40)
    assert (mask.how, mask.objects.ids.tolist()) == ("ids", [4, 6])
    assert mask.objects.boxes[1].tolist() == [2, 14, 10, 22]
    assert mask_warnings([mask], None, 40) == (
        "m.png: 2 specks (smaller than min_area = 40 pixels, beside a larger region of the same "
        "id) were ignored",
    )


def test_booleans_are_binary_unless_they_are_declared_as_labels() -> None:
    mask = grid([[1, 1]]).astype(bool)
    assert len(read_mask(mask).objects) == 2
    assert mask_warnings([read_mask(mask)], None, 40) == ()
    assert read_mask(mask, labelled=True).objects.ids.tolist() == [1]


def test_a_single_small_region_is_no_cell_where_it_may_be_binary() -> None:
    mask = read_mask(grid([[255]], side=3), where="m.tif", min_area=40)
    assert len(mask.objects) == 0
    assert "1 id lies in 0 regions" in mask_warnings([mask], None, 40)[0]
    assert len(read_mask(grid([[255]], side=3), labelled=True, min_area=40).objects) == 1


@pytest.mark.parametrize("labelled", [None, True, False])
@pytest.mark.parametrize("values", ["inverted", "plus one", "full"])
def test_a_background_that_is_taken_for_a_cell_is_said(values: str, labelled: bool | None) -> None:
    labels = grid([[1, 2], [3, 4]], side=6)
    mask = {"inverted": 255 * (labels == 0), "plus one": labels + 1, "full": labels * 0 + 1}[values]
    read = read_mask(mask, labelled=labelled, where="w.tif")
    # 4 cells of 36 pixels in 24 x 24 pixels: 144 of 576, so the rest is 75 %.
    share = 1.0 if values == "full" or (values == "plus one" and labelled is False) else 0.75
    assert read.covers == share
    lines = mask_warnings([read], labelled, 1)
    assert any(f"a cell has {share:.0%} of the image" in line for line in lines)


def test_a_cell_that_fills_its_image_from_side_to_side_only_is_no_background() -> None:
    mask = np.zeros((20, 20), int)
    mask[5:15] = 1
    assert read_mask(mask).covers == 0
