"""Planes that a table names by numbers: whether 0 or 1 is the first of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_channelmix.data.values import whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.scan.questions import Choice
from napari_channelmix.scan.roles import Role
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PlaneNumbers", "plane_numbers"]

# Role, axis of the files, and what one is called.
_AXES = ((Role.PLANE, "Z", "plane"), (Role.TIME, "T", "time"))
FROM_0, FROM_1 = "0 is the first", "1 is the first"


@dataclass(frozen=True)
class PlaneNumbers:
    """A column of a table that numbers the planes within files.

    Attributes
    ----------
    column : str
    choice : Choice
        Which is the first; proposed where the numbers tell.
    """

    column: str
    choice: Choice

    @property
    def from_1(self) -> bool:
        """Whether 1 is the first."""
        return self.choice.chosen == FROM_1

    def note(self) -> str:
        """What is done, in a line."""
        return f"column {quoted(self.column)} counts from 1, and is made to count from 0"

    def texts(self, rows: pd.DataFrame) -> list[str]:
        """The column, counted from 0 as the planes of files are."""
        numbers = [whole_number(text) for text in rows[self.column]]
        return ["" if number is None else str(number - 1) for number in numbers]


def plane_numbers(
    rows: pd.DataFrame,
    roles: Mapping[str, Role],
    image: str,
    stacks: Mapping[str, Mapping[str, int]],
) -> list[PlaneNumbers]:
    """The columns that number planes within files, each with the question which is the first.

    0 is the first where a row has it, 1 where a row has the number of all planes of its file.
    Between the two only the user can tell: a table that is off by one shows other cells.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of texts.
    roles : mapping of str to Role
    image : str
        Column of the files.
    stacks : mapping of str to mapping of str to int
        Of files: how many planes they have along Z and T, where they have such axes.
    """
    found = []
    for role, axis, word in _AXES:
        column = next((name for name, its in roles.items() if its is role), None)
        if column is None or not any(axis in stacks.get(path, {}) for path in set(rows[image])):
            continue
        try:
            numbers = {
                (str(path), number)
                for path, text in set(zip(rows[image], rows[column], strict=True))
                if (number := whole_number(text)) is not None
            }
        except DataError:
            continue  # said where the data set is opened
        if not numbers:
            continue
        proposed = None
        if min(number for _, number in numbers) <= 0:
            proposed = FROM_0
        elif any(number >= stacks.get(path, {}).get(axis, number + 1) for path, number in numbers):
            proposed = FROM_1
        text = f"Which {word} of a file is the first in column {quoted(column)}?"
        found.append(
            PlaneNumbers(column, Choice(f"first {word}", text, (FROM_0, FROM_1), proposed))
        )
    return found
