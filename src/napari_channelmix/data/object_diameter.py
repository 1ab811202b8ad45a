"""The diameter of a typical object of an image, before any is segmented."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["object_diameter"]

# Diameters that are tried, in pixels: each a quarter larger than the one before.
SMALLEST, STEP = 6.0, 1.25
# Blurs are computed on images of this many pixels for a standard deviation.
SAMPLING = 1.0


def object_diameter(foreground: npt.NDArray[np.float32]) -> float:
    """Diameter at which blobs stand out most, in pixels.

    The Laplacian of a Gaussian answers most to a disc of diameter d where its standard deviation
    is d / (2 sqrt 2) (Lindeberg 1998, 'Feature detection with automatic scale selection'). The
    mean square of its positive answers, normalised for scale, is taken over diameters of 6 pixels
    to half the image; the highest maximum between both ends counts, so that shading as wide as
    the image is no object. Where there is none, the end that is higher.

    Parameters
    ----------
    foreground : (Y, X) float32 array
        How far each pixel is foreground, 0 to 1.

    Returns
    -------
    float
        Objects count by their area: many small ones beside few large ones change little.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:200, 0:200] % 50 - 25
    >>> discs = (np.hypot(rows, columns) < 10).astype(np.float32)
    >>> 17 < object_diameter(discs) < 23
    True
    """
    count = int(np.log(max(min(foreground.shape) / 2, SMALLEST) / SMALLEST) / np.log(STEP)) + 1
    diameters = SMALLEST * STEP ** np.arange(count)
    answers = np.array([_answer(foreground, float(d)) for d in diameters])
    peaks = [i for i in range(1, count - 1) if answers[i - 1] <= answers[i] >= answers[i + 1]]
    best = max(peaks, key=lambda i: answers[i]) if peaks else int(np.argmax(answers))
    if not peaks or answers[best - 1 : best + 2].min() <= 0:
        return float(diameters[best])
    # The top of the parabola through the maximum and its neighbours.
    before, top, after = np.log(answers[best - 1 : best + 2])
    bend = before - 2 * top + after
    shift = 0.0 if bend == 0 else 0.5 * (before - after) / bend
    return float(diameters[best] * STEP**shift)


def _answer(foreground: npt.NDArray[np.float32], diameter: float) -> float:
    from scipy import ndimage

    sigma = diameter / (2 * np.sqrt(2))
    factor = max(1, min(int(sigma / SAMPLING), min(foreground.shape) // 2))
    height, width = (length // factor * factor for length in foreground.shape)
    small = foreground[:height, :width]
    if factor > 1:
        # Rows first, which lie together in memory: several times as fast as both at once.
        small = small.reshape(height // factor, factor, width).mean(axis=1)
        small = small.reshape(height // factor, width // factor, factor).mean(axis=2)
    sigma /= factor
    blobs = -(sigma**2) * ndimage.gaussian_laplace(small, sigma, mode="nearest")
    return float(np.mean(np.square(np.maximum(blobs, 0))))
