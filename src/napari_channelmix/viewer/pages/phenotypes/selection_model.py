"""Which cells of a gallery are selected, and which one the keys move from. It knows no Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Choosing"]

IntArray = npt.NDArray[np.int64]


class Choosing:
    """Cells by their positions in the data set; the one looked at first.

    Attributes
    ----------
    cells : tuple of int
    current : int or None
        The cell the arrow keys move from.
    anchor : int or None
        Where a range that is extended begins.
    """

    def __init__(self) -> None:
        self.cells: tuple[int, ...] = ()
        self.current: int | None = None
        self.anchor: int | None = None
        self._known: frozenset[int] = frozenset()

    def __contains__(self, cell: int) -> bool:
        return cell in self._known

    def take(self, cells: tuple[int, ...]) -> None:
        """Select these; the first of them is where the keys go on."""
        self.cells, self._known = cells, frozenset(cells)
        if cells:
            self.current = self.anchor = cells[0]

    def only(self, cell: int) -> None:
        """Select one cell alone."""
        self.take((cell,))

    def toggle(self, cell: int) -> None:
        """Select one cell more, or one less."""
        if cell in self:
            left = tuple(other for other in self.cells if other != cell)
            self.cells, self._known = left, frozenset(left)
        else:
            self.cells = (cell, *self.cells)
            self._known = self._known | {cell}
        self.current = self.anchor = cell

    def extend(self, cell: int, order: IntArray, places: IntArray) -> None:
        """Select everything from where the range began up to a cell, in the order shown."""
        start = self.anchor
        if start is None or start >= len(places) or places[start] < 0:
            self.only(cell)
            return
        first, last = int(places[start]), int(places[cell])
        step = 1 if last >= first else -1
        between = order[np.arange(first, last + step, step)].tolist()
        self.cells = (cell, *(other for other in between if other != cell))
        self._known = frozenset(self.cells)
        self.current = cell

    def all(self, order: IntArray) -> None:
        """Select all that are shown; the one looked at stays the first."""
        cells = order.tolist()
        first = self.current if self.current in set(cells) else None
        self.cells = (
            tuple(cells) if first is None else (first, *(cell for cell in cells if cell != first))
        )
        self._known = frozenset(self.cells)
