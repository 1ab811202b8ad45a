"""Edits around the cell leave the cell as it is."""

from __future__ import annotations

import numpy as np

from napari_channelmix.whatif import surroundings

from .crop_cases import discs


def test_neighbours_become_background_and_the_cell_stays_bit_for_bit() -> None:
    crops = discs()
    edited = surroundings.neighbours_away(crops, np.ones(3, np.float32))
    own = np.broadcast_to(crops.cell[:, None], crops.pixels.shape)
    assert np.array_equal(edited.pixels[own], crops.pixels[own])
    assert (edited.pixels[:, :, 36:, 36:] == 10).all()
    assert not edited.others.any()
    half = surroundings.neighbours_away(crops, np.full(3, 0.5, np.float32))
    assert (half.pixels[:, 1, 40, 40] == 60).all()
    assert np.array_equal(half.others, crops.others)


def test_the_background_of_one_channel_rises_around_the_cell() -> None:
    crops = discs()
    edited = surroundings.background_level(crops, np.full(3, 7, np.float32), 1)
    own = crops.cell
    assert np.array_equal(edited.pixels[:, 0], crops.pixels[:, 0])
    assert np.array_equal(edited.pixels[:, 1][own], crops.pixels[:, 1][own])
    assert (edited.pixels[:, 1, 0, 0] == 17).all()
    assert edited.background.tolist() == [[10, 17]] * 3
