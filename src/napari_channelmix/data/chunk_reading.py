"""Boxes and regions of planes out of the chunks of their picture, each chunk decoded once.

1. The chunks that any box touches are listed, along the rows of chunks.
2. They are taken from the cache, or decoded some at a time, all channels of a place together.
3. Each box takes its pixels from them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.decoded_chunks import Chunks, by_itself, decoded_chunks
from napari_channelmix.data.pass_visits import PassVisit, touched_chunks
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
DECODED_AT_A_TIME = 16 * 2**20
MAPPED_AT_A_TIME = 384 * 2**20
# From so many boxes of so few pixels on, numpy takes them at once more quickly.
WINDOWS, WINDOW_PIXELS = 32, 48**2
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
        self.edges, self.y, self.x = edges, edges[:, 0], edges[:, 1]
        self.out, self.rows = out, rows
        self.height, self.width = int(out.shape[2]), int(out.shape[3])

    def __len__(self) -> int:
        return len(self.y)

    def chosen(self, which: npt.NDArray[Any]) -> Boxes:
        """Some of them."""
        return Boxes(self.edges[which], self.out, self.rows[which])

    def cuts(self, which: IntArray, y: int, x: int, height: int, width: int) -> Cuts:
        """What some boxes take of a part of the picture that begins at ``y`` and ``x``."""
        ys, xs, rows = self.y[which] - y, self.x[which] - x, self.rows[which]
        inside = (ys >= 0) & (xs >= 0)
        inside &= (ys + self.height <= height) & (xs + self.width <= width)
        partly = ~inside
        top, left = ys[partly], xs[partly]
        y0, x0 = np.maximum(top, 0), np.maximum(left, 0)
        y1, x1 = np.minimum(top + self.height, height), np.minimum(left + self.width, width)
        edges = (rows[partly], y0, y1, x0, x1, y0 - top, y1 - top, x0 - left, x1 - left)
        return Cuts((rows[inside], ys[inside], xs[inside]), np.stack(edges, axis=1).tolist())

    def fill(self, cuts: Cuts, channels: Sequence[int], part: Pixels) -> None:
        """Take what lies in a part of the picture.

        Parameters
        ----------
        cuts : Cuts
        channels : sequence of int
            Positions in ``out`` of the planes of the part.
        part : (c, Y, X) array
        """
        rows, ys, xs = cuts.whole
        height, width = self.height, self.width
        some = _slice_of(channels)
        if len(rows) >= WINDOWS and height * width <= WINDOW_PIXELS:
            windows = sliding_window_view(part, (height, width), axis=(1, 2))
            for channel, plane in zip(channels, windows, strict=True):
                self.out[rows, channel] = plane[ys, xs]
        elif len(part) == 1:
            out, plane = self.out[:, channels[0]], part[0]
            for row, y, x in zip(rows.tolist(), ys.tolist(), xs.tolist(), strict=True):
                out[row] = plane[y : y + height, x : x + width]
        else:
            for row, y, x in zip(rows.tolist(), ys.tolist(), xs.tolist(), strict=True):
                self.out[row, some] = part[:, y : y + height, x : x + width]
        for row, y0, y1, x0, x1, top, bottom, left, right in cuts.partly:
            self.out[row, some, top:bottom, left:right] = part[:, y0:y1, x0:x1]


@dataclass(frozen=True, eq=False)
class Cuts:
    """What boxes take of a part of the picture.

    Attributes
    ----------
    whole : tuple of (n,) int arrays
        Rows of the boxes that lie within it, and their y and x in it.
    partly : list of list of int
        Of the others the row, then y0, y1, x0, x1 in the part, and the same in the box.
    """

    whole: tuple[IntArray, IntArray, IntArray]
    partly: list[list[int]]


def _slice_of(channels: Sequence[int]) -> Any:
    first, last = channels[0], channels[-1] + 1
    if last - first == len(channels) and list(channels) == list(range(first, last)):
        return slice(first, last)
    return list(channels)


def boxes_of_plane(plane: Pixels, boxes: Boxes, channel: int) -> None:
    """The pixels of boxes out of a plane that is in memory."""
    cuts = boxes.cuts(np.arange(len(boxes)), 0, 0, *plane.shape)
    boxes.fill(cuts, [channel], plane[None])


def boxes_of_chunks(
    source: PixelSource,
    planes: Sequence[PlaneOfChunks],
    channels: Sequence[int],
    boxes: Boxes,
    visit: PassVisit | None = None,
    blocks: Chunks | None = None,
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
    visit : PassVisit, optional
        The pass that this is a part of: chunks that it needs no more are not kept.
    blocks : ByteCache, optional
        Where decoded chunks are kept; default: with those of all files.

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
    reading = _Reading(source, planes[0], visit, blocks)
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
        every = Boxes(boxes.edges, other, np.arange(len(boxes)))
        reading.fill(indices, range(len(planes)), every)
        for place, channel in enumerate(channels):
            before = boxes.out[boxes.rows, channel]
            boxes.out[boxes.rows, channel] = np.maximum(before, other[:, place])


Index = tuple[int | None, ...]
# Channels, where they lie in a chunk, and the order of axes as (c, Y, X); none of a single plane.
Part = tuple[list[int], tuple[Any, ...], tuple[int, ...]]


class _Reading:
    """Planes of one picture, read from its chunks."""

    def __init__(
        self,
        source: PixelSource,
        plane: PlaneOfChunks,
        visit: PassVisit | None,
        blocks: Chunks | None,
    ) -> None:
        self._source, self._visit, self._blocks = source, visit, blocks
        self._turned = plane.turned
        self._y, self._x = _axes_of(plane)
        self._steps = source.grid[self._y], source.grid[self._x]
        self._lengths = source.shape[self._y], source.shape[self._x]
        self._wide = source.dtype.newbyteorder("=") == np.float64

    def fill(self, indices: Sequence[Index], channels: Sequence[int], boxes: Boxes) -> None:
        """Fill the boxes, some rows of chunks at a time."""
        key = decoded_chunks().number_of(self._source.key())
        if self._source.kept:
            self._fill(key, indices, channels, boxes)
            # It may have changed while it was read.
            self._source.key()
            return
        order = np.lexsort((boxes.x, boxes.y))
        for some in self._mapped_together(boxes, order, len(indices)):
            self._fill(key, indices, channels, boxes.chosen(some))
            self._source.key()
            self._source.let_go()

    def _mapped_together(self, boxes: Boxes, order: IntArray, channels: int) -> list[IntArray]:
        """Boxes from top to bottom, in parts that map so much of the file."""
        row = self._steps[1] * self._source.dtype.itemsize
        bottom = boxes.y[order] + boxes.height
        rows = np.full(len(order), boxes.height)
        if row <= 2 * MAPPED_AROUND:
            # Rows that boxes share are mapped once.
            before = np.maximum.accumulate(bottom)[:-1]
            rows[1:] = np.clip(bottom[1:] - before, 0, boxes.height)
        size = np.cumsum(rows) * min(row, MAPPED_AROUND) * channels
        ends = np.flatnonzero(np.diff(size // MAPPED_AT_A_TIME)) + 1
        return np.split(order, ends)

    def _fill(
        self, key: int, indices: Sequence[Index], channels: Sequence[int], boxes: Boxes
    ) -> None:
        leads = self._leads(indices, channels)
        parts = [self._parts(lead, planes) for lead, planes in leads.items()]
        size = prod(self._source.grid) * self._source.dtype.itemsize * len(leads)
        touched = self._touched(boxes)
        again = [True] * len(touched)
        if self._visit is not None and self._source.kept:
            rows, columns = np.array([at for at, _ in touched], np.int64).T
            again = self._visit.again(rows, columns, *self._steps)
        together = max(1, DECODED_AT_A_TIME // max(size, 1))
        for start in range(0, len(touched), together):
            some = touched[start : start + together]
            places = [self._place(lead, at) for at, _ in some for lead in leads]
            needed = [each for each in again[start : start + together] for _ in leads]
            with closing(self._chunks(key, places, needed)) as chunks:
                for at, which in some:
                    self._fill_from(chunks, parts, at, which, boxes)

    def _fill_from(
        self,
        chunks: Iterator[Pixels],
        parts: list[list[Part]],
        at: tuple[int, int],
        which: IntArray,
        boxes: Boxes,
    ) -> None:
        """Take what some boxes need of the chunks at one row and column of them."""
        y, x = at[0] * self._steps[0], at[1] * self._steps[1]
        height = min(self._steps[0], self._lengths[0] - y)
        width = min(self._steps[1], self._lengths[1] - x)
        cuts = boxes.cuts(which, y, x, height, width)
        for of_chunk in parts:
            try:
                chunk = next(chunks)
            except DataError as error:
                raise UnreadableChunk(str(error), boxes.rows[which].tolist()) from error
            for channels, index, order in of_chunk:
                part = chunk[index]
                part = part.transpose(order) if order else (part.T if self._turned else part)[None]
                if self._wide:
                    _refuse_wide(self._source.name, part, cuts, boxes)
                boxes.fill(cuts, channels, part)
            # Its memory serves the next.
            del chunk, part

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

    def _touched(self, boxes: Boxes) -> list[tuple[tuple[int, int], IntArray]]:
        """Rows and columns of the chunks that boxes reach into, and which boxes do."""
        which, row, column = touched_chunks(boxes.edges, *self._steps)
        order = np.lexsort((column, row))
        row, column, which = row[order], column[order], which[order]
        new = np.flatnonzero(np.diff(row, prepend=-1) | np.diff(column, prepend=-1))
        parts = np.split(which, new[1:])
        places = zip(row[new].tolist(), column[new].tolist(), strict=True)
        return list(zip(places, parts, strict=True))

    def _chunks(self, key: int, places: list[Place], again: list[bool]) -> Generator[Pixels]:
        """Chunks at some places, one after the other, decoded now or before.

        ``again`` tells which of them the pass will need again.
        """
        if not self._source.kept:
            yield from self._source.decode(places)
            return
        files = decoded_chunks()
        cache: Chunks = files if self._blocks is None else self._blocks
        kept = {place: cache.get((key, place)) for place in places}
        missing = [place for place, chunk in kept.items() if chunk is None]
        with closing(self._source.decode(missing)) as decoded:
            for place, needed in zip(places, again, strict=True):
                chunk = kept.pop(place)
                if chunk is None:
                    chunk = next(decoded)
                    own = self._blocks is not None
                    if needed or (not own and files.worth_keeping((key, place), chunk.nbytes)):
                        chunk = by_itself(chunk)
                        cache.put((key, place), chunk)
                yield chunk
                del chunk

    def _parts(self, lead: tuple[int, ...], planes: Sequence[tuple[int, Index]]) -> list[Part]:
        """What of a chunk are its planes: those that follow each other together, as (c, Y, X)."""
        first = [at * step for at, step in zip(lead, self._source.grid, strict=True)]
        inner = [
            tuple(0 if i is None else i - start for i, start in zip(index, first, strict=True))
            for _, index in planes
        ]
        count = len(lead)
        varying = [axis for axis in range(count) if len({place[axis] for place in inner}) > 1]
        if len(varying) == 1:
            axis = varying[0]
            numbers = [place[axis] for place in inner]
            if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
                together = list(self._slices(inner[0]))
                together[axis] = slice(numbers[0], numbers[-1] + 1)
                left = [a for a in range(count) if a in (self._y, self._x, axis)]
                order = tuple(left.index(a) for a in (axis, self._y, self._x))
                return [([channel for channel, _ in planes], tuple(together), order)]
        pairs = zip(planes, inner, strict=True)
        return [([channel], self._slices(place), ()) for (channel, _), place in pairs]

    def _slices(self, place: tuple[int, ...]) -> tuple[Any, ...]:
        return tuple(
            slice(None) if axis in (self._y, self._x) else i for axis, i in enumerate(place)
        )


def _refuse_wide(name: str, part: Pixels, cuts: Cuts, boxes: Boxes) -> None:
    """Refuse values that 32-bit floats cannot hold, in the part that boxes take."""
    taken = [(y, y + boxes.height, x, x + boxes.width) for _, y, x in zip(*cuts.whole, strict=True)]
    for y0, y1, x0, x1 in [*taken, *(cut[1:5] for cut in cuts.partly)]:
        inside = part[:, y0:y1, x0:x1]
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
