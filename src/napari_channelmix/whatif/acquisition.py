"""Edits of how the picture was taken: all channels, the whole crop, whatever the scope.

Each takes `CellCrops` and amounts (n,). Our definitions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.crops import CellCrops, pixel_digests
from napari_channelmix.whatif.smoothing import smoothed

__all__ = ["blur", "exposure", "noise", "offset", "shading", "spread_of"]

FloatArray = npt.NDArray[np.float32]

# Of the noise: the same cell has the same noise, whichever cells it is edited with.
SEED = 17


def exposure(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """``x 2^a``, the background too; amounts in doublings. A camera's own offset is not known."""
    gain = np.exp2(amounts).astype(np.float32)
    return crops.with_pixels(
        crops.pixels * gain[:, None, None, None], crops.background * gain[:, None]
    )


def offset(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """A level added everywhere; amounts in % of the spread of each channel."""
    added = (amounts[:, None] / 100 * spread_of(crops)).astype(np.float32)
    return crops.with_pixels(crops.pixels + added[:, :, None, None], crops.background + added)


def blur(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Smoothed by a Gaussian; amounts are its width (standard deviation) in pixels."""
    pixels = crops.pixels.copy()
    for sigma in np.unique(amounts[amounts > 0]).tolist():
        some = amounts == np.float32(sigma)
        pixels[some] = smoothed(crops.pixels if some.all() else crops.pixels[some], sigma)
    return crops.with_pixels(pixels)


def noise(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Normal noise added; amounts are its standard deviation in % of the spread of each channel.

    The noise of a cell is drawn from a digest of its own pixels, as they were before any edit: it
    is the same each time, alone or with others, and in each part of a data set.
    """
    fields = crops.stored("noise", lambda: _noise(crops))
    scale = amounts[:, None] / 100 * spread_of(crops)
    return crops.with_pixels(crops.pixels + scale[:, :, None, None].astype(np.float32) * fields)


def shading(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Uneven illumination from left to right, its mean kept.

    Amounts are how much brighter the right edge is than the left one, in % of the middle.
    """
    across = np.linspace(-0.5, 0.5, crops.pixels.shape[3], dtype=np.float32)
    gain = 1 + amounts[:, None] / 100 * across
    return crops.with_pixels(crops.pixels * gain[:, None, None, :].astype(np.float32))


def spread_of(crops: CellCrops) -> FloatArray:
    """How bright each channel gets above the background, (C,), raw units.

    Of the data set where it is known, else the 99.8th percentile of these crops.
    """
    if crops.spread is not None:
        return crops.spread

    def make() -> FloatArray:
        light = crops.pixels - crops.background[:, :, None, None]
        if not light.size:
            return np.ones(light.shape[1], np.float32)
        return np.asarray(np.percentile(np.abs(light), 99.8, axis=(0, 2, 3)), np.float32)

    return crops.stored("spread", make)


def _noise(crops: CellCrops) -> FloatArray:
    fields = np.empty_like(crops.pixels)
    seeds = pixel_digests(crops.pixels) if crops.seeds is None else crops.seeds
    for place, seed in enumerate(seeds.tolist()):
        random = np.random.default_rng([SEED, seed])
        random.standard_normal(dtype=np.float32, out=fields[place])
    return fields
