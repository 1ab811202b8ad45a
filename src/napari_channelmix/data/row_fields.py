"""Rows of a table and the fields of view that they are about, and what is wrong with them.

All rows are looked at at once, column by column; the first row that is wrong is refused, with what
is wrong with it first, as if rows had been taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Refusals", "RowFields"]

IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RowFields:
    """A pair for each row and each field of view that it is about, by row.

    Attributes
    ----------
    rows : (P,) int64 array
        Positions in the table.
    fields : (P,) int64 array
        Positions among the fields of view that were opened.
    several : (P,) bool array
        Whether the row is about several fields of view, such as all planes of a stack.
    """

    rows: IntArray
    fields: IntArray
    several: Bools

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(
        cls, rows: IntArray, kinds: IntArray, fields_of_kinds: Sequence[Sequence[int]]
    ) -> RowFields:
        """From rows (n,), what kind each is, and the fields of view of each kind."""
        sizes = np.array([len(fields) for fields in fields_of_kinds], dtype=np.int64)
        every = np.array([item for fields in fields_of_kinds for item in fields], dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        counts = sizes[kinds]
        ends = np.cumsum(counts)
        within = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
        fields = every[np.repeat(starts[kinds], counts) + within]
        return cls(np.repeat(rows, counts), fields, np.repeat(counts > 1, counts))


class Refusals:
    """What is wrong with pairs of rows and fields, noted in the order in which it is looked for."""

    def __init__(self) -> None:
        self._pair = -1
        self._refuse: Callable[[int], object] | None = None

    def note(self, wrong: Bools, refuse: Callable[[int], object]) -> None:
        """Which pairs (P,) are wrong, and what raises the error of one of them."""
        pair = int(wrong.argmax()) if wrong.any() else -1
        if pair >= 0 and (self._refuse is None or pair < self._pair):
            self._pair, self._refuse = pair, refuse

    def raise_first(self) -> None:
        """Raise the error of the first pair that is wrong; nothing where there is none."""
        if self._refuse is not None:
            self._refuse(self._pair)
