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
from napari_channelmix.whatif.channel_edits import (
    compartments_of,
    depth_of,
    inner_and_outer,
    light_of,
    mean_light,
    rimmed,
)
from napari_channelmix.whatif.smoothing import smoothed

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
    "strength_of",
    "surrounding_light",
]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A channel shows the outline of a cell where the light in it is this many times that beside it;
# its outline is where the light falls to half of the cell's mean.
SHOWS, HALF = 3.0, 0.5
# Pixels beyond an outline in which its light is looked for, and where what is beside it ends.
BEYOND, BESIDE = 3, 5
# Light around a pixel that counts, as a share of the cell's mean.
DIM = 0.25
# A cell that is as even as this, in shares of the light, has no detail: rounding is none.
EVEN = 1e-3


# ---------------------------------------------------------------- one channel


def brightness(crops: CellCrops, channel: int) -> FloatArray:
    """Mean of the region above the background of the crop, raw units; NaN without a region.

    Of channels with dark parts (`CellCrops.two_sided`), how far it is from the background either
    way.
    """
    light = _mean_strength(crops, channel)
    return np.where(crops.region.any(axis=(1, 2)), light, np.nan).astype(np.float32)


def level(crops: CellCrops, channel: int) -> FloatArray:
    """Mean of the region, raw units; NaN without a region.

    The background is not taken away: between cells that touch, as in tissue, it is light of cells,
    and would hide by how much the cells of one class are brighter.
    """
    mean = mean_light(crops, channel) + crops.background[:, channel]
    return np.where(crops.region.any(axis=(1, 2)), mean, np.nan).astype(np.float32)


def rim(crops: CellCrops, channel: int) -> FloatArray:
    """Light of the outer half against the inner half, doublings of their means.

    Of the region; of a nuclear stain, of the nucleus.
    """
    whole = rimmed(crops, channel)
    outer = (depth_of(crops, channel) <= _median_depth(crops, channel)) & whole
    return _doublings(crops, channel, outer, whole & ~outer)


def nucleus_against_cytoplasm(crops: CellCrops, channel: int) -> FloatArray:
    """Mean light of the nucleus against that of the cytoplasm, doublings."""
    return _doublings(crops, channel, *inner_and_outer(crops))


def detail(crops: CellCrops, channel: int) -> FloatArray:
    """How uneven the light of the cell is, doublings.

    Root mean square of the second differences between pixels inside the outline, and inside the
    nucleus and the cytoplasm where they are known, against the light around each pixel, times the
    diameter: the same for a cell that is brighter, here or there.
    """
    light = light_of(crops, channel)
    mean = np.abs(_mean_strength(crops, channel))
    around = np.maximum(smoothed(strength_of(crops, channel), 2.0), DIM * mean[:, None, None])
    around = np.maximum(around, 1e-9)
    down = (np.diff(light, 2, axis=1) / around[:, 1:-1]) ** 2
    across = (np.diff(light, 2, axis=2) / around[:, :, 1:-1]) ** 2
    parts = crops.stored(
        "inner parts", lambda: [_eroded(m) for m in compartments_of(crops)], of_outlines=True
    )
    area, total = np.zeros(len(crops)), np.zeros(len(crops))
    for inner in parts:
        area += inner.sum(axis=(1, 2))
        total += (down * inner[:, 1:-1]).sum(axis=(1, 2))
        total += (across * inner[:, :, 1:-1]).sum(axis=(1, 2))
    rough = np.sqrt(total / np.maximum(area, 1))
    diameter = 2 * np.sqrt(crops.mask.sum(axis=(1, 2)) / np.pi)
    return _log_ratio(rough * diameter, np.ones(len(crops)), (area > 0) & (rough > EVEN))


def background(crops: CellCrops, channel: int) -> FloatArray:
    """Median of the pixels two and more away from all objects, raw units."""
    return _backgrounds(crops)[:, channel]


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
    """How compact the outline seen in the light is: area over that of a disc of its moments.

    1 for a disc; less the longer, or the more lobed, the outline is.
    """
    area, longest, shortest = _moments(crops)
    disc = 2 * np.pi * (longest + shortest)
    ratio = np.divide(area, disc, out=np.full(len(crops), np.nan), where=area > 3)
    return np.asarray(ratio, np.float32)


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
    """Background in % of the spread, mean over the channels: the offset."""
    return np.asarray((100 * _backgrounds(crops) / spread_of(crops)).mean(axis=1), np.float32)


def sharpness(crops: CellCrops) -> FloatArray:
    """How much of the change between pixels is from pixel to pixel, doublings.

    Root mean square of the second differences against that of the first ones; mean over the
    channels.
    """
    pixels = crops.pixels
    first, second = np.zeros(pixels.shape[:2]), np.zeros(pixels.shape[:2])
    for axis in (2, 3):
        step = np.diff(pixels, axis=axis)
        first += (step**2).mean(axis=(2, 3))
        second += (np.diff(step, axis=axis) ** 2).mean(axis=(2, 3))
    ratio = np.where(first > 1e-12, second / np.maximum(first, 1e-12), 1.0)
    return np.asarray(0.5 * np.log2(np.maximum(ratio, 1e-9)).mean(axis=1), np.float32)


def graininess(crops: CellCrops) -> FloatArray:
    """Noise of the background in doublings of a % of the spread, mean over the channels.

    Median of the absolute response to ``[1 -2 1] x [1 -2 1]``, which plane and edge hardly
    excite, over 6 x 0.6745 (Immerkaer 1996, CVIU 64, 300, with a median for the mean).
    """
    pixels = crops.pixels
    rows = pixels[:, :, 2:] - 2 * pixels[:, :, 1:-1] + pixels[:, :, :-2]
    both = rows[..., 2:] - 2 * rows[..., 1:-1] + rows[..., :-2]
    deviation = _medians(np.abs(both), _free(crops)[:, 1:-1, 1:-1]) / (6 * 0.6745)
    share = 100 * deviation / spread_of(crops)
    return np.asarray(np.log2(np.maximum(share, 1e-3)).mean(axis=1), np.float32)


