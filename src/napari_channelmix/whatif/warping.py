"""The light of a region, moved by a map of the plane; what it uncovers becomes background."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["centres_of", "linear_map", "offsets_of", "there_and_back", "warped"]

FloatArray = npt.NDArray[np.float32]
Sources = tuple[FloatArray, FloatArray]

# By how many pixels linear interpolation is shifted: Blu et al. 2004, equation 16.
SHIFT = 0.21
# Bits of what a pixel belongs to.
CELL, OTHERS, REGION, NUCLEI = (np.uint8(bit) for bit in (1, 2, 4, 8))


def warped(crops: CellCrops, sources: Sources) -> CellCrops:
    """All channels of the region as one, moved; its outlines move along.

    The light ``(x - b) s`` of the region is taken out, moved by interpolation (`_moved`), and added
    again; what it then covers beyond its old place gives way to it. Our definition.

    Parameters
    ----------
    crops : CellCrops
    sources : two (n, H, W) float32 arrays
        From where each pixel takes its light: x and y, in pixels.
    """
    moved = _moved(_coefficients(crops), sources)
    return _outlines_moved(crops.with_pixels(_composed(crops, moved)), sources)


def there_and_back(crops: CellCrops, amounts: FloatArray) -> CellCrops:
    """The light of the region moved right and down by amounts (n,) in pixels, and back again."""
    identity = np.broadcast_to(np.eye(2, dtype=np.float32), (len(crops), 2, 2))
    x, y = linear_map(crops, identity)
    by = amounts[:, None, None]
    there = _moved(_coefficients(crops), (x - by, y - by))
    back = _moved(_prefiltered(there), (x + by, y + by))
    return crops.with_pixels(_composed(crops, back))


def linear_map(crops: CellCrops, matrices: FloatArray) -> Sources:
    """Sources of a linear map about the centre of each region.

    Parameters
    ----------
    crops : CellCrops
    matrices : (n, 2, 2) float32 array
        From offsets (x, y) in the result to offsets in the original.
    """
    x, y = offsets_of(crops)
    parts = matrices[:, :, :, None, None]
    centres = centres_of(crops)[:, :, None, None]
    return (
        (parts[:, 0, 0] * x + centres[:, 0]) + parts[:, 0, 1] * y,
        parts[:, 1, 0] * x + (parts[:, 1, 1] * y + centres[:, 1]),
    )


def centres_of(crops: CellCrops) -> FloatArray:
    """Centroid (n, 2) of each region, (x, y); the middle of the crop for an empty one."""

    def make() -> FloatArray:
        height, width = crops.region.shape[1:]
        area = crops.region.sum(axis=(1, 2))
        x = crops.region.sum(axis=1) @ np.arange(width)
        y = crops.region.sum(axis=2) @ np.arange(height)
        centres = np.stack([x, y], axis=1) / np.maximum(area, 1)[:, None]
        centres[area == 0] = (width - 1) / 2, (height - 1) / 2
        return np.asarray(centres, np.float32)

    return crops.stored("centres", make, of_outlines=True)


def offsets_of(crops: CellCrops) -> tuple[FloatArray, FloatArray]:
    """Offset of each column (n, 1, W), and of each row (n, H, 1), from the centre of the region."""

    def make() -> tuple[FloatArray, FloatArray]:
        height, width = crops.region.shape[1:]
        centres = centres_of(crops)[:, :, None, None]
        x = np.arange(width, dtype=np.float32) - centres[:, 0]
        return x, np.arange(height, dtype=np.float32)[:, None] - centres[:, 1]

    return crops.stored("offsets", make, of_outlines=True)


def _composed(crops: CellCrops, moved: FloatArray) -> FloatArray:
    """Crops (n, C, H, W) with moved light layers (n, C + 1, H, W) in place of the region's."""
    pixels = _canvas(crops)
    hidden = np.clip(moved[:, -1:], 0, 1) - crops.soft[:, None]
    np.maximum(hidden, 0, out=hidden)
    result = pixels - crops.background[:, :, None, None]
    result *= hidden
    np.subtract(pixels, result, out=result)
    result += moved[:, :-1]
    return result


