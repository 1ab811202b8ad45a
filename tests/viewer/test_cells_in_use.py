"""Cells of one more image beside those in use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.cells_in_use import added, summary


def cells(name: str, channels: tuple[str, ...] = ("DNA", "GFP"), crop: int = 8) -> Cells:
    planes = [np.zeros((40, 40), np.uint8) for _ in channels]
    return Cells.from_points(planes, channels, [(9, 9), (30, 30)], crop=crop, name=name)


def test_channels_are_taken_in_their_order_and_classes_by_name() -> None:
    one = cells("one").with_labels([0, 1], ("a", "b"))
    both, said = added(one, cells("two", ("x", "GFP")).with_labels([0, -1], ("b",)))
    assert said == "2 cells of two added; x as DNA."
    assert both.channels == ("DNA", "GFP") and both.labels.tolist() == [0, 1, 1, -1]
    assert [one.name for one in both.fields] == ["one", "two"] and both.name == "2 images"
    assert "4 cells, 2 channels, classes a 1, b 2" in summary(both)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (cells("two", ("DNA",)), "these layers are 1 channels, the cells in use have 2"),
        (cells("two", crop=10), "crop 10.* does not fit"),
        (cells("one"), "the image 'one' are in use already"),
    ],
)
def test_what_does_not_fit_is_refused(more: Cells, said: str) -> None:
    with pytest.raises(DataError, match=said):
        added(replace(cells("one")), more)
