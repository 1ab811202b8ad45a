"""Arrays and files as images: their axes, their planes, their label images."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.stack_places import StackPlace
from napari_channelmix.errors import DataError
from napari_channelmix.scan import opened_images
from napari_channelmix.scan.opened_images import label_stack, one_each, opened_array


def test_planes_of_an_array_whatever_the_order_of_its_axes() -> None:
    stack = np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5)
    for axes in ("TCYX", "XYCT", "YXTC"):
        array = stack.transpose(["TCYX".index(axis) for axis in axes])
        image = opened_array(array, "film", axes)
        assert image.lengths == {"T": 3} and image.channel_count == 2
        plane = image.planes(StackPlace((("T", 2),), ("T",)))[1]
        np.testing.assert_array_equal(plane[0:4, 0:5], stack[2, 1])
        most = image.planes(StackPlace((("T", PROJECT),)))[0]
        np.testing.assert_array_equal(most[1:3, 0:5], stack[:, 0, 1:3].max(axis=0))


@pytest.mark.parametrize("axes", ["TZ", "CCYX", "QCYX", "CYX", ""])
def test_axes_that_do_not_fit_are_refused(axes: str) -> None:
    with pytest.raises(DataError, match=r"film: axes='.*' do not fit an array of"):
        opened_array(np.zeros((3, 2, 4, 5)), "film", axes)


def test_labels_are_one_plane_or_as_many_as_their_image() -> None:
    image = opened_array(np.zeros((3, 4, 5)), "film", "TYX")
    assert label_stack(np.ones((4, 5), int), image).axes == ()
    assert label_stack(np.ones((3, 4, 5), int), image).axes == ("T",)
    with pytest.raises(DataError, match=r"these are \(2, 4, 5\), the image has 3 planes along T"):
        label_stack(np.ones((2, 4, 5), int), image)


@pytest.mark.parametrize("values", [["p"], "p", 3, np.zeros(2)])
def test_of_several_images_each_needs_its_own(values: Any) -> None:
    with pytest.raises(DataError, match="labels: "):
        one_each(values, ["a", "b"], "labels")
    assert one_each({"b": 2, "a": 1}, ["a", "b"], "labels") == [1, 2]
    assert one_each(None, ["a", "b"], "labels") == [None, None]


def test_examples_run() -> None:
    assert doctest.testmod(opened_images).failed == 0
