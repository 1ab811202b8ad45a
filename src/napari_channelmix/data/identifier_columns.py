"""The user's own columns that name a cell, such as plate, well, ImageNumber, ObjectNumber.

They go with the cells into every table that is written, so that results can be joined with what
other programs say of the same cells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.column_values import different
from napari_channelmix.data.frame_table import table_of_frame

if TYPE_CHECKING:
    # Imported with the first data set: a dock that opens before need not wait for it.
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = [
    "key_columns",
    "key_table",
    "named_keys",
    "names_of_keys",
    "with_key_columns",
    "with_keys",
]

# Before the user's name of a column, in the table of cells: none of ours begins so.
PREFIX = "key "
# Columns that are carried along; tables of measurements have hundreds.
MOST = 20
# Different texts of a column that are looked at.
LOOKED_AT = 1000
# A measurement, not a name: digits behind a decimal sign, or an exponent.
MEASURED = re.compile(r"[+-]?\d*[.,]\d+([eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+|nan|NaN|NA|inf|")


def key_columns(
    rows: pd.DataFrame,
    left_out: Collection[str],
    constant: Collection[str] = (),
    always: Collection[str] = (),
) -> list[str]:
    """Columns that name cells, wells, doses and the like, at most 20, in the table's order.

    Those that are the same throughout every group, and those that hold anything but decimal
    numbers: a column of decimals that differ from cell to cell is a measurement. Our definition.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of texts.
    left_out : collection of str
        Columns of files.
    constant : collection of str
        Columns that are the same throughout every group; they come first where there are too many.
    always : collection of str
        Columns that name cells whatever they hold, such as that of their ids; before all others.
    """
    names = [str(name) for name in rows.columns if name not in left_out]
    chosen = [name for name in names if name in always]
    chosen += [name for name in names if name in constant and name not in chosen]
    chosen = chosen[:MOST]
    for name in names:
        if len(chosen) < MOST and name not in chosen and _names(rows[name]):
            chosen.append(name)
    return [name for name in names if name in chosen]


def with_keys(
    cells: pd.DataFrame, rows: pd.DataFrame, places: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """The table of cells with columns of the user's table, row ``places[i]`` for cell i."""
    values = {f"{PREFIX}{name}": rows[name].to_numpy(dtype=object)[places] for name in rows}
    return cells.assign(**values)


def with_key_columns(cells: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """The table of cells with more columns of the user's, a row per cell: their texts."""
    texts = table_of_frame(keys.reset_index(drop=True), "keys").rows
    return cells.assign(**{f"{PREFIX}{name}": texts[name].to_numpy(dtype=object) for name in texts})


def key_table(table: pd.DataFrame) -> pd.DataFrame:
    """The user's columns of a table of cells, under their own names; texts, empty for none."""
    names = [name for name in table.columns if str(name).startswith(PREFIX)]
    keys = table[names].reset_index(drop=True)
    keys.columns = [str(name)[len(PREFIX) :] for name in names]
    # Data sets that are put together need not have the same columns.
    return keys.where(keys.notna(), "")


def names_of_keys(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """What the user's columns are called beside ours, no two alike.

    One called like a column of ours gets `` (table)`` behind its name; where there is such a
    column too, a number.

    Examples
    --------
    >>> names_of_keys(["y", "y (table)", "well"], {"y", "x"})
    {'y': 'y (table 2)', 'y (table)': 'y (table)', 'well': 'well'}
    """
    names = list(map(str, names))
    names = list(names)
    used = {*taken, *names}
    result = {}
    for name in names:
        own, count = name, 1
        while own in (taken if own == name else used):
            own = f"{name} (table)" if count == 1 else f"{name} (table {count})"
            count += 1
        used.add(own)
        result[name] = own
    return result


def named_keys(keys: pd.DataFrame, taken: Collection[str]) -> dict[str, Any]:
    """The user's columns by name, as `names_of_keys` calls them."""
    names = names_of_keys(map(str, keys), taken)
    return {names[str(name)]: keys[name].to_numpy() for name in keys}


def _names(column: pd.Series[str]) -> bool:
    texts = different(column.to_numpy(dtype=object), LOOKED_AT)
    return any(MEASURED.fullmatch(str(text)) is None for text in texts)
