"""One 2-D plane of an N-D array, read by region: a large stack is never loaded whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PROJECT", "ArrayPlane"]

# Instead of the number of a slice: the maximum over all of them.
PROJECT = -1


@dataclass(frozen=True)
class ArrayPlane:
    """A plane of an array: some axes at a slice or projected, two left as rows and columns.

    Attributes
    ----------
    data : array-like
        NumPy, dask or zarr; sliced, never converted whole.
    index : tuple of int or None
        For each axis a slice, `PROJECT`, or None for rows and columns.
    """

    data: Any = field(repr=False, compare=False)
    index: tuple[int | None, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        rows, columns = (n for n, i in zip(self.data.shape, self.index, strict=True) if i is None)
        return int(rows), int(columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As in the array."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def moved(self, slices: dict[int, int]) -> ArrayPlane:
        """The plane at other slices of some axes."""
        index = tuple(slices.get(axis, now) for axis, now in enumerate(self.index))
        return replace(self, index=index)

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        left = list(region)
        parts = tuple(
            left.pop(0) if i is None else slice(None) if i == PROJECT else i for i in self.index
        )
        pixels = np.asarray(self.data[parts])
        # Axes at a slice are gone; those projected and those of the plane are left, in order.
        remaining = [i for i in self.index if i is None or i == PROJECT]
        over = tuple(axis for axis, i in enumerate(remaining) if i == PROJECT)
        return pixels.max(axis=over) if over else pixels
