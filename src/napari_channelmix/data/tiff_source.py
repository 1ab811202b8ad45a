"""Pixels of TIFF files: memory-mapped where they lie as they are, else decoded tile by tile."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.known_layouts import layouts
from napari_channelmix.data.open_files import FileStamp
from napari_channelmix.data.pixel_sources import smaller
from napari_channelmix.data.tiff_layouts import Layout, layout_of_pages
from napari_channelmix.data.tiff_log import TiffLog
from napari_channelmix.data.tiff_pages import check_page
from napari_channelmix.data.tiff_sets import open_by_itself
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.pixel_sources import PixelSource, Place

__all__ = ["TiffSource", "as_opened"]

Pixels = npt.NDArray[Any]


@dataclass(frozen=True)
class TiffSource:
    """The pixels of one picture: a series of a file, or pages of one or more files.

    Attributes
    ----------
    path : Path
    shape, whole : tuple of int
        Without and with its axes of length 1.
    axes : str
    dtype : numpy.dtype
    series : int or None
        The series that is read; None where single pages are.
    pages : tuple of (Path, int)
        Without a series: file and page of each plane.
    files : tuple of Path
        All files that hold a part of it.
    level : int
        Of a pyramid; 0 is the full resolution.
    all_axes : str
        Of a series, with its axes of length 1.
    stamps : tuple of FileStamp
        Of its files, when it was opened.
    grid, kept
        See `PixelSource`; known once it was opened.
    """

    path: Path
    shape: tuple[int, ...]
    whole: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    series: int | None = None
    pages: tuple[tuple[Path, int], ...] = ()
    files: tuple[Path, ...] = ()
    level: int = 0
    all_axes: str = ""
    stamps: tuple[FileStamp, ...] = ()
    grid: tuple[int, ...] = ()
    kept: bool = True

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def part(self) -> Hashable:
        """Which picture of its files this is."""
        return self.pages or (self.series, self.level)

    def key(self) -> Hashable:
        """Its files as they were opened, and the picture in them."""
        for stamp in self.stamps:
            stamp.check()
        return self.stamps, self.part

    def decode(self, places: Sequence[Place]) -> Generator[Pixels]:
        """Tiles or strips; where the file is memory-mapped, pages or all of them."""
        # Of a mapped file nothing is decoded, and so nothing is logged.
        with TiffLog(self.path) if self.kept else nullcontext():
            layout = guarded(self.path, self._layout)
            try:
                yield from layout.chunks(places)
            except OSError as error:
                # Each tile is guarded; this is a file that cannot be opened again.
                reason = error.strerror or str(error)
                raise DataError(f"{self.path}: can no longer be read ({reason})") from error

    def let_go(self, nbytes: int) -> None:
        """Unmap what was read of mapped files once it is much: it counts as memory."""
        if not self.kept:
            # Of a file that is gone nothing is mapped.
            with suppress(OSError):
                self._layout().let_go(nbytes)

    def levels(self) -> tuple[PixelSource, ...]:
        """The smaller pictures of a pyramid."""
        if self.series is None:
            return ()
        with TiffLog(self.path):
            return smaller(guarded(self.path, self._levels), self)

    def _levels(self) -> list[PixelSource]:
        import tifffile

        usable: list[PixelSource] = []
        sizes = zip(self.whole, self.all_axes, strict=True)
        left = [axis for axis, (n, letter) in enumerate(sizes) if n != 1 or letter in "YX"]
        with tifffile.TiffFile(self.path) as tiff:
            series: Any = tiff.series[self.series or 0]
            for number, level in enumerate(series.levels[1:], start=1):
                whole = tuple(int(n) for n in level.shape)
                if len(whole) != len(self.whole) or any(page is None for page in level.pages):
                    continue
                shape = tuple(whole[axis] for axis in left)
                source = replace(self, shape=shape, whole=whole, level=number, grid=(), kept=True)
                # The full resolution is read without them.
                with suppress(DataError):
                    for page in level.pages:
                        check_page(self.path, page, page.parent.filehandle.size)
                    usable.append(as_opened(source, tiff))
        return usable

    def _layout(self) -> Layout:
        """Where its pixels lie, looked up now or before."""
        key = (self.stamps, self.part)
        layout = layouts.get(key)
        if layout is None:
            with TiffLog(self.path):
                layout = self._opened()
            if (self.grid, self.kept) != (layout.grid, layout.kept) and self.grid:
                raise DataError(f"{self.path}: changed while it was read; open the data set again")
            layouts.put(key, layout)
        return layout

    def _opened(self) -> Layout:
        import tifffile

        if self.series is not None:
            with tifffile.TiffFile(self.path) as tiff:
                return self.layout_in(tiff)
        by_file: dict[Path, list[int]] = {}
        for path, number in self.pages:
            by_file.setdefault(path, []).append(number)
        pages: dict[tuple[Path, int], Any] = {}
        for path, numbers in by_file.items():
            with open_by_itself(path) as tiff:
                pages |= {(path, number): tiff.pages[number] for number in numbers}
        chosen = [pages[page] for page in self.pages]
        return layout_of_pages(chosen, self.shape, self.dtype, None, self._decoded)

    def layout_in(self, tiff: Any) -> Layout:
        """Where the pixels of its series lie, of a file that is open."""
        level = tiff.series[self.series].levels[self.level]
        if tuple(level.shape) != self.whole or np.dtype(level.dtype) != self.dtype:
            raise DataError(f"{self.path}: changed while it was read; open the data set again")
        pages = list(level.pages)
        plain = getattr(level, "transform", None) is None
        start = level.dataoffset if plain else None
        return layout_of_pages(pages if plain else [], self.shape, self.dtype, start, self._decoded)

    def _decoded(self) -> Pixels:
        """The whole picture at once, as files of rare kinds are read."""
        import tifffile

        if self.series is not None:
            pixels = tifffile.imread(self.path, series=self.series, level=self.level)
            return np.asarray(pixels).reshape(self.shape)
        parts = []
        for path, index in self.pages:
            with open_by_itself(path) as tiff:
                parts.append(tiff.pages[index].asarray())
        return np.stack(parts).reshape(self.shape)


def as_opened(source: TiffSource, tiff: Any) -> TiffSource:
    """A source with what is known of its files now; ``tiff`` is the file that is open."""
    files = dict.fromkeys([source.path, *source.files, *(path for path, _ in source.pages)])
    source = replace(source, stamps=tuple(FileStamp.of(path) for path in files))
    layout = source._opened() if source.series is None else source.layout_in(tiff)
    layouts.put((source.stamps, source.part), layout)
    return replace(source, grid=layout.grid, kept=layout.kept)
