"""Edits of one channel of a cell: how bright it is, and where in the cell its light is.

Each takes `CellCrops`, amounts (n,) and the index of a channel, and edits the region of the scope
with its soft edge. Light is what lies above the background of the crop, ``x - b``. Our definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.compartments import depth_within
from napari_channelmix.whatif.smoothing import smoothed

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = [
    "brightness",
    "compartments_of",
    "depth_of",
    "detail",
    "detail_scale",
    "inner_and_outer",
    "level",
    "light_of",
    "mean_light",
    "nucleus_against_cytoplasm",
    "rim",
    "rimmed",
]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A cell's own pattern is made this many times as strong at most; what is missing is added flat.
MOST_GAIN = 4.0
# What is taken for detail: what a Gaussian of this share of the cell's diameter takes away, in
# pixels between these.
DETAIL, LEAST_DETAIL, MOST_DETAIL = 0.1, 1.0, 4.0
RINGS = 6


def brightness(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """``b + (x - b) 2^a`` inside the region; amounts in doublings."""
    gain = np.exp2(amounts) - 1
    return _with_light(crops, channel, gain[:, None, None] * light_of(crops, channel))


def level(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """The mean of the region raised by an amount in raw units, with the channel's own pattern.

    The light is multiplied, by 0 to 4, to the new mean; what that does not reach, as in a dark
    cell, is added flat. All of it is added flat in a channel with dark parts
    (`CellCrops.two_sided`): its light may sum to nothing, and any gain then gives the same mean.
    """
    if crops.two_sided is not None and crops.two_sided[channel]:
        same = np.broadcast_to(amounts[:, None, None], light_of(crops, channel).shape)
        return _with_light(crops, channel, same.astype(np.float32))
    light = light_of(crops, channel)
    mean = mean_light(crops, channel)
    target = mean + amounts
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.clip(np.where(mean == 0, 1, target / mean), 0, MOST_GAIN)
    gain = np.where(np.isfinite(gain), gain, 1)
    flat = target - gain * mean
    change = (gain - 1)[:, None, None] * light + flat[:, None, None]
    return _with_light(crops, channel, change.astype(np.float32))


def rim(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """Light times ``1 - 2 r (depth - mean depth)``, its total kept; amounts r from -1 to 1.

    Depth is the distance from the outline, 1 in the innermost pixel; of a nuclear stain, from that
    of the nucleus. Positive: a brighter rim. The profile of the sprites (`drl.sprites`).
    """
    depth = depth_of(crops, channel)
    profile = np.maximum(1 - 2 * amounts[:, None, None] * depth, 0)
    return _moved(crops, channel, profile.astype(np.float32))


def nucleus_against_cytoplasm(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """Light moved between nucleus and cytoplasm, its total kept.

    Amounts are doublings of the ratio of their means. Cells of which one of the two is not known
    stay as they are.
    """
    nucleus, cytoplasm = inner_and_outer(crops)
    known = nucleus.any(axis=(1, 2)) & cytoplasm.any(axis=(1, 2))
    gain = np.exp2(np.where(known, amounts, 0)).astype(np.float32)
    inside = crops.stored(
        "soft nucleus", lambda: smoothed(nucleus.astype(np.float32), 0.5), of_outlines=True
    )
    return _moved(crops, channel, 1 + (gain - 1)[:, None, None] * inside)


def detail(crops: CellCrops, amounts: FloatArray, channel: int) -> CellCrops:
    """``low + 2^a (x - low)``, the mean kept; amounts in doublings.

    ``low`` is the light smoothed within nucleus and cytoplasm, where they are known, else within
    the region, by a Gaussian of a tenth of the cell's diameter: where the light of the nucleus
    ends is no detail. The mean of each stays, and of each of 6 rings of equal depth in it.
    """
    fine = crops.stored(f"detail {channel}", lambda: _fine(crops, channel))
    return _with_light(crops, channel, (np.exp2(amounts) - 1)[:, None, None] * fine)


# ---------------------------------------------------------------- parts


def light_of(crops: CellCrops, channel: int) -> FloatArray:
    """What lies above the background, (n, H, W), raw units."""

    def make() -> FloatArray:
        light: FloatArray = crops.pixels[:, channel] - crops.background[:, channel, None, None]
        return light

    return crops.stored(f"light {channel}", make)


def mean_light(crops: CellCrops, channel: int) -> FloatArray:
    """Mean light (n,) of the region, raw units above the background; 0 for an empty region."""

    def make() -> FloatArray:
        area = np.maximum(_area(crops), 1)
        total = np.einsum("nyx,nyx->n", light_of(crops, channel), crops.region.astype(np.float32))
        return np.asarray(total / area, np.float32)

    return crops.stored(f"mean light {channel}", make)


def rimmed(crops: CellCrops, channel: int) -> Mask:
    """Pixels (n, H, W) whose outline is the rim: nuclei for a nuclear stain, else the region."""
    nuclear = crops.nuclei is not None and crops.channels[channel] == crops.nuclear_channel
    return inner_and_outer(crops)[0] if nuclear else crops.region


def depth_of(crops: CellCrops, channel: int) -> FloatArray:
    """Distance (n, H, W) from the outline, 1 in its innermost pixel, less its mean; 0 outside."""
    regions = rimmed(crops, channel)

    def make() -> FloatArray:
        depth = np.zeros(regions.shape, np.float32)
        for place, region in enumerate(regions):
            if region.any():
                away = depth_within(region)
                depth[place] = np.where(region, away / away.max(), 0)
                depth[place][region] -= depth[place][region].mean()
        return depth

    name = "depth" if regions is crops.region else "depth in nuclei"
    return crops.stored(name, make, of_outlines=True)


def inner_and_outer(crops: CellCrops) -> tuple[Mask, Mask]:
    """Pixels (n, H, W) of nucleus and cytoplasm within the region.

    Where the outline is that of a nucleus, the cytoplasm is the ring around it.
    """

    def make() -> tuple[Mask, Mask]:
        if crops.nuclei is None:
            nothing = np.zeros_like(crops.region)
            return nothing, nothing
        ringed = (crops.region != crops.mask).any(axis=(1, 2))[:, None, None]
        nucleus = np.where(ringed, crops.mask, crops.nuclei) & crops.region
        return nucleus, crops.region & ~nucleus

    return crops.stored("nucleus and cytoplasm", make, of_outlines=True)


def compartments_of(crops: CellCrops) -> tuple[Mask, ...]:
    """Pixels (n, H, W) of nucleus and cytoplasm; of the region where no nuclei are known."""
    return (crops.region,) if crops.nuclei is None else inner_and_outer(crops)


def detail_scale(crops: CellCrops) -> FloatArray:
    """Width (n,) of the Gaussian that separates detail from the rest, in pixels, to 0.5."""
    diameter = 2 * np.sqrt(crops.cell.sum(axis=(1, 2)) / np.pi)
    return np.asarray(np.clip(np.round(2 * DETAIL * diameter) / 2, LEAST_DETAIL, MOST_DETAIL))


def _fine(crops: CellCrops, channel: int) -> FloatArray:
    """Light (n, H, W) less its smoothed copy, of mean 0 in each ring; 0 outside."""
    light, scales = light_of(crops, channel), detail_scale(crops)
    result = np.zeros_like(light)
    for part in compartments_of(crops):
        inside = part.astype(np.float32)
        fine = light * inside
        for sigma in np.unique(scales).tolist():
            some = scales == sigma
            weight = np.maximum(smoothed(inside[some], sigma), 1e-6)
            fine[some] -= smoothed(fine[some], sigma) / weight
        result += fine * inside
    return result - _radial_mean(crops, result)


def _radial_mean(crops: CellCrops, values: FloatArray) -> FloatArray:
    """Mean (n, H, W) of values in rings of equal depth, in a straight line from ring to ring.

    In each compartment by itself; 0 outside the region.
    """
    ring, share = crops.stored("rings", lambda: _rings(crops), of_outlines=True)
    upper = ring + 1
    count = int(upper.max(initial=0)) + 1
    total, weight = np.zeros(count), np.zeros(count)
    for index, part in ((ring, 1 - share), (upper, share)):
        total += np.bincount(index.ravel(), (values * part).ravel(), count)
        weight += np.bincount(index.ravel(), part.ravel(), count)
    mean = (total / np.maximum(weight, 1e-6)).astype(np.float32)
    profile: FloatArray = (1 - share) * mean[ring] + share * mean[upper]
    return profile * crops.region


def _rings(crops: CellCrops) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Ring (n, H, W) whose middle lies outside of each pixel, and how far it is to the next one.

    Rings are numbered through all cells and compartments; all that lies outside is one.
    """
    ring = np.zeros(crops.region.shape, np.int64)
    share = np.zeros(crops.region.shape, np.float32)
    parts = compartments_of(crops)
    first = 2
    for part in parts:
        for place, mask in enumerate(part):
            if mask.any():
                away = depth_within(mask)[mask]
                depth = np.clip(RINGS * away / away.max() - 0.5, 0, RINGS - 1)
                lower = np.minimum(depth.astype(int), RINGS - 2)
                ring[place][mask], share[place][mask] = first + lower, depth - lower
            first += RINGS
    return ring, share