def gradient(crops: CellCrops) -> FloatArray:
    """How much brighter the right edge is than the left one, in % of the middle.

    Of a straight line through the pixels two and more away from all objects; mean over the
    channels.
    """
    free = _free(crops).sum(axis=1)[:, None].astype(np.float32)
    columns = (crops.pixels * _free(crops)[:, None]).sum(axis=2)
    across = np.linspace(-0.5, 0.5, crops.pixels.shape[3], dtype=np.float32)
    count = np.maximum(free.sum(axis=2), 1)
    middle = (free @ across) / count
    mean = columns.sum(axis=2) / count
    off = across - middle[..., None]
    width = (free * off**2).sum(axis=2)
    slope = (columns * off).sum(axis=2) / np.maximum(width, 1e-9)
    at_middle = mean - slope * middle
    steep = np.divide(slope, at_middle, out=np.zeros_like(slope), where=np.abs(at_middle) > 1e-9)
    known = width[:, 0] > 1e-6
    return np.where(known, 100 * steep.mean(axis=1), np.nan).astype(np.float32)


# ---------------------------------------------------------------- parts


def strength_of(crops: CellCrops, channel: int) -> FloatArray:
    """Light (n, H, W), raw units; of channels with dark parts, without its sign."""
    two_sided = crops.two_sided is not None and bool(crops.two_sided[channel])
    return np.abs(light_of(crops, channel)) if two_sided else light_of(crops, channel)


def _mean_strength(crops: CellCrops, channel: int) -> FloatArray:
    """Mean (n,) of `strength_of` in the region."""
    if crops.two_sided is None or not crops.two_sided[channel]:
        return mean_light(crops, channel)

    def make() -> FloatArray:
        total = (strength_of(crops, channel) * crops.region).sum(axis=(1, 2))
        return np.asarray(total / np.maximum(crops.region.sum(axis=(1, 2)), 1), np.float32)

    return crops.stored(f"mean strength {channel}", make)


def _doublings(crops: CellCrops, channel: int, one: Mask, other: Mask) -> FloatArray:
    """Mean light of some pixels against that of others, doublings; NaN unless both are positive."""
    light = strength_of(crops, channel)
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


def _median_depth(crops: CellCrops, channel: int) -> FloatArray:
    regions = rimmed(crops, channel)

    def make() -> FloatArray:
        depth = depth_of(crops, channel)
        middle = np.zeros((len(crops), 1, 1), np.float32)
        for place, region in enumerate(regions):
            if region.any():
                middle[place] = np.median(depth[place][region])
        return middle

    name = "median depth" if regions is crops.region else "median depth in nuclei"
    return crops.stored(name, make, of_outlines=True)


def _grown_once(mask: Mask) -> Mask:
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= mask[:, :, :-1]
    grown[:, :, :-1] |= mask[:, :, 1:]
    return grown


def _grown_by(mask: Mask, steps: int) -> Mask:
    for _ in range(steps):
        mask = _grown_once(mask)
    return mask


def _eroded(mask: Mask) -> Mask:
    return ~_grown_once(~mask)


def _free(crops: CellCrops) -> Mask:
    """Pixels (n, H, W) two and more away from all objects."""
    own, others = crops.reach
    return crops.stored("free", lambda: ~_grown_once(_grown_once(own | others)), of_outlines=True)


def _backgrounds(crops: CellCrops) -> FloatArray:
    """Median (n, C) of the pixels two and more away from all objects; NaN where there are none."""
    return crops.stored("backgrounds", lambda: _medians(crops.pixels, _free(crops)))


def _medians(pixels: FloatArray, chosen: Mask) -> FloatArray:
    """Median (n, C) of the chosen pixels (n, H, W) of each plane (n, C, H, W); NaN for none."""
    medians = np.full(pixels.shape[:2], np.nan, np.float32)
    for place in np.flatnonzero(chosen.any(axis=(1, 2))):
        medians[place] = np.median(pixels[place][:, chosen[place]], axis=1)
    return medians


def _outline(crops: CellCrops) -> Mask:
    """Outline (n, H, W) of what the scope names, seen in the light."""
    return crops.stored("seen outline", lambda: _seen(crops))


def _seen(crops: CellCrops) -> Mask:
    light = np.abs(crops.pixels - crops.background[:, :, None, None])
    seen = np.zeros_like(crops.mask)
    near = crops.stored("near", lambda: _grown_by(crops.mask, BEYOND), of_outlines=True)
    beside = crops.stored(
        "beside",
        lambda: _grown_by(near, BESIDE - BEYOND) & ~near & ~crops.reach[1],
        of_outlines=True,
    )
    hidden = crops.reach[1] if crops.scope == "cell" else np.zeros_like(crops.mask)
    for place, mask in enumerate(crops.mask):
        if not mask.any():
            continue
        around = beside[place] & ~hidden[place]
        inside = light[place][:, mask].mean(axis=1)
        outside = light[place][:, around].mean(axis=1) if around.any() else np.zeros(len(inside))
        shows = inside > np.maximum(SHOWS * outside, 1e-9)
        if not shows.any():
            seen[place] = mask
            continue
        bright = light[place][shows] > HALF * inside[shows, None, None]
        seen[place] = bright.any(axis=0) & near[place] & ~hidden[place]
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
