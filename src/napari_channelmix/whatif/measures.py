"""Features of cells, measured in pixels: what an edit claims to move, and what it must not.

Each takes `CellCrops` and gives (n,) float32 values, NaN where a cell has none. They are measured
in the region of the scope. Ratios are in doublings (log2), so that equal steps are equal. Our
definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.acquisition import spread_of
from napari_channelmix.whatif.channel_edits import depth_of, inner_and_outer, light_of, mean_light

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = [
    "background",
    "brightness",
    "contrast",
    "darkest",
    "detail",
    "elongation",
    "gradient",
    "graininess",
    "level",
    "nucleus_against_cytoplasm",
    "rim",
    "roundness",
    "sharpness",
    "size",
    "surrounding_light",
]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A channel shows the outline of a cell where the light in it is this many times that around it;
# its outline is where the light falls to half of the cell's mean.
SHOWS, HALF = 4.0, 0.5
# Pixels beyond an outline in which its light is looked for.
BEYOND = 3.0


# ---------------------------------------------------------------- one channel


def brightness(crops: CellCrops, channel: int) -> FloatArray:
    """Mean of the region above the background of the crop, raw units; NaN without a region."""
    light = mean_light(crops, channel)
    return np.where(crops.region.any(axis=(1, 2)), light, np.nan).astype(np.float32)


def level(crops: CellCrops, channel: int) -> FloatArray:
    """Mean of the region, raw units; NaN without a region.

    The background is not taken away: between cells that touch, as in tissue, it is light of cells,
    and would hide by how much the cells of one class are brighter.
    """
    return np.asarray(brightness(crops, channel) + crops.background[:, channel], np.float32)


def rim(crops: CellCrops, channel: int) -> FloatArray:
    """Light of the outer half of the region against the inner half, doublings of their means."""
    outer = (depth_of(crops) <= _median_depth(crops)) & crops.region
    return _doublings(crops, channel, outer, crops.region & ~outer)


def nucleus_against_cytoplasm(crops: CellCrops, channel: int) -> FloatArray:
    """Mean light of the nucleus against that of the cytoplasm, doublings."""
    return _doublings(crops, channel, *inner_and_outer(crops))


def detail(crops: CellCrops, channel: int) -> FloatArray:
    """How uneven the light of the cell is, doublings.

    Root mean square of the difference between neighbouring pixels inside the outline, times its
    diameter, against the mean light: the same for a cell that is brighter, or larger.
    """
    light = light_of(crops, channel)
    inner = _eroded(crops.region)
    down = (light[:, 1:] - light[:, :-1]) ** 2 * (inner[:, 1:] & inner[:, :-1])
    across = (light[:, :, 1:] - light[:, :, :-1]) ** 2 * (inner[:, :, 1:] & inner[:, :, :-1])
    area = inner.sum(axis=(1, 2))
    rough = np.sqrt((down.sum(axis=(1, 2)) + across.sum(axis=(1, 2))) / np.maximum(area, 1))
    diameter = 2 * np.sqrt(crops.mask.sum(axis=(1, 2)) / np.pi)
    return _log_ratio(rough * diameter, np.abs(mean_light(crops, channel)), area > 0)


def background(crops: CellCrops, channel: int) -> FloatArray:
    """Median of the pixels two and more away from all objects, raw units."""
    free = _free(crops)
    values = np.full(len(crops), np.nan, np.float32)
    for place in np.flatnonzero(free.any(axis=(1, 2))):
        values[place] = np.median(crops.pixels[place, channel][free[place]])
    return values


# ---------------------------------------------------------------- shape


def size(crops: CellCrops) -> FloatArray:
    """Diameter of the disc of equal area, doublings of a pixel, of the outline seen in the light.

    The outline is where the light of a channel that shows the cell falls to half of its mean in the
    cell; the outline of the label where no channel shows it.
    """
    area = _outline(crops).sum(axis=(1, 2))
    return _log_ratio(2 * np.sqrt(area / np.pi), np.ones(len(crops)), area > 0)


def elongation(crops: CellCrops) -> FloatArray:
    """Longest against shortest axis of the outline seen in the light, doublings."""
    area, longest, shortest = _moments(crops)
    return _log_ratio(np.sqrt(longest), np.sqrt(np.maximum(shortest, 1e-6)), area > 3)


def roundness(crops: CellCrops) -> FloatArray:
    """How much the outline seen in the light fills the ellipse of its moments, 1 for an ellipse."""
    area, longest, shortest = _moments(crops)
    ellipse = 4 * np.pi * np.sqrt(np.maximum(longest * shortest, 1e-12))
    return np.where(area > 3, area / ellipse, np.nan).astype(np.float32)


# ---------------------------------------------------------------- the whole crop


def surrounding_light(crops: CellCrops) -> FloatArray:
    """Mean light outside the cell, shares of the spread, mean over the channels."""
    around = ~crops.reach[0]
    around &= ~_grown_once(crops.reach[0])
    light = np.abs(crops.pixels - crops.background[:, :, None, None])
    light = np.einsum("ncyx,nyx->nc", light, around.astype(np.float32)) / spread_of(crops)
    area = around.sum(axis=(1, 2))
    mean = light.mean(axis=1) / np.maximum(area, 1)
    return np.where(area > 0, mean, np.nan).astype(np.float32)


def contrast(crops: CellCrops) -> FloatArray:
    """Mean of the crop in doublings of a raw unit, mean over the channels: the exposure."""
    mean = np.abs(crops.pixels.mean(axis=(2, 3)))
    return np.asarray(np.log2(np.maximum(mean, 1e-9)).mean(axis=1), np.float32)


def darkest(crops: CellCrops) -> FloatArray:
    """First percentile of the crop in % of the spread, mean over the channels: the offset."""
    flat = crops.pixels.reshape(*crops.pixels.shape[:2], -1)
    place = flat.shape[2] // 100
    low = np.partition(flat, place, axis=2)[:, :, place] if len(crops) else flat[:, :, 0]
    return np.asarray((100 * low / spread_of(crops)).mean(axis=1), np.float32)


def sharpness(crops: CellCrops) -> FloatArray:
    """Difference between neighbouring pixels against the crop's own variation, doublings."""
    pixels = crops.pixels
    down = ((pixels[:, :, 1:] - pixels[:, :, :-1]) ** 2).mean(axis=(2, 3))
    across = ((pixels[:, :, :, 1:] - pixels[:, :, :, :-1]) ** 2).mean(axis=(2, 3))
    variation = pixels.var(axis=(2, 3))
    ratio = (down + across) / np.maximum(variation, 1e-12)
    ratio = np.where(variation > 1e-12, ratio, 1.0)
    return np.asarray(0.5 * np.log2(np.maximum(ratio, 1e-9)).mean(axis=1), np.float32)


