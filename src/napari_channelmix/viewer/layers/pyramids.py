"""Planes as napari shows them: small ones whole, large ones as levels of which a part is read.

1. A plane of up to 64 MiB is an array.
2. A larger one whose file has coarser levels is shown by these: what is in sight is read from the
   level that fits the zoom. The coarsest ones are arrays: napari reads in the event loop.
3. A larger one without levels gets an `Overview`: coarse levels that begin empty and are filled
   piece by piece while the window is used. Only what is in sight at a close zoom is read at once.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.data.image_planes import Plane

__all__ = [
    "READ_WHOLE_BYTES",
    "DrawnLevel",
    "Levels",
    "Overview",
    "coarser_views",
    "nbytes_of",
    "shown_plane",
]

# Larger planes are read in pieces.
READ_WHOLE_BYTES = 64 * 2**20
# The coarsest level of a pyramid has no more pixels than this along a side: all of it is drawn.
COARSEST = 2048
# Levels of no more pixels than this along a side are arrays: the whole slide is seen in them.
SMALL = 1024
# Between two levels of an overview, and pixels that are read at once to fill it.
STEP, PIECE = 4, (1024, 4096)
# Pixels along a side of the pieces that dask hands out.
CHUNK = 1024


class Levels(tuple[Any, ...]):
    """Levels of a plane for napari, full resolution first; ``overview`` fills the coarse ones.

    Examples
    --------
    >>> import numpy as np
    >>> levels = Levels(coarser_views(np.zeros((8192, 4096), np.uint8)))
    >>> [level.shape for level in levels], levels.overview is None
    ([(8192, 4096), (4096, 2048), (2048, 1024)], True)
    """

    overview: Overview | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels, at full resolution."""
        height, width = self[0].shape
        return int(height), int(width)


class DrawnLevel:
    """A level of a picture that is drawn where it is looked at; indexed as an array.

    Parameters
    ----------
    draw : callable
        Takes ranges of rows and columns of this level and its step; gives their pixels.
    shape : (int, int)
    step : int
        Pixels of the full resolution between two of this level.
    dtype : numpy.dtype

    Examples
    --------
    >>> import numpy as np
    >>> def draw(rows, columns, step):
    ...     return np.add.outer(np.array(rows), np.array(columns)) * step
    >>> level = DrawnLevel(draw, (100, 200), 2, np.dtype(int))
    >>> level[1:3, -1].tolist(), level[5, ::100].tolist(), level.size
    ([400, 402], [10, 210], 20000)
    """

    ndim = 2

    def __init__(
        self,
        draw: Callable[[range, range, int], npt.NDArray[Any]],
        shape: tuple[int, int],
        step: int,
        dtype: np.dtype[Any],
    ) -> None:
        self._draw, self.shape, self.step, self.dtype = draw, shape, step, dtype
        self.size = shape[0] * shape[1]

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        index = index if isinstance(index, tuple) else (index,)
        index = (*(part for part in index if part is not Ellipsis), slice(None), slice(None))[:2]
        ranges: list[range] = []
        after: list[Any] = []
        for part, length in zip(index, self.shape, strict=True):
            if isinstance(part, slice):
                low, high, by = part.indices(length)
                ranges.append(range(low, max(low, high)))
                after.append(slice(None, None, by))
            else:
                if not -length <= part < length:
                    # Also what ends an iteration over the rows.
                    raise IndexError(f"there is no row or column {part} of {length}")
                first = int(part) % length
                ranges.append(range(first, first + 1))
                after.append(0)
        return np.asarray(self._draw(ranges[0], ranges[1], self.step)[tuple(after)])

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        return np.asarray(self[:, :], dtype=dtype)


