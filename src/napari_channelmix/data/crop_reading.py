"""Crops of many cells, read field by field: boxes within the image in one go, others singly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.box_reading import chunk_of
from napari_channelmix.data.chunk_reading import UnreadableChunk
from napari_channelmix.data.neighbours import prepared_crop
from napari_channelmix.data.reused_memory import reused_memory
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.fields import Field
    from napari_channelmix.data.pass_visits import PassVisit

__all__ = ["NotFiniteError", "pass_order", "read_crops"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Bytes of decoded chunks between the two visits to a chunk that two rows of chunks need.
BETWEEN_VISITS = 256 * 2**20


class NotFiniteError(DataError):
    """A crop with NaN or infinite pixels.

    Attributes
    ----------
    row : int
        Which of the crops.
    place : (int, int, int)
        Channel, y and x of the first such pixel in the box.
    """

    def __init__(self, row: int, place: tuple[int, int, int]) -> None:
        super().__init__("NaN or infinite pixels")
        self.row, self.place = row, place


def read_crops(
    fields: Sequence[Field],
    channels: Sequence[int],
    boxes: IntArray,
    side: int,
    only: IntArray | None = None,
    visit: PassVisit | None = None,
    margin: int | None = None,
) -> FloatArray:
    """Crops of boxes.

    Parameters
    ----------
    fields : sequence of Field
    channels : sequence of int
        Positions among the planes of each field.
    boxes : (n, 5) int array
        Position of the field, then y0, x0, y1, x1; it may reach beyond the border.
    side : int
        Of the crops; boxes of other sizes are resized.
    only : (n,) int array, optional
        Ids of cells whose neighbours are hidden; see `Field.read`.
    visit : PassVisit, optional
        See `data.box_reading.read_boxes`.
    margin : int, optional
        Pixels around the outlines of these cells beyond which all is hidden; None: only other
        objects are.

    Returns
    -------
    (n, C, side, side) float32 array

    Raises
    ------
    NotFiniteError
        The first crop with NaN or infinite pixels, in the order of the fields.
    DataError
        A file that cannot be read, named by its field; of `UnreadableChunk` the rows are those of
        ``boxes``.
    """
    shape = (len(boxes), len(channels), side, side)
    # The crops of a pass are looked at and let go of.
    new = np.empty if visit is None else reused_memory().empty
    crops: FloatArray = new(shape, np.float32)
    order = np.argsort(boxes[:, 0], kind="stable")
    ends = np.flatnonzero(np.diff(boxes[order, 0])) + 1
    for rows in np.split(order, ends) if len(order) else ():
        index = int(boxes[rows[0], 0])
        field = fields[index]
        if visit is not None:
            visit.field = index
        try:
            _read_field(field, channels, boxes[rows, 1:], rows, crops, only, visit, margin)
        except NotFiniteError:
            raise
        except UnreadableChunk as error:
            raise UnreadableChunk(f"{field.name}: {error}", error.rows) from error
        except DataError as error:
            raise DataError(f"{field.name}: {error}") from error
    return crops


def _read_field(
    field: Field,
    channels: Sequence[int],
    edges: IntArray,
    rows: IntArray,
    crops: FloatArray,
    only: IntArray | None,
    visit: PassVisit | None,
    margin: int | None,
) -> None:
    """Read the crops of one field into their rows."""
    side, (height, width) = crops.shape[2], field.shape
    y0, x0, y1, x1 = edges.T
    within = (y0 >= 0) & (x0 >= 0) & (y1 <= height) & (x1 <= width)
    plain = within & (y1 - y0 == side) & (x1 - x0 == side)
    if only is not None:
        plain &= field.labels is not None
    # Whole numbers are finite.
    exact = all(np.dtype(field.planes[channel].dtype).kind in "bui" for channel in channels)
    special = np.flatnonzero(~plain)
    if visit is not None:
        visit.soon = np.minimum(edges[special], [height, width, height, width])
    if plain.any():
        field.crops(edges[plain], channels, crops, rows[plain], visit)
    if only is not None and field.labels is not None:
        for row, (top, left, bottom, right) in zip(
            rows[plain].tolist(), edges[plain].tolist(), strict=True
        ):
            labels = field.labels[top:bottom, left:right]
            crops[row] = prepared_crop(crops[row], labels, int(only[row]), margin)[0]
    # Along the image, so that what is decoded for one serves the next.
    for number in special[np.lexsort((x0[special], y0[special]))].tolist():
        row = int(rows[number])
        own = None if only is None else int(only[row])
        pixels = field.read(edges[number], channels, own, margin)
        if not exact:
            _refuse_infinite(row, pixels)
        crops[row] = pixels if pixels.shape[1:] == (side, side) else _resized(pixels, side)
    if not exact and plain.any():
        chosen = rows[plain]
        for start in range(0, len(chosen), 64):
            some = chosen[start : start + 64]
            if not np.isfinite(crops[some]).all():
                for row in some.tolist():
                    _refuse_infinite(row, crops[row])


def _refuse_infinite(row: int, pixels: FloatArray) -> None:
    finite = np.isfinite(pixels)
    if not finite.all():
        channel, y, x = (int(i) for i in np.argwhere(~finite)[0])
        raise NotFiniteError(row, (channel, y, x))


def _resized(pixels: FloatArray, side: int) -> FloatArray:
    from skimage.transform import resize

    return np.asarray(
        resize(pixels, (len(pixels), side, side), order=1, preserve_range=True, anti_aliasing=True),
        np.float32,
    )


def pass_order(fields: Sequence[Field], channels: Sequence[int], boxes: IntArray) -> IntArray:
    """The order in which one pass over boxes decodes every chunk once, (n,) positions.

    Field by field; within a field along the rows of its chunks. Where a row of chunks, in all
    channels, is larger than what is kept of it, the field is divided into columns, each read from
    top to bottom. Our definition.

    Parameters
    ----------
    fields, channels, boxes
        See `read_crops`.
    """
    order = np.lexsort((boxes[:, 2], boxes[:, 1], boxes[:, 0]))
    parts = []
    ends = np.flatnonzero(np.diff(boxes[order, 0])) + 1
    for rows in np.split(order, ends) if len(order) else ():
        field = fields[int(boxes[rows[0], 0])]
        plane: Any = field.planes[channels[0]]
        down, right = chunk_of(plane)
        size = down * right * np.dtype(plane.dtype).itemsize * len(channels)
        across = right * max(1, BETWEEN_VISITS // size)
        y, x = (np.maximum(boxes[rows, axis], 0) for axis in (1, 2))
        parts.append(rows[np.lexsort((x, y, x // right, y // down, x // across))])
    return np.concatenate(parts) if parts else order
