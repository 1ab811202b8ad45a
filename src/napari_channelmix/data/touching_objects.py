"""Foreground divided into objects: one seed each, and an outline at its own brightness."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["fill_holes", "labels_of_foreground", "own_outlines", "without_small"]

Labels = npt.NDArray[np.int32]

# How much the distance to the ground counts beside the brightness, where seeds are looked for.
DISTANCE = 1.0
# Smoothing of both, and the least distance of two seeds, in diameters.
BLUR, APART = 0.1, 0.3
# An object ends where it falls below this share of its height above the background.
OWN_SHARE = 0.4
# Its height: that part of its pixels is dimmer.
HEIGHT_QUANTILE = 0.8
LEVELS = 256
# Of more regions than these, one transform of the whole image is faster than one of each.
MANY_REGIONS = 2000


def labels_of_foreground(
    foreground: npt.NDArray[np.bool_],
    brightness: npt.NDArray[np.float32],
    diameter: float,
    split: float,
) -> tuple[Labels, npt.NDArray[np.int64]]:
    """Divide foreground into objects of about one diameter.

    Seeds are maxima of brightness and of the distance to the ground, both smoothed by a tenth of a
    diameter; objects are their basins (watershed). Our definition, on scikit-image.

    Parameters
    ----------
    foreground : (Y, X) bool array
    brightness : (Y, X) float32 array
        From 0 for background to 1 for bright foreground.
    diameter : float
        In pixels.
    split : float
        Strength: seeds lie 0.3 diameters apart and more, divided by it. 0: no object is split.

    Returns
    -------
    labels : (Y, X) int32 array
    seeds : (n, 2) int64 array
        Row and column of the seed of label i + 1, or of its first pixel where none is split.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    if split == 0:
        labels = ndimage.label(foreground)[0].astype(np.int32)
        first = _first_pixels(labels)[1:]
        return labels, np.stack(np.unravel_index(first, labels.shape), axis=1)
    blur = max(1.0, BLUR * diameter / split)
    depth = np.minimum(_distance_to_ground(foreground), diameter / 2) / np.float32(diameter / 2)
    score = ndimage.gaussian_filter(DISTANCE * depth + brightness, blur)
    score[~foreground] = 0
    apart = max(2, round(APART * diameter / split))
    # A plateau is one maximum; labels are numbered in reading order.
    highest = ndimage.maximum_filter(score, size=2 * apart + 1, mode="nearest")
    plateaus = ndimage.label((score == highest) & (score > 0), np.ones((3, 3)))[0]
    first = _first_pixels(plateaus)[1:]
    seeds = np.stack(np.unravel_index(first, score.shape), axis=1)
    markers = np.zeros(foreground.shape, np.int32)
    markers[tuple(seeds.T)] = np.arange(1, len(seeds) + 1)
    return watershed(-score, markers, mask=foreground).astype(np.int32), seeds


def _distance_to_ground(foreground: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Distance of each pixel to the nearest that is not foreground, in pixels.

    The same as one transform of the whole image: nothing nearer than a region's ground lies beyond
    the box around it. It takes a fraction of the time where much of the image is ground.
    """
    from scipy import ndimage

    regions, count = ndimage.label(foreground, np.ones((3, 3)))
    result = np.zeros(foreground.shape, np.float32)
    if count > MANY_REGIONS or foreground.all():
        result[:] = ndimage.distance_transform_edt(foreground)
        return result
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        wider = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
        own = regions[wider] == number
        distance = ndimage.distance_transform_edt(foreground[wider])
        result[wider][own] = distance[own]
    return result


def own_outlines(
    labels: Labels, height: npt.NDArray[np.float32], always: npt.NDArray[np.bool_]
) -> Labels:
    """Draw each object's outline at a share of its own height, so that a bright one has no halo.

    Parameters
    ----------
    labels : (Y, X) int32 array
    height : (Y, X) float32 array
        Brightness above the background, 0 to 1.
    always : (Y, X) bool array
        Pixels that stay in their object, such as filled holes.

    Returns
    -------
    (Y, X) int32 array
        The largest piece of each object; numbers stay.
    """
    from skimage.measure import label

    count = int(labels.max()) + 1
    level = np.clip(height * LEVELS, 0, LEVELS - 1).astype(np.int64)
    histogram = np.bincount(labels.ravel() * np.int64(LEVELS) + level.ravel(), None, count * LEVELS)
    below = np.cumsum(histogram.reshape(count, LEVELS), axis=1)
    top = (below < HEIGHT_QUANTILE * below[:, -1:]).sum(axis=1) / LEVELS
    inside = (labels > 0) & ((height >= OWN_SHARE * top[labels]) | always)
    trimmed = np.where(inside, labels, 0)
    pieces = label(trimmed, connectivity=1)
    areas = np.bincount(pieces.ravel())
    owner = np.zeros(len(areas), np.int64)
    owner[pieces.ravel()] = trimmed.ravel()
    order = np.lexsort((areas, owner))
    largest = np.zeros(len(areas), bool)
    largest[order[np.r_[owner[order][1:] != owner[order][:-1], True]]] = True
    largest[owner == 0] = False
    result: Labels = np.where(largest[pieces], trimmed, 0).astype(np.int32)
    return result


def fill_holes(labels: Labels, largest: float) -> Labels:
    """Fill holes of at most ``largest`` pixels with the label to the left of them."""
    from scipy import ndimage

    holes = ndimage.label(labels == 0)[0]
    small = np.bincount(holes.ravel()) <= largest
    for edge in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        small[edge] = False
    small[0] = False
    if not small.any():
        return labels
    first = _first_pixels(holes)
    left = labels.ravel()[np.maximum(first - 1, 0)]
    result: Labels = np.where(small[holes], left[holes], labels).astype(np.int32)
    return result


def without_small(labels: npt.NDArray[Any], min_area: float) -> Labels:
    """Labels 1..n, in their order, of the objects with at least ``min_area`` pixels."""
    areas = np.bincount(labels.ravel())
    large = areas >= max(1, min_area)
    large[0] = False
    renumbered = np.where(large, np.cumsum(large), 0).astype(np.int32)
    result: Labels = renumbered[labels]
    return result


def _first_pixels(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Position of the first pixel of each label in the flat image; labels are dense from 0."""
    flat = labels.ravel()
    first = np.zeros(int(flat.max()) + 1, np.int64)
    # Of several values for one place the last counts.
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)
    return first
