"""Maps as pictures: scaled to their own strongest values, and put into a field of view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.evidence_colors import map_limit
from napari_channelmix.viewer.layers.patches import stronger

__all__ = ["fitted", "inside", "pasted", "scaled"]

FloatArray = npt.NDArray[np.float32]


def scaled(values: FloatArray, limit: float | None = None) -> FloatArray:
    """A map in shares of its strongest values, or of ``limit``: -1 to 1, 0 is no evidence.

    See `map_limit`. A map without evidence, or one that is not finite, stays empty.
    """
    most = map_limit(values) if limit is None else limit
    if most <= 0:
        return np.zeros_like(values)
    result: npt.NDArray[np.float32] = np.clip(values / most, -1, 1).astype(np.float32)
    return result


def inside(
    box: Sequence[int], size: tuple[int, int], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Which pixels of a map (H, W) over a box have their middle in a field of this shape."""
    y0, x0, y1, x1 = box
    rows = y0 + (np.arange(size[0]) + 0.5) * (y1 - y0) / size[0]
    columns = x0 + (np.arange(size[1]) + 0.5) * (x1 - x0) / size[1]
    good: npt.NDArray[np.bool_] = ((rows > 0) & (rows < shape[0]))[:, None] & (
        (columns > 0) & (columns < shape[1])
    )
    return good


def fitted(values: FloatArray, box: Sequence[int], limit: float | None = None) -> FloatArray:
    """A map with as many pixels as its box has; scaled as by `scaled`."""
    y0, x0, y1, x1 = (int(edge) for edge in box)
    patch = scaled(values, limit)
    if patch.shape != (y1 - y0, x1 - x0):
        from skimage.transform import resize

        patch = resize(patch, (y1 - y0, x1 - x0), order=1, anti_aliasing=False)
    return patch


def pasted(image: FloatArray, values: FloatArray, box: Sequence[int]) -> None:
    """Paint a map, scaled to its own strongest values, into an image; the stronger value stays.

    Parameters
    ----------
    image : (Y, X) float32 array
        Changed in place.
    values : (H, W) float32 array
    box : (y0, x0, y1, x1)
        Where the map lies, in pixels of the image; beyond its border nothing is painted.
    """
    y0, x0, y1, x1 = (int(edge) for edge in box)
    patch = fitted(values, box)
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y1, image.shape[0]), min(x1, image.shape[1])
    if top >= bottom or left >= right:
        return
    part = image[top:bottom, left:right]
    stronger(part, patch[top - y0 : bottom - y0, left - x0 : right - x0])
