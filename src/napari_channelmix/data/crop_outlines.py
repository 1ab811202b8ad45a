"""Outlines of the cells in their crops: of their label images, else found by their light.

At the resolution of the crops, so that a crop and its outlines are edited, drawn and counted
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes

__all__ = [
    "BY_LIGHT",
    "DISC",
    "DISC_SHARE",
    "LABELLED",
    "CropOutlines",
    "LightScale",
    "crop_outlines",
    "disc",
    "outline_by_light",
]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Where an outline comes from: a label image, the light of the cell, or nothing but the middle.
LABELLED, BY_LIGHT, DISC = "label", "light", "disc"
#: Radius of the disc that stands for an unknown outline, as a share of the side of the crop.
DISC_SHARE = 0.45
# An outline found by light that is smaller than this is noise.
LEAST_AREA = 9
# One that covers more of its crop than this tells nothing.
MOST_COVERED = 0.98
# A channel whose pixels lie below the background by this share of how far they lie above it.
TWO_SIDED = 0.5
# Cells that are looked at for the range of each channel, and pixels of each.
SAMPLE, PIXELS = 200, 4096


@dataclass(frozen=True, eq=False)
class CropOutlines:
    """What belongs to the cell in the middle of each crop, and what to other objects.

    Attributes
    ----------
    cell : (n, H, W) bool array
    others : (n, H, W) bool array
        Other objects of the label image; none where there is no label image.
    origin : (n,) str array
        `LABELLED`, `BY_LIGHT` or `DISC`.
    """

    cell: Mask
    others: Mask
    origin: npt.NDArray[np.str_]

    def __getitem__(self, some: slice | npt.NDArray[np.int64]) -> CropOutlines:
        return CropOutlines(self.cell[some], self.others[some], self.origin[some])


@dataclass(frozen=True, eq=False)
class LightScale:
    """What is background, and what is bright, in each channel of a data set.

    Attributes
    ----------
    background : (C,) float32 array
        Median of the outermost pixels of some crops, raw units.
    spread : (C,) float32 array
        How far above the background, or below it where negative, the brightest, or darkest, 0.2 %
        of the pixels lie.
    floor : (C,) float32 array
        What the darkest 2 % of the pixels lie below, raw units.
    two_sided : (C,) bool array
        Channels whose pixels lie below the background about as far as above it, or further:
        bright field, phase contrast, absorbing stains. The others are fluorescence.
    """

    background: FloatArray
    spread: FloatArray
    floor: FloatArray
    two_sided: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, crops: FloatArray) -> LightScale:
        """From crops (n, C, H, W) of some cells, raw units."""
        edge = np.ones(crops.shape[2:], dtype=bool)
        edge[2:-2, 2:-2] = False
        background = np.median(crops[:, :, edge], axis=(0, 2))
        step = max(1, crops.shape[2] * crops.shape[3] // PIXELS)
        pixels = crops.reshape(*crops.shape[:2], -1)[:, :, ::step]
        low, floor, high = np.percentile(pixels, (0.2, 2.0, 99.8), axis=(0, 2))
        high, low = high - background, low - background
        spread = np.where(high >= -low, high, low)
        spread = np.where(np.abs(spread) < 1e-9, 1.0, spread)
        return cls(
            background.astype(np.float32),
            spread.astype(np.float32),
            floor.astype(np.float32),
            np.asarray(-low >= TWO_SIDED * high),
        )

    @classmethod
    def of_cells(cls, cells: CellBoxes) -> LightScale:
        """From some cells of a data set, spread evenly: the same whichever cells are looked at."""
        count = min(len(cells), SAMPLE)
        return cls.of(cells.read(np.unique(np.linspace(0, len(cells) - 1, count).astype(int))))

    def signal(self, crops: FloatArray) -> FloatArray:
        """Mean over the channels of the scaled crops (n, H, W): 0 background, 1 brightest."""
        scaled = (crops - self.background[:, None, None]) / self.spread[:, None, None]
        mean: FloatArray = scaled.mean(axis=1)
        return mean


def disc(height: int, width: int) -> Mask:
    """The disc (or ellipse) that stands for an unknown outline, (height, width).

    Examples
    --------
    >>> int(disc(10, 10).sum())
    60
    """
    return _distance(height, width) <= DISC_SHARE


def outline_by_light(signal: FloatArray) -> tuple[Mask, bool]:
    """The cell in the middle of a crop, by Otsu's threshold, and whether there is one.

    Parameters
    ----------
    signal : (H, W) float array
        High where cells are, such as `LightScale.signal`.

    Returns
    -------
    (H, W) bool array
        The object with most light in the middle; else the disc of `disc`.
    bool
        False for the disc: nothing stands out, or nearly all of the crop does.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu
    from skimage.morphology import isotropic_opening

    height, width = signal.shape
    smooth = ndimage.gaussian_filter(signal, 1.0)
    off = _distance(height, width)
    middle: Mask = off <= DISC_SHARE
    if smooth.max() - smooth.min() < 1e-6:
        return middle, False
    bright = ndimage.binary_fill_holes(smooth > threshold_otsu(smooth))
    # Corners of a crop belong to neighbours, and what hangs on a cell by a thread does too.
    thread = max(1.0, 0.05 * min(height, width))
    bright = isotropic_opening(bright & (off <= 0.55), thread)
    objects, count = ndimage.label(bright)
    if not count:
        return middle, False
    # The object with most of its light in the middle of the crop.
    light = (smooth - smooth.min()) * np.exp(-8 * off**2)
    weight = ndimage.sum_labels(light, objects, np.arange(1, count + 1))
    chosen: Mask = objects == 1 + int(np.argmax(weight))
    if chosen.sum() < LEAST_AREA or chosen.mean() > MOST_COVERED:
        return middle, False
    return chosen, True


