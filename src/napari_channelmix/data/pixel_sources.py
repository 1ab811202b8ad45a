"""Where the pixels of a picture come from: an array in chunks, each of which is decoded whole."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "ArraySource",
    "PixelSource",
    "Place",
    "all_pixels",
    "chunk_region",
    "smaller",
    "whole_places",
]

#: Position of a chunk along each axis, counted in chunks.
Place = tuple[int, ...]


class PixelSource(Protocol):
    """A picture whose pixels are decoded chunk by chunk. It can be pickled: it holds no open file.

    Attributes
    ----------
    name : str
        The file, for messages.
    shape : tuple of int
    dtype : numpy.dtype
    grid : tuple of int
        Lengths of a chunk along each axis; the last one along an axis may be shorter.
    kept : bool
        Whether decoded chunks are worth keeping; not where they cost nothing.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    @property
    def grid(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def kept(self) -> bool: ...  # noqa: D102
    def key(self) -> Hashable:
        """What tells these pixels from all others; refuses a file that is not as it was opened."""
        ...

    def decode(self, places: Sequence[Place]) -> Generator[npt.NDArray[Any]]:
        """The chunks at some places, one after the other; not to be written to."""
        ...

    def let_go(self, nbytes: int) -> None:
        """Pixels that were decoded and are not kept have been copied: about so many bytes."""
        ...

    def levels(self) -> tuple[PixelSource, ...]:
        """Smaller copies of the picture that are stored with it, the smallest last.

        Looked up when they are wanted; those that cannot be used are left out.
        """
        ...


def smaller(levels: Iterable[PixelSource], full: PixelSource) -> tuple[PixelSource, ...]:
    """Levels of a pyramid that are copies of its full resolution, each smaller than the one before.

    They have its type and its axes, and are smaller along two of them.
    """
    chosen: list[PixelSource] = []
    for level in levels:
        before = chosen[-1] if chosen else full
        if level.dtype != full.dtype or len(level.shape) != len(full.shape):
            continue
        less = [a < b for a, b in zip(level.shape, before.shape, strict=True)]
        same = [a == b for a, b in zip(level.shape, full.shape, strict=True)]
        if sum(less) == 2 and sum(same) == len(same) - 2:
            chosen.append(level)
    return tuple(chosen)


def chunk_region(source: PixelSource, place: Place) -> tuple[slice, ...]:
    """Where a chunk lies in the picture."""
    return tuple(
        slice(i * step, min((i + 1) * step, length))
        for i, step, length in zip(place, source.grid, source.shape, strict=True)
    )


def whole_places(source: PixelSource) -> Iterator[Place]:
    """The places of all chunks."""
    counts = (-(-n // step) for n, step in zip(source.shape, source.grid, strict=True))
    return product(*map(range, counts))


def all_pixels(source: PixelSource) -> npt.NDArray[Any]:
    """The whole picture, in the byte order of this machine; nothing of it is kept."""
    source.key()
    pixels = np.empty(source.shape, source.dtype.newbyteorder("="))
    for place in whole_places(source):
        (pixels[chunk_region(source, place)],) = source.decode([place])
        source.let_go(prod(source.grid) * source.dtype.itemsize)
    return pixels


@dataclass(frozen=True, eq=False)
class ArraySource:
    """An array that is read by region: NumPy, dask or zarr; one chunk unless ``grid`` is given."""

    array: Any = field(repr=False)
    steps: tuple[int, ...] = ()
    kept: bool = False
    name: str = "array"

    @property
    def shape(self) -> tuple[int, ...]:
        """As of the array."""
        return tuple(int(n) for n in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of the array."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

    @property
    def grid(self) -> tuple[int, ...]:
        """Lengths of a chunk."""
        return self.steps or tuple(max(n, 1) for n in self.shape)

    def key(self) -> Hashable:
        """The array itself."""
        return id(self.array)

    def decode(self, places: Sequence[Place]) -> Generator[npt.NDArray[Any]]:
        """The chunks at some places."""
        for place in places:
            yield np.asarray(self.array[chunk_region(self, place)])

    def let_go(self, nbytes: int) -> None:
        """Nothing is held."""

    def levels(self) -> tuple[PixelSource, ...]:
        """None."""
        return ()
