"""The one object in the middle of a crop without a label: whole, without what hangs on it.

What stands out in a crop may be a cell with a part of its neighbour, a ring whose middle is pale,
or the fragment of one. Our definition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import disc

__all__ = ["middle_object"]

Mask = npt.NDArray[np.bool_]

# Gaps to be closed, as a share of the shorter side of the crop.
GAP = 0.05
# What is narrower than this share of the cell at its widest hangs on it.
THREAD = 0.4
# Least share of its convex hull that a cell covers, and from where on its outline is left as it is:
# closing and opening take off what tells how round it is.
SOLID, SOUND = 0.75, 0.9
# Fewer pixels than this are noise.
LEAST_AREA = 9


def middle_object(mask: Mask) -> tuple[Mask, bool]:
    """What of a mask is the cell in the middle, and whether that is sure.

    1. Leave what covers nine tenths of its convex hull as it is.
    2. Of anything else close gaps, and fill what they enclosed.
    3. Cut off what is narrow beside the cell, and keep the piece in the middle.
    4. Fill a crescent around the middle to its convex hull.

    Cells that lie on each other are not parted.

    Parameters
    ----------
    mask : (h, w) bool array
        What stands out, such as of `data.crop_outlines.outline_by_light`.

    Returns
    -------
    (h, w) bool array
        The cell; the disc in the middle where it is not sure.
    bool
        Whether it is one object, and no fragment: it covers three quarters of its convex hull.
    """
    from scipy import ndimage
    from skimage.morphology import convex_hull_image, isotropic_closing, isotropic_opening

    height, width = mask.shape
    if mask.sum() >= LEAST_AREA and mask.sum() >= SOUND * convex_hull_image(mask).sum():
        return mask, True
    side = min(height, width)
    radius = max(1.0, GAP * side)
    margin = int(np.ceil(radius)) + 1
    closed = isotropic_closing(np.pad(mask, margin), radius)[margin:-margin, margin:-margin]
    if not closed.any():
        return disc(height, width), False
    filled = ndimage.binary_fill_holes(closed)
    widest = float(ndimage.distance_transform_edt(np.pad(filled, 1)).max())
    smooth = _nearest(isotropic_opening(filled, max(1.0, THREAD * widest)))
    if smooth.sum() < LEAST_AREA:
        return disc(height, width), False
    hull: Mask = convex_hull_image(smooth)
    solid = float(smooth.sum() / hull.sum())
    if solid < SOLID and hull[height // 2, width // 2] and not smooth[height // 2, width // 2]:
        # A crescent around the middle: the cell is what it encloses.
        return hull, True
    return (smooth, True) if solid >= SOLID else (disc(height, width), False)


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
