"""One role for one column: of two parts that look like wells or channels, which is which."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from napari_channelmix.scan import vocabulary
from napari_channelmix.scan.name_columns import (
    NameColumn,
    follows,
    identities,
    number_of,
    plain_numbers,
)
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.wells import well_name, well_of

__all__ = ["settled"]

# Columns of a role that are of no use where they are the same everywhere.
_DULL = (Role.PLANE, Role.TIME, Role.KEY, Role.IGNORE, Role.PLATE, Role.DOSE, Role.CLASS, None)
_NUMBERED = (Role.FIELD, Role.PLANE, Role.TIME, Role.WELL_ROW, Role.WELL_COLUMN)


def settled(columns: list[NameColumn], files: int) -> list[NameColumn]:
    """The columns of use, each role at most once; what does not settle is open again.

    Parameters
    ----------
    files : int
        Paths that were read.
    """
    columns = _without_dull(columns)
    columns = _without_running_numbers(columns, files)
    columns = _row_and_column(columns)
    columns = _one_well(columns)
    columns = _one_channel(columns)
    columns = _each_role_once(columns)
    return [
        replace(column, values=plain_numbers(column))
        if column.role in _NUMBERED and not column.fixed
        else column
        for column in columns
    ]


def _without_dull(columns: list[NameColumn]) -> list[NameColumn]:
    """Without columns that are the same everywhere and say nothing by that."""
    return [column for column in columns if len(column.distinct) > 1 or _tells_alone(column)]


def _tells_alone(column: NameColumn) -> bool:
    """Whether a column is of use though all its values are one."""
    if column.of_folder:
        return column.role in (Role.WELL, Role.SPLIT)
    if column.fixed and column.role in (Role.PLATE, Role.CLASS):
        return True
    return column.role not in _DULL or column.is_capital


def _without_running_numbers(columns: list[NameColumn], files: int) -> list[NameColumn]:
    """Without parts that a pattern keeps, that are not needed and differ between channels.

    Numbers of files and times of writing would make a field of view of every file.
    """
    kept = [column for column in columns if column.fixed and column.role is Role.KEY]
    others = [one for one in columns if one not in kept and one.role is not Role.IGNORE]
    places = [one for one in others if one.role is not Role.CHANNEL]
    if len(places) == len(others) or identities(others) < files:
        return columns
    running = [one for one in kept if identities([*places, one]) > identities(places)]
    return [column for column in columns if column not in running]


def _row_and_column(columns: list[NameColumn]) -> list[NameColumn]:
    """Wells whose row and column are parts of their own: ``r01c02``, ``A - 01``."""
    if any(column.role in (Role.WELL, Role.WELL_ROW) and column.fixed for column in columns):
        return columns
    rows = [column for column in columns if column.role is Role.WELL_ROW]
    for place, (one, other) in enumerate(pairwise(columns)):
        if one in rows and other.prefix in ("c", "col", "column") and _are_rows(one, other):
            return _with_roles(columns, place, Role.WELL_ROW, Role.WELL_COLUMN)
    columns = [
        replace(column, role=None)
        if column.role in (Role.WELL_ROW, Role.WELL_COLUMN) and not column.fixed
        else column
        for column in columns
    ]
    if any(column.role is Role.WELL for column in columns):
        return columns
    for place, (one, other) in enumerate(pairwise(columns)):
        letters = all(re.fullmatch(r"[A-Z]|A[A-F]", value) for value in one.distinct)
        padded = all(re.fullmatch(r"\d\d", value) for value in other.distinct)
        numbers = all(value.isdecimal() for value in other.distinct)
        many = len(one.distinct) >= 4 or (padded and len(one.distinct) >= 2)
        if letters and numbers and many and _are_rows(one, other):
            return _with_roles(columns, place, Role.WELL_ROW, Role.WELL_COLUMN)
    return columns


def _are_rows(one: NameColumn, other: NameColumn) -> bool:
    rows, numbers = map(number_of, one.values), map(number_of, other.values)
    return all(well_of(*pair) for pair in dict.fromkeys(zip(rows, numbers, strict=True)))


def _with_roles(columns: list[NameColumn], place: int, *roles: Role) -> list[NameColumn]:
    end = place + len(roles)
    changed = [
        replace(column, role=role) for column, role in zip(columns[place:end], roles, strict=True)
    ]
    return [*columns[:place], *changed, *columns[end:]]


def _one_well(columns: list[NameColumn]) -> list[NameColumn]:
    """One column of wells: that of a pattern, or the only one that varies as wells do."""
    wells = [column for column in columns if column.role is Role.WELL]
    if len(wells) < 2:
        return columns
    chosen = [column for column in wells if column.fixed]
    if not chosen:
        varying = [column for column in wells if len(column.distinct) > 1] or wells
        rows = [column for column in varying if len(_rows_of(column)) > 1]
        if all(_matched(column) == _matched(varying[0]) for column in varying):
            chosen = varying[:1]
        else:
            chosen = rows if len(rows) == 1 else varying if len(varying) == 1 else []
    if len(chosen) != 1:
        # Two parts that both look like wells: only the user knows.
        return [
            replace(column, role=None, asked=True) if column in wells else column
            for column in columns
        ]
    return [
        replace(column, role=_beside_a_well(column, chosen[0]))
        if column in wells and column is not chosen[0]
        else column
        for column in columns
    ]


def _beside_a_well(column: NameColumn, well: NameColumn) -> Role | None:
    """What another part is that looks like a well: the well again, or a plate (``P12``)."""
    if len(column.distinct) == 1 or _matched(column) == _matched(well):
        return Role.IGNORE
    return Role.PLATE if column.distinct[0][:1].casefold() == "p" else None


def _rows_of(column: NameColumn) -> set[str]:
    return {name[:-2] for name in map(well_name, column.distinct) if name}


def _matched(column: NameColumn) -> list[str | None]:
    return [well_name(value) for value in column.values]


def _one_channel(columns: list[NameColumn]) -> list[NameColumn]:
    """One column of channels: of a number and a name that go together, the name."""
    channels = [column for column in columns if column.role is Role.CHANNEL]
    if len(channels) < 2:
        return columns
    fixed = [column for column in channels if column.fixed]
    named = [column for column in channels if any(map(vocabulary.is_channel, column.distinct))]
    varying = [column for column in channels if len(column.distinct) > 1]
    told = [one for one in varying if all(follows(other, one) for other in varying)]
    if not fixed and not named and varying and not told:
        # Two numbers that both may be the channel: only the user knows.
        return [
            replace(column, role=None, asked=True) if column in varying else column
            for column in columns
        ]
    chosen = (fixed or [one for one in named if one in varying] or varying or named or channels)[0]
    return [
        replace(column, role=Role.IGNORE if follows(column, chosen) else None)
        if column.role is Role.CHANNEL and column is not chosen
        else column
        for column in columns
    ]


def _each_role_once(columns: list[NameColumn]) -> list[NameColumn]:
    taken = {column.role: column for column in columns if column.fixed and column.role}
    changed: dict[str, NameColumn] = {}
    # The name of a file says more than its folder.
    for column in sorted(columns, key=lambda column: column.of_folder):
        role = column.role
        if role is not None and not column.fixed and role not in (Role.KEY, Role.IGNORE):
            if role in taken:
                role = Role.IGNORE if follows(column, taken[role]) else None
            else:
                taken[role] = column
        changed[column.name] = replace(column, role=role)
    return [changed[column.name] for column in columns]
