"""The background of an image whose illumination varies."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from napari_channelmix.data import uneven_background as module
from napari_channelmix.data.uneven_background import uneven_background


def test_shading_is_followed_up_to_the_border_and_objects_are_left() -> None:
    rows, columns = np.mgrid[0:150, 0:200]
    shading = 50 + 2.0 * columns - 0.01 * (rows - 70) ** 2
    discs = 100 * (np.hypot(rows % 50 - 25, columns % 50 - 25) < 8)
    flat = (shading + discs).astype(np.float32)
    flat -= uneven_background(flat, 16)
    assert np.abs(flat[discs == 0]).max() < 15
    assert flat[discs > 0].min() > 85


@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (90, 3)])
def test_small_images_have_a_background_too(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    assert uneven_background(image, 30).shape == shape


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0
