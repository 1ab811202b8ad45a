"""Classes of cells out of a table of somebody else's: by label value, or by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.annotation_files import numbers_of, read_rows
from napari_channelmix.data.annotations import cell_centres, field_names, positions_of_fields
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.cells import Cells

__all__ = ["How", "Imported", "cells_at", "import_job"]

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
How = Literal["object", "position"]

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
    at : (R,) int array
        Cells that are named, each once.
    classes : tuple of R str
        Their classes; where several rows name a cell, that of the last one.
    unmatched : int
        Rows that match no cell.
    first : str
        The first of them, in words.
    blank : int
        Rows without a class; they are passed over.
    again : int
        Rows that name a cell which an earlier row named.
    """

    path: Path
    rows: int
    at: Whole = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    unmatched: int = 0
    first: str = ""
    blank: int = 0
    again: int = 0

    def in_words(self) -> str:
        """What is about to be applied, in a line."""
        matched = self.rows - self.blank - self.unmatched
        none = f", {self.unmatched:,} match none (first: {self.first})" if self.unmatched else ""
        parts = [f"{self.rows:,} rows: {matched:,} match cells{none}"]
        if self.blank:
            parts.append(f"{self.blank:,} have no class and are passed over")
        if self.again:
            parts.append(f"{self.again:,} name a cell again; the last row counts")
        return "; ".join(parts) + "."


def import_job(
    path: str | Path,
    cells: Cells,
    how: How,
    *,
    names: Sequence[str] | None = None,
    here: int = 0,
    pixels: Callable[[int, Floats], Floats] | None = None,
) -> Job[Imported]:
    """Read a table (CSV, TSV) and find the cells of its rows; its other columns are of no account.

    Parameters
    ----------
    path : path
    cells : Cells
    how : str
        ``"object"``: columns ``object`` (label value) and ``class``. ``"position"``: ``y``, ``x``
        and ``class``; the cell whose outline holds the point, else the nearest whose box does.
    names : sequence of str, optional
        Names of the fields of view, as in a column ``field``.
    here : int
        Field of view of rows that name none.
    pixels : callable, optional
        Pixels (n, 2) of a field of view from positions (n, 2) of the table; by default these are
        pixels already.

    Raises
    ------
    DataError
        One line that names file, row and column of what cannot be used.
    """
    path = Path(path)
    yield Progress(0, 2, "reading the table")
    table = read_rows(path)
    wanted = ("object", "class") if how == "object" else ("y", "x", "class")
    columns = {name: _column(path, table, name) for name in wanted}
    texts = table[columns["class"]].str.strip()
    kept = table[texts != ""]
    classes = texts[texts != ""].tolist()
    if len(set(classes)) > MOST_CLASSES:
        raise DataError(
            f"{path}, column {columns['class']!r}: {len(set(classes)):,} different values; "
            "these look like measurements, not classes"
        )
    yield Progress(1, 2, "finding the cells")
    fields = _fields(kept, field_names(cells) if names is None else names, here)
    if how == "object":
        values = np.asarray(numbers_of(path, kept, columns["object"]), dtype=np.float64)
        found = _by_value(cells, fields, values)
        said = [f"object {value:g}" for value in values]
    else:
        given = np.array([numbers_of(path, kept, columns[axis]) for axis in "yx"]).T.reshape(-1, 2)
        found = np.full(len(given), -1, dtype=np.int64)
        for one in np.unique(fields[fields >= 0]).tolist():
            rows = np.flatnonzero(fields == one)
            for start in range(0, len(rows), POINTS):
                yield Progress(1 + start / max(1, len(given)), 2, "finding the cells")
                some = rows[start : start + POINTS]
                points = given[some] if pixels is None else pixels(one, given[some])
                found[some] = cells_at(cells, one, points)
        said = [f"y={y:g}, x={x:g}" for y, x in given]
    missed = np.flatnonzero(found < 0)
    first = ""
    if len(missed):
        first = f"line {kept.index[missed[0]]}, {said[missed[0]]}"
        if fields[missed[0]] < 0:
            first += f", field {kept[_named(kept, 'field')].iloc[missed[0]]!r} is unknown"
    last = {cell: name for cell, name in zip(found.tolist(), classes, strict=True) if cell >= 0}
    return Imported(
        path, len(table), np.array(list(last), dtype=np.int64), tuple(last.values()), len(missed),
        first, len(table) - len(kept), len(kept) - len(missed) - len(last),
    )  # fmt: skip


