"""Where the pixels of a TIFF lie in its files, and how each tile or strip is decoded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.mapped_files import mapped_memory, mapping
from napari_channelmix.data.open_files import FileStamp, RawFile, open_files

if TYPE_CHECKING:
    from napari_channelmix.data.pixel_sources import Place

__all__ = ["Layout", "layout_of_pages"]

Pixels = npt.NDArray[Any]


class Layout(Protocol):
    """Where the pixels of a picture lie. Nothing is open.

    Attributes
    ----------
    grid, kept
        See `PixelSource`.
    """

    grid: tuple[int, ...]
    kept: bool

    def chunks(self, places: Sequence[Place]) -> Generator[Pixels]:
        """The chunks at some places, one after the other."""
        ...

    def let_go(self, nbytes: int) -> None:
        """See `PixelSource`."""
        ...


def layout_of_pages(
    pages: Sequence[Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    start: int | None,
    decode: Callable[[], Pixels],
) -> Layout:
    """The layout of a picture.

    Parameters
    ----------
    pages : sequence of tifffile pages
        Of its planes, slowest axis first; none where it is of a rare kind.
    shape : tuple of int
        Of the picture.
    dtype : numpy.dtype
    start : int or None
        Place in the file where all of its pixels lie, one after the other.
    decode : callable
        Gives the whole picture where nothing else fits.
    """
    if not pages or any(page is None for page in pages):
        return _Whole(shape, decode)
    paths = {_path(page) for page in pages}
    files = {path: FileStamp.of(Path(path)) for path in paths}
    if start is not None and len(paths) == 1:
        return _Mapped([(files[_path(pages[0])], start)], (), shape, _stored(pages[0]))
    inner = tuple(int(n) for n in pages[0].shape)
    leading = shape[: len(shape) - len(inner)]
    if shape != (*leading, *inner) or prod(leading) != len(pages):
        return _Whole(shape, decode)
    if all(_final(page) and tuple(page.shape) == inner for page in pages):
        stored = {_stored(page) for page in pages}
        if len(stored) == 1:
            starts = [(files[_path(page)], int(page.dataoffsets[0])) for page in pages]
            return _Mapped(starts, leading, inner, stored.pop())
    keyframes = {id(page.keyframe): page.keyframe for page in pages}.values()
    steps = {_steps(keyframe, inner) for keyframe in keyframes}
    axes = {str(keyframe.axes) for keyframe in keyframes}
    if len(steps) == 1 and len(axes) == 1:
        (step,) = steps
        if step is not None:
            return _Segments(
                [_page(page, files[_path(page)]) for page in pages],
                str(pages[0].keyframe.axes),
                leading,
                inner,
                step,
                dtype,
            )
    return _Whole(shape, decode)


def _path(page: Any) -> str:
    return str(page.parent.filehandle.path)


def _stored(page: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(page.dtype).newbyteorder(page.keyframe.parent.byteorder)
    return dtype


def _final(page: Any) -> bool:
    """Whether its pixels lie in the file as they are, one after the other."""
    key = page.keyframe
    return bool(
        page.is_contiguous
        and page.dataoffsets[0]
        and int(key.fillorder) == 1
        and int(key.predictor) == 1
        and not key.is_subsampled
        and key.bitspersample == 8 * np.dtype(page.dtype).itemsize
    )


def _steps(page: Any, inner: tuple[int, ...]) -> tuple[int, ...] | None:
    """Lengths of a tile or strip along the axes of its page; None for volumes."""
    if int(page.imagedepth) > 1 or tuple(page.shape) != inner or not set(page.axes) <= set("YXS"):
        return None
    rows = page.tilelength if page.is_tiled else page.rowsperstrip or page.imagelength
    columns = page.tilewidth if page.is_tiled else page.imagewidth
    together = int(page.planarconfig or 1) == 1
    steps = {"Y": int(rows), "X": int(columns), "S": int(page.samplesperpixel) if together else 1}
    sizes = zip(page.axes, inner, strict=True)
    return tuple(max(1, min(steps[axis], n)) for axis, n in sizes)


# ---------------------------------------------------------------- kinds of layouts


class _Whole:
    """A picture of a rare kind: it is decoded as a whole."""

    def __init__(self, shape: tuple[int, ...], decode: Callable[[], Pixels]) -> None:
        self.grid, self.kept, self._decode = tuple(max(n, 1) for n in shape), True, decode

    def chunks(self, places: Sequence[Place]) -> Generator[Pixels]:
        for _ in places:
            yield self._decode()

    def let_go(self, nbytes: int) -> None:
        pass


class _Mapped:
    """Pages that lie in their files as they are: bytes are read when pixels are copied."""

    kept = False

    def __init__(
        self,
        starts: list[tuple[FileStamp, int]],
        leading: tuple[int, ...],
        inner: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self._starts, self._leading, self._inner, self._dtype = starts, leading, inner, dtype
        self._files = tuple(dict.fromkeys(file for file, _ in starts))
        size = prod(inner) * dtype.itemsize
        steps = {b - a for (_, a), (_, b) in itertools.pairwise(starts)} or {size}
        # Evenly spaced pages of one file are one array.
        self._step = steps.pop() if len(steps) == 1 and len(self._files) == 1 else 0
        together = self._step >= size
        self.grid = (*leading, *inner) if together else (*(1 for _ in leading), *inner)
        self.grid = tuple(max(n, 1) for n in self.grid)
        if not together:
            self._step = 0

    def chunks(self, places: Sequence[Place]) -> Generator[Pixels]:
        for place in places:
            yield self._chunk(place)

    def _chunk(self, place: Place) -> Pixels:
        count = len(self._leading)
        if self._step:
            file, start = self._starts[0]
            outer = [self._step * prod(self._leading[i + 1 :]) for i in range(count)]
            shape = (*self._leading, *self._inner)
        else:
            number = int(np.ravel_multi_index(place[:count], self._leading)) if count else 0
            file, start = self._starts[number]
            outer, shape = [0] * count, (*(1 for _ in range(count)), *self._inner)
        item = self._dtype.itemsize
        strides = [item * prod(self._inner[i + 1 :]) for i in range(len(self._inner))]
        with mapping(file) as mapped:
            return np.ndarray(shape, self._dtype, mapped, start, (*outer, *strides))

    def let_go(self, nbytes: int) -> None:
        mapped_memory.read(self._files, nbytes)


@dataclass(frozen=True, eq=False)
class _Page:
    """Where the tiles or strips of a page lie in its file.

    ``width`` are the pixels of a row of them, which may reach beyond the page; ``stored`` is their
    type where they lie there as they are, else None.
    """

    file: FileStamp
    offsets: Sequence[int] = field(repr=False)
    counts: Sequence[int] = field(repr=False)
    decode: Callable[..., Any] = field(repr=False)
    options: dict[str, Any] = field(repr=False)
    nodata: Any
    what: str
    width: int
    stored: np.dtype[Any] | None


class _Segments:
    """Pages of tiles or strips, each decoded by itself; mapped where nothing is to be decoded."""

    def __init__(
        self,
        pages: list[_Page],
        axes: str,
        leading: tuple[int, ...],
        inner: tuple[int, ...],
        step: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self._pages, self._leading = pages, leading
        self._dtype = dtype.newbyteorder("=")
        self.kept = any(page.stored is None for page in pages)
        # Of tiles that lie evenly spaced in one file, those of all pages are one array.
        self._even = None if self.kept else _spacing(pages)
        self._ones = tuple(1 for _ in leading)
        self.grid = (*(leading if self._even else self._ones), *step)
        # Rows, columns and samples of a page, of a segment, and where they stand in its axes.
        sizes, steps = dict(zip(axes, inner, strict=True)), dict(zip(axes, step, strict=True))
        self._sizes = tuple(sizes.get(axis, 1) for axis in "YXS")
        self._steps = tuple(steps.get(axis, 1) for axis in "YXS")
        self._along = tuple(axes.find(axis) for axis in "YXS")
        self._order = None if axes in ("YX", "YXS") else ["YXS".index(axis) for axis in axes]
        self._flat = "S" not in axes
        self._down, self._across = (
            -(-n // s) for n, s in zip(self._sizes[:2], self._steps[:2], strict=True)
        )

    def chunks(self, places: Sequence[Place]) -> Generator[Pixels]:
        using = open_files().using
        with ExitStack() as stack:
            files: dict[FileStamp, Any] = {}
            for place in places:
                number = self._number(place)
                page = self._pages[number]
                handle = files.get(page.file)
                if handle is None:
                    # Of many files, one is open at a time.
                    stack.close()
                    files.clear()
                    opened: AbstractContextManager[Any] = (
                        using(page.file, partial(RawFile, page.file.path), RawFile.close)
                        if self.kept
                        else mapping(page.file)
                    )
                    handle = stack.enter_context(opened)
                    files[page.file] = handle
                y, x, sample = (place[len(self._ones) + i] if i >= 0 else 0 for i in self._along)
                index = (sample * self._down + y) * self._across + x
                where = f"{page.what} {index + 1} of page {number + 1}"
                read = partial(self._decoded, page, index, (y, x, sample), handle)
                yield guarded(page.file.path, read, where)

    def _number(self, place: Place) -> int:
        """Of the page at a place."""
        number = 0
        for i, length in zip(place, self._leading, strict=False):
            number = number * length + i
        return number

    def _decoded(self, page: _Page, index: int, place: tuple[int, int, int], handle: Any) -> Pixels:
        height, width, samples = (
            min(step, n - i * step)
            for i, step, n in zip(place, self._steps, self._sizes, strict=True)
        )
        listed = index < len(page.offsets) and index < len(page.counts)
        offset, count = (page.offsets[index], page.counts[index]) if listed else (0, 0)
        if not offset or not count:
            # Left out on purpose.
            segment = np.full((height, width, samples), page.nodata, self._dtype)
        elif self.kept:
            data = handle.read(offset, count)
            if len(data) < count:
                raise ValueError(f"{len(data):,} of its {count:,} bytes are there")
            segment = page.decode(data, index, **page.options)[0][0]
        else:
            return self._mapped(page, index, (height, width, samples), handle)
        pixels = self._as_page(segment[:height, :width, :samples])
        if self._ones:
            pixels = pixels.reshape((*self._ones, *pixels.shape))
        return np.asarray(pixels, self._dtype)

    def _as_page(self, segment: Pixels) -> Pixels:
        """Rows, columns and samples in the order of the axes of a page."""
        if self._flat:
            return segment[..., 0]
        return segment if self._order is None else segment.transpose(self._order)

    def _mapped(self, page: _Page, index: int, size: tuple[int, int, int], handle: Any) -> Pixels:
        """A segment as it lies in the file, of all pages where they are evenly spaced."""
        assert page.stored is not None
        height, width, samples = size
        # Strips end with the picture, tiles are whole.
        rows = self._steps[0] if page.what == "tile" else height
        item = page.stored.itemsize
        inner = [item * page.width * self._steps[2], item * self._steps[2], item]
        leading = self._leading if self._even else self._ones
        outer = [(self._even or 0) * prod(leading[i + 1 :]) for i in range(len(leading))]
        shape = (*leading, rows, *self._steps[1:])
        segment: Pixels = np.ndarray(
            shape, page.stored, handle, page.offsets[index], (*outer, *inner)
        )
        segment = segment[..., :height, :width, :samples]
        if self._flat:
            return segment[..., 0]
        if self._order is None:
            return segment
        first = len(leading)
        return segment.transpose((*range(first), *(first + axis for axis in self._order)))

    def let_go(self, nbytes: int) -> None:
        if not self.kept:
            mapped_memory.read(tuple(dict.fromkeys(page.file for page in self._pages)), nbytes)


def _spacing(pages: list[_Page]) -> int | None:
    """Bytes from a segment of a page to that of the next page, where they are always as many."""
    first = pages[0]
    alike = first.file, first.stored, first.width
    if any((page.file, page.stored, page.width) != alike for page in pages):
        return None
    if not all(all(page.counts) for page in pages):
        return None
    offsets = [np.asarray(page.offsets, np.int64) for page in pages]
    if len(pages) < 2 or any(len(each) != len(offsets[0]) for each in offsets):
        return None
    steps = np.diff(np.stack(offsets), axis=0)
    # A segment that was left out has no place.
    if not steps.size or (steps != steps[0, 0]).any() or not offsets[0].all():
        return None
    return int(steps[0, 0]) if steps[0, 0] > 0 else None


def _page(page: Any, file: FileStamp) -> _Page:
    keyframe = page.keyframe
    options: dict[str, Any] = {}
    if int(keyframe.compression) in (6, 7, 34892, 33007):  # JPEG
        options = {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader}
    plain = (
        int(keyframe.compression) == 1
        and int(keyframe.predictor) == 1
        and int(keyframe.fillorder) == 1
        and int(keyframe.sampleformat or 1) in (1, 2, 3)
        and keyframe.bitspersample == 8 * np.dtype(page.dtype).itemsize
        and not keyframe.is_subsampled
    )
    return _Page(
        file,
        page.dataoffsets,
        page.databytecounts,
        keyframe.decode,
        options,
        keyframe.nodata,
        "tile" if keyframe.is_tiled else "strip",
        int(keyframe.tilewidth if keyframe.is_tiled else keyframe.imagewidth),
        _stored(page) if plain else None,
    )
