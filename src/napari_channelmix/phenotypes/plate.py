"""Where the wells of a plate lie, read strictly from their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Plate", "is_plate", "plates_of", "row_name", "well_place"]

IntArray = npt.NDArray[np.int64]

# Rows and columns of plates with 96, 384 and 1536 wells.
FORMATS = ((8, 12), (16, 24), (32, 48))
WELL = re.compile(r"(A[A-F]|[A-Z])([0-9]{2})")
WELLS, PLATES = ("well",), ("plate", "plate_id", "plate id")


@dataclass(frozen=True, eq=False)
class Plate:
    """The groups that lie in the wells of one plate.

    Attributes
    ----------
    name : str
        Empty where there is only one.
    groups : (R, C) int array
        Position of the group in each well, -1 in one without.
    """

    name: str
    groups: IntArray = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.groups.shape
        return rows, columns

    def arranged(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """A value for each group (G,) as the wells lie (R, C); NaN in wells without."""
        numbers = np.append(np.asarray(values, np.float64), np.nan)
        return np.asarray(numbers[self.groups])


def well_place(name: str) -> tuple[int, int]:
    """Row and column of a well, from 0, by a name such as B07 or AF48.

    Raises
    ------
    DataError
        No such name: another form, no zero before one digit, or beyond 1536 wells.
    """
    match = WELL.fullmatch(name)
    if match is not None:
        letters, column = match[1], int(match[2])
        row = 26 + ord(letters[1]) - ord("A") if len(letters) == 2 else ord(letters) - ord("A")
        if 1 <= column <= FORMATS[-1][1]:
            return row, column - 1
    raise DataError(f"{name!r} is no well of a plate; wells are called A01 to H12, P24 or AF48")


def row_name(row: int) -> str:
    """The letters of a row: A to Z, then AA to AF."""
    return chr(ord("A") + row) if row < 26 else f"A{chr(ord('A') + row - 26)}"


def plates_of(groups: Sequence[str], conditions: pd.DataFrame | None = None) -> tuple[Plate, ...]:
    """The plates on which groups lie.

    Names alone are wells only where they name two rows at least: patients P01 to P20 are none. A
    column ``well`` or ``plate``, or a group that is called so, says that they are.

    Parameters
    ----------
    groups : sequence of str
        Names of wells; or any names, where ``conditions`` has a column ``well``.
    conditions : pandas.DataFrame, optional
        A row per group, named by it; a column ``plate`` tells several plates apart.

    Raises
    ------
    DataError
        A name that is no well, names that may be something else, two groups in one well, or rows
        of one name that differ.
    """
    of_column = _column(groups, conditions, WELLS)
    wells = of_column or list(groups)
    of_plate = _column(groups, conditions, PLATES)
    plates = of_plate or [""] * len(wells)
    named = conditions is not None and str(conditions.index.name).strip().lower() in WELLS
    stated = of_column is not None or of_plate is not None or named
    if len(groups) and not stated and len({well_place(well)[0] for well in wells}) < 2:
        raise DataError(
            f"{', '.join(wells[:2])}{', ...' if len(wells) > 2 else ''} are all of one row, so "
            "they may be something else than wells; a column 'well' says that they are"
        )
    places: dict[str, dict[tuple[int, int], int]] = {}
    for group, (plate, well) in enumerate(zip(plates, wells, strict=True)):
        place = well_place(well)
        of = places.setdefault(plate, {})
        if place in of:
            where = f"well {well} of plate {plate}" if plate else f"well {well}"
            raise DataError(
                f"two groups lie in {where}: {groups[of[place]]} and {groups[group]}; "
                "a column 'plate' tells plates apart"
            )
        of[place] = group
    result = []
    for plate, of in places.items():
        last = np.max(list(of), axis=0)
        shape = next(size for size in FORMATS if (last < size).all())
        laid = np.full(shape, -1, np.int64)
        for place, group in of.items():
            laid[place] = group
        result.append(Plate(plate if len(places) > 1 else "", laid))
    return tuple(result)


def is_plate(groups: Iterable[str], conditions: pd.DataFrame | None = None) -> bool:
    """Whether groups are wells that `plates_of` can lay out."""
    try:
        return bool(plates_of(list(groups), conditions))
    except DataError:
        return False


def _column(
    groups: Sequence[str], conditions: pd.DataFrame | None, names: Sequence[str]
) -> list[str] | None:
    """What the first column of such a name says of each group."""
    if conditions is None:
        return None
    for column in conditions.columns:
        if str(column).strip().lower() in names:
            # Numbers too: another kind of column cannot hold the empty text.
            table = conditions_for(conditions[[column]].astype(object), groups)
            values = table[column].fillna("")
            return [str(value) for value in values]
    return None
