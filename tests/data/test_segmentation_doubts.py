"""Why a segmentation looks wrong, in plain words."""

from __future__ import annotations

import doctest

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import segmentation_doubts as module
from napari_channelmix.data.segmentation_doubts import segmentation_doubts


def said(labels: npt.NDArray[np.int32], diameter: float, dropped: int = 0) -> str:
    """What is said of objects that stand out from a little noise."""
    noise = np.random.default_rng(0).normal(0, 0.01, labels.shape)
    brightness = ((labels > 0) + noise).astype(np.float32)
    return " / ".join(
        segmentation_doubts(labels, brightness, threshold=0.5, diameter=diameter, dropped=dropped)
    )


def squares(*corners: tuple[int, int], side: int = 9, size: int = 100) -> npt.NDArray[np.int32]:
    labels = np.zeros((size, size), np.int32)
    for number, (y, x) in enumerate(corners, 1):
        labels[y : y + side, x : x + side] = number
    return labels


INSIDE = [(20, 20), (20, 60), (60, 20), (60, 60)]


def test_objects_as_they_should_be_raise_no_doubt() -> None:
    # A square of 9 pixels is as large as a disc of 10.2.
    assert said(squares(*INSIDE), 10) == ""


@pytest.mark.parametrize(("diameter", "doubted"), [(5, True), (6, False), (20, False), (21, True)])
def test_a_diameter_off_by_a_factor_of_two_is_said(diameter: float, doubted: bool) -> None:
    # A square of 9 pixels has the area of a disc of 10.16; half of it is 5.08, twice it 20.3.
    text = said(squares(*INSIDE), diameter)
    assert ("another size" in text) == doubted
    assert not doubted or f"(10 pixels, not {diameter})" in text


def test_long_objects_that_stay_whole_are_not_compared_with_their_width() -> None:
    labels = squares(*INSIDE)
    brightness = (labels > 0).astype(np.float32)
    args = {"threshold": 0.5, "diameter": 3.0}
    assert segmentation_doubts(labels, brightness, **args)
    assert not segmentation_doubts(labels, brightness, **args, check_diameter=False)


def test_mostly_objects_at_the_border_are_said() -> None:
    edge = [(0, 10), (0, 40), (91, 40), (40, 0), (40, 91)]
    assert "(5 of 6)" in said(squares(*edge, (60, 60)), 10)
    assert said(squares(*edge[:4], (60, 60), (20, 60)), 10) == ""


def test_one_object_over_most_of_the_image_is_said() -> None:
    # 75 x 75 of 10,000 pixels.
    assert "one object covers most of the image (56%)" in said(squares((10, 10), side=75), 80)


def test_an_image_that_is_mostly_foreground_is_asked_about_dark_objects() -> None:
    labels = np.ones((100, 100), np.int32)
    labels[40:60, 40:60] = 0
    text = said(labels, 100)
    assert "or choose dark objects where they are darker" in text
    assert "(96%)" in text
    brightness = (labels > 0).astype(np.float32)
    asked = segmentation_doubts(labels, brightness, threshold=0.5, diameter=100, dark=True)
    assert "or leave 'dark objects' off" in asked[0]


def test_many_pieces_too_small_are_said() -> None:
    assert "(9 left out, 4 kept)" in said(squares(*INSIDE), 10, dropped=9)
    assert said(squares(*INSIDE), 10, dropped=8) == ""


def test_tiny_objects_are_said() -> None:
    assert "(4 of 4)" in said(squares(*INSIDE, side=3), 4)


def test_a_threshold_in_the_noise_is_said_before_anything_is_made_of_it() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (100, 100)).astype(np.float32)
    text = " / ".join(segmentation_doubts(squares(*INSIDE), noise, threshold=0.0, diameter=10))
    assert "threshold lies in the noise" in text


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0
