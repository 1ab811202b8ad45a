"""Names of wells: ``a1``, ``A - 01``, row 1 and column 1 are all ``A01``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["ROWS", "missing_wells", "well_name", "well_of"]

# Rows and columns of the largest plate, of 1,536 wells: A, B, ..., Z, AA, ..., AF.
ROWS, COLUMNS = 32, 48
_WELL = re.compile(r"([A-Za-z]{1,2})[ _-]{0,3}0{0,2}([1-9]\d?)")


@lru_cache(2**16)
def well_name(text: str) -> str | None:
    """A well as it is matched: capital row, column of two digits; None where it is none.

    Examples
    --------
    >>> well_name("a1"), well_name("P24"), well_name("AF - 048"), well_name("A00"), well_name("DNA")
    ('A01', 'P24', 'AF48', None, None)
    """
    match = _WELL.fullmatch(text.strip())
    return well_of(match[1], match[2]) if match else None


def well_of(row: str, column: str) -> str | None:
    """A well from its row (a letter or a number from 1) and its column (a number from 1)."""
    row, column = row.strip(), column.strip()
    if not column.isdecimal() or not 1 <= int(column) <= COLUMNS:
        return None
    if row.isdecimal():
        number = int(row)
    elif re.fullmatch(r"[A-Za-z]", row):
        number = ord(row.upper()) - 64
    elif re.fullmatch(r"[Aa][A-Fa-f]", row):
        number = 26 + ord(row[1].upper()) - 64
    else:
        return None
    if not 1 <= number <= ROWS:
        return None
    return f"{_row_letters(number)}{int(column):02d}"


def _row_letters(number: int) -> str:
    return chr(64 + number) if number <= 26 else f"A{chr(64 + number - 26)}"


def missing_wells(wells: Iterable[str]) -> list[str]:
    """Wells that are not there though the plate is otherwise full, in reading order.

    Our definition: the wells fill nine tenths or more of the rectangle from the first to the last
    row and column that are used.

    Parameters
    ----------
    wells : iterable of str
        As `well_name` gives them.
    """
    there = set(wells)
    places = [(_row_number(well[:-2]), int(well[-2:])) for well in there]
    if len(places) < 8:
        return []
    rows, columns = [row for row, _ in places], [column for _, column in places]
    every = [
        f"{_row_letters(row)}{column:02d}"
        for row in range(min(rows), max(rows) + 1)
        for column in range(min(columns), max(columns) + 1)
    ]
    return [] if len(there) < 0.9 * len(every) else [well for well in every if well not in there]


def _row_number(letters: str) -> int:
    return ord(letters) - 64 if len(letters) == 1 else 26 + ord(letters[1]) - 64
