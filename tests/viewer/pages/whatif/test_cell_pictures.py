from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy")

from napari_channelmix.viewer.pages.whatif.cell_pictures import outline_image


def drawn(mask: Any) -> Any:
    image = outline_image(mask, "#ff0000")
    height, width = mask.shape
    return np.array(
        [[image.pixelColor(x, y).alpha() > 0 for x in range(width)] for y in range(height)]
    )


def test_an_outline_is_the_outermost_pixels_of_a_mask() -> None:
    mask = np.zeros((7, 8), bool)
    mask[1:6, 2:7] = True
    expected = mask.copy()
    expected[2:5, 3:6] = False
    np.testing.assert_array_equal(drawn(mask), expected)
    assert not drawn(np.zeros((4, 4), bool)).any()


def test_a_mask_that_fills_the_picture_is_outlined_at_the_border() -> None:
    expected = np.ones((5, 6), bool)
    expected[1:4, 1:5] = False
    np.testing.assert_array_equal(drawn(np.ones((5, 6), bool)), expected)
