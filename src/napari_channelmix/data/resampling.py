"""Cells of images with other pixel sizes, cut out so that the pixels of all crops have one size."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from napari_channelmix.bounds import Bounds
from napari_channelmix.data.cell_boxes import BOX, CellBoxes
from napari_channelmix.data.fields import square_boxes
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.errors import DataError

__all__ = ["at_pixel_size", "resampled_by"]

C = TypeVar("C", bound=CellBoxes)

PIXEL_SIZE = Bounds(0, 1e4, whole=False, between=True)
# Sides of a pixel that differ by more than this are no squares.
SQUARE = 1.02
# Scales that only a wrong unit explains.
MOST = 20.0


def resampled_by(size: float | None, own: tuple[float, float] | None) -> float:
    """How many pixels of a resampled crop one pixel of its image becomes, along each axis.

    Parameters
    ----------
    size : float or None
        Side of a pixel of the crop in micrometres; None where crops are not resampled.
    own : tuple of float, or None
        Those of the image, y and x, in micrometres. Where they are not known, or no scale is
        allowed, 1 is given: `at_pixel_size` says why it cannot be.

    Examples
    --------
    >>> resampled_by(0.5, (0.25, 0.25)), resampled_by(None, (0.25, 0.25)), resampled_by(0.5, None)
    (0.5, 1.0, 1.0)
    """
    scale = 1.0 if size is None or own is None else own[0] / size
    return scale if 1 / MOST <= scale <= MOST else 1.0


def at_pixel_size(cells: C, size: float) -> C:
    """The same cells, their crops resampled to one pixel size.

    The box of a cell is made larger or smaller around its middle, so that the crop shows as much
    of the sample as one of pixels of ``size`` would; its pixels are resized when they are read.

    Parameters
    ----------
    cells : Cells
        Around points or objects, so that every box has the side of the crop.
    size : float
        Side of a pixel in micrometres.

    Raises
    ------
    DataError
        Files that do not state the size of their pixels in a unit of length, pixels that are no
        squares, cells whose boxes have sizes of their own, a box that does not fit its image.
    """
    refusal = PIXEL_SIZE.refusal(size)
    if refusal:
        raise DataError(f"{cells.name}: pixel_size {refusal}; it is micrometres")
    table = cells.table
    boxes = table[BOX].to_numpy(np.int64)
    if (boxes[:, 2:] - boxes[:, :2] != cells.crop).any():
        raise DataError(
            f"{cells.name}: pixel_size is for cells that are cut out with a fixed side (mask, "
            "segment, point); boxes, tiles and whole images are resized to crop already"
        )
    fields = table["field"].to_numpy(np.int64)
    side_of = np.full(len(cells.fields), cells.crop, dtype=np.int64)
    for index in np.unique(fields).tolist():
        side_of[index] = _side(cells, index, size)
    sides = side_of[fields]
    moved = np.empty_like(boxes)
    for side in np.unique(sides).tolist():
        selected = sides == side
        y, x = cells.centres[selected].T
        moved[selected] = square_boxes(y, x, side)
    edges = dict(zip(BOX, moved.T, strict=True))
    return replace(cells, table=table.assign(**edges))


def _side(cells: CellBoxes, index: int, size: float) -> int:
    """Side of a box in the pixels of a field of view."""
    field = cells.fields[index]
    own = in_micrometres(field.pixel_size, field.unit)
    if own is None:
        unit = "" if field.pixel_size is None else f" in a unit of length ({field.unit!r})"
        raise DataError(
            f"{field.name}: pixel_size = {size:g} cannot be reached, the file does not state the "
            f"size of its pixels{unit}; give image_pixel_size, or leave pixel_size out"
        )
    if max(own) > SQUARE * min(own):
        raise DataError(
            f"{field.name}: its pixels are {own[0]:g} x {own[1]:g} µm, no squares; resample the "
            "image first"
        )
    scale = size / own[0]
    side = round(cells.crop * scale)
    if not 1 / MOST <= scale <= MOST or side < 2:
        raise DataError(
            f"{field.name}: pixel_size = {size:g} µm is {scale:.3g} times the {own[0]:g} µm of the "
            "file; is it in micrometres?"
        )
    if side > min(field.shape):
        raise DataError(
            f"{field.name}: {cells.crop} pixels of {size:g} µm are {side} of its own, more than "
            "the "
            f"image has {field.shape}; choose a smaller crop"
        )
    return side