def _area(crops: CellCrops) -> FloatArray:
    return crops.stored(
        "area", lambda: crops.region.sum(axis=(1, 2)).astype(np.float32), of_outlines=True
    )


def _moved(crops: CellCrops, channel: int, profile: FloatArray) -> CellCrops:
    """Light times a profile (n, H, W), its total within the region kept."""
    light = light_of(crops, channel)
    inside = crops.region.astype(np.float32)
    weight = np.abs(light) * inside
    total = weight.sum(axis=(1, 2))
    after = np.einsum("nyx,nyx->n", weight, profile)
    kept = np.divide(total, after, out=np.ones_like(total), where=after > 1e-6 * total)
    change = light * (profile * kept[:, None, None] - 1)
    if crops.two_sided is not None and crops.two_sided[channel]:
        # Light of either sign: its mean stays as well.
        shift = (change * inside).sum(axis=(1, 2)) / np.maximum(_area(crops), 1)
        change -= shift[:, None, None] * inside
    return _with_light(crops, channel, change)


def _with_light(crops: CellCrops, channel: int, change: FloatArray) -> CellCrops:
    """A change (n, H, W) added to a channel, within the region and its soft edge."""
    pixels = crops.pixels.copy()
    pixels[:, channel] += change * crops.soft
    return crops.with_pixels(pixels)
