"""Edits of the shape of a cell: all channels as one, about the centre of its region.

Each takes `CellCrops` and amounts (n,). Our definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.warping import linear_map, offsets_of, warped

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["elongation", "roundness", "size"]

FloatArray = npt.NDArray[np.float32]

# Directions in which the radius of an outline is measured.
DIRECTIONS = 64
# Light stays where it is from this many radii of the disc on, and from so many of the outline.
STILL, CLEAR = 2.5, 1.5


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

    In each of 64 directions from the centre of the outline (`CellCrops.mask`), its distance is
    brought to the radius of the disc, and the light within along with it. Where the outline is that
    of a nucleus, the light around it gives way, and that far from it stays.
    """
    radius, equal, x, y = crops.stored("radii", lambda: _radii(crops), of_outlines=True)
    disc = equal[:, None, None]
    wanted = radius + amounts[:, None, None] * (disc - radius)
    still = np.maximum(STILL * disc, CLEAR * np.maximum(radius, wanted))
    away = np.maximum(np.hypot(x, y), np.float32(1e-3))
    beyond = (still - radius) / (still - wanted)
    outside = np.where(away < still, radius + (away - wanted) * beyond, away)
    gain = np.where(away <= wanted, radius / wanted, outside / away)
    # From the centre of the outline, (x, y) are the offsets: their place is the pixel's own.
    columns = np.arange(x.shape[2], dtype=np.float32)
    rows = np.arange(y.shape[1], dtype=np.float32)[:, None]
    return warped(crops, (columns + x * (gain - 1), rows + y * (gain - 1)))


def _long_axis(crops: CellCrops) -> FloatArray:
    """Direction (n, 2) of the longest axis of each region, (x, y), of length 1."""
    inside = crops.region.astype(np.float32)
    x, y = offsets_of(crops)
    xx, yy, xy = ((inside * part).sum(axis=(1, 2)) for part in (x**2, y**2, x * y))
    moments = np.stack([xx, xy, xy, yy], axis=1).reshape(-1, 2, 2)
    return np.asarray(np.linalg.eigh(moments)[1][:, :, 1], np.float32)


def _radii(crops: CellCrops) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Outlines in polar coordinates.

    Distance (n, H, W) of the outline in the direction of each pixel, radius (n,) of the disc, and
    offsets (n, 1, W) and (n, H, 1) of the pixels from the centre of the outline.
    """
    import torch

    mask = crops.mask
    count, height, width = mask.shape
    area = np.maximum(mask.sum(axis=(1, 2)), 1)
    centres = [
        (mask.sum(axis=axis) @ np.arange(side) / area).astype(np.float32)[:, None, None]
        for axis, side in ((1, width), (2, height))
    ]
    angles = np.linspace(-np.pi, np.pi, DIRECTIONS, endpoint=False, dtype=np.float32)[:, None]
    steps = np.arange(0.25, np.hypot(height, width), 0.5, dtype=np.float32)
    rays = np.stack(
        [
            (centre + turn(angles) * steps) * np.float32(2 / max(side - 1, 1)) - 1
            for centre, turn, side in zip(centres, (np.cos, np.sin), (width, height), strict=True)
        ],
        axis=-1,
    )
    with torch.inference_mode():
        inside = torch.nn.functional.grid_sample(
            torch.from_numpy(mask[:, None].astype(np.float32)),
            torch.from_numpy(rays.astype(np.float32)),
            align_corners=True,
        ).numpy()[:, 0]
    # The radius of the sector whose area is that of the outline in this direction.
    outline = np.sqrt(inside @ steps)
    outline = np.maximum((np.roll(outline, 1, 1) + outline + np.roll(outline, -1, 1)) / 3, 1)
    x = np.arange(width, dtype=np.float32) - centres[0]
    y = np.arange(height, dtype=np.float32)[:, None] - centres[1]
    turn = (np.arctan2(y, x) + np.float32(np.pi)) * np.float32(DIRECTIONS / (2 * np.pi))
    before = np.floor(turn).astype(np.int64)
    share = (turn - before).astype(np.float32)
    index = np.arange(count)[:, None, None] * DIRECTIONS
    flat = outline.ravel()
    radius = (1 - share) * flat[index + before % DIRECTIONS]
    radius += share * flat[index + (before + 1) % DIRECTIONS]
    # Of all directions together, so that the area stays.
    equal = np.sqrt((outline**2).mean(axis=1))
    return radius.astype(np.float32), equal.astype(np.float32), x, y
