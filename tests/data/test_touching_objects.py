"""Foreground divided into objects, worked out by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from napari_channelmix.data import touching_objects
from napari_channelmix.data.touching_objects import (
    fill_holes,
    labels_of_foreground,
    own_outlines,
    without_small,
)


def labels(*rows: str) -> npt.NDArray[np.int32]:
    """A label image from digits."""
    return np.array([[int(digit) for digit in row] for row in rows], np.int32)


def test_small_objects_go_and_the_others_are_numbered_in_their_order() -> None:
    image = labels("1102", "1100", "3330")
    np.testing.assert_array_equal(without_small(image, 3), labels("1100", "1100", "2220"))
    assert without_small(image, 5).max() == 0


def test_holes_are_filled_with_what_lies_to_their_left_unless_large_or_open() -> None:
    image = labels("11111", "10022", "11111")
    filled = labels("11111", "11122", "11111")
    np.testing.assert_array_equal(fill_holes(image, 2), filled)
    np.testing.assert_array_equal(fill_holes(image, 1), image)
    open_one = labels("11111", "00022", "11111")
    np.testing.assert_array_equal(fill_holes(open_one, 9), open_one)


def test_an_outline_lies_at_a_share_of_the_objects_own_height() -> None:
    image = labels("1111222220")
    height = np.array([[1.0, 1.0, 0.41, 0.38, 0.1, 0.1, 0.041, 0.03, 0.1, 0.0]], np.float32)
    nothing = np.zeros_like(image, bool)
    # 40 % of 1.0 and of 0.1; of the second object the larger piece stays.
    expected = labels("1110222000")
    np.testing.assert_array_equal(own_outlines(image, height, nothing), expected)
    always = image == 1
    assert own_outlines(image, height, always)[0, 3] == 1


def test_seeds_are_numbered_in_reading_order_with_their_labels() -> None:
    rows, columns = np.mgrid[0:60, 0:90]
    foreground = np.zeros((60, 90), bool)
    centres = [(15, 70), (20, 20), (45, 45)]
    for y, x in centres:
        foreground |= np.hypot(rows - y, columns - x) < 9
    image, seeds = labels_of_foreground(foreground, foreground.astype(np.float32), 18, 1)
    np.testing.assert_allclose(seeds, centres, atol=1)
    assert [image[y, x] for y, x in centres] == [1, 2, 3]
    whole, first = labels_of_foreground(foreground, foreground.astype(np.float32), 18, 0)
    assert whole.max() == 3
    assert [whole[y, x] for y, x in first] == [1, 2, 3]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("most", [2000, 0])
def test_distances_region_by_region_are_those_of_the_whole_image(
    share: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touching_objects, "MANY_REGIONS", most)
    rng = np.random.default_rng(3)
    # Regions that touch by corners, lie within one another's boxes, and at the border.
    foreground = ndimage.gaussian_filter(rng.random((61, 83)), 1.5)
    foreground = foreground < np.quantile(foreground, share)
    expected = ndimage.distance_transform_edt(foreground)
    np.testing.assert_allclose(touching_objects._distance_to_ground(foreground), expected, 1e-6)
