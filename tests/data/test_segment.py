"""Nuclei found in one channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import find_nuclei
from napari_channelmix.data.label_images import Regions
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
    found = Regions.of(labels).objects()
    centres = sorted(map(tuple, found.centres.tolist()))
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
