"""Small pictures of cells and of their maps, without matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

from napari_channelmix.evidence_colors import evidence_rgba, map_limit

__all__ = ["grey", "labels_picture", "map_over", "map_over_grey", "png_of_row", "stretched"]

FloatArray = npt.NDArray[np.float32]

# Sides of a cell and of a label image in a picture, in pixels, and the gap between cells.
SIDE, LARGEST, GAP = 72, 360, 4


def stretched(crop: FloatArray) -> FloatArray:
    """Each channel of a crop (C, H, W) on 0..1; the brightest and darkest half percent are cut."""
    low, high = np.quantile(crop, [0.005, 0.995], axis=(1, 2))[:, :, None, None]
    spread = np.where(high > low, high - low, 1)
    shown: FloatArray = np.clip((crop - low) / spread, 0, 1).astype(np.float32)
    return shown


def grey(crop: FloatArray) -> FloatArray:
    """A crop (C, H, W) as one picture (H, W) on 0..1: its stretched channels, averaged."""
    picture: FloatArray = stretched(crop).mean(axis=0)
    return picture


def map_over(crop: FloatArray, heatmap: FloatArray) -> FloatArray:
    """A crop (C, H, W) in grey with its map (H, W) over it, (H, W, 3) on 0..1.

    Colours as everywhere: evidence for the class and against it; see `evidence_colors`.
    """
    return map_over_grey(grey(crop), heatmap)


def map_over_grey(below: FloatArray, heatmap: FloatArray) -> FloatArray:
    """A grey picture (H, W) on 0..1 with a map (H, W) over it, (H, W, 3) on 0..1."""
    limit = map_limit(heatmap)
    tint = evidence_rgba(heatmap / (limit if limit > 0 else 1), "signed")
    over: FloatArray = below[..., None] * (1 - tint[..., 3:]) + tint[..., :3] * tint[..., 3:]
    return over


def labels_picture(labels: npt.NDArray[Any], largest: int = LARGEST) -> FloatArray:
    """A label image (Y, X) in colours, (h, w, 3) on 0..1; large ones are thinned out."""
    step = max(1, -(-max(labels.shape) // largest))
    thinned = labels[::step, ::step].astype(np.int64)
    # Neighbouring numbers get colours that lie far apart.
    angle = 2 * np.pi * ((thinned * 0.618034) % 1.0)
    shifts = np.array([0, 2.094, 4.189])
    colors = 0.6 + 0.4 * np.cos(angle[..., None] + shifts)
    picture: FloatArray = np.where((thinned > 0)[..., None], colors, 0.0).astype(np.float32)
    return picture


def png_of_row(pictures: Sequence[FloatArray], side: int = SIDE) -> bytes:
    """Pictures (H, W) or (H, W, 3) on 0..1 side by side, as PNG.

    Parameters
    ----------
    pictures : sequence of arrays
    side : int
        What small ones are enlarged to, in whole multiples.
    """
    from PIL import Image

    drawn = [_bytes_of(picture, side) for picture in pictures]
    height = max(len(picture) for picture in drawn)
    parts = []
    for picture in drawn:
        below = ((0, height - len(picture)), (0, GAP), (0, 0))
        parts.append(np.pad(picture, below, constant_values=255))
    row = np.concatenate(parts, axis=1)[:, :-GAP]
    buffer = io.BytesIO()
    # Half a thousand colours would not be told apart at this size.
    Image.fromarray(np.ascontiguousarray(row)).quantize(128).save(
        buffer, format="PNG", optimize=True
    )
    return buffer.getvalue()


def _bytes_of(picture: FloatArray, side: int) -> npt.NDArray[np.uint8]:
    values = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    step = max(1, -(-max(values.shape[:2]) // (2 * side))) if side == SIDE else 1
    values = values[::step, ::step]
    factor = max(1, side // max(values.shape[:2]))
    whole = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return np.asarray(whole.repeat(factor, axis=0).repeat(factor, axis=1), dtype=np.uint8)