def crop_outlines(
    cells: CellBoxes,
    positions: Sequence[int] | npt.NDArray[np.int64],
    crops: FloatArray,
    scale: LightScale,
) -> CropOutlines:
    """Outlines of some cells, at the resolution of their crops.

    Parameters
    ----------
    cells : Cells
    positions : (n,) ints
        Of the cells in the data set.
    crops : (n, C, H, W) float32 array
        Their crops, raw units.
    scale : LightScale
        Of the data set; for cells without a label.
    """
    shape = len(crops), *crops.shape[2:]
    cell, others = np.zeros(shape, bool), np.zeros(shape, bool)
    origin = np.full(len(crops), DISC, dtype="<U5")
    ids = cells.table["object"].to_numpy(np.int64)
    fields = cells.table["field"].to_numpy(np.int64)
    boxes, signal = cells.boxes, None
    for place, position in enumerate(np.asarray(positions, np.int64).tolist()):
        labels = cells.fields[int(fields[position])].labels
        if labels is not None and ids[position] > 0:
            window = _window(labels, boxes[position], shape[1:])
            own = window == ids[position]
            if own.any():
                cell[place], others[place] = own, (window > 0) & ~own
                origin[place] = LABELLED
                continue
        if signal is None:
            signal = scale.signal(crops)
        cell[place], known = outline_by_light(signal[place])
        origin[place] = BY_LIGHT if known else DISC
    return CropOutlines(cell, others, origin)


def _window(
    labels: npt.NDArray[np.int64], box: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """The part of a label image in a box, 0 beyond the image, at the resolution of the crop."""
    y0, x0, y1, x1 = box.tolist()
    window = np.zeros((y1 - y0, x1 - x0), np.int64)
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y1, labels.shape[0]), min(x1, labels.shape[1])
    if top < bottom and left < right:
        window[top - y0 : bottom - y0, left - x0 : right - x0] = labels[top:bottom, left:right]
    if window.shape == shape:
        return window
    # The label under the middle of each pixel of the crop.
    rows, columns = (
        ((np.arange(side) + 0.5) * own / side).astype(int)
        for side, own in zip(shape, window.shape, strict=True)
    )
    return window[np.ix_(rows, columns)]


def _distance(height: int, width: int) -> FloatArray:
    """Distance from the middle, in sides of the crop, (height, width)."""
    y, x = np.ogrid[:height, :width]
    distance: FloatArray = np.hypot((y - (height - 1) / 2) / height, (x - (width - 1) / 2) / width)
    return distance
