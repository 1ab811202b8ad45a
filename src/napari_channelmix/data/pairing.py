"""Which cell each row of a table speaks of: told by a column of ids, never by its position.

1. The column of ids is the one the user chose, or one with a known name that holds whole numbers.
2. Several such columns that disagree are refused, so is a table without one, unless its rows are
   the background and every id up to the largest, which is napari's own convention.
3. Rows without an id are left out and counted; rows of one id must not contradict each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.values import class_name, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ID_NAMES",
    "Pairing",
    "id_column",
    "id_columns",
    "ids_in_column",
    "is_id_name",
    "pair_rows",
]

IntArray = npt.NDArray[np.int64]

# Names of columns that hold ids, in lower case, without blanks, hyphens and underscores.
ID_NAMES = ("index", "label", "labelid", "object", "objectid", "objectnumber", "cellid")
# Numbers with a decimal part are exact whole numbers below this.
EXACT = 2**53


@dataclass(frozen=True, eq=False)
class Pairing:
    """The row of each cell.

    Attributes
    ----------
    rows : (N,) int64 array
        Row of each id that was asked for, the first where several agree; -1 for none.
    row_ids : (R,) int64 array
        Id of each row; 0 for the background and for rows without one.
    column : str or None
        The column of ids; None: the rows are the background and all ids in order.
    without_id : int
        Rows whose id is missing.
    unknown : int
        Rows of ids that were not asked for.
    first_unknown : int
        The first of these ids; 0 where there is none.
    repeated : int
        Rows that repeat an earlier one.
    """

    rows: IntArray = field(repr=False)
    row_ids: IntArray = field(repr=False)
    column: str | None = None
    without_id: int = 0
    unknown: int = 0
    first_unknown: int = 0
    repeated: int = 0

    def warnings(self, what: str) -> tuple[str, ...]:
        """What was left out, a line each; ``what`` is the table."""
        lines, count = [], len(self.row_ids)
        where = f"{what}, column {self.column!r}"
        if self.without_id:
            lines.append(f"{where}: {self.without_id:,} of {count:,} rows have no id; left out")
        if self.unknown:
            lines.append(
                f"{where}: {self.unknown:,} of {count:,} rows are of no cell that is used "
                f"(first: id {self.first_unknown}); left out"
            )
        if self.repeated:
            lines.append(f"{where}: {self.repeated:,} rows repeat another row; counted once")
        return tuple(lines)


def id_columns(
    features: pd.DataFrame, *, exclude: Collection[str] = (), by_name: bool = False
) -> tuple[str, ...]:
    """Columns that hold ids by their name and by their values, in the order of the table.

    Parameters
    ----------
    features : DataFrame
    exclude : collection of str
        Columns that are no ids whatever they are called, such as the one that names classes.
    by_name : bool
        Whether the name is enough, as where each id is read, and refused, by itself.

    Returns
    -------
    tuple of str
        A name such as 'label' is not enough: a column of texts called so holds classes.
    """
    named = [name for name in features.columns if is_id_name(name) and str(name) not in exclude]
    return tuple(name for name in named if by_name or _holds_ids(features[name]))


def is_id_name(name: object) -> bool:
    """Whether a column of this name may hold ids, by `ID_NAMES`."""
    return _key(name) in ID_NAMES


def _key(name: Any) -> str:
    return "".join(c for c in str(name).casefold() if c not in " _-")


def _holds_ids(values: pd.Series[Any]) -> bool:
    """Whether any value is a whole number, and none is a text that is not one."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        present = values.dropna()
        return len(present) > 0 and bool((present % 1 == 0).all())
    count = 0
    for value in values:
        try:
            count += whole_number(value) is not None
        except DataError:
            return False
    return count > 0


def ids_in_column(
    features: pd.DataFrame, column: str, *, what: str = "the table"
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """The id of each row (R,) int64, 0 where it is missing; and where it is there (R,).

    Raises
    ------
    DataError
        No such column, or a value that is no whole number or not exact: which row, and what to do.
    """
    import pandas as pd

    if column not in features.columns:
        raise DataError(
            f"{what} has no column {column!r}; it has {listed(features.columns) or 'none'}"
        )
    values = features[column]
    if isinstance(values, pd.DataFrame):
        raise DataError(f"{what} has several columns {column!r}; give each a name of its own")
    if pd.api.types.is_float_dtype(values):
        _refuse_inexact(values, column, what)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind == "i":
        return values.to_numpy(np.int64), np.ones(len(values), np.bool_)
    ids, present = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        try:
            number = whole_number(value)
        except DataError as error:
            raise DataError(
                f"{what}, column {column!r}, row {row}: {error}; choose the column that holds the "
                "id of each row"
            ) from None
        if number is not None:
            ids[row], present[row] = number, True
    return ids, present


def _refuse_inexact(values: pd.Series[Any], column: str, what: str) -> None:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.abs(numbers) >= EXACT)
    if len(wrong):
        raise DataError(
            f"{what}, column {column!r}, row {int(wrong[0])}: {numbers[wrong[0]]:.0f} is a decimal "
            "number of 2**53 or more, which cannot be exact; give ids as whole numbers (int64)"
        )