def _named(table: pd.DataFrame, name: str) -> str | None:
    """A column by its name, whatever its capitals."""
    return next((one for one in table.columns if one.lower() == name), None)


def _column(path: Path, table: pd.DataFrame, name: str) -> str:
    found = _named(table, name)
    if found is None:
        raise DataError(
            f"{path}: no column {name!r}; it has {', '.join(table.columns) or 'no columns'}"
        )
    return found


def _fields(table: pd.DataFrame, names: Sequence[str], here: int) -> Whole:
    column = _named(table, "field")
    if column is None:
        return np.full(len(table), here, dtype=np.int64)
    found = positions_of_fields(table[column], names)
    return np.where((table[column].str.strip() == "").to_numpy(), here, found)


def _by_value(cells: Cells, fields: Whole, values: Floats) -> Whole:
    mine = [(int(f), float(o)) for f, o in cells.table[["field", "object"]].to_numpy(np.int64)]
    # Where cells have no values of their own, one value says nothing.
    often = Counter(mine)
    place = {key: at for at, key in enumerate(mine) if often[key] == 1}
    asked = zip(fields.tolist(), values.tolist(), strict=True)
    return np.array([place.get(one, -1) for one in asked], dtype=np.int64)


def cells_at(cells: Cells, at: int, points: Floats) -> Whole:
    """The cell at each point of a field of view, (n,) positions in the cells, or -1.

    Parameters
    ----------
    cells : Cells
    at : int
        Field of view.
    points : (n, 2) float array
        y, x in its pixels; pixel centres are whole numbers.
    """
    found = np.full(len(points), -1, dtype=np.int64)
    rows = np.flatnonzero(cells.table["field"].to_numpy() == at)
    labels = cells.fields[at].labels
    if labels is not None:
        spots = np.floor(points + 0.5).astype(np.int64)
        inside = ((spots >= 0) & (spots < labels.shape)).all(axis=1)
        values = np.zeros(len(points), dtype=np.int64)
        values[inside] = np.asarray(labels)[tuple(spots[inside].T)]
        own = cells.table["object"].to_numpy(np.int64)[rows]
        of = dict(zip(own.tolist(), rows.tolist(), strict=True))
        found = np.array([of.get(v, -1) if v else -1 for v in values.tolist()], dtype=np.int64)
    left = np.flatnonzero(found < 0)
    if len(left) and len(rows):
        found[left] = _boxed(cells, rows, points[left])
    return found


def _boxed(cells: Cells, rows: Whole, points: Floats) -> Whole:
    """The cell with the nearest middle among those whose box holds the point, or -1."""
    from scipy.spatial import cKDTree

    boxes = cells.table[["y0", "x0", "y1", "x1"]].to_numpy(np.float64)[rows] - 0.5
    tree = cKDTree(cell_centres(cells)[rows])
    far = float((boxes[:, 2:] - boxes[:, :2]).max()) / np.sqrt(2)
    found = np.full(len(points), -1, dtype=np.int64)
    for place, near in enumerate(tree.query_ball_point(points, far)):
        some = boxes[near]
        holds = ((points[place] >= some[:, :2]) & (points[place] < some[:, 2:])).all(axis=1)
        if holds.any():
            held = np.asarray(near)[holds]
            away = np.hypot(*(tree.data[held] - points[place]).T)
            found[place] = rows[held[away.argmin()]]
    return found
