"""Marks of very many cells without outlines, as a picture that is drawn where it is looked at.

napari hands every point to the graphics card for each frame, and takes colours and sizes apart one
by one: at 200,000 points the window waits for seconds. A picture of what is in sight costs what the
canvas has of pixels, whatever the number of cells.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.layers.pyramids import COARSEST, DrawnLevel, Levels

__all__ = ["MANY", "MarkPicture"]

# Cells of a field of view from which on they are marked in a picture.
MANY = 10_000
# Width of a line as a share of the mark, and the least, in pixels of the level.
LINE, LEAST = 0.06, 2
# Marks of a radius below this, in pixels of a level, are filled.
SMALL = 3


class MarkPicture:
    """A square, a ring or a disc at each cell, with a value each.

    Parameters
    ----------
    shape : (int, int)
        Pixels of the field of view.
    centres : (n, 2) float array
        y, x in pixels.
    side : float
        Of a mark, in pixels of the field of view.
    values : (n,) array
        What the pixels of each mark hold; may be replaced, see `values`.
    kind : {"square", "ring", "disc"}
    ground : float
        What the pixels between the marks hold.

    Examples
    --------
    >>> import numpy as np
    >>> marks = MarkPicture((30, 30), np.array([[4.0, 5.0]]), 9, np.array([7], np.uint8), "square")
    >>> marks.levels[0][4:6, 0:12].tolist()
    [[0, 7, 7, 0, 0, 0, 0, 0, 7, 7, 0, 0], [0, 7, 7, 0, 0, 0, 0, 0, 7, 7, 0, 0]]
    """

    def __init__(
        self,
        shape: tuple[int, int],
        centres: npt.NDArray[np.float64],
        side: float,
        values: npt.NDArray[Any],
        kind: str,
        ground: float = 0,
    ) -> None:
        self.centres, self.kind = centres, kind
        #: (n,) values of the marks; another array of the same type may take its place.
        self.values = values
        self._side, self._ground = side, ground
        levels: list[DrawnLevel] = []
        step = 1
        # napari takes one level alone for no levels.
        while len(levels) < 2 or max(levels[-1].shape) > COARSEST:
            size = (math.ceil(shape[0] / step), math.ceil(shape[1] / step))
            levels.append(DrawnLevel(self.region, size, step, values.dtype))
            step *= 2
        #: What napari is given, full resolution first.
        self.levels = Levels(levels)

    def region(self, rows: range, columns: range, step: int) -> npt.NDArray[Any]:
        """The pixels of some rows and columns of the level with this step."""
        part = np.full((len(rows), len(columns)), self._ground, self.values.dtype)
        mark = _mark(self._side / step, self.kind)
        reach = int(np.abs(mark).max(initial=0)) + 1
        y, x = self.centres.T / step
        near = np.flatnonzero(
            (y > rows.start - reach)
            & (y < rows.stop + reach)
            & (x > columns.start - reach)
            & (x < columns.stop + reach)
        )
        at_y = np.floor(y[near] + 0.5).astype(np.int64) - rows.start
        at_x = np.floor(x[near] + 0.5).astype(np.int64) - columns.start
        values = self.values[near]
        for dy, dx in mark.tolist():
            py, px = at_y + dy, at_x + dx
            inside = (py >= 0) & (py < len(rows)) & (px >= 0) & (px < len(columns))
            part[py[inside], px[inside]] = values[inside]
        return part


def _mark(side: float, kind: str) -> npt.NDArray[np.int64]:
    """Pixels of a mark of this side, as steps from its middle (k, 2)."""
    radius = max(0, math.floor(side / 2))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    away = np.maximum(abs(y), abs(x)) if kind == "square" else np.hypot(y, x)
    chosen = away <= radius
    if kind != "disc" and radius >= SMALL:
        chosen &= away > radius - max(LEAST, LINE * side)
    return np.stack([y[chosen], x[chosen]], axis=1)
