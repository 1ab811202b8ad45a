"""Gaussian smoothing of crops, as products with matrices: crops are small."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["smoothed"]

FloatArray = npt.NDArray[np.float32]


def smoothed(pixels: FloatArray, sigma: float) -> FloatArray:
    """Planes (..., H, W) smoothed by a Gaussian of ``sigma`` pixels, mirrored at the border.

    As `scipy.ndimage.gaussian_filter` with ``mode="reflect"``, several times as fast for planes of
    some 50 pixels.

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.zeros((5, 5), np.float32)
    >>> plane[2, 2] = 1
    >>> round(float(smoothed(plane, 1.0)[2, 2]), 3)
    0.159
    """
    height, width = pixels.shape[-2:]
    across = np.ascontiguousarray(pixels, np.float32) @ _kernel(width, sigma).T
    result: FloatArray = np.matmul(_kernel(height, sigma), across)
    return result


@lru_cache(maxsize=64)
def _kernel(side: int, sigma: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter1d

    kernel = gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect")
    kernel = np.asarray(kernel, np.float32)
    kernel.setflags(write=False)
    return kernel
