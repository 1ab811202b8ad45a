"""Where in a crop the background, the nuclei, the light around a nucleus and the cell are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data.crop_outlines import CropOutlines, LightScale

__all__ = [
    "background_of",
    "depth_within",
    "grown",
    "is_nucleus",
    "nuclei_of",
    "reach_of",
    "soft_edge",
]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Background of a fluorescence channel: this percentile of the pixels of no object.
LOW = 10.0
# Fewer pixels than this share of a crop tell nothing of its background.
LEAST_FREE = 0.02
# Nuclei are brighter than this share of the brightest pixels of the data set.
LEAST_NUCLEAR = 0.1
# A label that is nucleus to this share is the outline of a nucleus, not of a cell.
NUCLEAR_LABEL = 0.7
# Width of the ring around a nucleus that counts as its cell, in radii of the nucleus, and pixels.
RING, LEAST_RING = 2.5, 2.0
# The same around an outline that was found by light: the cell's own light made it, so that little
# of the cell lies beyond.
RING_BY_LIGHT = 0.6
# How many pixels a soft edge reaches beyond an outline, and its weight there.
EDGE = 0.5


def background_of(crops: FloatArray, outlines: CropOutlines, scale: LightScale) -> FloatArray:
    """Level of each channel where there is no cell, raw units.

    Our definition. Fluorescence: the 10th percentile of the crop's pixels of no object, since what
    lies between cells that touch is mostly light of cells. Channels in which objects are darker as
    well as brighter (`LightScale.two_sided`): the median of these pixels. Where objects fill the
    crop (98 % of it): the darkest 2 % of the data set, or its background for two-sided channels.

    Parameters
    ----------
    crops : (n, C, H, W) float32 array
    outlines : CropOutlines
    scale : LightScale
        Of the data set.

    Returns
    -------
    (n, C) float32 array
    """
    free = ~(outlines.cell | outlines.others)
    level = np.empty(crops.shape[:2], np.float32)
    known = free.mean(axis=(1, 2)) >= LEAST_FREE
    level[~known] = np.where(scale.two_sided, scale.background, scale.floor)
    share = np.where(scale.two_sided, 50.0, LOW)
    for place in np.flatnonzero(known):
        ordered = np.sort(crops[place][:, free[place]], axis=1)
        nearest = np.rint(share / 100 * (ordered.shape[1] - 1)).astype(int)
        level[place] = ordered[np.arange(len(ordered)), nearest]
    return level


def nuclei_of(stain: FloatArray, scale: LightScale, channel: int) -> Mask:
    """Pixels (n, H, W) of nuclei, of all cells in the crops.

    Above Otsu's threshold of each crop of a nuclear stain, and above a tenth of the brightest
    pixels of the data set: in a crop without a nucleus the threshold would divide noise.

    Parameters
    ----------
    stain : (n, H, W) float32 array
    scale : LightScale
        Of the data set.
    channel : int
        Index of the stain in ``scale``.
    """
    from skimage.filters import threshold_otsu

    nuclei = np.zeros(stain.shape, bool)
    ground, spread = float(scale.background[channel]), float(scale.spread[channel])
    sign = 1.0 if spread >= 0 else -1.0
    for place, plane in enumerate(sign * stain):
        if plane.max() > plane.min():
            least = sign * ground + LEAST_NUCLEAR * abs(spread)
            nuclei[place] = plane > max(float(threshold_otsu(plane)), least)
    return nuclei


def is_nucleus(cell: Mask, nuclei: Mask | None) -> Mask:
    """Cells (n,) whose outline is that of their nucleus: nuclei cover 70 % of it or more."""
    if nuclei is None:
        return np.zeros(len(cell), bool)
    area = np.maximum(cell.sum(axis=(1, 2)), 1)
    return np.asarray((cell & nuclei).sum(axis=(1, 2)) >= NUCLEAR_LABEL * area)


def grown(mask: Mask, width: float, beside: Mask | None = None) -> Mask:
    """A mask (H, W) grown by ``width`` pixels, but not nearer to what lies ``beside`` it."""
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return mask
    away = distance_transform_edt(~mask)
    near = np.asarray(away <= width)
    if beside is not None and beside.any():
        near &= ~beside & (away <= distance_transform_edt(~beside))
    return near


def depth_within(mask: Mask) -> FloatArray:
    """Distance (H, W) of the pixels of a mask from what is not in it; 0 outside.

    Beyond the border of the crop nothing is known: a cell that is cut ends there.
    """
    from scipy.ndimage import distance_transform_edt

    framed = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    framed[1:-1, 1:-1] = mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    depth = np.zeros(mask.shape, np.float32)
    if len(rows):
        # The smallest box around it, and a pixel more.
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        away = distance_transform_edt(framed[top : bottom + 2, left : right + 2])
        depth[top:bottom, left:right] = away[1:-1, 1:-1]
    return depth


def reach_of(
    cell: Mask, others: Mask, nuclei: Mask | None, labelled: Mask | None = None
) -> tuple[Mask, Mask]:
    """Pixels (n, H, W) that belong to the cell, and to others, with the rings around nuclei.

    Where the outline is that of a nucleus, the cell is the nucleus and the pixels within 2.5 times
    its radius (2 pixels at least) that are not nearer to another nucleus: cytoplasm of spread cells
    reaches that far, and with less of it an edit leaves most of the light where it was. Around an
    outline that was found by light, 0.6 times. Our definition.

    Parameters
    ----------
    cell, others : (n, H, W) bool array
    nuclei : (n, H, W) bool array or None
    labelled : (n,) bool array, optional
        Cells whose outline is that of a label image; default: all.
    """
    own, rest = cell, others
    nuclear = is_nucleus(cell, nuclei)
    if nuclear.any():
        own, rest = cell.copy(), others.copy()
        for place in np.flatnonzero(nuclear):
            ring = RING if labelled is None or labelled[place] else RING_BY_LIGHT
            width = max(LEAST_RING, ring * float(np.sqrt(cell[place].sum() / np.pi)))
            own[place] = grown(cell[place], width, others[place])
            rest[place] = grown(others[place], width, cell[place]) & ~own[place]
    return own, rest


def soft_edge(mask: Mask, hard: Mask | None = None) -> FloatArray:
    """Weights (n, H, W): 1 in a mask, 0.5 beside it, 0 beyond; 0 in ``hard`` pixels."""
    beside = np.zeros_like(mask)
    beside[:, 1:] |= mask[:, :-1]
    beside[:, :-1] |= mask[:, 1:]
    beside[:, :, 1:] |= mask[:, :, :-1]
    beside[:, :, :-1] |= mask[:, :, 1:]
    if hard is not None:
        beside &= ~hard
    weights = np.where(beside, np.float32(EDGE), np.float32(0))
    weights[mask] = 1
    return weights
