"""Rows of a table that are planes of one stack, where each plane has a file of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["StackRows"]


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
        every = range(len(table.rows))
        self.rows = [row for row in every if self._chosen(row)]
        self.of_other_planes = len(every) - len(self.rows)
        if not self.rows:
            wanted = ", ".join(f"{axis.lower()} = {at}" for axis, at in self._single.items())
            raise DataError(f"{table.name}: no row is of the plane {wanted}")
        # Rows name cells, several of one image, or whole images.
        self._of_cells = bool(description.cells.columns or description.cells.object)
        # Rows of one stack, and of the planes that become one field of view.
        self._stacks: dict[int, list[int]] = {}
        self._fields: dict[int, list[int]] = {}
        names = self._stack_columns()
        if names is None:
            return
        apart = [column for axis, column in columns.items() if axis not in self._projected]
        self._stacks = self._together(names)
        self._fields = self._together([*names, *apart])
        if self._projected:
            self._check_projected(names)
            if not self._of_cells:
                self.rows = [row for row in self.rows if self._fields[row][0] == row]

    def _together(self, names: Sequence[str]) -> dict[int, list[int]]:
        """For each row all rows that agree with it in some columns."""
        alike: dict[tuple[str, ...], list[int]] = {}
        for row in self.rows:
            alike.setdefault(tuple(self._table.text(row, name) for name in names), []).append(row)
        return {row: members for members in alike.values() for row in members}

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

    def _chosen(self, row: int) -> bool:
        """Whether a row is of the one plane that is wanted, where one is."""
        return all(
            self._table.identifier(row, self._columns[axis]) == number
            for axis, number in self._single.items()
        )

    def _check_projected(self, names: Sequence[str]) -> None:
        table, columns = self._table, [self._columns[axis] for axis in self._projected]
        if not self._of_cells:
            for members in self._fields.values():
                places = [tuple(table.text(row, name) for name in columns) for row in members]
                twice = next((n for n, place in enumerate(places) if place in places[:n]), None)
                if twice is not None:
                    first = members[places.index(places[twice])]
                    raise DataError(
                        f"{table.where(members[twice], columns[0])}: this plane of the stack is in "
                        f"{table.line(first)} already; name the columns that tell stacks apart "
                        'under [planes]: stack = ["well", "field"]'
                    )
        several = any(len(members) > 1 for members in self._fields.values())
        planes = {tuple(table.text(row, name) for name in columns) for row in self.rows}
        if not several and len(planes) > 1:
            differ = [
                name for name in names if len({table.text(row, name) for row in self.rows}) > 1
            ]
            raise DataError(
                f"{table.name}: no two rows are planes of one stack, they differ in "
                f"{listed(map(quoted, differ), 6)}; name the columns that tell stacks apart under "
                '[planes]: stack = ["well", "field"]'
            )

    def members(self, row: int) -> list[int]:
        """The rows whose files are projected into one field of view, this one among them."""
        return self._fields[row] if self._projected else [row]

    def group(self, row: int) -> int:
        """The first row of the stack: its planes are one group where no column names groups."""
        return self._stacks[row][0] if row in self._stacks else row

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
        if self._projected and not self._of_cells:
            sizes = Counter(len(self._fields[row]) for row in self.rows)
            if len(sizes) > 1:
                shown = ", ".join(f"{n} of {counted(size, 'plane')}" for size, n in sizes.items())
                lines.append(f"the stacks that are projected differ in planes: {shown}")
        return tuple(lines)
