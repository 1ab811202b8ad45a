"""Rows of a table that name their plane: an id has a row, and a class, in each plane it is in.

1. The column of planes has a known name (frame, t, z, slice ...) and holds whole numbers.
2. Planes count from 0, as the slider does, or from 1: the numbering under which more rows name an
   id that lies in their plane; from 0 where both do. Our definition; it is always said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.pairing import ids_in_column
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PlaneRows", "plane_column", "plane_columns", "rows_by_plane"]

IntArray = npt.NDArray[np.int64]

# Names of columns of planes, in small letters without blanks, hyphens and underscores; first those
# of time, then those of depth.
TIMES = ("frame", "t", "time", "timepoint", "frameindex", "framenumber")
DEPTHS = ("z", "plane", "slice", "zplane", "zslice", "zindex")
# Share of rows that must name an id of their plane.
FITTING = 0.5


@dataclass(frozen=True, eq=False)
class PlaneRows:
    """Which rows of a table are of which plane.

    Attributes
    ----------
    column : str
    first : int
        The number of the first plane: 0 or 1.
    planes : (R,) int64 array
        Position of each row's plane from 0; -1 for none.
    """

    column: str
    first: int
    planes: IntArray = field(repr=False)

    def rows(self, plane: int) -> IntArray:
        """The rows of a plane."""
        return np.flatnonzero(self.planes == plane)

    def text(self, what: str) -> str:
        """What was understood, in a line; ``what`` is the table."""
        return f"{what}: rows are of the plane in column {self.column!r}, counted from {self.first}"


def plane_column(table: pd.DataFrame, axis: str) -> str | None:
    """The column with the plane of each row along an axis; None where there is none.

    Parameters
    ----------
    table : pandas.DataFrame
    axis : str
        Label of the axis, such as ``t`` or ``z``. An axis of another name takes the only column
        of planes there is.
    """
    times, depths = (_named(table, keys) for keys in (TIMES, DEPTHS))
    axis = _key(axis)
    if axis in TIMES or axis in DEPTHS:
        wanted = times if axis in TIMES else depths
        return wanted[0] if wanted else None
    every = [*times, *depths]
    return every[0] if len(every) == 1 else None


def plane_columns(table: pd.DataFrame) -> list[str]:
    """All columns that may say the plane of each row."""
    return [*_named(table, TIMES), *_named(table, DEPTHS)]


def _named(table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    named = {_key(name): str(name) for name in table.columns if _key(name) in keys}
    return [named[key] for key in keys if key in named and _holds_numbers(table[named[key]])]


def rows_by_plane(
    table: pd.DataFrame,
    column: str,
    id_column: str | None,
    ids_of: Mapping[int, npt.ArrayLike],
    *,
    what: str,
) -> PlaneRows:
    """The plane of each row, by the numbering that fits.

    Parameters
    ----------
    table : pandas.DataFrame
    column : str
        Of the planes.
    id_column : str or None
        Of the ids; without it nothing tells which rows are right.
    ids_of : mapping of int to (n,) int array
        The ids that lie in each plane, by its position from 0.
    what : str
        The table, for messages.

    Raises
    ------
    DataError
        No column of ids, planes that are no whole numbers, or rows that fit neither numbering.
    """
    if id_column is None:
        raise DataError(
            f"{what}: column {column!r} names planes, but none names the id of each row; add a "
            "column 'label' with it"
        )
    numbers, there = ids_in_column(table, column, what=what)
    ids, known = ids_in_column(table, id_column, what=what)
    used = np.flatnonzero(there & known & (ids > 0))
    pairs = {(plane, number) for plane in ids_of for number in np.asarray(ids_of[plane]).tolist()}
    rows = list(zip(numbers[used].tolist(), ids[used].tolist(), strict=True))
    shares = [
        sum((plane - first, number) in pairs for plane, number in rows) / max(1, len(rows))
        for first in (0, 1)
    ]
    first = int(shares[1] > shares[0])
    if shares[first] < FITTING:
        raise DataError(
            f"{what}: columns {id_column!r} and {column!r} fit the labels neither with planes "
            f"counted from 0 ({shares[0]:.0%} of the rows) nor from 1 ({shares[1]:.0%}); correct "
            "them, or choose another column of ids"
        )
    return PlaneRows(column, first, np.where(there, numbers - first, -1))


def _key(name: Any) -> str:
    return "".join(letter for letter in str(name).casefold() if letter not in " _-")


def _holds_numbers(values: Any) -> bool:
    import pandas as pd

    if getattr(values, "ndim", 1) != 1 or pd.api.types.is_bool_dtype(values):
        return False
    if not pd.api.types.is_numeric_dtype(values):
        return False
    present = values.dropna()
    return len(present) > 0 and bool((present % 1 == 0).all())
