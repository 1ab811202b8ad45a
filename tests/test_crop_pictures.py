"""Small pictures of cells: grey levels, colours of maps, sizes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from napari_channelmix.crop_pictures import (
    GAP,
    LARGEST,
    SIDE,
    grey,
    labels_picture,
    map_over,
    png_of_row,
    stretched,
)


def test_each_channel_is_stretched_by_itself_and_a_constant_one_is_black() -> None:
    ramp = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    crop = np.stack([ramp, 1000 + 50 * ramp, np.full((10, 10), 7, np.float32)])
    shown = stretched(crop)
    np.testing.assert_allclose(shown[0], shown[1], atol=1e-3)
    assert (shown[0].min(), shown[0].max()) == (0, 1) and not shown[2].any()
    np.testing.assert_allclose(grey(crop), shown.mean(axis=0))


def test_a_map_of_zeros_leaves_the_cell_grey_and_evidence_has_its_colours() -> None:
    crop = np.zeros((1, 8, 8), np.float32)
    assert not map_over(crop, np.zeros((8, 8), np.float32)).any()
    heatmap = np.zeros((8, 8), np.float32)
    heatmap[0, 0], heatmap[7, 7] = 2, -2
    over = map_over(crop, heatmap)
    # For the class: more red than blue; against it: more blue than red.
    assert over[0, 0, 0] > over[0, 0, 2] and over[7, 7, 2] > over[7, 7, 0]
    assert not over[3, 3].any()


def test_a_large_label_image_is_thinned_and_its_background_is_black() -> None:
    labels = np.zeros((2 * LARGEST, LARGEST), np.uint16)
    labels[:10] = 1
    picture = labels_picture(labels)
    assert picture.shape == (LARGEST, LARGEST // 2, 3)
    assert picture[0].all() and not picture[-1].any()


def test_a_row_of_pictures_has_gaps_and_whole_pixels() -> None:
    small, tall = np.ones((SIDE // 2, SIDE // 2)), np.zeros((SIDE, SIDE, 3))
    image = Image.open(io.BytesIO(png_of_row([small, tall])))
    assert image.size == (2 * SIDE + GAP, SIDE)
