"""Rows that speak of the same cells: the same again is left out, a contradiction is refused.

A cell is known by its files and its id in the mask, never by the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["RowObjects"]


class RowObjects:
    """Which rows of a table name cells of their own.

    Parameters
    ----------
    table : Table
    said : Description
    labels : sequence of int
        Class of each row, -1 for none.
    """

    def __init__(self, table: Table, description: Description, labels: Sequence[int]) -> None:
        self._table, self._description, self._labels = table, description, labels
        self._first: dict[tuple[object, ...], int] = {}
        self._no_id: list[int] = []
        self._again: list[int] = []
        self._twins: list[tuple[int, int]] = []
        self._other_class = 0

    def counts(self, row: int, files: tuple[str, ...]) -> bool:
        """Whether a row names cells that no earlier row has named.

        Parameters
        ----------
        row : int
            Position in the table.
        files : tuple of str
            The files of its field of view.

        Raises
        ------
        DataError
            Two rows that say different things of the cells of one mask, with both lines.
        """
        cells, table = self._description.cells, self._table
        places: tuple[object, ...]
        if cells.object:
            value = table.identifier(row, cells.object)
            if value is None:
                self._no_id.append(row)
                return False
            places = (value,)
        else:
            places = tuple(table.number(row, column) for column in cells.columns or ())
        first = self._first.setdefault((files, places), row)
        if first == row:
            return True
        if cells.origin in ("mask", "segment"):
            self._refuse_contradiction(row, first)
            self._again.append(row)
            return False
        # Points, boxes and images may stand there twice on purpose: both are kept.
        self._twins.append((row, first))
        self._other_class += self._labels[row] != self._labels[first]
        return True

    def _refuse_contradiction(self, row: int, first: int) -> None:
        table, description = self._table, self._description
        differ = "class" if self._labels[row] != self._labels[first] else ""
        for what, column in (
            ("group", description.group),
            ("part of the split", description.split),
        ):
            if column and not differ and table.text(row, column) != table.text(first, column):
                differ = what
        if not differ:
            return
        line = table.line(first)
        if description.cells.object:
            value = table.identifier(row, description.cells.object)
            raise DataError(
                f"{table.where(row, description.cells.object)}: object {value} has another "
                f"{differ} than "
                f"in {line}; an object has one"
            )
        raise DataError(
            f"{table.where(row)}: the cells of this image have another {differ} than in "
            f'{line}; where cells differ, give a row each and name their ids with object = "..."'
        )

    def warnings(self) -> tuple[str, ...]:
        """What was left out, and what stands there twice."""
        lines, where = [], self._table.where
        if self._no_id:
            lines.append(
                f"{counted(len(self._no_id), 'row', 'have')} no id of an object, left out "
                f"(first: {where(self._no_id[0], self._description.cells.object)})"
            )
        if self._again:
            lines.append(
                f"{counted(len(self._again), 'row', 'say')} again what an earlier row says, left "
                f"out (first: {where(self._again[0])})"
            )
        if self._twins:
            row, first = self._twins[0]
            other = f", {self._other_class:,} of them of another class" if self._other_class else ""
            line = self._table.line(first)
            lines.append(
                f"{counted(len(self._twins), 'row', 'name')} the place of an earlier row{other}; "
                f"their cells count twice (first: {where(row)}, as {line})"
            )
        return tuple(lines)
