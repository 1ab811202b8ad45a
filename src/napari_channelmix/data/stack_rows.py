"""Rows of a table that are planes of one stack, where each plane has a file of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.column_values import alike, first_of_each
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["StackRows"]

IntArray = npt.NDArray[np.int64]


class _Kinds:
    """Rows that agree in some columns: their numbers, by the order of the first of each kind."""

    def __init__(self, table: Table, names: Sequence[str], rows: IntArray) -> None:
        self.rows = rows
        self.codes = table.alike(names, rows)
        #: The first row of each kind.
        self.firsts = rows[first_of_each(self.codes)]
        self._order = np.argsort(self.codes, kind="stable")
        self._ends = np.cumsum(np.bincount(self.codes))

    def members(self, row: int) -> list[int]:
        """All rows of the kind of one, ascending."""
        kind = int(self.codes[np.searchsorted(self.rows, row)])
        start = int(self._ends[kind - 1]) if kind else 0
        return [int(n) for n in self.rows[self._order[start : int(self._ends[kind])]]]


class StackRows:
    """Which rows are used, and which belong together.

    Rows that agree in all columns but those of files and planes are one stack, unless the
    data-set file names the columns that tell stacks apart. Our definition.

    Parameters
    ----------
    table : Table
    description : Description
    columns : dict of str to str
        Axis, T or Z, and the column with the plane of a row's files; empty where no planes have
        files of their own.

    Raises
    ------
    DataError
        A plane that is no number, two rows of one plane, or rows of which none go together.
    """

    def __init__(self, table: Table, description: Description, columns: dict[str, str]) -> None:
        self._table, self._description, self._columns = table, description, columns
        planes = description.planes
        choices = {} if planes is None else planes.choices
        self._single = {axis: choices[axis] for axis in columns if isinstance(choices[axis], int)}
        self._projected = [axis for axis in columns if choices[axis] == "maximum"]
        #: Positions in the table, ascending.
        self.rows: IntArray = np.flatnonzero(self._chosen())
        self.of_other_planes = len(table.rows) - len(self.rows)
        if not len(self.rows):
            wanted = ", ".join(f"{axis.lower()} = {at}" for axis, at in self._single.items())
            raise DataError(f"{table.name}: no row is of the plane {wanted}")
        # Rows name cells, several of one image, or whole images.
        self._of_cells = bool(description.cells.columns or description.cells.object)
        # Rows of one stack, and of the planes that become one field of view.
        self._stacks: _Kinds | None = None
        self._fields: _Kinds | None = None
        #: Columns by which rows are of one field of view; empty where its files alone tell.
        self.field_columns: tuple[str, ...] = ()
        names = self._stack_columns()
        if names is None:
            return
        apart = [column for axis, column in columns.items() if axis not in self._projected]
        self._stacks = _Kinds(table, names, self.rows)
        if self._projected:
            self.field_columns = (*names, *apart)
            self._fields = _Kinds(table, self.field_columns, self.rows)
            self._check_projected(names, self._fields)
            if not self._of_cells:
                self.rows = np.sort(self._fields.firsts)

    def _stack_columns(self) -> list[str] | None:
        """Columns that tell stacks apart; None where nothing does."""
        planes = self._description.planes
        if planes is None or not self._columns:
            return None
        if planes.stack:
            return list(planes.stack)
        if not self._of_cells:
            known = {*self._columns.values(), *self._table.columns_of_images(), self._table.index}
            return [str(name) for name in self._table.rows.columns if name not in known]
        if not self._projected:
            return None
        raise DataError(
            f"{self._table.name}: rows are cells, so that they do not tell which files are one "
            'stack; name the columns that do under [planes]: stack = ["well", "field"]'
        )

    def _chosen(self) -> npt.NDArray[np.bool_]:
        """Which rows are of the one plane that is wanted, where one is."""
        chosen = np.ones(len(self._table.rows), dtype=bool)
        for axis, number in self._single.items():
            ids = self._table.identifiers(self._columns[axis])
            wrong = ids.wrong & chosen
            if wrong.any():
                self._table.identifier(int(wrong.argmax()), self._columns[axis])
            chosen &= ids.known & (ids.values == number)
        return chosen

    def _check_projected(self, names: Sequence[str], fields: _Kinds) -> None:
        table, columns = self._table, [self._columns[axis] for axis in self._projected]
        if not self._of_cells:
            texts = [table.column(name)[self.rows] for name in columns]
            places = alike([fields.codes, *texts], len(self.rows))
            firsts = first_of_each(places)[places]
            again = np.flatnonzero(firsts != np.arange(len(self.rows)))
            if len(again):
                # Of the first stack that has a plane twice.
                place = int(again[np.argmin(fields.codes[again])])
                row, first = int(self.rows[place]), int(self.rows[firsts[place]])
                raise DataError(
                    f"{table.where(row, columns[0])}: this plane of the stack is in "
                    f"{table.line(first)} already; name the columns that tell stacks apart "
                    'under [planes]: stack = ["well", "field"]'
                )
        if len(fields.firsts) == len(self.rows) and table.alike(columns, self.rows).any():
            differ = [name for name in names if table.alike([name], self.rows).any()]
            raise DataError(
                f"{table.name}: no two rows are planes of one stack, they differ in "
                f"{listed(map(quoted, differ), 6)}; name the columns that tell stacks apart under "
                '[planes]: stack = ["well", "field"]'
            )

    def members(self, row: int) -> list[int]:
        """The rows whose files are projected into one field of view, this one among them."""
        return [row] if self._fields is None else self._fields.members(row)

    def groups(self) -> IntArray:
        """The first row of the stack of each row of the table (N,), or the row itself.

        The planes of a stack are one group where no column names groups.
        """
        groups = np.arange(len(self._table.rows))
        if self._stacks is not None:
            stacks = self._stacks
            groups[stacks.rows] = stacks.firsts[stacks.codes]
        return groups

    def plane(self, row: int) -> tuple[str, ...]:
        """Where the files of a row lie, such as ``z4``: planes that are fields of their own."""
        return tuple(
            f"{axis.lower()}{self._table.text(row, column)}"
            for axis, column in self._columns.items()
            if axis not in self._projected and axis not in self._single
        )

    def warnings(self) -> tuple[str, ...]:
        """What was left out, and stacks with fewer planes than others."""
        lines = []
        if self.of_other_planes:
            lines.append(
                f"{counted(self.of_other_planes, 'row', 'are')} of other planes and left out"
            )
        if self._fields is not None and not self._of_cells:
            sizes = Counter(np.bincount(self._fields.codes).tolist())
            if len(sizes) > 1:
                shown = ", ".join(f"{n} of {counted(size, 'plane')}" for size, n in sizes.items())
                lines.append(f"the stacks that are projected differ in planes: {shown}")
        return tuple(lines)
