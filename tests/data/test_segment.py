"""Nuclei found in one channel, and the objects of masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import find_nuclei, objects_of_mask
from napari_channelmix.data.segment import objects
from napari_channelmix.errors import DataError


def discs(*places: tuple[float, float], radius: float = 7, side: int = 80) -> npt.NDArray[Any]:
    """Bright discs with noise on a dark ground."""
    rows, columns = np.mgrid[0:side, 0:side]
    picture = np.random.default_rng(0).normal(100, 5, (side, side))
    for y, x in places:
        picture[np.hypot(rows - y, columns - x) < radius] += 500
    return picture


def test_nuclei_are_found_where_they_are() -> None:
    places = [(15, 15), (15, 60), (60, 30)]
    labels = find_nuclei(discs(*places))
    assert labels.dtype == np.int32
    assert sorted(np.unique(labels)) == [0, 1, 2, 3]
    found = objects(labels)
    centres = sorted(zip(found["y"], found["x"], strict=True))
    np.testing.assert_allclose(centres, sorted(places), atol=1.5)


def test_touching_nuclei_are_split_and_a_single_one_is_not() -> None:
    assert find_nuclei(discs((40, 32), (40, 44))).max() == 2
    assert find_nuclei(discs((40, 40), radius=12)).max() == 1


def test_nuclei_cut_by_the_border_are_found() -> None:
    assert find_nuclei(discs((1, 40), (40, 78), (40, 30))).max() == 3


def test_small_objects_are_dropped_and_holes_filled() -> None:
    picture = discs((30, 30), radius=9)
    picture[60:63, 60:63] += 500
    picture[28:33, 28:33] = 100
    labels = find_nuclei(picture, min_area=40)
    assert labels.max() == 1
    assert labels[30, 30] == 1


def test_the_unit_of_the_channel_does_not_matter() -> None:
    picture = discs((15, 15), (50, 50))
    np.testing.assert_array_equal(find_nuclei(picture), find_nuclei(picture * 1e-4 + 7))


def test_a_constant_channel_has_no_nuclei() -> None:
    assert not find_nuclei(np.full((30, 30), 7)).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nuclei_in_nan_are_refused(bad: float) -> None:
    picture = discs((15, 15))
    picture[3, 3] = bad
    with pytest.raises(DataError, match="NaN or infinite pixels"):
        find_nuclei(picture)


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


def test_an_object_lies_at_the_middle_of_its_box_not_at_its_centroid() -> None:
    labels = np.zeros((40, 40), int)
    labels[10:30, 10] = labels[29, 10:20] = 5
    found = objects(labels)
    assert (found["label"].tolist(), found["y"].tolist(), found["x"].tolist()) == ([5], [20], [15])