def id_column(
    features: pd.DataFrame, *, exclude: Collection[str] = (), what: str = "the table"
) -> str | None:
    """The one column of ids; None where there is none.

    Raises
    ------
    DataError
        Columns that disagree, or one of a known name that holds whole numbers and other texts.
    """
    names = id_columns(features, exclude=exclude)
    if not names:
        _refuse_mixed(features, exclude, what)
        return None
    first, present = ids_in_column(features, names[0], what=what)
    for other in names[1:]:
        ids, there = ids_in_column(features, other, what=what)
        differs = np.flatnonzero((ids != first) | (there != present))
        if len(differs):
            row = int(differs[0])
            shown = [int(v[row]) if t[row] else "none" for v, t in ((first, present), (ids, there))]
            raise DataError(
                f"{what}: columns {names[0]!r} and {other!r} both look like ids but differ in "
                f"{len(differs):,} of {len(features):,} rows (row {row}: {shown[0]} and {shown[1]})"
                "; choose the one that holds the id of each row"
            )
    return names[0]


def _refuse_mixed(features: pd.DataFrame, exclude: Collection[str], what: str) -> None:
    """A column of ids with a text among them is no reason to count rows instead."""
    for name in features.columns:
        if not is_id_name(name) or str(name) in exclude:
            continue
        numbers, wrong = 0, None
        for row, value in enumerate(features[name]):
            try:
                numbers += whole_number(value) is not None
            except DataError as error:
                wrong = wrong or (row, str(error))
        if numbers and wrong is not None:
            raise DataError(
                f"{what}, column {name!r}, row {wrong[0]}: {wrong[1]}; correct it, or choose the "
                "column that holds the id of each row"
            )


def pair_rows(
    features: pd.DataFrame,
    ids: npt.ArrayLike,
    *,
    column: str | None = None,
    values: Sequence[str] | None = None,
    exclude: Collection[str] = (),
    largest: int | None = None,
    what: str = "the table",
) -> Pairing:
    """Find the row of each id.

    Parameters
    ----------
    features : DataFrame
        A row per cell, in any order.
    ids : (N,) int array
        Ids of the cells.
    column : str, optional
        The column of ids that the user chose; by default `id_column`.
    values : sequence of str, optional
        Columns that are read: rows of one id must agree in them. By default all others.
    exclude : collection of str
        Columns that are no ids, whatever they are called.
    largest : int, optional
        The largest id there is, where ``ids`` are some only; by default the largest of ``ids``.
    what : str
        The table, for messages.

    Raises
    ------
    DataError
        In one line: no column of ids, or several that disagree; ids that are no whole numbers or
        not exact; rows of one id that contradict each other; row numbers in place of ids.
    """
    requested = np.asarray(ids, dtype=np.int64)
    top = int(requested.max(initial=0)) if largest is None else largest
    if column is None:
        column = id_column(features, exclude={*exclude, *(values or ())}, what=what)
    if column is None:
        if len(features) != top + 1:
            raise DataError(
                f"{what}: no column says which cell each of its {len(features):,} rows is about, "
                f"and they are not the background and all ids up to {top:,} ({top + 1:,} rows); "
                "add a column 'index' with the id of each row"
            )
        row_ids, present = np.arange(top + 1, dtype=np.int64), np.ones(top + 1, np.bool_)
    else:
        row_ids, present = ids_in_column(features, column, what=what)
    read = [name for name in features.columns if name != column] if values is None else list(values)
    if column is not None:
        _refuse_row_numbers(features, row_ids, present, read, top, column, what)
    cells = present & (row_ids != 0)
    rows, repeated = _first_rows(features, row_ids, np.flatnonzero(cells), read, what)
    known = np.isin(row_ids, requested)
    unknown = row_ids[cells & ~known]
    return Pairing(
        np.array([rows.get(value, -1) for value in requested.tolist()], dtype=np.int64),
        np.where(present, row_ids, 0),
        column,
        int((~present).sum()),
        len(unknown),
        int(unknown[0]) if len(unknown) else 0,
        repeated,
    )


def _refuse_row_numbers(
    features: pd.DataFrame,
    row_ids: IntArray,
    present: npt.NDArray[np.bool_],
    read: list[str],
    top: int,
    column: str,
    what: str,
) -> None:
    """Rows counted from 0 give every cell the values of its neighbour.

    pandas makes such a column of its row numbers, and calls it 'index'.
    """
    counted = top > 0 and len(row_ids) == top and present.all()
    if not counted or not np.array_equal(row_ids, np.arange(top)):
        return
    if any(class_name(features[name].iloc[0]) is not None for name in read):
        raise DataError(
            f"{what}, column {column!r}: it counts rows from 0 to {top - 1:,}, while the ids are "
            f"1 to {top:,}; 0 is the background, so every row would be about the cell before it; "
            "choose the column of ids, or correct it"
        )


def _first_rows(
    features: pd.DataFrame, row_ids: IntArray, chosen: IntArray, read: list[str], what: str
) -> tuple[dict[int, int], int]:
    """The row of each id, and how many rows repeat one."""
    rows: dict[int, int] = {}
    repeated = 0
    for row, value in zip(chosen.tolist(), row_ids[chosen].tolist(), strict=True):
        if value not in rows:
            rows[value] = row
            continue
        repeated += 1
        for name in read:
            first, second = (class_name(features[name].iloc[i]) for i in (rows[value], row))
            if first is None and second is not None and len(read) == 1:
                # A row that says nothing contradicts nothing.
                rows[value] = row
            elif second is not None and first is not None and first != second:
                raise DataError(
                    f"{what}: rows {rows[value]} and {row} are both of id {value}, but column "
                    f"{name!r} says {quoted(first)} and {quoted(second)}; leave one row for each id"
                )
    return rows, repeated
