"""Label images: any whole number is an id; memory and time go with the pixels."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data.label_images import Ranked, Regions, as_label_image, only
from napari_channelmix.errors import DataError


def squares(*ids: int, dtype: Any = np.int64) -> npt.NDArray[Any]:
    """Squares of 4 x 4 pixels from (3, 3) on, ten pixels apart, in one row."""
    labels = np.zeros((20, 10 * len(ids) + 10), dtype)
    for place, one in enumerate(ids):
        labels[3:7, 3 + 10 * place : 7 + 10 * place] = one
    return labels


@pytest.mark.parametrize(
    ("dtype", "ids"),
    [
        (np.uint8, (1, 255)),
        (np.int8, (5, 127)),
        (np.uint16, (7, 65_535)),
        (np.dtype(">u2"), (7, 65_535)),
        (np.int32, (1, 2**31 - 1)),
        (np.uint32, (2**31, 2**32 - 1)),
        (np.int64, (2**31 + 5, 2**53 + 1, 2**53 + 2, 2**63 - 1)),
        (np.uint64, (1, 2**63 - 1)),
        (np.float32, (3, 2**24)),
        (np.float64, (3, 2**53)),
    ],
)
def test_any_whole_number_is_an_id(dtype: Any, ids: tuple[int, ...]) -> None:
    objects = Regions.of(as_label_image(squares(*ids, dtype=dtype))).objects()
    assert objects.ids.tolist() == list(ids)
    assert objects.boxes.tolist() == [[3, 3 + 10 * n, 7, 7 + 10 * n] for n in range(len(ids))]
    assert objects.centres.tolist() == [[4.5, 4.5 + 10 * n] for n in range(len(ids))]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (squares(-1), r"labels must not be negative \(-1 is"),
        (np.full((4, 4), 2**63, np.uint64), "the id 9223372036854775808 is too large"),
        (np.full((4, 4), 0.5), "whole numbers, this is an image of floats"),
        (np.full((4, 4), np.inf), "whole numbers, this is an image of floats"),
        (np.full((4, 4), 2.0**24 + 2, np.float32), "too large for float32"),
        (np.full((4, 4), 1e300), "too large for float64"),
        (np.full((4, 4), 1j), "labels must be whole numbers, not complex128"),
        (np.full((4, 4), "a"), "labels must be whole numbers, not <U1"),
        (np.full((4, 4), None), "labels must be whole numbers, not object"),
    ],
)
def test_what_is_no_id_is_refused_in_a_line(labels: Any, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        as_label_image(labels, "m.tif")
    assert str(caught.value).startswith("m.tif: ") and len(str(caught.value)) < 200


def test_memory_goes_with_the_pixels_not_with_the_largest_id() -> None:
    labels = squares(60_000_000, 2**62)
    tracemalloc.start()
    Regions.of(labels).objects()
    only(labels, [2**62])
    Ranked.of(labels)
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()


def test_ids_that_are_small_are_looked_up_as_they_are() -> None:
    labels = squares(3, 9)
    ranked = Ranked.of(labels)
    assert ranked.image is labels and ranked.top == 9
    assert ranked.positions([9, 3, 10, -1, 2**60]).tolist() == [9, 3, 0, 0, 0]


def test_ids_that_are_large_are_looked_up_by_their_rank() -> None:
    labels = squares(2**40, 5)
    ranked = Ranked.of(labels)
    assert ranked.top == 2 and sorted(np.unique(ranked.image)) == [0, 1, 2]
    assert ranked.positions([5, 2**40, 6, 0, -1]).tolist() == [1, 2, 0, 0, 0]
    assert ranked.id_of([2, 1]).tolist() == [2**40, 5]


def test_an_object_lies_at_the_middle_of_its_box_not_at_its_centroid() -> None:
    labels = np.zeros((40, 40), int)
    labels[10:30, 10] = labels[29, 10:20] = 5
    objects = Regions.of(labels).objects()
    # Rows 10 to 29 and columns 10 to 19.
    assert (objects.ids.tolist(), objects.centres.tolist()) == ([5], [[19.5, 14.5]])


def test_an_id_in_several_regions_lies_at_its_largest_one() -> None:
    labels = np.zeros((30, 30), int)
    labels[2:4, 2:4] = labels[10:20, 10:20] = labels[25, 25] = 7
    regions = Regions.of(labels)
    assert regions.areas.tolist() == [4, 100, 1] and regions.largest.tolist() == [
        False,
        True,
        False,
    ]
    assert regions.objects().boxes.tolist() == [[10, 10, 20, 20]]


def test_of_equal_regions_the_first_one_counts() -> None:
    regions = Regions.of(squares(4, 4))
    assert regions.largest.tolist() == [True, False]


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    labels = np.zeros((10, 10), int)
    labels[2, 2] = labels[3, 3] = 4
    assert Regions.of(labels).areas.tolist() == [2]


def test_numbers_below_zero_are_background() -> None:
    labels = squares(3)
    labels[10:14, 3:7] = -2
    assert Regions.of(labels).ids.tolist() == [3]


def test_an_image_without_labels_has_no_objects() -> None:
    for dtype in (bool, np.uint8, np.int64):
        assert len(Regions.of(np.zeros((5, 5), dtype)).objects()) == 0
    assert len(Regions.of(np.zeros((0, 5), np.int32)).objects()) == 0


@pytest.mark.parametrize("high", [9, 2**50])
def test_only_the_named_objects_are_left_with_their_ids(high: int) -> None:
    labels = squares(3, high, 4)
    assert np.unique(only(labels, [high, 4, 77])).tolist() == [0, 4, high]
    assert only(labels, [0]).max() == 0


def test_many_objects_are_found_quickly() -> None:
    rows, columns = np.mgrid[:1500, :1500]
    inside = (rows % 10 < 7) & (columns % 10 < 7)
    labels = np.where(inside, (rows // 10 * 150 + columns // 10 + 1) * 1_000_003, 0)
    objects = Regions.of(labels).objects()
    assert len(objects) == 22_500 and (objects.areas == 49).all()
