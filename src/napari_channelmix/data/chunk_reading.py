"""Boxes and regions of planes out of the chunks of their picture, each chunk decoded once.

1. The chunks that any box touches are listed, along the rows of chunks.
2. They are taken from the cache, or decoded some at a time, all channels of a place together.
3. Each box takes its pixels from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.decoded_chunks import Chunks, decoded_chunks
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.pixel_sources import PixelSource, Place

__all__ = [
    "Boxes",
    "PlaneOfChunks",
    "UnreadableChunk",
    "boxes_of_chunks",
    "boxes_of_plane",
    "read_region",
]

IntArray = npt.NDArray[np.int64]
Pixels = npt.NDArray[Any]

# Bytes of chunks that are decoded at a time, and bytes of mapped files that are read at a time.
DECODED_AT_A_TIME = 64 * 2**20
MAPPED_AT_A_TIME = 256 * 2**20
# A system maps so many bytes around the place that is read.
MAPPED_AROUND = 2**16
LARGEST_FLOAT = float(np.finfo(np.float32).max)


class UnreadableChunk(DataError):
    """A chunk that cannot be decoded.

    Attributes
    ----------
    rows : tuple of int
        Rows of the boxes that need it; see `Boxes`.
    """

    def __init__(self, message: str, rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


class PlaneOfChunks(Protocol):
    """A plane of a picture in chunks."""

    @property
    def index(self) -> tuple[int | None, ...]:
        """For each axis of the picture a position, `PROJECT`, or None for rows and columns."""
        ...

    @property
    def turned(self) -> bool:
        """Whether columns come before rows."""
        ...


class Boxes:
    """Boxes of one size, all of them within the picture, and where their pixels go.

    Parameters
    ----------
    edges : (n, 4) int array
        y0, x0, y1, x1.
    out : (N, C, h, w) array
    rows : (n,) int array
        Row of ``out`` of each box.
    """

    def __init__(self, edges: IntArray, out: Pixels, rows: IntArray) -> None:
        self.y, self.x = edges[:, 0], edges[:, 1]
        self.out, self.rows = out, rows
        self.height, self.width = int(out.shape[2]), int(out.shape[3])

    def __len__(self) -> int:
        return len(self.y)

    def chosen(self, which: npt.NDArray[Any]) -> Boxes:
        """Some of them."""
        edges = np.stack([self.y[which], self.x[which]], axis=1)
        return Boxes(edges, self.out, self.rows[which])

    def fill(self, which: IntArray, channels: Sequence[int], part: Pixels, y: int, x: int) -> None:
        """Take what lies in a part of the picture.

        Parameters
        ----------
        which : (k,) int array
            The boxes that reach into it.
        channels : sequence of int
            Positions in ``out`` of the planes of the part.
        part : (c, Y, X) array
        y, x : int
            Its first pixel in the picture.
        """
        height, width = part.shape[1:]
        ys, xs = self.y[which] - y, self.x[which] - x
        inside = (ys >= 0) & (xs >= 0)
        inside &= (ys + self.height <= height) & (xs + self.width <= width)
        rows = self.rows[which]
        if inside.sum() > 1:
            windows = sliding_window_view(part, (self.height, self.width), axis=(1, 2))
            within, places = rows[inside], (ys[inside], xs[inside])
            for channel, plane in zip(channels, windows, strict=True):
                self.out[within, channel] = plane[places]
            ys, xs, rows = ys[~inside], xs[~inside], rows[~inside]
        some = _slice_of(channels)
        for row, top, left in zip(rows.tolist(), ys.tolist(), xs.tolist(), strict=True):
            y0, y1 = max(top, 0), min(top + self.height, height)
            x0, x1 = max(left, 0), min(left + self.width, width)
            self.out[row, some, y0 - top : y1 - top, x0 - left : x1 - left] = part[:, y0:y1, x0:x1]


def _slice_of(channels: Sequence[int]) -> Any:
    first, last = channels[0], channels[-1] + 1
    if last - first == len(channels) and list(channels) == list(range(first, last)):
        return slice(first, last)
    return list(channels)


def boxes_of_plane(plane: Pixels, boxes: Boxes, channel: int) -> None:
    """The pixels of boxes out of a plane that is in memory."""
    boxes.fill(np.arange(len(boxes)), [channel], plane[None], 0, 0)


def boxes_of_chunks(
    source: PixelSource,
    planes: Sequence[PlaneOfChunks],
    channels: Sequence[int],
    boxes: Boxes,
    kept: Chunks | None = None,
) -> None:
    """The pixels of boxes in planes of one picture, all planes in one go.

    Parameters
    ----------
    source : PixelSource
    planes : sequence of PlaneOfChunks
        Of one direction.
    channels : sequence of int
        Position of each among the channels of ``boxes.out``.
    boxes : Boxes
    kept : ByteCache, optional
        Where decoded chunks are kept; default: that of the process.

    Raises
    ------
    UnreadableChunk
        A chunk that cannot be decoded.
    DataError
        A file that changed or is no longer there.
    """
    if not len(boxes):
        return
    over = [axis for axis, i in enumerate(planes[0].index) if i == PROJECT]
    reading = _Reading(source, planes[0], decoded_chunks() if kept is None else kept)
    for count, positions in enumerate(product(*(range(source.shape[axis]) for axis in over))):
        moved = dict(zip(over, positions, strict=True))
        indices = [
            tuple(moved.get(axis, i) for axis, i in enumerate(plane.index)) for plane in planes
        ]
        if not count:
            reading.fill(indices, channels, boxes)
            continue
        # The maximum along an axis.
        shape = (len(boxes), len(planes), boxes.height, boxes.width)
        other = np.empty(shape, boxes.out.dtype)
        edges = np.stack([boxes.y, boxes.x], axis=1)
        reading.fill(indices, range(len(planes)), Boxes(edges, other, np.arange(len(boxes))))
        for place, channel in enumerate(channels):
            before = boxes.out[boxes.rows, channel]
            boxes.out[boxes.rows, channel] = np.maximum(before, other[:, place])


Index = tuple[int | None, ...]


class _Reading:
    """Planes of one picture, read from its chunks."""

    def __init__(self, source: PixelSource, plane: PlaneOfChunks, kept: Chunks) -> None:
        self._source, self._kept = source, kept
        self._turned = plane.turned
        self._y, self._x = _axes_of(plane)
        self._steps = source.grid[self._y], source.grid[self._x]
        self._wide = source.dtype == np.float64

    def fill(self, indices: Sequence[Index], channels: Sequence[int], boxes: Boxes) -> None:
        """Fill the boxes, some rows of chunks at a time."""
        key = self._source.key()
        if self._source.kept:
            self._fill(key, indices, channels, boxes)
            return
        row = self._source.shape[self._x] * self._source.dtype.itemsize
        each = min(boxes.height * row, boxes.height * MAPPED_AROUND) + MAPPED_AROUND
        count = max(1, MAPPED_AT_A_TIME // (each * len(indices)))
        order = np.lexsort((boxes.x, boxes.y))
        for start in range(0, len(boxes), count):
            if start:
                self._source.key()
            self._fill(key, indices, channels, boxes.chosen(order[start : start + count]))
            self._source.let_go()

    def _fill(
        self, key: Any, indices: Sequence[Index], channels: Sequence[int], boxes: Boxes
    ) -> None:
        leads = self._leads(indices, channels)
        size = prod(self._source.grid) * self._source.dtype.itemsize * len(leads)
        touched = list(self._touched(boxes))
        together = max(1, DECODED_AT_A_TIME // max(size, 1))
        for start in range(0, len(touched), together):
            some = touched[start : start + together]
            places = [self._place(lead, at) for at, _ in some for lead in leads]
            needed = [boxes.rows[which] for _, which in some for _ in leads]
            chunks = self._chunks(key, places, needed)
            for count, ((row, column), which) in enumerate(some):
                y, x = row * self._steps[0], column * self._steps[1]
                for number, (lead, planes) in enumerate(leads.items()):
                    chunk = chunks[count * len(leads) + number]
                    for some_channels, part in self._parts(chunk, lead, planes):
                        if self._wide:
                            _refuse_wide(self._source.name, part, boxes, which, y, x)
                        boxes.fill(which, some_channels, part, y, x)

    def _leads(
        self, indices: Sequence[Index], channels: Sequence[int]
    ) -> dict[tuple[int, ...], list[tuple[int, Index]]]:
        """Planes by the chunk that they lie in along all axes but rows and columns."""
        leads: dict[tuple[int, ...], list[tuple[int, Index]]] = {}
        for channel, index in zip(channels, indices, strict=True):
            steps = zip(index, self._source.grid, strict=True)
            lead = tuple(0 if i is None else i // step for i, step in steps)
            leads.setdefault(lead, []).append((channel, index))
        return leads

    def _place(self, lead: tuple[int, ...], at: tuple[int, int]) -> Place:
        place = list(lead)
        place[self._y], place[self._x] = at
        return tuple(place)

    def _touched(self, boxes: Boxes) -> Iterator[tuple[tuple[int, int], IntArray]]:
        """Rows and columns of the chunks that boxes reach into, and which boxes do."""
        down, right = self._steps
        y0, x0 = boxes.y // down, boxes.x // right
        rows = (boxes.y + boxes.height - 1) // down - y0 + 1
        columns = (boxes.x + boxes.width - 1) // right - x0 + 1
        counts = rows * columns
        which = np.repeat(np.arange(len(boxes)), counts)
        step = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        row = y0[which] + step // columns[which]
        column = x0[which] + step % columns[which]
        order = np.lexsort((column, row))
        row, column, which = row[order], column[order], which[order]
        new = np.flatnonzero(np.diff(row, prepend=-1) | np.diff(column, prepend=-1))
        for first, some in zip(new.tolist(), np.split(which, new[1:]), strict=True):
            yield (int(row[first]), int(column[first])), some

    def _chunks(self, key: Any, places: list[Place], needed: Sequence[IntArray]) -> list[Pixels]:
        """Chunks at some places, decoded now or before; ``needed`` are the boxes of each."""
        if not self._source.kept:
            return self._source.decode(places)
        chunks = [self._kept.get((key, place)) for place in places]
        missing = [number for number, chunk in enumerate(chunks) if chunk is None]
        if missing:
            try:
                decoded = self._source.decode([places[number] for number in missing])
            except DataError as error:
                raise self._unreadable(error, places, missing, needed) from error
            for number, chunk in zip(missing, decoded, strict=True):
                self._kept.put((key, places[number]), chunk)
                chunks[number] = chunk
        return [chunk for chunk in chunks if chunk is not None]

    def _unreadable(
        self,
        error: DataError,
        places: list[Place],
        missing: list[int],
        needed: Sequence[IntArray],
    ) -> DataError:
        """Which of several chunks it is, and which boxes need it."""
        for number in missing:
            try:
                self._source.decode([places[number]])
            except DataError as again:
                return UnreadableChunk(str(again), needed[number].tolist())
        return error

    def _parts(
        self, chunk: Pixels, lead: tuple[int, ...], planes: Sequence[tuple[int, Index]]
    ) -> Iterator[tuple[list[int], Pixels]]:
        """Planes within a chunk as (c, Y, X), those that follow each other together."""
        first = [at * step for at, step in zip(lead, self._source.grid, strict=True)]
        inner = [
            tuple(0 if i is None else i - start for i, start in zip(index, first, strict=True))
            for _, index in planes
        ]
        varying = [axis for axis in range(chunk.ndim) if len({place[axis] for place in inner}) > 1]
        if len(varying) == 1:
            axis = varying[0]
            numbers = [place[axis] for place in inner]
            if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
                index = list(self._slices(inner[0]))
                index[axis] = slice(numbers[0], numbers[-1] + 1)
                part = chunk[tuple(index)]
                left = [a for a in range(chunk.ndim) if a in (self._y, self._x, axis)]
                order = [left.index(axis), left.index(self._y), left.index(self._x)]
                yield [channel for channel, _ in planes], part.transpose(order)
                return
        for (channel, _), place in zip(planes, inner, strict=True):
            part = chunk[self._slices(place)]
            yield [channel], (part.T if self._turned else part)[None]

    def _slices(self, place: tuple[int, ...]) -> tuple[Any, ...]:
        return tuple(
            slice(None) if axis in (self._y, self._x) else i for axis, i in enumerate(place)
        )


def _refuse_wide(name: str, part: Pixels, boxes: Boxes, which: IntArray, y: int, x: int) -> None:
    """Refuse values that 32-bit floats cannot hold, in the part that boxes take."""
    for top, left in zip((boxes.y[which] - y).tolist(), (boxes.x[which] - x).tolist(), strict=True):
        inside = part[:, max(top, 0) : top + boxes.height, max(left, 0) : left + boxes.width]
        if (np.isfinite(inside) & (abs(inside) > LARGEST_FLOAT)).any():
            raise DataError(
                f"{name}: holds values beyond 3.4e38, which 32-bit floats cannot hold; "
                "scale them first"
            )


def read_region(
    source: PixelSource, plane: PlaneOfChunks, shape: tuple[int, int], region: tuple[slice, slice]
) -> Pixels:
    """Pixels of a region of a plane (rows, columns), in its own type.

    Parameters
    ----------
    source : PixelSource
    plane : PlaneOfChunks
    shape : (int, int)
        Of the plane.
    region : (slice, slice)
        Of any step.

    Raises
    ------
    DataError
        As `boxes_of_chunks`.
    """
    rows, columns = (range(n)[part] for n, part in zip(shape, region, strict=True))
    result = np.empty((len(rows), len(columns)), source.dtype.newbyteorder("="))
    if not result.size:
        return result
    left, right = min(columns[0], columns[-1]), max(columns[0], columns[-1]) + 1
    along = slice(None, None, columns.step)
    # Some rows of chunks at a time, of which every n-th row is wanted.
    height = source.grid[_axes_of(plane)[0]]
    count = len(rows) if abs(rows.step) == 1 else max(1, height // abs(rows.step))
    for start in range(0, len(rows), count):
        some = rows[start : start + count]
        top, bottom = min(some[0], some[-1]), max(some[0], some[-1]) + 1
        block = np.empty((1, 1, bottom - top, right - left), result.dtype)
        edges = np.array([[top, left, bottom, right]], np.int64)
        boxes_of_chunks(source, [plane], [0], Boxes(edges, block, np.zeros(1, np.int64)))
        result[start : start + count] = block[0, 0, :: rows.step, along]
    return result


def _axes_of(plane: PlaneOfChunks) -> tuple[int, int]:
    """Axes of rows and of columns."""
    first, second = (axis for axis, i in enumerate(plane.index) if i is None)
    return (second, first) if plane.turned else (first, second)
