"""The one object in the middle of a crop without a label: smooth, whole, without holes.

What stands out in a crop may be a cell with a part of its neighbour, a ring whose middle is pale, or
the fragment of one. Our definition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import disc

__all__ = ["middle_object"]

Mask = npt.NDArray[np.bool_]

# Gaps to be closed, and how far apart the middles of two cells lie, as shares of the shorter side
# of the crop.
GAP, APART = 0.05, 0.2
# What is narrower than this share of the cell at its widest hangs on it.
THREAD = 0.4
# A middle less deep than this share of the deepest is none of its own.
SHALLOW = 0.45
# Least share of its convex hull that a cell covers, and of its crop.
SOLID, LEAST = 0.85, 0.02
# Radius of the disc in the middle of which a cell covers half, in sides of the crop.
NEAR = 0.08


def middle_object(mask: Mask) -> tuple[Mask, bool]:
    """What of a mask is the cell in the middle, and whether that is sure.

    1. Close gaps, and fill what they enclosed.
    2. Part cells that touch, where the mask is narrow between two wide places (watershed of the
       distance to the outline), and keep the one in the middle.
    3. Cut threads. A ring or crescent around the middle is filled to its convex hull.

    Parameters
    ----------
    mask : (h, w) bool array
        What stands out, such as of `data.crop_outlines.outline_by_light`.

    Returns
    -------
    (h, w) bool array
        The cell; the disc in the middle where it is not sure.
    bool
        Whether it is one object in the middle, and no fragment: it covers its middle, and most of
        its convex hull.
    """
    from scipy import ndimage
    from skimage.morphology import convex_hull_image, isotropic_closing, isotropic_opening

    height, width = mask.shape
    side = min(height, width)
    radius = max(1.0, GAP * side)
    margin = int(np.ceil(radius)) + 1
    closed = isotropic_closing(np.pad(mask, margin), radius)[margin:-margin, margin:-margin]
    whole = _parted(ndimage.binary_fill_holes(closed), side)
    if not whole.any():
        return disc(height, width), False
    widest = float(ndimage.distance_transform_edt(np.pad(whole, 1)).max())
    smooth = _nearest(isotropic_opening(whole, max(1.0, THREAD * widest)))
    if not smooth.any():
        return disc(height, width), False
    middle = _from_middle(height, width) <= NEAR
    hull: Mask = convex_hull_image(smooth)
    if not smooth[height // 2, width // 2] and hull[height // 2, width // 2]:
        # A crescent around the middle: the cell is what it encloses.
        smooth, solid = hull, float(smooth.sum() / hull.sum()) + 0.2
    else:
        solid = float(smooth.sum() / hull.sum())
    sure = smooth[middle].mean() >= 0.5 and solid >= SOLID and smooth.mean() >= LEAST
    return (smooth, True) if sure else (disc(height, width), False)


def _parted(mask: Mask, side: int) -> Mask:
    """The part of a mask around its middle, where it is narrow between several wide places."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    depth = ndimage.gaussian_filter(depth, 0.03 * side)
    peaks = peak_local_max(
        depth,
        min_distance=max(1, int(APART * side)),
        threshold_rel=SHALLOW,
        labels=mask.astype(int),
        exclude_border=False,
    )
    if len(peaks) < 2:
        return mask
    markers = np.zeros(mask.shape, np.int64)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    parts = watershed(-depth, markers, mask=mask)
    chosen: Mask = parts == _label_near_middle(parts)
    return chosen


def _nearest(mask: Mask) -> Mask:
    """Of several pieces, the one nearest to the middle."""
    from scipy import ndimage

    pieces, count = ndimage.label(mask)
    chosen: Mask = mask if count < 2 else pieces == _label_near_middle(pieces)
    return chosen


def _label_near_middle(labels: npt.NDArray[np.int64]) -> int:
    """The label that covers the middle, else the one with most pixels near to it."""
    height, width = labels.shape
    own = int(labels[height // 2, width // 2])
    if own:
        return own
    weight = np.exp(-8 * _from_middle(height, width) ** 2)
    shares = np.bincount(labels.ravel(), weights=weight.ravel())
    shares[0] = 0
    return int(np.argmax(shares))


def _from_middle(height: int, width: int) -> npt.NDArray[np.float64]:
    y, x = np.ogrid[:height, :width]
    off: npt.NDArray[np.float64] = np.hypot(
        (y - (height - 1) / 2) / height, (x - (width - 1) / 2) / width
    )
    return off
