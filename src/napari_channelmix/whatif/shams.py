"""Edits that must not matter: what resampling alone does to the classifier's answer.

Each takes `CellCrops` and amounts (n,), and moves the region of the scope with the interpolation of
the shape edits. Our definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.warping import linear_map, there_and_back, warped

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["resampling", "shift", "turn"]

FloatArray = npt.NDArray[np.float32]


def turn(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Turned about its centre; amounts in degrees, counter-clockwise as the image is shown."""
    angle = np.deg2rad(amounts)
    cos, sin = np.cos(angle), np.sin(angle)
    matrices = np.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2)
    return warped(crops, linear_map(crops, matrices.astype(np.float32)))


def shift(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Moved to the right and down; amounts in pixels along each. Half a pixel smooths most."""
    identity = np.broadcast_to(np.eye(2, dtype=np.float32), (len(crops), 2, 2))
    x, y = linear_map(crops, identity)
    by = amounts[:, None, None]
    return warped(crops, (x - by, y - by))


def resampling(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Interpolated with nothing moved: shifted, and shifted back.

    Amounts in pixels; at 0.5 each of the two interpolations smooths as much as one can.
    """
    return there_and_back(crops, amounts)
