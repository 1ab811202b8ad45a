"""Columns that this plugin adds to the features of a user's layer.

The user's columns, rows, order and types stay as they are. Columns of ours have names of their own:
where the user has 'class', ours is 'class (channelmix)'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points

from napari_channelmix.data.plane_rows import plane_columns
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.features import FeatureTable, label_ids, point_rows
from napari_channelmix.viewer.layers.own_columns import (
    CLASS_COLUMN,
    own_columns,
    result_columns,
    written_to,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["CLASS_COLUMN", "own_columns", "result_columns", "unwritable_reason", "write_features"]

IntArray = npt.NDArray[np.int64]

# Empty rows that a table of ours may have for labels that are not there.
MOST_ROWS = 1000
# napari's status bar finds the row of a label by this column, else by its position.
INDEX = "index"


def write_features(
    layer: Any,
    objects: IntArray,
    columns: dict[str, Sequence[Any]],
    *,
    part: str = "",
    id_column: str | None = None,
    whole: bool = False,
) -> str:
    """Put columns into the features of a Labels or Points layer; all others stay.

    Parameters
    ----------
    layer : napari Labels or Points layer
    objects : (N,) int array
        Label values; for points their ids in ``id_column``, or their rows.
    columns : dict of str to (N,) values
    part : str
        The part of the plugin that the columns belong to.
    id_column : str, optional
        The column of ids that the user chose.
    whole : bool
        Whether columns that this part wrote earlier go where they are not among the new ones.

    Returns
    -------
    str
        Why nothing was written, in a line; else nothing. Cells without a row in the user's table
        are left out: a row more would change the types of the user's columns.
    """
    import pandas as pd

    ours = own_columns(layer)
    table = pd.DataFrame(layer.features)
    written = written_to(layer)
    points = isinstance(layer, Points)
    theirs = [name for name in table.columns if str(name) not in ours]
    new_index: IntArray | None = None
    if points:
        rows = point_rows(layer, objects, id_column)
        cells = _cells_of_rows(rows, len(table))
    elif not theirs:
        # Nobody else's table, or none: rows are the labels, as napari has them.
        new_index = _rows_of_ours(objects, table, ours)
        if new_index is not None:
            table = pd.DataFrame(index=range(len(new_index)))
        row_ids = table[INDEX].to_numpy(np.int64) if new_index is None else new_index
        cells = _places(row_ids, objects)
    else:
        try:
            row_ids = _row_ids(layer, objects, id_column)
        except DataError as error:
            return str(error)
        cells = _places(row_ids, objects)
        if INDEX not in map(str, table.columns) and not np.array_equal(
            row_ids, np.arange(len(table))
        ):
            # A column of ours: else the status bar would show values of another row.
            new_index = row_ids
    names = written.names.setdefault(part, {})
    taken = {str(name) for name in theirs} | {
        title for other, own in written.names.items() if other != part for title in own.values()
    }
    fresh: dict[str, npt.NDArray[Any]] = {}
    for name, values in columns.items():
        if names.get(name, name) in taken:
            names.pop(name, None)
        title = names.setdefault(name, _free_name(name, taken))
        fresh[title] = _in_rows(np.asarray(values), cells)
    gone = [title for name, title in names.items() if whole and name not in columns]
    for name in [name for name in names if whole and name not in columns]:
        del names[name]
    if new_index is not None:
        fresh = {INDEX: new_index, **fresh}
    _put(layer, table, fresh, [title for title in gone if title in table.columns])
    there = set(map(str, layer.features.columns))
    remaining = {k: v for k, v in written.values.items() if k in ours and k in there}
    written.values = {**remaining, **fresh}
    written.table = layer.features
    return ""


def unwritable_reason(layer: Any, objects: IntArray, id_column: str | None = None) -> str:
    """Why columns would not be written into the user's table of a Labels layer; else nothing."""
    if set(map(str, layer.features.columns)) <= own_columns(layer):
        return ""
    try:
        _row_ids(layer, objects, id_column)
    except DataError as error:
        return str(error)
    return ""


