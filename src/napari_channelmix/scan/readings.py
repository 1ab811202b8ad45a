"""From paths to columns: what each part of a name and each folder says, or has to be asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from napari_channelmix.scan import vocabulary
from napari_channelmix.scan.name_parts import parts_of, role_of
from napari_channelmix.scan.pattern import Parts, Pattern, plain_name, stem_of
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.wells import well_name, well_of
from napari_channelmix.wording import listed

__all__ = ["OPEN_ROLES", "Reading", "read_by_parts", "read_by_pattern"]

# What a part may be said to be, where it does not tell itself.
OPEN_ROLES = (
    Role.CLASS,
    Role.CHANNEL,
    Role.FIELD,
    Role.WELL,
    Role.PLATE,
    Role.PLANE,
    Role.TIME,
    Role.DOSE,
    Role.GROUP,
    Role.SPLIT,
    Role.KEY,
    Role.IGNORE,
)
# Columns of a role that are of no use where they are the same everywhere.
_DULL = (Role.PLANE, Role.TIME, Role.KEY, Role.IGNORE, Role.PLATE, Role.DOSE, Role.CLASS, None)
# Channels at most that a part without a known name may say. Our definition.
MOST_CHANNELS = 12
# Columns are called after their role, but these.
_NAMES = {
    Role.WELL_ROW: "row",
    Role.WELL_COLUMN: "column",
    Role.KEY: "",
    Role.IGNORE: "",
}


@dataclass(frozen=True, eq=False)
class _Column:
    """One part of the names, or one level of folders."""

    name: str
    values: tuple[str, ...]
    role: Role | None
    of_folder: bool = False
    # Named by a pattern: its role is not doubted.
    fixed: bool = False
    # Two columns say the same thing: the user tells which is right.
    asked: bool = False

    @property
    def distinct(self) -> list[str]:
        return list(dict.fromkeys(self.values))


@dataclass(frozen=True, eq=False)
class Reading:
    """What the paths of images say.

    Attributes
    ----------
    style : str
    paths : tuple of str
        Those that were understood.
    columns : dict of str to tuple of str
    roles : dict of str to Role
    choices : tuple of Choice
        A question for each column whose role is open; its name is that of the column.
    left_out : tuple of LeftOut
    """

    style: str
    paths: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    roles: dict[str, Role]
    choices: tuple[Choice, ...] = ()
    left_out: tuple[LeftOut, ...] = field(default=())


def read_by_pattern(
    pattern: Pattern, paths: Sequence[str], matches: Sequence[Parts | None], reason: str = ""
) -> Reading:
    """Read the paths that a pattern fits; folders above it by what they are called.

    Parameters
    ----------
    matches : sequence of (dict or None)
        As `Pattern.matches` gives them for ``paths``.
    reason : str
        Why the other paths are left out.
    """
    pairs = [(path, parts) for path, parts in zip(paths, matches, strict=True) if parts is not None]
    read = [path for path, _ in pairs]
    columns = []
    for name, role in pattern.roles.items():
        values = tuple(parts[name] for _, parts in pairs)
        if any(values):
            columns.append(_Column(name, values, role, fixed=True))
    columns += _folders(read, below=pattern.depth)
    why = reason or f"its name is not of the style {pattern.name}"
    left_out = tuple(
        LeftOut(path, why) for path, parts in zip(paths, matches, strict=True) if parts is None
    )
    return replace(_resolved(pattern.name, read, columns), left_out=left_out)


def read_by_parts(paths: Sequence[str]) -> Reading:
    """Read paths of no known style: parts of the names and folders, by what they hold."""
    stems = [plain_name(stem_of(path.rsplit("/", 1)[-1])) for path in paths]
    columns = [
        _Column(f"part {part.number}", part.values, role_of(part.distinct))
        for part in parts_of(stems)
    ]
    columns += _folders(paths)
    return _resolved("", list(paths), columns)


def _folders(paths: Sequence[str], below: int = 0) -> list[_Column]:
    """A column for each level of folders, the outermost first; deeper paths keep all levels."""
    rows = [plain_name(path).split("/")[: -1 - below] for path in paths]
    depth = max(map(len, rows), default=0)
    rows = [[""] * (depth - len(row)) + row for row in rows]
    levels = list(zip(*rows, strict=True)) if rows else []
    return [
        _Column(f"folder {place}", values, _role_of_folder(values), of_folder=True)
        for place, values in enumerate(map(_without_word, levels), 1)
    ]


def _without_word(values: tuple[str, ...]) -> tuple[str, ...]:
    """Folders called ``well A01`` by the well alone."""
    known = {value: re.fullmatch(r"wells?[ _-]*(.+)", value, re.IGNORECASE) for value in values}
    if all(match is not None and well_name(match[1]) for match in known.values()):
        return tuple(match[1] for value in values if (match := known[value]) is not None)
    return values


def _role_of_folder(values: tuple[str, ...]) -> Role | None:
    distinct = list(dict.fromkeys(values))
    role = role_of(distinct)
    if role is Role.FIELD or role is None:
        # Micro-Manager: `1-Pos_000_000`, `Pos0`.
        if all(re.fullmatch(r"(?:\d+-)?Pos_?\d+(?:_\d+)?", v, re.IGNORECASE) for v in distinct):
            return Role.FIELD
        if all(re.search(r"plate|barcode", value, re.IGNORECASE) for value in distinct):
            return Role.PLATE
    return role


def _resolved(style: str, paths: list[str], columns: list[_Column]) -> Reading:
    """The columns with one role each; what stays open becomes a question."""
    columns = _without_dull(columns)
    columns = _row_and_column(columns)
    columns = _one_well(columns)
    columns = _one_channel(columns)
    columns = _each_role_once(columns)
    columns = [_plain_number(column) for column in columns]
    columns = _open_ones(columns, len(paths))
    columns = _whole_names(columns, paths)
    columns = [
        column
        for column in _named_fields(columns, paths)
        if column.role is not None or len(column.distinct) > 1
    ]
    if not any(column.fixed for column in columns):
        columns = [column for column in columns if column.role is not Role.IGNORE]
    names = _names_of(columns)
    choices = tuple(
        _question(name, column)
        for name, column in zip(names, columns, strict=True)
        if column.role is None
    )
    return Reading(
        style or _style(columns),
        tuple(paths),
        {name: column.values for name, column in zip(names, columns, strict=True)},
        {
            name: Role.KEY if column.role is None else column.role
            for name, column in zip(names, columns, strict=True)
        },
        choices,
    )


def _without_dull(columns: list[_Column]) -> list[_Column]:
    """Without columns that are the same everywhere and say nothing by that."""
    return [
        column
        for column in columns
        if len(column.distinct) > 1
        or _is_capital(column)
        or (
            (column.role not in _DULL or (column.fixed and column.role in (Role.PLATE, Role.CLASS)))
            # A folder of one field of view or one channel says nothing of its images.
            and not (column.of_folder and column.role not in (Role.WELL, Role.SPLIT))
        )
    ]


def _row_and_column(columns: list[_Column]) -> list[_Column]:
    """Wells whose row and column are parts of their own: ``r01c02``, ``A - 01``."""
    if any(column.role in (Role.WELL, Role.WELL_ROW) and column.fixed for column in columns):
        return columns
    rows = [column for column in columns if column.role is Role.WELL_ROW]
    for place, (one, other) in enumerate(pairwise(columns)):
        if one in rows and _prefix(other) in ("c", "col", "column") and _are_rows(one, other):
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


def _are_rows(one: _Column, other: _Column) -> bool:
    pairs = dict.fromkeys(
        zip(map(_number_of, one.values), map(_number_of, other.values), strict=True)
    )
    return all(well_of(row, column) for row, column in pairs)


def _with_roles(columns: list[_Column], place: int, *roles: Role) -> list[_Column]:
    changed = [
        replace(column, role=role)
        for column, role in zip(columns[place : place + len(roles)], roles, strict=True)
    ]
    return [*columns[:place], *changed, *columns[place + len(roles) :]]


def _one_well(columns: list[_Column]) -> list[_Column]:
    """One column of wells: that of a pattern, or the only one that varies as wells do."""
    wells = [column for column in columns if column.role is Role.WELL]
    if len(wells) < 2:
        return columns
    chosen = [column for column in wells if column.fixed]
    if not chosen:
        varying = [column for column in wells if len(_rows_of(column)) > 1]
        in_name = [column for column in varying if not column.of_folder]
        same = all(_matched(column) == _matched(wells[0]) for column in wells)
        chosen = wells[:1] if same else varying if len(varying) == 1 else in_name
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


def _beside_a_well(column: _Column, well: _Column) -> Role | None:
    """What another part is that looks like a well: the well again, or a plate (``P12``)."""
    if _matched(column) == _matched(well):
        return Role.IGNORE
    return Role.PLATE if column.distinct[0][:1].casefold() == "p" else None


def _rows_of(column: _Column) -> set[str]:
    return {name[:-2] for name in map(well_name, column.distinct) if name}


def _matched(column: _Column) -> list[str | None]:
    return [well_name(value) for value in column.values]


def _one_channel(columns: list[_Column]) -> list[_Column]:
    """One column of channels: of a number and a name that go together, the name."""
    channels = [column for column in columns if column.role is Role.CHANNEL]
    if len(channels) < 2:
        return columns
    fixed = [column for column in channels if column.fixed]
    named = [column for column in channels if any(map(vocabulary.is_channel, column.distinct))]
    varying = [column for column in channels if len(column.distinct) > 1]
    chosen = (fixed or [one for one in named if one in varying] or varying or named or channels)[0]
    changed = []
    for column in columns:
        if column.role is Role.CHANNEL and column is not chosen:
            role = Role.IGNORE if _follows(column, chosen) else None
            column = replace(column, role=role)
        changed.append(column)
    return changed


def _follows(column: _Column, other: _Column) -> bool:
    """Whether one column is told by another."""
    return len(set(zip(column.values, other.values, strict=True))) == len(set(other.values))


def _each_role_once(columns: list[_Column]) -> list[_Column]:
    taken: set[Role] = {column.role for column in columns if column.fixed and column.role}
    changed = []
    # The name of a file says more than its folder.
    for column in sorted(columns, key=lambda column: column.of_folder):
        role = column.role
        if role is not None and not column.fixed and role not in (Role.KEY, Role.IGNORE):
            if role in taken:
                role = None
            else:
                taken.add(role)
        changed.append(replace(column, role=role))
    order = {column.name: place for place, column in enumerate(columns)}
    return sorted(changed, key=lambda column: order[column.name])


def _prefix(column: _Column) -> str:
    """The letters before the number of every value, or nothing."""
    pairs = {pair and pair[0] for pair in map(vocabulary.prefixed, column.distinct)}
    return next(iter(pairs)) or "" if len(pairs) == 1 else ""


def _number_of(value: str) -> str:
    pair = vocabulary.prefixed(value)
    return pair[1] if pair else value


def _plain_number(column: _Column) -> _Column:
    """Numbers of fields, planes, times, rows and columns without the letters before them."""
    numbered = (Role.FIELD, Role.PLANE, Role.TIME, Role.WELL_ROW, Role.WELL_COLUMN)
    if column.fixed or column.role not in numbered or not _prefix(column):
        return column
    return replace(column, values=tuple(map(_number_of, column.values)))


def _open_ones(columns: list[_Column], files: int) -> list[_Column]:
    """Roles of the columns that do not tell by themselves, from how they vary with the others."""
    for place, column in enumerate(columns):
        if column.role is None and not column.asked:
            others = [one for one in columns if one is not column and one.role is not Role.IGNORE]
            tell = _of_folder if column.of_folder else _of_name
            columns = [*columns[:place], tell(column, others, files), *columns[place + 1 :]]
    return columns


def _of_name(column: _Column, others: list[_Column], files: int) -> _Column:
    roles = {one.role for one in others}
    wells = [one for one in others if one.role is Role.WELL]
    if wells and _follows(column, wells[0]) and _follows(wells[0], column):
        return replace(column, role=Role.IGNORE)  # a running number of the wells
    if column.fixed or any(one.fixed for one in others):
        return column
    numbers = _is_number(column)
    if _is_capital(column):
        return _capital_letter(column, roles)
    names = [one for one in others if not one.of_folder and len(one.distinct) > 1]
    if Role.FIELD in roles:
        return column
    open_parts = [one for one in names if one.role is None]
    if numbers and not any(map(_is_number, open_parts)) and (_prefix(column) or not open_parts):
        # Beside other parts of a name, few numbers that all of them have may be channels.
        crossed = files == len(column.distinct) * _identities(others)
        few = len(column.distinct) <= MOST_CHANNELS
        if Role.CHANNEL in roles or not names or not crossed or not few or _prefix(column):
            return replace(column, role=Role.FIELD, values=_numbers(column))
    if not numbers and not names and len(column.distinct) == files:
        return replace(column, role=Role.FIELD)
    return column


def _is_number(column: _Column) -> bool:
    return all(_number_of(value).isdecimal() for value in column.distinct)


def _is_capital(column: _Column) -> bool:
    """Whether values such as ``C01`` are wells of one row, or something else."""
    if column.role is not None or column.of_folder:
        return False
    one_row = len({value[:1] for value in column.distinct}) == 1
    return one_row and all(
        re.fullmatch(r"[A-Z]\d+", value) and well_name(value) for value in column.distinct
    )


def _numbers(column: _Column) -> tuple[str, ...]:
    return tuple(map(_number_of, column.values)) if _prefix(column) else column.values


def _capital_letter(column: _Column, roles: set[Role | None]) -> _Column:
    """``C01`` is a channel beside wells, and may be a well without any."""
    meant = vocabulary.PREFIXES.get(column.distinct[0][:1].casefold())
    if roles & {Role.WELL, Role.WELL_ROW} and meant is not None and meant not in roles:
        return replace(column, role=meant)
    if meant is not None and meant in roles and Role.WELL not in roles:
        return replace(column, role=Role.WELL)
    return column


def _of_folder(column: _Column, others: list[_Column], files: int) -> _Column:
    roles = {one.role for one in others}
    digits = all(value.isdecimal() for value in column.distinct)
    if column.distinct == [""]:
        return replace(column, role=Role.IGNORE)
    if roles & {Role.WELL, Role.WELL_ROW}:
        told = any(char.isdecimal() for value in column.distinct for char in value)
        return replace(column, role=Role.PLATE) if told and Role.PLATE not in roles else column
    varying = [one for one in others if one.role is not Role.CHANNEL and len(one.distinct) > 1]
    if Role.CHANNEL in roles and not varying and Role.FIELD not in roles:
        return replace(column, role=Role.FIELD)  # a folder for each field of view
    if any(one.role is None and one.of_folder for one in varying) or digits:
        return column
    crossed = files == len(column.distinct) * _identities(others)
    few = len(column.distinct) <= MOST_CHANNELS
    if Role.CHANNEL not in roles and crossed and few and varying:
        return column  # as likely a channel as a class
    if Role.CLASS in roles or len(column.distinct) > max(2, files // 2):
        return column
    return replace(column, role=Role.CLASS)


def _identities(columns: list[_Column]) -> int:
    if not columns:
        return 1
    return len(set(zip(*(column.values for column in columns), strict=True)))


def _whole_names(columns: list[_Column], paths: list[str]) -> list[_Column]:
    """Names in folders of classes that hold several parts, all unclear, as fields of view."""
    in_name = [column for column in columns if not column.of_folder]
    unclear = [column for column in in_name if column.role is None and not column.asked]
    known = [one for one in in_name if one.role not in (None, Role.FIELD, Role.IGNORE)]
    folders = any(column.of_folder and column.role is Role.CLASS for column in columns)
    if known or len(unclear) < 2 or not folders or any(column.fixed for column in in_name):
        return columns
    return _named_fields([column for column in columns if column.of_folder], paths)


def _named_fields(columns: list[_Column], paths: list[str]) -> list[_Column]:
    """Names without any part of use are fields of view themselves."""
    telling = [one for one in columns if one.role is not Role.IGNORE and not one.of_folder]
    keys = [one for one in columns if one.role is not Role.IGNORE]
    if telling or (keys and _identities(keys) == len(paths)):
        return columns
    stems = tuple(plain_name(stem_of(path.rsplit("/", 1)[-1])) for path in paths)
    return [*columns, _Column("part 0", stems, Role.FIELD)]


def _names_of(columns: list[_Column]) -> list[str]:
    names: list[str] = []
    for column in columns:
        name = column.name
        if not column.fixed and column.role is not None:
            name = _NAMES.get(column.role, str(column.role)) or column.name
        own, count = name, 2
        while own in names:
            own, count = f"{name} {count}", count + 1
        names.append(own)
    return names


def _question(name: str, column: _Column) -> Choice:
    where = "of the folders" if column.of_folder else "of the file names"
    values = listed(column.distinct, 4)
    return Choice(name, f"What does {name} {where} say ({values})?", tuple(map(str, OPEN_ROLES)))


def _style(columns: list[_Column]) -> str:
    """The parts of the name and the folders, in words."""
    telling = [one for one in columns if one.role not in (Role.IGNORE, Role.KEY)]
    in_name = [str(one.role or one.name) for one in telling if not one.of_folder]
    folders = [f"{one.role or one.name} per folder" for one in telling if one.of_folder]
    words = [f"{', '.join(in_name)} in the name"] if in_name else []
    return ", ".join([*words, *folders]) or "single images"
