"""Maps as pictures: scaled to their own highest values, and put into a field of view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["fitted", "highest", "inside", "pasted", "scaled"]

FloatArray = npt.NDArray[np.float32]

# Share of the pixels that are shown as strongly as can be.
BEST = 0.02


def highest(maps: FloatArray) -> float:
    """The value above which only the best pixels of a map lie, 2 % of them; of all maps given.

    A single pixel that stands out would else leave all others pale.
    """
    most = float(np.quantile(maps, 1 - BEST))
    return most if most > 0 else float(maps.max())


def scaled(values: FloatArray, top: float | None = None) -> FloatArray:
    """A map in shares of its highest values, or of ``top``: 0 is no evidence, 1 the most.

    What speaks against the target is 0. A map without evidence stays empty.
    """
    most = highest(values) if top is None else top
    if not np.isfinite(most) or most <= 0:
        return np.zeros_like(values)
    result: npt.NDArray[np.float32] = np.clip(values / most, 0, 1).astype(np.float32)
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


def fitted(values: FloatArray, box: Sequence[int]) -> FloatArray:
    """A map, scaled to its own highest values, with as many pixels as its box has."""
    y0, x0, y1, x1 = (int(edge) for edge in box)
    patch = scaled(values)
    if patch.shape != (y1 - y0, x1 - x0):
        from skimage.transform import resize

        patch = resize(patch, (y1 - y0, x1 - x0), order=1, anti_aliasing=False)
    return patch


def pasted(image: FloatArray, values: FloatArray, box: Sequence[int]) -> None:
    """Paint a map, scaled to its own highest values, into an image; the larger value stays.

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
    np.maximum(part, patch[top - y0 : bottom - y0, left - x0 : right - x0], out=part)