class Overview:
    """Coarse levels of a plane, each pixel the mean of a square; filled in pieces by `fill`.

    Parameters
    ----------
    plane : Plane
        (Y, X); only pieces of it are read.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.jobs import drain
    >>> overview = Overview(np.full((4096, 4096), 7, np.uint8))
    >>> [level.shape for level in overview.levels]
    [(1024, 1024)]
    >>> drain(overview.fill())
    >>> int(overview.levels[0].min()), overview.complete
    (7, True)
    """

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self.levels: tuple[npt.NDArray[Any], ...] = ()
        shape = tuple(plane.shape)
        while not self.levels or max(shape) > COARSEST:
            shape = tuple(math.ceil(n / STEP) for n in shape)
            self.levels += (np.zeros(shape, plane.dtype),)
        self._next = 0
        height, width = plane.shape
        self._pieces = [
            (y, x) for y in range(0, height, PIECE[0]) for x in range(0, width, PIECE[1])
        ]

    @property
    def complete(self) -> bool:
        """Whether all of the plane was read."""
        return self._next >= len(self._pieces)

    def fill(self) -> Job[None]:
        """Read what was not read yet; goes on where it was stopped.

        Raises
        ------
        DataError
            Pixels that cannot be read.
        """
        while not self.complete:
            yield Progress(self._next, len(self._pieces), "reading the overview")
            y, x = self._pieces[self._next]
            pixels = np.asarray(self._plane[y : y + PIECE[0], x : x + PIECE[1]])
            for level in self.levels:
                pixels = _means(pixels)
                y, x = y // STEP, x // STEP
                level[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
            self._next += 1


def _means(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means of squares of `STEP` pixels a side; at the lower and right edge of what is there."""
    short = [(-n) % STEP for n in pixels.shape]
    if any(short):
        pixels = np.pad(pixels, [(0, n) for n in short], mode="edge")
    height, width = pixels.shape
    squares = pixels.reshape(height // STEP, STEP, width // STEP, STEP)
    # Sums of whole numbers, row by row: a mean over two axes is many times slower.
    kind = np.float32 if pixels.dtype.kind == "f" else np.int64 if pixels.itemsize > 2 else np.int32
    rows = np.zeros((height // STEP, width // STEP, STEP), kind)
    for row in range(STEP):
        rows += squares[:, row]
    total = rows[..., 0].copy()
    for column in range(1, STEP):
        total += rows[..., column]
    if pixels.dtype.kind == "f":
        return np.asarray(total / STEP**2, pixels.dtype)
    return np.asarray(total // STEP**2, pixels.dtype)


def shown_plane(plane: Plane) -> npt.NDArray[Any] | Levels:
    """A plane as napari is to get it; pixels are read of small ones only.

    Raises
    ------
    DataError
        Pixels that cannot be read.
    """
    if nbytes_of(plane) <= READ_WHOLE_BYTES:
        return _whole(plane)
    if isinstance(plane, np.ndarray):
        return Levels(coarser_views(plane))
    levels = _in_file(plane)
    coarsest = levels[-1]
    if max(coarsest.shape) <= COARSEST:
        small = [_whole(n) if n is coarsest or max(n.shape) <= SMALL else n for n in levels]
        return Levels(map(_in_pieces, small))
    if len(levels) > 1 and nbytes_of(coarsest) <= READ_WHOLE_BYTES:
        views = coarser_views(_whole(coarsest))
        return Levels((*map(_in_pieces, levels[:-1]), *views))
    overview = Overview(coarsest)
    result = Levels((*map(_in_pieces, levels), *overview.levels))
    result.overview = overview
    return result


def nbytes_of(plane: Any) -> int:
    """Bytes of the pixels of a plane."""
    height, width = plane.shape
    itemsize: int = np.dtype(plane.dtype).itemsize
    return int(height) * int(width) * itemsize


def _in_file(plane: Plane) -> tuple[Any, ...]:
    """The plane and the coarser levels that its file has."""
    levels: Sequence[Any] = getattr(plane, "levels", ())
    coarser = [level for level in levels if level.shape[0] < plane.shape[0]]
    return (plane, *coarser)


def _in_pieces(plane: Any) -> Any:
    """A lazy array, of which pieces are read at the same time."""
    # Only here: loading dask takes longer than opening a dock may take.
    import dask.array as da

    if isinstance(plane, (da.Array, np.ndarray)):
        return plane
    _load_scheduler()
    return da.from_array(plane, chunks=(CHUNK, CHUNK), asarray=False, name=False)


@cache
def _load_scheduler() -> None:
    """Load what dask needs for its first array, here in a job and not in the event loop."""
    import dask.array as da

    np.asarray(da.zeros(1))


def _whole(plane: Any) -> npt.NDArray[Any]:
    height, width = plane.shape
    return np.asarray(plane[0:height, 0:width])


def coarser_views(pixels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """An array and views of every second, fourth... of its pixels; nothing is copied."""
    views = [pixels]
    while max(views[-1].shape) > COARSEST:
        views.append(views[-1][::2, ::2])
    return tuple(views)
