"""Rows that speak of the same cells: the same again is left out, a contradiction is refused.

A cell is known by its files and its id in the mask, never by the order of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.column_values import alike, first_of_each
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.row_fields import Refusals, RowFields
    from napari_channelmix.data.table import Table

__all__ = ["RowObjects"]

IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class RowObjects:
    """Which rows of a table name cells of their own.

    Parameters
    ----------
    table : Table
    description : Description
    labels : (N,) int64 array
        Class of each row, -1 for none.
    """

    def __init__(self, table: Table, description: Description, labels: IntArray) -> None:
        self._table, self._description, self._labels = table, description, labels
        none = np.zeros(0, dtype=np.int64)
        self._no_id = self._again = self._twins = self._twins_of = none

    def counts(self, pairs: RowFields, files: IntArray, refusals: Refusals) -> Bools:
        """Whether each pair of a row and a field names cells that no earlier one has named (P,).

        Parameters
        ----------
        pairs : RowFields
            P of them.
        files : (F,) int64 array
            Fields of view of the same files and plane have the same number.
        refusals : Refusals
            Takes rows that say different things of the cells of one mask, with both lines; ids and
            places that are none.
        """
        cells, table, rows = self._description.cells, self._table, pairs.rows
        values: list[npt.NDArray[np.generic]] = [files[pairs.fields]]
        named = np.ones(len(pairs), dtype=bool)
        if cells.object:
            column = cells.object
            ids = table.identifiers(column)
            refusals.note(ids.wrong[rows], lambda pair: table.identifier(int(rows[pair]), column))
            named = ids.known[rows]
            self._no_id = rows[~named]
            values.append(ids.values[rows])
        else:
            for name in cells.columns or ():
                numbers = table.numbers(name)[rows]
                refusals.note(
                    np.isnan(numbers),
                    lambda pair, name=name: table.number(int(rows[pair]), name),  # type: ignore[misc]
                )
                values.append(numbers)
        # Pairs without an id are of no cell, and are the first of nothing.
        here = np.flatnonzero(named)
        codes = alike([column[here] for column in values], len(here))
        first = here[first_of_each(codes)[codes]]
        again, first = here[first != here], first[first != here]
        if cells.origin in ("mask", "segment"):
            self._note_contradictions(pairs, again, first, refusals)
            self._again = rows[again]
            named[again] = False
        else:
            # Points, boxes and images may stand there twice on purpose: both are kept.
            self._twins, self._twins_of = rows[again], rows[first]
        return named

    def _note_contradictions(
        self, pairs: RowFields, again: IntArray, first: IntArray, refusals: Refusals
    ) -> None:
        table, description = self._table, self._description
        rows, before = pairs.rows[again], pairs.rows[first]
        differ = self._labels[rows] != self._labels[before]
        for column in (description.group, description.split):
            if column:
                texts = table.column(column)
                differ |= texts[rows] != texts[before]
        wrong = np.zeros(len(pairs), dtype=bool)
        wrong[again] = differ
        first_of = dict(zip(again[differ].tolist(), before[differ].tolist(), strict=True))
        refusals.note(
            wrong, lambda pair: self._refuse_contradiction(int(pairs.rows[pair]), first_of[pair])
        )

    def _refuse_contradiction(self, row: int, first: int) -> None:
        table, description = self._table, self._description
        differ = "class" if self._labels[row] != self._labels[first] else ""
        for what, column in (
            ("group", description.group),
            ("part of the split", description.split),
        ):
            if column and not differ and table.text(row, column) != table.text(first, column):
                differ = what
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
        if len(self._no_id):
            lines.append(
                f"{counted(len(self._no_id), 'row', 'have')} no id of an object, left out "
                f"(first: {where(int(self._no_id[0]), self._description.cells.object)})"
            )
        if len(self._again):
            lines.append(
                f"{counted(len(self._again), 'row', 'say')} again what an earlier row says, left "
                f"out (first: {where(int(self._again[0]))})"
            )
        if len(self._twins):
            row, first = int(self._twins[0]), int(self._twins_of[0])
            classes = int((self._labels[self._twins] != self._labels[self._twins_of]).sum())
            other = f", {classes:,} of them of another class" if classes else ""
            line = self._table.line(first)
            lines.append(
                f"{counted(len(self._twins), 'row', 'name')} the place of an earlier row{other}; "
                f"their cells count twice (first: {where(row)}, as {line})"
            )
        return tuple(lines)
