"""Edits of what lies around a cell.

Each takes `CellCrops` and amounts (n,); the cell itself stays as it is, whatever the scope. Our
definitions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.compartments import soft_edge

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["background_level", "neighbours_away"]

FloatArray = npt.NDArray[np.float32]


def neighbours_away(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """All but the cell becomes background; amounts 0 to 1, 1 for all of it."""
    weight = amounts[:, None, None] * _around(crops)
    light = crops.pixels - crops.background[:, :, None, None]
    away = crops.with_pixels(crops.pixels - light * weight[:, None])
    gone = (amounts >= 1)[:, None, None]
    own = crops.reach[0]
    return replace(
        away,
        others=away.others & ~gone,
        nuclei=None if away.nuclei is None else away.nuclei & (own | ~gone),
    )


def background_level(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """A channel raised by amounts in raw units, everywhere but in the cell."""
    pixels = crops.pixels.copy()
    pixels[:, channel] += amounts[:, None, None] * _around(crops)
    background = crops.background.copy()
    background[:, channel] += amounts
    return crops.with_pixels(pixels, background)


def _around(crops: CellCrops) -> FloatArray:
    """Weights (n, H, W) of all but the cell, with its soft edge."""

    def make() -> FloatArray:
        own, others = crops.reach
        return np.asarray(1 - soft_edge(own, others), np.float32)

    return crops.stored("around", make, of_outlines=True)