def _moved(coefficients: FloatArray, sources: Sources) -> FloatArray:
    """Layers (n, L, H, W) at other places, 0 beyond the crop, by shifted linear interpolation.

    Linear interpolation at places shifted by 0.21 pixels, between coefficients that give back the
    pixels themselves (Blu, Thevenaz and Unser 2004, IEEE Trans. Image Process. 13, 710): as quick
    as linear interpolation, and smooths far less.
    """
    import torch

    height, width = coefficients.shape[2:]
    grid = np.empty((*sources[0].shape, 2), np.float32)
    for axis, side in enumerate((width, height)):
        scale = np.float32(2 / max(side - 1, 1))
        np.multiply(sources[axis] - np.float32(SHIFT), scale, out=grid[..., axis])
    grid -= 1
    with torch.inference_mode():
        moved = torch.nn.functional.grid_sample(
            torch.from_numpy(coefficients), torch.from_numpy(grid), align_corners=True
        )
    return np.asarray(moved.numpy(), np.float32)


def _coefficients(crops: CellCrops) -> FloatArray:
    return crops.stored("light coefficients", lambda: _prefiltered(_layers(crops)))


def _prefiltered(layers: FloatArray) -> FloatArray:
    """Coefficients of shifted linear interpolation of layers (n, L, H, W)."""
    height, width = layers.shape[2:]
    across = layers @ _prefilter(width).T
    return np.ascontiguousarray(np.matmul(_prefilter(height), across), np.float32)


@lru_cache(maxsize=16)
def _prefilter(side: int) -> FloatArray:
    """Inverse of ``f[k] = (1 - t) c[k] + t c[k - 1]``, (side, side)."""
    forward = np.eye(side) * (1 - SHIFT) + np.eye(side, k=-1) * SHIFT
    return np.asarray(np.linalg.inv(forward), np.float32)


def _layers(crops: CellCrops) -> FloatArray:
    """Light of each channel and the weights themselves, (n, C + 1, H, W)."""
    light = crops.pixels - crops.background[:, :, None, None]
    return np.concatenate([light * crops.soft[:, None], crops.soft[:, None]], axis=1)


def _canvas(crops: CellCrops) -> FloatArray:
    """The crops without the light of the region, (n, C, H, W)."""

    def make() -> FloatArray:
        light = crops.pixels - crops.background[:, :, None, None]
        canvas: FloatArray = crops.pixels - light * crops.soft[:, None]
        return canvas

    return crops.stored("canvas", make)


def _outlines_moved(crops: CellCrops, sources: Sources) -> CellCrops:
    """The same pixels, with the outlines within the region at their new places."""
    height, width = crops.region.shape[1:]
    x, y = (np.rint(source).astype(np.int32) for source in sources)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = (y * width + x) * inside
    codes = crops.stored("outline codes", lambda: _codes(crops), of_outlines=True)
    index += (np.arange(len(codes), dtype=np.int32) * (height * width))[:, None, None]
    moved = codes.ravel()[index] * inside
    covered = (moved & REGION) > 0
    cell, others, nuclei = crops.cell, crops.others, crops.nuclei
    if crops.scope != "neighbours":
        cell = (moved & CELL) > 0
    if crops.scope != "cell":
        others = (moved & OTHERS) > 0
    if nuclei is not None:
        nuclei = (nuclei & ~(crops.region | covered)) | (((moved & NUCLEI) > 0) & covered)
    return replace(crops, cell=cell, others=others & ~cell, nuclei=nuclei)


def _codes(crops: CellCrops) -> npt.NDArray[np.uint8]:
    """What each pixel (n, H, W) belongs to, a bit for each outline."""
    codes = crops.cell * CELL + crops.others * OTHERS + crops.region * REGION
    if crops.nuclei is not None:
        codes = codes + crops.nuclei * NUCLEI
    return np.asarray(codes, np.uint8)
