"""Pixels of the arrays of OME-Zarr images: whole chunks, those that follow each other in one go."""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import CLAIM_FLOOR, guarded
from napari_channelmix.data.open_files import FileStamp, open_files
from napari_channelmix.data.pixel_sources import PixelSource, smaller
from napari_channelmix.data.zarr_arrays import METADATA, PlainChunks, open_array
from napari_channelmix.data.zarr_metadata import place_inside
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.pixel_sources import Place

__all__ = ["ZarrSource"]

Pixels = npt.NDArray[Any]
# First place along each axis, and that behind the last.
Block = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ZarrSource:
    """The pixels of an array in the folder of an image.

    Attributes
    ----------
    path, folder, place : Path
        What was opened, and the folders of the image in it and of its array.
    whole : tuple of int
        Shape of the array.
    axes : tuple of int
        Its axes that are left; others have length 1.
    dtype : numpy.dtype
    grid : tuple of int
    stamp : FileStamp
        Of the metadata of the array.
    opened_at : int
        When it was opened: chunks may change without the metadata, so each opening reads anew.
    complete : bool
        Whether all of its chunks were there then: one that is not is missing, and no empty one.
    """

    path: Path
    folder: Path
    place: Path
    whole: tuple[int, ...]
    axes: tuple[int, ...]
    dtype: np.dtype[Any]
    grid: tuple[int, ...]
    stamp: FileStamp
    opened_at: int
    # Where its other resolutions are.
    smaller: tuple[str, ...] = ()
    complete: bool = False
    kept: bool = True

    @classmethod
    def opened(
        cls,
        path: Path,
        folder: Path,
        place: Path,
        array: Any,
        axes: Sequence[int],
        smaller: Sequence[str] = (),
        *,
        complete: bool = False,
    ) -> ZarrSource:
        """The source of an array that is open; ``axes`` are those that are left.

        ``smaller`` are the places of its other resolutions in the folder of the image.
        """
        whole = tuple(int(n) for n in array.shape)
        steps = [max(1, int(n)) for n in array.chunks]
        grid = tuple(steps[axis] for axis in axes)
        stamp = next(FileStamp.of(place / name) for name in METADATA if (place / name).is_file())
        dtype = np.dtype(array.dtype)
        now = time.time_ns()
        levels = tuple(smaller)
        return cls(
            path, folder, place, whole, tuple(axes), dtype, grid, stamp, now, levels, complete
        )

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def shape(self) -> tuple[int, ...]:
        """Without its axes of length 1."""
        return tuple(self.whole[axis] for axis in self.axes)

    def key(self) -> Hashable:
        """The array as it was opened."""
        try:
            self.stamp.check()
        except DataError as error:
            # The user knows the image, not the files in it.
            raise DataError(str(error).replace(str(self.stamp.path), str(self.path))) from None
        return self.stamp, self.opened_at

    def decode(self, places: Sequence[Place]) -> Generator[Pixels]:
        """Chunks one by one where they are simple, else those that make up a block in one go."""
        if not places:
            return
        with open_files().using(self, self._open, _close) as (array, plain):
            yield from (
                self._blockwise(array, places)
                if plain is None
                else self._plain(array, plain, places)
            )

    def _plain(self, array: Any, plain: PlainChunks, places: Sequence[Place]) -> Generator[Pixels]:
        for place in places:
            lead = [0] * len(self.whole)
            for axis, i in zip(self.axes, place, strict=True):
                lead[axis] = i
            where = f"chunk {', '.join(map(str, place))}"
            chunk = guarded(self.path, partial(plain.read, tuple(lead)), where)
            if chunk is None:
                # Left out on purpose.
                yield self._read(array, tuple((i, i + 1) for i in place))
                continue
            kept = tuple(slice(None) if axis in self.axes else 0 for axis in range(len(self.whole)))
            # Chunks at the end of an array are stored as large as the others.
            yield chunk[kept][
                tuple(
                    slice(min(step, length - i * step))
                    for i, step, length in zip(place, self.grid, self.shape, strict=True)
                )
            ]

    def _blockwise(self, array: Any, places: Sequence[Place]) -> Generator[Pixels]:
        chunks: dict[Place, Pixels] = {}
        blocks = {place: block for block in _blocks(places) for place in _places(block)}
        for place in places:
            if place not in chunks:
                chunks |= self._chunks(blocks[place], self._block(array, blocks[place]))
            yield chunks.pop(place)

    def _open(self) -> tuple[Any, PlainChunks | None]:
        read = partial(open_array, self.path, self.place, complete=self.complete)
        array = guarded(self.path, read)
        return array, PlainChunks.of(array)

    def let_go(self, nbytes: int) -> None:
        """Nothing is held."""

    def levels(self) -> tuple[PixelSource, ...]:
        """Other resolutions that the image names."""
        usable: list[PixelSource] = []
        for name in self.smaller:
            # The full resolution is read without them.
            with suppress(DataError):
                place = place_inside(self.path, self.folder, name)
                array = guarded(self.path, partial(open_array, self.path, place))
                bytes_of_chunk = prod(array.shards or array.chunks) * np.dtype(array.dtype).itemsize
                if len(array.shape) == len(self.whole) and bytes_of_chunk <= CLAIM_FLOOR:
                    usable.append(
                        ZarrSource.opened(self.path, self.folder, place, array, self.axes)
                    )
        return smaller(usable, self)

    def _block(self, array: Any, block: Block) -> Pixels:
        """A block; where it cannot be read, the chunk that is to blame is named."""
        try:
            return self._read(array, block)
        except DataError:
            for place in _places(block):
                self._read(array, tuple((i, i + 1) for i in place))
            raise

    def _read(self, array: Any, block: Block) -> Pixels:
        region: list[Any] = [0] * len(self.whole)
        for axis, (first, last), step in zip(self.axes, block, self.grid, strict=True):
            region[axis] = slice(first * step, min(last * step, self.whole[axis]))
        where = ", ".join(
            str(first) if last - first == 1 else f"{first} to {last - 1}" for first, last in block
        )
        return guarded(self.path, lambda: np.asarray(array[tuple(region)]), f"chunk {where}")

    def _chunks(self, block: Block, pixels: Pixels) -> dict[Place, Pixels]:
        chunks = {}
        for place in _places(block):
            starts = [
                (i - first) * step
                for i, (first, _), step in zip(place, block, self.grid, strict=True)
            ]
            part = tuple(
                slice(start, start + step) for start, step in zip(starts, self.grid, strict=True)
            )
            chunks[place] = pixels[part]
        return chunks


def _close(opened: tuple[Any, PlainChunks | None]) -> None:
    """Nothing of it is open between two readings."""


def _places(block: Block) -> Iterator[Place]:
    return product(*(range(first, last) for first, last in block))


def _blocks(places: Sequence[Place]) -> list[Block]:
    """Places as few blocks, each of places that follow each other along all axes."""
    blocks: set[Block] = {tuple((i, i + 1) for i in place) for place in places}
    for axis in range(len(places[0])):
        lines: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        for block in blocks:
            lines.setdefault((*block[:axis], *block[axis + 1 :]), []).append(block[axis])
        blocks = set()
        for others, spans in lines.items():
            joined: list[tuple[int, int]] = []
            for first, last in sorted(spans):
                if joined and joined[-1][1] == first:
                    joined[-1] = joined[-1][0], last
                else:
                    joined.append((first, last))
            blocks |= {(*others[:axis], span, *others[axis:]) for span in joined}
    return sorted(blocks)
