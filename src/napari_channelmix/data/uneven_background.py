"""The background of an image whose illumination varies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["uneven_background"]

FloatImage = npt.NDArray[np.float32]

# Times the surface is fitted anew to what lies below it.
FITS = 3


def uneven_background(pixels: FloatImage, diameter: float) -> FloatImage:
    """The floor of an image between its objects.

    A surface of second degree is fitted to the darker half of the pixels, so that shading up to
    the border is followed there too; what is left is opened over four diameters and smoothed. Our
    definition, on scikit-image and SciPy.

    Parameters
    ----------
    pixels : (Y, X) float32 array
        Objects bright.
    diameter : float
        Of an object, in pixels.

    Returns
    -------
    (Y, X) float32 array

    Examples
    --------
    >>> ramp = np.tile(np.arange(80, dtype=np.float32), (60, 1))
    >>> bool(np.abs(uneven_background(ramp, 10) - ramp).max() < 1)
    True
    """
    from scipy import ndimage
    from skimage.transform import downscale_local_mean, resize

    factor = max(1, int(diameter / 4))
    padding = [(0, -length % factor) for length in pixels.shape]
    padded = np.pad(pixels, padding, mode="edge")
    small = downscale_local_mean(padded, (factor, factor))
    surface = _surface(small)
    side = max(3, round(4 * diameter / factor) | 1)
    floor = ndimage.grey_opening(small - surface, size=(side, side), mode="nearest")
    floor = ndimage.gaussian_filter(floor, side / 4, mode="nearest") + surface
    whole = resize(floor, padded.shape, order=1, mode="edge", preserve_range=True)
    result: FloatImage = whole[: pixels.shape[0], : pixels.shape[1]].astype(np.float32)
    return result


def _surface(pixels: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """A surface of second degree through the darker pixels."""
    height, width = pixels.shape
    rows, columns = np.meshgrid(
        np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij"
    )
    terms = [np.ones_like(rows), rows, columns, rows * columns, rows**2, columns**2]
    design = np.stack(terms, axis=-1).reshape(-1, len(terms))
    # As many points as are needed for so smooth a surface.
    step = max(1, design.shape[0] // 20_000)
    values, every = pixels.reshape(-1)[::step].astype(np.float64), design[::step]
    chosen = np.ones(len(values), bool)
    fitted: npt.NDArray[np.float64] = np.zeros(len(terms))
    for _ in range(FITS):
        fitted = np.asarray(np.linalg.lstsq(every[chosen], values[chosen], rcond=None)[0])
        rest = values - every @ fitted
        chosen = rest <= np.median(rest)
    result: npt.NDArray[np.float64] = (design @ fitted).reshape(height, width)
    return result
