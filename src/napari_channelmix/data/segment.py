"""Nuclei found in one channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = ["find_nuclei"]


def find_nuclei(
    plane: npt.NDArray[Any], *, smooth: float = 1.0, min_area: int = 40
) -> npt.NDArray[np.int32]:
    """Label the bright, roundish objects of one channel.

    Gaussian smoothing, Otsu's threshold, holes filled, small objects dropped; touching nuclei are
    split by a watershed of the distance transform, seeded at maxima that lie about one nuclear
    radius apart (the median radius of this image). Our definition, on scikit-image.

    Parameters
    ----------
    plane : (Y, X) array
        Intensities in any unit.
    smooth : float
        Standard deviation of the Gaussian, in pixels.
    min_area : int
        Smallest object kept, in pixels.

    Returns
    -------
    (Y, X) int32 array
        0 is background, 1..n the nuclei; all 0 where the plane is constant.

    Raises
    ------
    DataError
        NaN or infinite pixels.
    """
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label, regionprops
    from skimage.segmentation import watershed

    if not np.isfinite(plane).all():
        raise DataError("NaN or infinite pixels: no nuclei can be segmented; replace them first")
    smoothed = gaussian(np.asarray(plane, dtype=np.float32), sigma=smooth, preserve_range=True)
    if smoothed.max() <= smoothed.min():
        return np.zeros(plane.shape, dtype=np.int32)
    bright = ndimage.binary_fill_holes(smoothed > threshold_otsu(smoothed))
    blobs = _without_small(label(bright), min_area)
    areas = [blob.area for blob in regionprops(blobs)]
    if not areas:
        return np.zeros(plane.shape, dtype=np.int32)
    radius = float(np.sqrt(np.median(areas) / np.pi))
    # A light blur of the distances removes the ridges that would split one nucleus in two.
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(blobs > 0), radius / 4)
    peaks = peak_local_max(
        distance, min_distance=max(2, round(0.75 * radius)), labels=blobs, exclude_border=False
    )
    seeds = np.zeros(blobs.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    split = watershed(-distance, seeds, mask=blobs > 0)
    return _without_small(split, min_area)


def _without_small(labels: npt.NDArray[Any], min_area: int) -> npt.NDArray[np.int32]:
    """Labels 1..n of the objects with at least ``min_area`` pixels; the labels given are dense."""
    areas = np.bincount(labels.ravel())
    large = areas >= min_area
    large[0] = False
    renumbered = np.where(large, np.cumsum(large), 0).astype(np.int32)
    result: npt.NDArray[np.int32] = renumbered[labels]
    return result
