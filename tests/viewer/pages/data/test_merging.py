"""Cells of one more image beside those in use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.pages.data.merging import added, summary, with_classes_of


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


def test_one_group_is_said_as_one() -> None:
    one = cells("one")
    one = replace(one, table=one.table.assign(group="A01"))
    assert summary(one).endswith("; 1 group")


def marked(name: str, values: tuple[int, ...]) -> Cells:
    labels = np.zeros((20, 80), np.int32)
    for place, value in enumerate(values):
        labels[5:15, 20 * place + 5 : 20 * place + 15] = value
    return Cells.from_labels([np.zeros((20, 80), np.uint8)], ["DNA"], labels, crop=8, name=name)


def test_equal_label_values_of_another_image_lend_no_class() -> None:
    one = marked("one", (1, 2, 3)).with_labels([1, 1, 1], ("a", "b"))
    both, _ = added(one, marked("two", (1, 2)).with_labels([0, -1], ("a", "b")))
    # The user paints a third object in the second image.
    assert with_classes_of(marked("two", (1, 2, 3)), both, 1).labels.tolist() == [0, -1, -1]
    assert with_classes_of(marked("one", (1, 2, 3)), both, 0).labels.tolist() == [1, 1, 1]


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


def test_classes_of_slices_go_to_the_slice_of_the_same_name() -> None:
    both = Cells.together([marked("film: z=0", (1, 2)), marked("film: z=2", (1, 2))])
    both = both.with_labels([0, -1, 1, 1], ("a", "b"))
    now = Cells.together([marked("film: z=2", (2,)), marked("film: z=3", (1,))])
    assert with_classes_of(now, both).labels.tolist() == [1, -1]
