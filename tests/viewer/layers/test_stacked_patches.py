"""Levels of several pictures as one array: every way of indexing it gives what numpy gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.layers.patches import Patches
from napari_channelmix.viewer.layers.stacked_patches import StackedLevel, stacked_levels

PICTURES = np.random.default_rng(3).random((3, 7, 5)).astype(np.float32)
# Channel, time (all alike), rows, z (all alike), columns.
SHAPE = (3, 4, 7, 2, 5)
WHOLE = np.broadcast_to(PICTURES[:, None, :, None, :], SHAPE)


@pytest.mark.parametrize(
    "index",
    [
        np.s_[...],
        np.s_[1],
        np.s_[-1, 2, :, 0],
        np.s_[:, 0, 3, 1, 2],
        np.s_[2, ..., 4],
        np.s_[0, 1:3, 6:0:-2, :, ::3],
        np.s_[1:, :, -1, :, 1:4],
    ],
)
def test_it_is_indexed_as_an_array(index: Any) -> None:
    level = StackedLevel(PICTURES, SHAPE, (2, 4))
    np.testing.assert_array_equal(level[index], WHOLE[index])


def test_it_says_its_shape_as_an_array_does() -> None:
    level = StackedLevel(PICTURES, SHAPE, (2, 4))
    assert (level.shape, level.ndim, level.size, len(level)) == (SHAPE, 5, WHOLE.size, 3)
    assert np.asarray(level).dtype == np.float32
    # Lengths along rows and columns are those of the pictures: levels are smaller than the image.
    assert StackedLevel(PICTURES, (3, 4, 700, 2, 500), (2, 4)).shape == SHAPE


def test_levels_of_patches_are_stacked_level_by_level() -> None:
    patches = [Patches((40, 60)) for _ in range(2)]
    levels = stacked_levels(patches, (2, 40, 60), (1, 2))
    assert [level.shape for level in levels] == [
        (2, *picture.shape) for picture in patches[0].levels
    ]
