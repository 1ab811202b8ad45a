"""Edits of the shape of a cell: all channels as one, about the centre of its region.

Each takes `CellCrops` and amounts (n,). Our definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.warping import centres_of, linear_map, offsets_of, warped

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["elongation", "roundness", "size"]

FloatArray = npt.NDArray[np.float32]

# Directions in which the radius of an outline is measured.
DIRECTIONS = 64


def size(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Zoom; amounts in doublings of the diameter."""
    matrices = np.exp2(-amounts)[:, None, None] * np.eye(2, dtype=np.float32)
    return warped(crops, linear_map(crops, matrices))


def elongation(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """Stretched along the longest axis, the area kept; amounts in doublings of the axes' ratio."""
    along = crops.stored("long axis", lambda: _long_axis(crops), of_outlines=True)
    outer = along[:, :, None] * along[:, None, :]
    half = np.exp2(amounts / 2)[:, None, None]
    matrices = outer / half + (np.eye(2, dtype=np.float32) - outer) * half
    return warped(crops, linear_map(crops, matrices.astype(np.float32)))


def roundness(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """The outline warped towards the disc of equal area; amounts 0 to 1, the disc itself.

    In each of 64 directions from the centre, the distance of the outline is brought to the radius
    of the disc, and the light within along with it.
    """
    radius, equal = crops.stored("radii", lambda: _radii(crops), of_outlines=True)
    gain = radius / (radius + amounts[:, None, None] * (equal[:, None, None] - radius))
    x, y = offsets_of(crops)
    centres = centres_of(crops)[:, :, None, None]
    return warped(crops, (x * gain + centres[:, 0], y * gain + centres[:, 1]))


def _long_axis(crops: CellCrops) -> FloatArray:
    """Direction (n, 2) of the longest axis of each region, (x, y), of length 1."""
    inside = crops.region.astype(np.float32)
    x, y = offsets_of(crops)
    xx, yy, xy = ((inside * part).sum(axis=(1, 2)) for part in (x**2, y**2, x * y))
    moments = np.stack([xx, xy, xy, yy], axis=1).reshape(-1, 2, 2)
    return np.asarray(np.linalg.eigh(moments)[1][:, :, 1], np.float32)


def _radii(crops: CellCrops) -> tuple[FloatArray, FloatArray]:
    """Distance (n, H, W) of the outline in the direction of each pixel; radius (n,) of the disc."""
    count = len(crops)
    height, width = crops.region.shape[1:]
    angles = np.linspace(-np.pi, np.pi, DIRECTIONS, endpoint=False)
    steps = np.arange(0.5, np.hypot(height, width), 0.5)
    centres = centres_of(crops)
    x = np.rint(centres[:, :1, None] + np.cos(angles)[None, :, None] * steps).astype(int)
    y = np.rint(centres[:, 1:, None] + np.sin(angles)[None, :, None] * steps).astype(int)
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = np.arange(count)[:, None, None]
    hit = crops.region[place, np.where(within, y, 0), np.where(within, x, 0)] & within
    # The furthest pixel of the region in each direction, and a mean of three directions.
    furthest = np.where(hit, steps, 1.0).max(axis=2).astype(np.float32)
    furthest = (np.roll(furthest, 1, 1) + furthest + np.roll(furthest, -1, 1)) / 3
    offset_x, offset_y = offsets_of(crops)
    turn = (np.arctan2(offset_y, offset_x) + np.pi) / (2 * np.pi) * DIRECTIONS
    before = np.floor(turn).astype(int)
    share = (turn - before).astype(np.float32)
    rows = np.arange(count)[:, None, None]
    radius = (1 - share) * furthest[rows, before % DIRECTIONS]
    radius += share * furthest[rows, (before + 1) % DIRECTIONS]
    # Of all directions together, so that the area stays.
    equal = np.sqrt((furthest**2).mean(axis=1))
    return radius, equal.astype(np.float32)
