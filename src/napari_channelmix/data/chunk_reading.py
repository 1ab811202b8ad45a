"""Boxes and regions of planes out of the chunks of their picture, each chunk decoded once.

1. The chunks that any box touches are listed, along the rows of chunks.
2. They are taken from the cache, or decoded some at a time, all channels of a place together.
3. Each box takes its pixels from them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.box_cuts import Boxes, Cuts
from napari_channelmix.data.chunk_plan import ChunkPlan, Index, Lead, chunk_plan
from napari_channelmix.data.decoded_chunks import Chunks, KeptChunks, decoded_chunks
from napari_channelmix.data.pass_visits import PassVisit, touched_chunks
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.pixel_sources import PixelSource, Place

__all__ = ["PlaneOfChunks", "UnreadableChunk", "boxes_of_chunks", "read_region"]

IntArray = npt.NDArray[np.int64]
Pixels = npt.NDArray[Any]

# Bytes of chunks that are decoded at a time, and bytes of mapped files that are read at a time.
DECODED_AT_A_TIME = 16 * 2**20
MAPPED_AT_A_TIME = 384 * 2**20
# Chunks of mapped files that are asked for at a time: they take no memory.
MAPPED_TOGETHER = 4096
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
        indices = tuple(
            tuple(moved.get(axis, i) for axis, i in enumerate(plane.index))
            if moved
            else plane.index
            for plane in planes
        )
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

    def fill(self, indices: tuple[Index, ...], channels: Sequence[int], boxes: Boxes) -> None:
        """Fill the boxes, some rows of chunks at a time."""
        key = decoded_chunks().number_of(self._source.key())
        if self._source.kept:
            self._fill(key, indices, channels, boxes)
            # It may have changed while it was read.
            self._source.key()
            return
        order = np.lexsort((boxes.x, boxes.y))
        for some, nbytes in self._mapped_together(boxes, order, len(indices)):
            self._fill(key, indices, channels, boxes.chosen(some))
            self._source.key()
            self._source.let_go(nbytes)

    def _mapped_together(
        self, boxes: Boxes, order: IntArray, channels: int
    ) -> list[tuple[IntArray, int]]:
        """Boxes from top to bottom, in parts that map so much of the file, and how much."""
        row = self._steps[1] * self._source.dtype.itemsize
        bottom = boxes.y[order] + boxes.height
        rows = np.full(len(order), boxes.height)
        if row <= 2 * MAPPED_AROUND:
            # Rows that boxes share are mapped once.
            before = np.maximum.accumulate(bottom)[:-1]
            rows[1:] = np.clip(bottom[1:] - before, 0, boxes.height)
        size = np.cumsum(rows) * min(row, MAPPED_AROUND) * channels
        ends = [*(np.flatnonzero(np.diff(size // MAPPED_AT_A_TIME)) + 1).tolist(), len(order)]
        mapped = [0, *(int(size[end - 1]) for end in ends)]
        return [
            (order[start:end], after - before)
            for start, end, before, after in zip([0, *ends], ends, mapped, mapped[1:], strict=False)
        ]

    def _fill(
        self, key: int, indices: tuple[Index, ...], channels: Sequence[int], boxes: Boxes
    ) -> None:
        source = self._source
        plan = chunk_plan(source.grid, self._y, self._x, indices, tuple(channels))
        touched = _Touched(boxes, self._steps, self._lengths)
        again = [True] * len(touched)
        if self._visit is not None and source.kept:
            again = self._visit.again(touched.row, touched.column, *self._steps)
        places = list(zip(touched.row.tolist(), touched.column.tolist(), strict=True))
        size = prod(source.grid) * source.dtype.itemsize * len(plan.leads)
        together = max(1, DECODED_AT_A_TIME // max(size, 1)) if source.kept else MAPPED_TOGETHER
        for start in range(0, len(touched), together):
            stop = min(start + together, len(touched))
            cuts = touched.cuts(start, stop)
            chunks = self._chunks(key, places[start:stop], plan.leads, again[start:stop])
            with closing(chunks):
                for number, of_place in zip(range(start, stop), cuts, strict=True):
                    try:
                        self._fill_from(chunks, plan, of_place, boxes)
                    except UnreadableChunk as error:
                        raise UnreadableChunk(str(error), touched.rows(number)) from error

    def _fill_from(
        self, chunks: Iterator[Pixels], plan: ChunkPlan, cuts: Cuts, boxes: Boxes
    ) -> None:
        """Take what boxes need of the chunks at one row and column of them."""
        for of_chunk in plan.parts:
            try:
                chunk = next(chunks)
            except DataError as error:
                raise UnreadableChunk(str(error)) from error
            for take in of_chunk:
                part = chunk[take.index]
                if take.order:
                    part = part.transpose(take.order)
                else:
                    part = (part.T if self._turned else part)[None]
                if self._wide:
                    _refuse_wide(self._source.name, part, cuts)
                boxes.fill(cuts, take.channels, part)
            # Its memory serves the next.
            del chunk, part

    def _place(self, lead: Lead, row_and_column: tuple[int, int]) -> Place:
        place = list(lead)
        place[self._y], place[self._x] = row_and_column
        return tuple(place)

    def _chunks(
        self,
        key: int,
        places: list[tuple[int, int]],
        leads: tuple[Lead, ...],
        again: list[bool],
    ) -> Generator[Pixels]:
        """Chunks at some rows and columns of them, one after the other, decoded now or before.

        ``again`` tells at which of them the pass will need them again.
        """
        if not self._source.kept:
            yield from self._source.decode(
                [self._place(lead, place) for place in places for lead in leads]
            )
            return
        files = decoded_chunks()
        cache: Chunks = files if self._blocks is None else self._blocks
        worth_keeping = files.worth_keeping if self._blocks is None else _never
        before = [cache.get((key, place)) or {} for place in places]
        missing = [
            self._place(lead, place)
            for place, known in zip(places, before, strict=True)
            for lead in leads
            if lead not in known
        ]
        with closing(self._source.decode(missing)) as decoded:
            for place, known, needed in zip(places, before, again, strict=True):
                memory = KeptChunks(len(leads) - len(known) if needed else 0)
                try:
                    for lead in leads:
                        chunk = known.get(lead)
                        if chunk is None:
                            chunk = next(decoded)
                            if needed or worth_keeping((key, place, lead), chunk.nbytes):
                                chunk = memory.keep(lead, chunk)
                        yield chunk
                        del chunk
                finally:
                    # Nothing more may be asked for after the last one.
                    if memory.chunks:
                        cache.put((key, place), {**known, **memory.chunks})


def _never(*_: object) -> bool:
    return False


class _Touched:
    """The chunks that boxes reach into, along the rows of chunks, and what is taken of each.

    Attributes
    ----------
    row, column : (n,) int arrays
        Of each chunk.
    """

    def __init__(self, boxes: Boxes, steps: tuple[int, int], lengths: tuple[int, int]) -> None:
        which, row, column = touched_chunks(boxes.edges, *steps)
        order = np.lexsort((column, row))
        row, column, which = row[order], column[order], which[order]
        first = np.flatnonzero(np.diff(row, prepend=-1) | np.diff(column, prepend=-1))
        self.row, self.column = row[first], column[first]
        self._bounds = [*first.tolist(), len(which)]
        self._rows = boxes.rows[which]
        y, x = row * steps[0], column * steps[1]
        height, width = np.minimum(steps[0], lengths[0] - y), np.minimum(steps[1], lengths[1] - x)
        self._cuts = boxes.cuts(which, y, x, height, width)

    def __len__(self) -> int:
        return len(self.row)

    def cuts(self, start: int, stop: int) -> Iterator[Cuts]:
        """What is taken of each of some chunks."""
        first = self._bounds[start]
        some = self._cuts.between(first, self._bounds[stop])
        bounds = [bound - first for bound in self._bounds[start : stop + 1]]
        return (some.between(begin, end) for begin, end in pairwise(bounds))

    def rows(self, number: int) -> list[int]:
        """Rows of the boxes that reach into a chunk."""
        rows: list[int] = self._rows[self._bounds[number] : self._bounds[number + 1]].tolist()
        return rows


def _refuse_wide(name: str, part: Pixels, cuts: Cuts) -> None:
    """Refuse values that 32-bit floats cannot hold, in the part that boxes take."""
    for _, (rows, columns) in cuts.indices:
        inside = part[:, rows, columns]
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