def graininess(crops: CellCrops) -> FloatArray:
    """Noise in doublings of a % of the spread, mean over the channels.

    Median of the absolute response to ``[1 -2 1] x [1 -2 1]``, which plane and edge hardly
    excite, over 6 x 0.6745 (Immerkaer 1996, CVIU 64, 300, with a median for the mean).
    """
    pixels = crops.pixels
    rows = pixels[:, :, 2:] - 2 * pixels[:, :, 1:-1] + pixels[:, :, :-2]
    both = rows[..., 2:] - 2 * rows[..., 1:-1] + rows[..., :-2]
    deviation = np.median(np.abs(both), axis=(2, 3)) / (6 * 0.6745) / spread_of(crops)
    return np.asarray(np.log2(np.maximum(100 * deviation, 1e-3)).mean(axis=1), np.float32)


def gradient(crops: CellCrops) -> FloatArray:
    """How much brighter the right edge is than the left one, in % of the middle.

    Of a straight line through the darker half of each column; mean over the channels.
    """
    width = crops.pixels.shape[3]
    columns = np.median(crops.pixels, axis=2)
    across = np.linspace(-0.5, 0.5, width)
    slope = columns @ across / (across @ across)
    mean = columns.mean(axis=2)
    steep = np.divide(slope, mean, out=np.zeros_like(slope), where=np.abs(mean) > 1e-9)
    return np.asarray(100 * steep.mean(axis=1), np.float32)


