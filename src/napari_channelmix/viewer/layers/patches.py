"""Maps of many cells as one picture of a large field of view, of which only parts are ever made.

A picture of a slide as a whole takes gigabytes, and the graphics card takes none of that size. So
the maps are kept by their places; what napari looks at is drawn from them at the zoom it wants, the
stronger value, for or against, where maps overlap. At a far zoom, where many lie in sight, they are
drawn once into a small picture.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.layers.pyramids import COARSEST, DrawnLevel, Levels

__all__ = ["Patches", "stronger"]

FloatArray = npt.NDArray[np.float32]

# Pixels along a side of the squares by which maps are looked up.
SQUARE = 1024
# From this step on between pixels all maps are drawn once.
DRAWN_ONCE = 8


class Patches:
    """Small pictures in a large empty one; values from -1 to 1, 0 is empty.

    Parameters
    ----------
    shape : (int, int)
        Pixels of the large picture.

    Examples
    --------
    >>> import numpy as np
    >>> patches = Patches((20_000, 20_000))
    >>> patches.add(np.full((4, 4), 0.5, np.float32), (9_998, 0, 10_002, 4))
    >>> patches.add(np.ones((2, 2), np.float32), (9_999, 3, 10_001, 5))
    >>> patches.levels[0][9_997:10_001, 2:6].tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.5, 1.0, 1.0, 0.0], [0.5, 1.0, 1.0, 0.0]]
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._squares: dict[tuple[int, int], list[tuple[int, int, FloatArray]]] = {}
        self._largest = 0
        self._drawn: dict[int, FloatArray] = {}
        levels: list[Any] = []
        step = 1
        while True:
            size = (math.ceil(shape[0] / step), math.ceil(shape[1] / step))
            if step < DRAWN_ONCE:
                levels.append(DrawnLevel(self.region, size, step, np.dtype(np.float32)))
            else:
                self._drawn[step] = np.zeros(size, np.float32)
                levels.append(self._drawn[step])
            if step >= DRAWN_ONCE and max(size) <= COARSEST:
                break
            step *= 2
        #: What napari is given, full resolution first.
        self.levels = Levels(levels)

    def add(self, patch: FloatArray, box: Any) -> None:
        """Put a picture (H, W) on a box y0, x0, y1, x1 of its size; what lies outside is cut."""
        y0, x0 = int(box[0]), int(box[1])
        top, left = max(0, -y0), max(0, -x0)
        patch = patch[top : self.shape[0] - y0, left : self.shape[1] - x0]
        if not patch.size:
            return
        y0, x0 = y0 + top, x0 + left
        # A copy: a view would keep the maps of a whole batch.
        entry = (y0, x0, np.array(patch, np.float32))
        self._largest = max(self._largest, *patch.shape)
        self._squares.setdefault((y0 // SQUARE, x0 // SQUARE), []).append(entry)
        for step, picture in self._drawn.items():
            _paste(picture, entry, (0, 0), step)

    def region(self, rows: range, columns: range, step: int) -> FloatArray:
        """Part of the picture of which every ``step``-th pixel is kept, by rows and columns of it.

        Maps may be added by another thread meanwhile.
        """
        corner = (rows.start * step, columns.start * step)
        shape = (len(rows), len(columns))
        part = np.zeros(shape, np.float32)
        ranges = [
            range((low - self._largest) // SQUARE, (low + length * step) // SQUARE + 1)
            for low, length in zip(corner, shape, strict=True)
        ]
        for y in ranges[0]:
            for x in ranges[1]:
                for entry in tuple(self._squares.get((y, x), ())):
                    _paste(part, entry, corner, step)
        return part


def _paste(
    picture: FloatArray, entry: tuple[int, int, FloatArray], corner: tuple[int, int], step: int
) -> None:
    """Draw a map into a part that begins at a corner, in pixels of the whole; see `stronger`."""
    y0, x0, patch = entry
    y, x = y0 - corner[0], x0 - corner[1]
    # The first row and column that are kept.
    first_y, first_x = max(0, -(-y // step)), max(0, -(-x // step))
    seen = patch[first_y * step - y :: step, first_x * step - x :: step]
    part = picture[first_y : first_y + seen.shape[0], first_x : first_x + seen.shape[1]]
    stronger(part, seen[: part.shape[0], : part.shape[1]])


def stronger(part: FloatArray, other: FloatArray) -> None:
    """Keep in ``part``, in place, the value of the two that is farther from 0."""
    np.copyto(part, other, where=np.abs(other) > np.abs(part))
