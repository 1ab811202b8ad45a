"""Classes of cells out of a table of somebody else's: by label value, or by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.annotation_columns import field_column as field_of
from napari_channelmix.data.annotation_columns import id_column as id_of
from napari_channelmix.data.annotation_columns import named_column
from napari_channelmix.data.annotation_files import numbers_of
from napari_channelmix.data.annotations import cell_centres, field_names, positions_of_fields
from napari_channelmix.data.table_files import TextTable, read_table
from napari_channelmix.data.values import class_name, similar_warnings, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.cells import Cells

__all__ = ["How", "Imported", "cells_at", "import_job", "table_of_classes"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
How = Literal["object", "position"]

# Pixels by which one cell must be nearer than another.
TIE = 0.5
# More are measurements rather than classes.
MOST_CLASSES = 100
# Points looked up in a step.
POINTS = 5000


@dataclass(frozen=True, eq=False)
class Imported:
    """What a table says of the cells.

    Attributes
    ----------
    path : Path
    rows : int
        Rows of the table.
    cell_indices : (R,) int array
        Cells that are named, each once.
    classes : tuple of R str
        Their classes.
    unmatched : int
        Rows that match no cell.
    first : str
        The first of them, in words.
    blank : int
        Rows without a class; they are passed over.
    again : int
        Rows that say the same of a cell as an earlier row.
    no_id : int
        Rows without an id; they are passed over.
    near : int
        Rows whose place lies in no outline, and were given to the nearest cell around.
    between : int
        Rows whose place lies as near to one cell as to another; they are passed over.
    column : str
        Column of the ids, where rows name cells by them.
    warnings : tuple of str
    """

    path: Path
    rows: int
    cell_indices: IntArray = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    unmatched: int = 0
    first: str = ""
    blank: int = 0
    again: int = 0
    no_id: int = 0
    near: int = 0
    between: int = 0
    column: str = ""
    warnings: tuple[str, ...] = ()

    def in_words(self) -> str:
        """What is about to be applied, in a line."""
        matched = self.rows - self.blank - self.unmatched - self.no_id - self.between
        none = f", {self.unmatched:,} match none (first: {self.first})" if self.unmatched else ""
        match = f"{matched:,} {'matches a cell' if matched == 1 else 'match cells'}"
        parts = [f"{counted(self.rows, 'row')}: {match}{none}"]
        if self.column and self.column != "object":
            parts.append(f"ids are read from column {quoted(self.column)}")
        if self.blank:
            parts.append(f"{self.blank:,} have no class and are passed over")
        if self.no_id:
            parts.append(f"{self.no_id:,} have no id and are passed over")
        if self.between:
            parts.append(f"{self.between:,} lie between two cells and are passed over")
        if self.near:
            parts.append(f"{self.near:,} lie in no outline and go to the nearest cell around")
        if self.again:
            parts.append(f"{self.again:,} say the same of a cell again")
        return "; ".join([*parts, *self.warnings]) + "."


def import_job(
    path: str | Path | TextTable,
    cells: Cells,
    how: How,
    *,
    names: Sequence[str] | None = None,
    default_field: int = 0,
    pixels: Callable[[int, FloatArray], FloatArray] | None = None,
    id_column: str | None = None,
    class_column: str | None = None,
    field_column: str | None = None,
    position_columns: tuple[str, str] | None = None,
) -> Job[Imported]:
    """Read a table (CSV, TSV) and find the cells of its rows; its other columns are of no account.

    Parameters
    ----------
    path : path or TextTable
        The latter: a table that was read already.
    cells : Cells
    how : str
        ``"object"``: a column of ids (label values) and ``class``. ``"position"``: ``y``, ``x``
        and ``class``; the cell whose outline holds the point, else the nearest whose box does.
    names : sequence of str, optional
        Names of the fields of view, as in a column ``field``.
    default_field : int
        Field of view of rows that name none.
    pixels : callable, optional
        Pixels (n, 2) of a field of view from positions (n, 2) of the table; by default these are
        pixels already.
    id_column : str, optional
        Column of the ids. By default one of a name that is known (see `pairing.id_columns`); if it
        is not called ``object``, all of its ids must be those of cells.
    class_column, field_column : str, optional
        Columns of the classes and of the fields of view; by default ``class`` and, where there is
        one, ``field``. An empty name of the latter: all rows are about ``default_field``.
    position_columns : (str, str), optional
        Columns of y and x; by default these names.

    Raises
    ------
    DataError
        One line that names file, row and column of what cannot be used, such as rows that give one
        cell different classes.
    """
    yield Progress(0, 2, "reading the table")
    table = path if isinstance(path, TextTable) else table_of_classes(path, how)
    path = table.path
    column = named_column(table, class_column or "class")
    axes = position_columns or ("y", "x")
    places = tuple(named_column(table, axis) for axis in axes) if how == "position" else ()
    in_field = field_of(table, field_column)
    ids_in = "" if how == "position" else id_of(table, id_column, column)
    classes_of_rows = [class_name(text) for text in table.rows[column]]
    named = np.array([name is not None for name in classes_of_rows], dtype=bool)
    labelled_rows, classes = (
        table.rows[named],
        [name for name in classes_of_rows if name is not None],
    )
    counts = Counter(classes)
    if len(counts) > MOST_CLASSES:
        raise DataError(
            f"{path}, column {quoted(column)}: {len(counts):,} different values; "
            "these look like measurements, not classes"
        )
    yield Progress(1, 2, "finding the cells")
    fields = _fields(
        in_field,
        labelled_rows,
        field_names(cells) if names is None else names,
        default_field,
        cells.field_names,
    )
    near = between = np.zeros(len(labelled_rows), dtype=bool)
    without = np.zeros(len(labelled_rows), dtype=bool)
    if how == "object":
        ids = [_id(path, line, ids_in, text) for line, text in labelled_rows[ids_in].items()]
        without = np.array([value is None for value in ids], dtype=bool)
        matches = _by_value(cells, fields, ids)
        shown = [f"object {value}" for value in ids]
        if id_column is None and ids_in.casefold() != "object":
            _refuse_misfit(table, ids_in, labelled_rows, (matches < 0) & ~without & (fields >= 0))
    else:
        coordinates = np.array(
            [numbers_of(table, labelled_rows, each) for each in places]
        ).T.reshape(-1, 2)
        matches = np.full(len(coordinates), -1, dtype=np.int64)
        near, between = near.copy(), between.copy()
        for index in np.unique(fields[fields >= 0]).tolist():
            rows = np.flatnonzero(fields == index)
            for start in range(0, len(rows), POINTS):
                yield Progress(1 + start / max(1, len(coordinates)), 2, "finding the cells")
                some = rows[start : start + POINTS]
                points = coordinates[some] if pixels is None else pixels(index, coordinates[some])
                matches[some], near[some], between[some] = _cells_around(cells, index, points)
        shown = [f"y={y:g}, x={x:g}" for y, x in coordinates]
    missed = np.flatnonzero((matches < 0) & ~without & ~between)
    first = ""
    if len(missed):
        first = f"line {labelled_rows.index[missed[0]]}, {shown[missed[0]]}"
        if fields[missed[0]] < 0:
            text = labelled_rows[in_field].iloc[missed[0]]
            first += f", field {quoted(text.strip())} is unknown"
    rows_of, again = _agreeing(
        path, column, labelled_rows.index.tolist(), matches.tolist(), classes
    )
    return Imported(
        path,
        len(table.rows),
        np.array(list(rows_of), dtype=np.int64),
        tuple(classes[row] for row in rows_of.values()),
        len(missed),
        first,
        len(table.rows) - len(labelled_rows),
        again,
        int(without.sum()),
        int(near.sum()),
        int(between.sum()),
        ids_in,
        (*table.warnings, *similar_warnings(counts, "classes")),
    )


def table_of_classes(path: str | Path, how: How = "object") -> TextTable:
    """Read a table of classes, before it is known which of its columns says what.

    Raises
    ------
    DataError
        See `read_table`.
    """
    return read_table(path, ("class",) if how == "object" else ("y", "x", "class"))


def _refuse_misfit(table: TextTable, column: str, rows: pd.DataFrame, misfit: BoolArray) -> None:
    if misfit.any():
        first, rows_so = int(np.argmax(misfit)), counted(int(misfit.sum()), "row", "are")
        raise DataError(
            f"{table.path}, line {rows.index[first]}, column {quoted(column)}: no cell has the id "
            f"{rows[column].iloc[first].strip()} ({rows_so} so); if these are "
            "the ids all the same, choose the column or call it 'object'"
        )


def _id(path: Path, line: object, column: str, text: str) -> int | None:
    try:
        return whole_number(text)
    except DataError as error:
        raise DataError(f"{path}, line {line}, column {quoted(column)}: {error}") from None


def _agreeing(
    path: Path, column: str, lines: list[int], matches: list[int], classes: list[str]
) -> tuple[dict[int, int], int]:
    """The first row of each cell, and how many rows say the same again.

    Rows that give one cell different classes are refused.
    """
    rows: dict[int, int] = {}
    again = 0
    for row, cell in enumerate(matches):
        if cell < 0:
            continue
        first = rows.setdefault(cell, row)
        if classes[first] != classes[row]:
            raise DataError(
                f"{path}, line {lines[row]}, column {quoted(column)}: the cell of this row is "
                f"{quoted(classes[row])} here and {quoted(classes[first])} in line {lines[first]}; "
                "leave one row of each cell"
            )
        again += first != row
    return rows, again


def _fields(
    column: str | None,
    rows: pd.DataFrame,
    names: Sequence[str],
    default_field: int,
    short: Sequence[str],
) -> IntArray:
    if column is None:
        return np.full(len(rows), default_field, dtype=np.int64)
    positions = positions_of_fields(rows[column], names)
    places = {name: place for place, name in enumerate(short)}
    named = np.array([places.get(text.strip(), -1) for text in rows[column]], dtype=np.int64)
    positions = np.where(positions < 0, named, positions)
    return np.where((rows[column].str.strip() == "").to_numpy(), default_field, positions)


def _by_value(cells: Cells, fields: IntArray, ids: Sequence[int | None]) -> IntArray:
    own = cells.table[["field", "object"]].to_numpy(np.int64).tolist()
    # Where cells have no values of their own, one value says nothing.
    count = Counter((index, value) for index, value in own)
    place = {(f, v): row for row, (f, v) in enumerate(own) if count[f, v] == 1}
    keys = zip(fields.tolist(), ids, strict=True)
    return np.array([-1 if v is None else place.get((f, v), -1) for f, v in keys], dtype=np.int64)


def cells_at(cells: Cells, field_index: int, points: FloatArray) -> IntArray:
    """The cell at each point of a field of view, (n,) positions in the cells, or -1.

    Parameters
    ----------
    cells : Cells
    field_index : int
        Field of view.
    points : (n, 2) float array
        y, x in its pixels; pixel centres are whole numbers.
    """
    return _cells_around(cells, field_index, points)[0]


def _cells_around(
    cells: Cells, index: int, points: FloatArray
) -> tuple[IntArray, BoolArray, BoolArray]:
    """`cells_at`; which points lie in no outline though there are some; which between two cells."""
    matches = np.full(len(points), -1, dtype=np.int64)
    between = np.zeros(len(points), dtype=bool)
    rows = np.flatnonzero(cells.table["field"].to_numpy() == index)
    labels = cells.fields[index].labels
    if labels is not None:
        spots = np.floor(points + 0.5).astype(np.int64)
        inside = ((spots >= 0) & (spots < labels.shape)).all(axis=1)
        values = np.zeros(len(points), dtype=np.int64)
        values[inside] = np.asarray(labels)[tuple(spots[inside].T)]
        own = cells.table["object"].to_numpy(np.int64)[rows]
        of = dict(zip(own.tolist(), rows.tolist(), strict=True))
        matches = np.array([of.get(v, -1) if v else -1 for v in values.tolist()], dtype=np.int64)
    left = np.flatnonzero(matches < 0)
    if len(left) and len(rows):
        matches[left], between[left] = _boxed(cells, rows, points[left])
    near = np.zeros(len(points), dtype=bool)
    near[left] = labels is not None
    return matches, near & (matches >= 0), between


def _boxed(cells: Cells, rows: IntArray, points: FloatArray) -> tuple[IntArray, BoolArray]:
    """The cell with the nearest middle among those whose box holds the point, or -1.

    Also which points lie as near to a second one, within `TIE` pixels: these have no cell.
    """
    from scipy.spatial import cKDTree

    boxes = cells.boxes[rows] - 0.5
    tree = cKDTree(cell_centres(cells)[rows])
    far = float((boxes[:, 2:] - boxes[:, :2]).max()) / np.sqrt(2)
    matches = np.full(len(points), -1, dtype=np.int64)
    between = np.zeros(len(points), dtype=bool)
    for place, around in enumerate(tree.query_ball_point(points, far)):
        some = boxes[around]
        holds = ((points[place] >= some[:, :2]) & (points[place] < some[:, 2:])).all(axis=1)
        if holds.any():
            inside = np.asarray(around)[holds]
            away = np.hypot(*(tree.data[inside] - points[place]).T)
            between[place] = (away <= away.min() + TIE).sum() > 1
            if not between[place]:
                matches[place] = rows[inside[away.argmin()]]
    return matches, between