# ---------------------------------------------------------------- parts


def _doublings(crops: CellCrops, channel: int, one: Mask, other: Mask) -> FloatArray:
    """Mean light of some pixels against that of others, doublings; NaN unless both are positive."""
    light = light_of(crops, channel)
    areas = [mask.sum(axis=(1, 2)) for mask in (one, other)]
    means = [
        np.einsum("nyx,nyx->n", light, mask.astype(np.float32)) / np.maximum(area, 1)
        for mask, area in zip((one, other), areas, strict=True)
    ]
    return _log_ratio(means[0], means[1], (areas[0] > 0) & (areas[1] > 0))


def _log_ratio(value: npt.NDArray[Any], by: npt.NDArray[Any], known: Mask) -> FloatArray:
    known = known & (value > 0) & (by > 0)
    ratio = np.where(known, value, 1) / np.where(known, by, 1)
    return np.where(known, np.log2(ratio), np.nan).astype(np.float32)


def _median_depth(crops: CellCrops) -> FloatArray:
    depth = depth_of(crops)
    middle = np.zeros((len(crops), 1, 1), np.float32)
    for place, region in enumerate(crops.region):
        if region.any():
            middle[place] = np.median(depth[place][region])
    return middle


def _grown_once(mask: Mask) -> Mask:
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= mask[:, :, :-1]
    grown[:, :, :-1] |= mask[:, :, 1:]
    return grown


def _eroded(mask: Mask) -> Mask:
    return ~_grown_once(~mask)


def _free(crops: CellCrops) -> Mask:
    """Pixels (n, H, W) two and more away from all objects."""
    own, others = crops.reach
    return crops.stored("free", lambda: ~_grown_once(_grown_once(own | others)))


def _outline(crops: CellCrops) -> Mask:
    """Outline (n, H, W) of what the scope names, seen in the light."""
    return crops.stored("seen outline", lambda: _seen(crops))


def _seen(crops: CellCrops) -> Mask:
    from scipy.ndimage import distance_transform_edt

    light = np.abs(crops.pixels - crops.background[:, :, None, None])
    seen = np.zeros_like(crops.mask)
    hidden = crops.reach[1] if crops.scope == "cell" else np.zeros_like(crops.mask)
    for place, mask in enumerate(crops.mask):
        if not mask.any():
            continue
        away = distance_transform_edt(~mask)
        around = (away > BEYOND) & ~hidden[place] & ~crops.reach[1][place]
        inside = light[place][:, mask].mean(axis=1)
        outside = light[place][:, around].mean(axis=1) if around.any() else np.zeros(len(inside))
        shows = inside > np.maximum(SHOWS * outside, 1e-9)
        if not shows.any():
            seen[place] = mask
            continue
        bright = light[place][shows] > HALF * inside[shows, None, None]
        seen[place] = bright.any(axis=0) & (away <= BEYOND) & ~hidden[place]
    return seen


def _moments(crops: CellCrops) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Area (n,) of the outline seen, and its variance along its longest and shortest axis."""

    def make() -> tuple[FloatArray, FloatArray, FloatArray]:
        inside = _outline(crops).astype(np.float32)
        height, width = inside.shape[1:]
        area = inside.sum(axis=(1, 2))
        most = np.maximum(area, 1)
        x, y = np.arange(width), np.arange(height)
        columns, rows = inside.sum(axis=1), inside.sum(axis=2)
        mean_x, mean_y = columns @ x / most, rows @ y / most
        # A pixel is a square of side 1, of variance 1 / 12.
        xx = columns @ x**2 / most - mean_x**2 + 1 / 12
        yy = rows @ y**2 / most - mean_y**2 + 1 / 12
        xy = np.einsum("nyx,y,x->n", inside, y, x) / most - mean_x * mean_y
        middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        return area, middle + half, middle - half

    return crops.stored("moments", make)
