"""The diameter of a typical object, before any is segmented."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from napari_channelmix.data import object_diameter as module
from napari_channelmix.data.object_diameter import object_diameter


@pytest.mark.parametrize("diameter", [10, 18, 34, 70])
def test_the_diameter_of_discs_is_found(diameter: int) -> None:
    step = 2 * diameter
    rows, columns = np.mgrid[0 : 6 * step, 0 : 6 * step] % step - step // 2
    discs = (np.hypot(rows, columns) < diameter / 2).astype(np.float32)
    assert object_diameter(discs) == pytest.approx(diameter, rel=0.2)


def test_shading_as_wide_as_the_image_is_no_object() -> None:
    rows, columns = np.mgrid[0:300, 0:300]
    discs = np.hypot(rows % 50 - 25, columns % 50 - 25) < 8
    shaded = np.exp(-(((rows - 150) / 150) ** 2) - ((columns - 150) / 150) ** 2)
    image = (0.4 * discs + 0.6 * shaded).astype(np.float32)
    assert object_diameter(image) == pytest.approx(16, rel=0.3)


def test_an_image_without_anything_gives_a_number() -> None:
    assert np.isfinite(object_diameter(np.zeros((50, 50), np.float32)))
    assert np.isfinite(object_diameter(np.ones((3, 3), np.float32)))


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0
