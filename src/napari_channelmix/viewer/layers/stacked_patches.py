"""Pictures of several channels as levels of one image with more axes; only what is seen is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.layers.patches import Patches

__all__ = ["StackedLevel", "stacked_levels"]

FloatArray = npt.NDArray[np.float32]


class StackedLevel:
    """A level of several pictures, the first axis the channel; indexed as an array.

    Parameters
    ----------
    pictures : sequence of array-like
        (Y, X) each, all of one shape.
    shape : tuple of int
        Of the image; along axes that are neither the channel nor in the plane all is the same.
    plane : (int, int)
        Rows and columns among the axes; their lengths are those of the pictures.

    Examples
    --------
    >>> import numpy as np
    >>> pictures = [np.zeros((4, 6), np.float32), np.ones((4, 6), np.float32)]
    >>> level = StackedLevel(pictures, (2, 5, 4, 6), (2, 3))
    >>> level.shape, level[1, 0, :2, ::3].tolist(), level[:, 0, 0, 0].tolist()
    ((2, 5, 4, 6), [[1.0, 1.0], [1.0, 1.0]], [0.0, 1.0])
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self, pictures: Sequence[Any], shape: tuple[int, ...], plane: tuple[int, int]
    ) -> None:
        lengths = list(shape)
        for axis, length in zip(plane, pictures[0].shape, strict=True):
            lengths[axis] = int(length)
        self._pictures, self._plane = tuple(pictures), plane
        self.shape = tuple(lengths)
        self.ndim = len(lengths)
        self.size = int(np.prod(lengths))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> FloatArray:
        parts = _whole_index(index, self.ndim)
        # Axes are kept one long while pixels are fetched, and taken away at the end.
        channels = np.atleast_1d(np.arange(self.shape[0])[parts[0]])
        rows, columns = (_as_slice(parts[axis], self.shape[axis]) for axis in self._plane)
        pixels = np.stack([np.asarray(self._pictures[c][rows, columns]) for c in channels])
        grid = [1] * self.ndim
        for axis, length in zip((0, *self._plane), pixels.shape, strict=True):
            grid[axis] = length
        lengths, after = list(grid), []
        for axis, part in enumerate(parts):
            if axis not in (0, *self._plane) and isinstance(part, slice):
                lengths[axis] = len(range(*part.indices(self.shape[axis])))
            after.append(slice(None) if isinstance(part, slice) else 0)
        image: FloatArray = np.broadcast_to(pixels.reshape(grid), lengths)[tuple(after)]
        return image

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def stacked_levels(
    patches: Sequence[Patches], shape: tuple[int, ...], plane: tuple[int, int]
) -> list[StackedLevel]:
    """The levels of an image of several channels, full resolution first; see `StackedLevel`."""
    return [
        StackedLevel(pictures, shape, plane)
        for pictures in zip(*(each.levels for each in patches), strict=True)
    ]


def _whole_index(index: Any, ndim: int) -> list[Any]:
    """An index for each axis: whole numbers, or slices."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in [part for part in parts if part is Ellipsis]:
        place = next(n for n, part in enumerate(parts) if part is Ellipsis)
        parts[place : place + 1] = [slice(None)] * (ndim - len(parts) + 1)
    return [*parts, *[slice(None)] * (ndim - len(parts))]


def _as_slice(part: Any, length: int) -> slice:
    """A slice that keeps an axis, also of a whole number."""
    if isinstance(part, slice):
        return part
    first = int(part) % length
    return slice(first, first + 1)
