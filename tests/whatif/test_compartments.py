"""Background, nuclei and rings of crops."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.crop_outlines import CropOutlines, LightScale
from napari_channelmix.whatif.compartments import (
    background_of,
    depth_within,
    is_nucleus,
    nuclei_of,
    reach_of,
    soft_edge,
)

SCALE = LightScale(
    np.array([50, 500], np.float32),
    np.array([1000, 300], np.float32),
    np.array([40, 200], np.float32),
    np.array([False, True]),
)


def outlines(cell: np.ndarray) -> CropOutlines:
    return CropOutlines(cell[None], np.zeros_like(cell)[None], np.array(["label"]))


def test_the_background_is_low_for_fluorescence_and_in_the_middle_for_bright_field() -> None:
    cell = np.zeros((11, 11), bool)
    cell[:, :] = False
    cell[0, :10] = True
    free = np.arange(111)
    crops = np.full((1, 2, 11, 11), 9999, np.float32)
    crops[0, :, ~cell] = free[:, None]
    assert background_of(crops, outlines(cell), SCALE).tolist() == [[11, 55]]


def test_a_crop_that_its_outline_fills_has_the_background_of_the_data_set() -> None:
    crops = np.full((1, 2, 8, 8), 700, np.float32)
    level = background_of(crops, outlines(np.ones((8, 8), bool)), SCALE)
    assert level.tolist() == [[40, 500]]


def test_noise_alone_has_no_nuclei() -> None:
    noise = np.random.default_rng(0).normal(50, 5, (1, 20, 20)).astype(np.float32)
    assert not nuclei_of(noise, SCALE, 0).any()
    noise[0, 5:10, 5:10] += 800
    assert nuclei_of(noise, SCALE, 0).sum() == 25


def test_the_ring_of_a_nucleus_ends_half_way_to_the_next() -> None:
    cell, others = np.zeros((1, 21, 41), bool), np.zeros((1, 21, 41), bool)
    cell[0, 8:13, 10:15], others[0, 8:13, 20:25] = True, True
    own, rest = reach_of(cell, others, cell | others)
    assert own[0, 10, 17]
    assert not own[0, 10, 18]
    assert rest[0, 10, 18]
    assert not (own & rest).any()
    # An outline that was found by light is most of the cell.
    alone = np.zeros_like(others)
    by_light = reach_of(cell, alone, cell, np.array([False]))[0]
    by_label = reach_of(cell, alone, cell, np.array([True]))[0]
    assert by_light[0, 10].sum() == 5 + 2 * 2
    assert by_label[0, 10].sum() == 5 + 2 * 7
    # The outline of a whole cell, of which the nucleus is a part, has no ring.
    nucleus = np.zeros_like(cell)
    nucleus[0, 10, 12] = True
    assert not is_nucleus(cell, nucleus).any()
    assert np.array_equal(reach_of(cell, others, nucleus)[0], cell)


def test_a_soft_edge_is_half_a_pixel_of_weight_beside_the_mask() -> None:
    mask = np.zeros((1, 5, 5), bool)
    mask[0, 2, 2] = True
    weights = soft_edge(mask)
    assert weights[0, 2].tolist() == [0, 0.5, 1, 0.5, 0]
    assert weights.sum() == pytest.approx(3)
    neighbour = np.zeros_like(mask)
    neighbour[0, 2, 3] = True
    assert soft_edge(mask, neighbour)[0, 2].tolist() == [0, 0.5, 1, 0, 0]


def test_depth_ends_at_the_border_of_the_crop() -> None:
    assert depth_within(np.ones((3, 3), bool)).tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]
    assert depth_within(np.zeros((3, 3), bool)).sum() == 0
