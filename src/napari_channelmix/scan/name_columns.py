"""Columns of names and folders: values, role, and how one column goes with others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_channelmix.scan import vocabulary
from napari_channelmix.scan.wells import well_name

if TYPE_CHECKING:
    from napari_channelmix.scan.roles import Role

__all__ = ["NameColumn", "follows", "identities", "number_of", "plain_numbers"]


@dataclass(frozen=True, eq=False)
class NameColumn:
    """One part of the names, or one level of folders.

    Attributes
    ----------
    name : str
    values : tuple of str
        Of each path.
    role : Role or None
        None where it is not clear.
    of_folder : bool
    fixed : bool
        Named by a pattern: its role is not doubted.
    asked : bool
        Only the user can tell, such as which of two parts is the well.
    proposed : bool
        Its role is likely, and shown as a question with this answer.
    """

    name: str
    values: tuple[str, ...]
    role: Role | None
    of_folder: bool = False
    fixed: bool = False
    asked: bool = False
    proposed: bool = False

    @property
    def distinct(self) -> list[str]:
        """Its values, each once."""
        return list(dict.fromkeys(self.values))

    @property
    def prefix(self) -> str:
        """The letters before the number of every value, or nothing."""
        pairs = {pair and pair[0] for pair in map(vocabulary.prefixed, self.distinct)}
        return next(iter(pairs)) or "" if len(pairs) == 1 else ""

    @property
    def is_number(self) -> bool:
        """Whether every value is a number, perhaps with the same letters before it."""
        numbers = all(value.isdecimal() for value in self.distinct)
        return numbers or bool(self.prefix)

    @property
    def is_capital(self) -> bool:
        """Whether values such as ``C01`` are wells of one row, or something else."""
        if self.role is not None or self.of_folder:
            return False
        one_row = len({value[:1] for value in self.distinct}) == 1
        return one_row and all(
            re.fullmatch(r"[A-Z]\d+", value) and well_name(value) for value in self.distinct
        )


def follows(column: NameColumn, other: NameColumn) -> bool:
    """Whether the value of one column is told by that of another."""
    return len(set(zip(column.values, other.values, strict=True))) == len(set(other.values))


def identities(columns: Sequence[NameColumn]) -> int:
    """How many files these columns tell apart."""
    if not columns:
        return 1
    return len(set(zip(*(column.values for column in columns), strict=True)))


def number_of(value: str) -> str:
    """The number behind letters, or the value itself."""
    pair = vocabulary.prefixed(value)
    return pair[1] if pair else value


def plain_numbers(column: NameColumn) -> tuple[str, ...]:
    """The values without the letters before their numbers."""
    return tuple(map(number_of, column.values)) if column.prefix else column.values