def _row_ids(layer: Any, objects: IntArray, id_column: str | None) -> IntArray:
    """The id of each row of the user's table, 0 for none."""
    features = FeatureTable.of(layer, id_column)
    # Without a column of ids all labels of the layer count, not only those that are cells.
    every = objects if features.ids_stand_in() else label_ids(layer)
    # Nothing is read from the rows, so they cannot contradict each other.
    pairing = features.pair(every, [])
    theirs = features.table.drop(columns=[c for c in features.exclude if c in features.table])
    slices = plane_columns(theirs.drop(columns=[c for c in (pairing.column,) if c in theirs]))
    known = pairing.row_ids[pairing.row_ids != 0]
    if slices and len(np.unique(known)) < len(known):
        raise DataError(
            f"{features.title}: its rows are of labels in single slices (column {slices[0]!r})"
        )
    if not np.isin(pairing.row_ids[pairing.row_ids != 0], objects).any():
        raise DataError(
            f"{features.title}: none of its rows is about a cell in use; choose the column of ids"
        )
    return pairing.row_ids


def _rows_of_ours(objects: IntArray, table: pd.DataFrame, ours: frozenset[str]) -> IntArray | None:
    """Labels of the rows of a table of our own; None where those that are there will do."""
    if INDEX in ours and np.isin(objects, table[INDEX].to_numpy()).all():
        return None
    if not len(objects):
        return np.zeros(0, np.int64)
    top = int(objects.max())
    if top > MOST_ROWS + 4 * len(objects):
        return np.unique(objects)
    # napari's table of features takes the row that is selected for the label.
    return np.arange(top + 1, dtype=np.int64)


def _places(row_ids: IntArray, objects: IntArray) -> IntArray:
    """Position among the cells of what each row is about, (R,), or -1."""
    if not len(objects):
        return np.full(len(row_ids), -1, dtype=np.int64)
    order = np.argsort(objects, kind="stable")
    place = np.minimum(np.searchsorted(objects[order], row_ids), len(objects) - 1)
    candidates = order[place]
    return np.where((objects[candidates] == row_ids) & (row_ids != 0), candidates, -1)


def _cells_of_rows(rows: IntArray, count: int) -> IntArray:
    cells = np.full(count, -1, dtype=np.int64)
    there = np.flatnonzero(rows >= 0)
    cells[rows[there]] = there
    return cells


def _in_rows(values: npt.NDArray[Any], cells: IntArray) -> npt.NDArray[Any]:
    """Values of the cells, (R,), in the rows that are about them; missing in all others."""
    if not len(values):
        return np.full(len(cells), np.nan)
    if values.dtype.kind in "iub" and (cells < 0).any():
        values = values.astype(np.float64)
    elif values.dtype.kind in "UT":
        values = values.astype(object)
    result = values[np.maximum(cells, 0)]
    if (cells < 0).any():
        result[cells < 0] = np.nan
    return result


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    title, count = f"{name} (channelmix)", 1
    while title in taken:
        count += 1
        title = f"{name} (channelmix {count})"
    return title


def _put(
    layer: Any, table: pd.DataFrame, fresh: dict[str, npt.NDArray[Any]], gone: list[str]
) -> None:
    """Change what differs: handing a whole table to napari takes a sixth of a second at 100,000."""
    same_columns = set(fresh) <= set(table.columns) and not gone
    if same_columns and _changed_in_place(layer, fresh):
        return
    result = table.drop(columns=gone).copy(deep=False)
    for title, values in fresh.items():
        result[title] = values
    # Assigned, not edited in place: only so does napari tell others of it.
    layer.features = result


def _changed_in_place(layer: Any, fresh: dict[str, npt.NDArray[Any]]) -> bool:
    """Change the values that differ; False where a column cannot hold the new ones."""
    import pandas as pd

    table = layer.features
    if any(len(values) != len(table) for values in fresh.values()):
        return False
    names, news = list(table.columns), {}
    for title, new in fresh.items():
        now = table[title]
        words = new.dtype.kind == "O"
        if words == pd.api.types.is_numeric_dtype(now) or isinstance(
            now.dtype, pd.CategoricalDtype
        ):
            return False
        if not words and new.dtype.kind == "f" and now.dtype.kind != "f":
            return False
        old = now.to_numpy()
        missing = pd.isna(old) & pd.isna(new)
        differs = np.flatnonzero((old != new) & ~missing)
        if len(differs):
            news[names.index(title)] = differs, new[differs]
    for column, (rows, new) in news.items():
        table.iloc[rows, column] = new
    if news:
        # napari tells nobody of values that are changed in its table.
        layer.events.features()
    return True
