"""Hand-crafted features of a cell: what every latent is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["OFFSET", "SHAPE", "TEXTURE", "hand_crafted"]

SHAPE = (
    "area",
    "perimeter",
    "solidity",
    "eccentricity",
    "orientation sin 2θ",
    "orientation cos 2θ",
)
TEXTURE = ("GLCM contrast", "GLCM homogeneity", "entropy", "rim")
OFFSET = ("light offset y", "light offset x")
# Grey levels of the co-occurrence matrix.
LEVELS = 16


def hand_crafted(
    scaled: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], channels: Sequence[str]
) -> dict[str, float]:
    """Features of one cell.

    Parameters
    ----------
    scaled : (C, h, w) array
        Its channels, 0 at the background.
    mask : (h, w) bool array
    channels : sequence of str

    Returns
    -------
    dict of str to float
        Area (pixels), perimeter (pixels), solidity, eccentricity, orientation as sine and cosine
        of the doubled angle; contrast and homogeneity of neighbouring pixels and entropy of the
        mean over the channels (16 grey levels); rim, how much brighter its outer half is than its
        inner half, as a share of their sum; mean and standard deviation of each channel, and
        its share of all channels; how far the centre of the light lies from that of the outline,
        in pixels. On scikit-image.
    """
    from skimage.feature import graycomatrix, graycoprops
    from skimage.measure import regionprops

    region = regionprops(mask.astype(np.uint8))[0]
    angle = 2 * region.orientation
    shape = (
        region.area,
        region.perimeter,
        region.solidity,
        region.eccentricity,
        np.sin(angle),
        np.cos(angle),
    )
    rows, columns = region.slice
    inside = mask[rows, columns]
    grey = np.clip(scaled.mean(axis=0)[rows, columns], 0, 1)
    # 0 is kept for what lies outside, and left out of the counts.
    levels = np.where(inside, 1 + np.minimum(grey * LEVELS, LEVELS - 1), 0).astype(np.uint8)
    pairs = graycomatrix(levels, [1], [0, np.pi / 2], LEVELS + 1, symmetric=True)[1:, 1:]
    pairs = pairs / np.maximum(pairs.sum(axis=(0, 1), keepdims=True), 1)
    share = np.bincount(levels[inside], minlength=LEVELS + 1) / inside.sum()
    share = share[share > 0]
    texture = (
        graycoprops(pairs, "contrast").mean(),
        graycoprops(pairs, "homogeneity").mean(),
        -(share * np.log2(share)).sum(),
        _rim(grey, inside),
    )
    values = dict(zip((*SHAPE, *TEXTURE), (*shape, *texture), strict=True))
    for name, plane in zip(channels, scaled, strict=True):
        values[f"{name} mean"] = plane[mask].mean()
        values[f"{name} sd"] = plane[mask].std()
    total = sum(abs(values[f"{name} mean"]) for name in channels)
    if len(channels) > 1:
        values |= {f"{name} share": values[f"{name} mean"] / max(total, 1e-9) for name in channels}
    values |= zip(OFFSET, _offset(scaled.mean(axis=0), mask), strict=True)
    return {name: float(value) for name, value in values.items()}


def _rim(grey: npt.NDArray[np.float32], inside: npt.NDArray[np.bool_]) -> float:
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    half = np.median(depth[inside])
    outer, inner = grey[inside & (depth <= half)], grey[inside & (depth > half)]
    if not len(inner) or outer.mean() + inner.mean() <= 0:
        return 0.0
    return float((outer.mean() - inner.mean()) / (outer.mean() + inner.mean()))


def _offset(grey: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    y, x = np.nonzero(mask)
    light = np.clip(grey[mask], 0, None) + 1e-6
    light = light / light.sum()
    return float((y * light).sum() - y.mean()), float((x * light).sum() - x.mean())
