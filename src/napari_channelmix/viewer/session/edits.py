"""Changes of classes, kept so that they can be taken back and made again. It knows no Qt."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["Edit", "Edits", "tick"]

IntArray = npt.NDArray[np.int64]

# Changes that can be taken back.
MOST = 1000

_CLOCK = itertools.count(1)


def tick() -> int:
    """The number of a change, higher than that of every change before."""
    return next(_CLOCK)


@dataclass(frozen=True, eq=False)
class Edit:
    """One change: the palette before and after, and the cells whose class is another one.

    Attributes
    ----------
    classes : (tuple of str, tuple of str)
    at : (n,) int array
        Positions of the cells.
    codes : ((n,) int array, (n,) int array)
        Their classes before and after, each a position in its palette.
    time : int
        When it was made, as of `tick`.
    """

    classes: tuple[tuple[str, ...], tuple[str, ...]]
    cell_indices: IntArray
    codes: tuple[IntArray, IntArray]
    time: int = field(default_factory=tick, compare=False)

    @classmethod
    def between(cls, before: Cells, after: Cells) -> Edit:
        """What leads from some cells to the same ones with other classes."""
        indices = np.flatnonzero(before.labels != after.labels)
        codes = (before.labels[indices], after.labels[indices])
        return cls((before.classes, after.classes), indices, codes)

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not len(self.cell_indices) and self.classes[0] == self.classes[1]

    def then(self, later: Edit) -> Edit:
        """The change that makes both: first this one, then a later one."""
        indices = np.union1d(self.cell_indices, later.cell_indices)
        before, after = np.empty(len(indices), np.int64), np.empty(len(indices), np.int64)
        # Where both changed a cell, its first class is of this one and its last of the later.
        before[np.searchsorted(indices, later.cell_indices)] = later.codes[0]
        before[np.searchsorted(indices, self.cell_indices)] = self.codes[0]
        after[np.searchsorted(indices, self.cell_indices)] = self.codes[1]
        after[np.searchsorted(indices, later.cell_indices)] = later.codes[1]
        return Edit((self.classes[0], later.classes[1]), indices, (before, after))

    def applied(self, cells: Cells, *, back: bool) -> Cells:
        """The cells with this change made again, or taken back."""
        labels = cells.labels.copy()
        labels[self.cell_indices] = self.codes[0 if back else 1]
        return cells.with_labels(labels, self.classes[0 if back else 1])


class Edits:
    """Changes in the order in which they were made, and those that were taken back."""

    def __init__(self) -> None:
        self._past: list[Edit] = []
        self._future: list[Edit] = []

    @property
    def undoable(self) -> int:
        """How many changes can be taken back."""
        return len(self._past)

    @property
    def redoable(self) -> int:
        """How many changes can be made again."""
        return len(self._future)

    @property
    def last(self) -> Edit | None:
        """The change that would be taken back."""
        return self._past[-1] if self._past else None

    @property
    def next(self) -> Edit | None:
        """The change that would be made again."""
        return self._future[-1] if self._future else None

    def add(self, edit: Edit, *, joined: bool = False) -> None:
        """Note a change; ``joined``: as part of the one before."""
        if joined and self._past and not self._future:
            edit = self._past.pop().then(edit)
        self._past = [*self._past, edit][-MOST:]
        self._future.clear()

    def back(self, cells: Cells | None) -> Cells | None:
        """The cells without the last change; None where there is none."""
        return self._moved(cells, self._past, self._future, back=True)

    def forth(self, cells: Cells | None) -> Cells | None:
        """The cells with the change that was taken back last; None where there is none."""
        return self._moved(cells, self._future, self._past, back=False)

    def clear(self) -> None:
        """Forget all of them: other cells are in use."""
        self._past.clear()
        self._future.clear()

    def _moved(
        self, cells: Cells | None, source: list[Edit], target: list[Edit], *, back: bool
    ) -> Cells | None:
        if cells is None or not source:
            return None
        edit = source.pop()
        target.append(edit)
        return edit.applied(cells, back=back)
