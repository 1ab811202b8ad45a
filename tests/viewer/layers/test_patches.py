"""Maps of a large field of view are drawn where they are looked at, at any zoom."""

from __future__ import annotations

import time

import numpy as np

from napari_channelmix.viewer.layers.patches import Patches

SHAPE = (5000, 9001)


def test_every_level_shows_the_whole_picture_with_fewer_pixels() -> None:
    rng = np.random.default_rng(0)
    whole, patches = np.zeros(SHAPE, np.float32), Patches(SHAPE)
    for _ in range(300):
        patch = rng.random((48, 48)).astype(np.float32)
        y, x = int(rng.integers(-40, SHAPE[0])), int(rng.integers(-40, SHAPE[1]))
        patches.add(patch, (y, x, y + 48, x + 48))
        top, left = max(y, 0), max(x, 0)
        part = whole[top : y + 48, left : x + 48]
        np.maximum(part, patch[top - y :, left - x :][: part.shape[0], : part.shape[1]], out=part)
    for place, level in enumerate(patches.levels):
        step = 2**place
        assert np.array_equal(np.asarray(level), whole[::step, ::step])
        assert np.array_equal(level[100:300, 7:9], whole[::step, ::step][100:300, 7:9])
    assert np.array_equal(patches.levels[0][1000, 2000:2100], whole[1000, 2000:2100])
    assert max(patches.levels[-1].shape) <= 2048


def test_a_slide_of_many_maps_is_small_and_drawn_at_once() -> None:
    side = 32_768
    patches = Patches((side, side))
    patch = np.ones((48, 48), np.float32)
    for y in range(0, side, 512):
        for x in range(0, side, 512):
            patches.add(patch, (y, x, y + 48, x + 48))
    kept = sum(level.nbytes for level in patches.levels if isinstance(level, np.ndarray))
    assert kept < 2**27
    begun = time.perf_counter()
    part = patches.levels[2][2000:4000, 2000:4000]
    assert time.perf_counter() - begun < 1.0
    assert part.sum() > 0 and set(np.unique(part)) == {0, 1}
