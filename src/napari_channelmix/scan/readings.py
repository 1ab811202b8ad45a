"""From paths to columns: what each part of a name and each folder says, or has to be asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from napari_channelmix.scan.name_columns import NameColumn
from napari_channelmix.scan.name_parts import alike, parts_of, role_of, without_word
from napari_channelmix.scan.open_roles import with_open_roles
from napari_channelmix.scan.pattern import Parts, Pattern, plain_name, stem_of
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.settled_roles import settled
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
# Columns are called after their role, but these.
_NAMES = {
    Role.WELL_ROW: "row",
    Role.WELL_COLUMN: "column",
    Role.KEY: "",
    Role.IGNORE: "",
}


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
    read = [path for path, parts in zip(paths, matches, strict=True) if parts is not None]
    fitting = [parts for parts in matches if parts is not None]
    columns = []
    for name, role in pattern.roles.items():
        values = tuple(parts[name] for parts in fitting)
        if any(values):
            columns.append(NameColumn(name, values, role, fixed=True))
    columns += _folders(read, below=pattern.depth)
    style = f"like {pattern.name[11:]}" if pattern.name.startswith("names like ") else ""
    why = reason or f"its name is not {style or f'of the style {pattern.name}'}"
    left_out = tuple(
        LeftOut(path, why) for path, parts in zip(paths, matches, strict=True) if parts is None
    )
    return replace(_resolved(pattern.name, read, columns), left_out=left_out)


def read_by_parts(paths: Sequence[str]) -> Reading:
    """Read paths of no known style: parts of the names and folders, by what they hold.

    Few names of another shape are left out where the others tell wells or channels.
    """
    stems = [plain_name(stem_of(path.rsplit("/", 1)[-1])) for path in paths]
    kept, parts = alike(stems)
    some = [paths[place] for place in kept]
    columns = [
        NameColumn(f"part {part.number}", part.values, role_of(part.distinct)) for part in parts
    ]
    telling = (Role.WELL, Role.WELL_ROW, Role.CHANNEL, Role.PLANE, Role.TIME)
    if len(kept) < len(paths):
        reading = _resolved("", some, [*columns, *_folders(some)])
        if any(role in telling for role in reading.roles.values()):
            reason = f"named otherwise than the other {len(kept):,} files"
            odd = sorted(set(range(len(paths))) - set(kept))
            return replace(reading, left_out=tuple(LeftOut(paths[one], reason) for one in odd))
        columns = []
    return _resolved("", list(paths), [*columns, *_folders(paths)])


def _folders(paths: Sequence[str], below: int = 0) -> list[NameColumn]:
    """A column for each level of folders, the outermost first; deeper paths keep all levels."""
    heads = [_folder_of(plain_name(path), below) for path in paths]
    # Once for each folder: lists of 10,000 files would hold up whoever collects garbage.
    rows = {head: head.split("/") if head else [] for head in heads}
    depth = max(map(len, rows.values()), default=0)
    rows = {head: [""] * (depth - len(row)) + row for head, row in rows.items()}
    levels = [tuple(rows[head][level] for head in heads) for level in range(depth)]
    stems = [plain_name(stem_of(path.rsplit("/", 1)[-1])) for path in paths]
    columns = []
    for place, values in enumerate(map(without_word, levels), 1):
        if _repeated_in(values, stems):
            continue
        whole = NameColumn(f"folder {place}", values, _role_of_folder(values), of_folder=True)
        columns += [whole] if whole.role is not None else _folder_in_parts(whole)
    return columns


def _folder_of(path: str, below: int) -> str:
    """The folders of a path without the innermost ``below``; empty where there are no more."""
    parts = path.rsplit("/", 1 + below)
    return parts[0] if len(parts) == 2 + below else ""


def _repeated_in(values: Sequence[str], stems: Sequence[str]) -> bool:
    """Whether names begin with the name of their folder, of several parts."""
    if len(set(values)) < 2 or any(len(parts_of([value])) < 2 for value in set(values)):
        return False
    return all(
        stem.startswith(value) and not stem[len(value) :][:1].isalnum()
        for value, stem in zip(values, stems, strict=True)
    )


def _folder_in_parts(folder: NameColumn) -> list[NameColumn]:
    """A folder such as ``B2-Site_0`` as its parts, where one of them tells what it is."""
    parts = parts_of(folder.values) if len(folder.distinct) > 1 else []
    several = len(parts) > 1
    parts = [part for part in parts if len(part.distinct) > 1]
    roles = [role_of(part.distinct) for part in parts]
    if not several or not any(role not in (None, Role.CHANNEL) for role in roles):
        return [folder]
    return [
        NameColumn(f"{folder.name} part {part.number}", part.values, role, of_folder=True)
        for part, role in zip(parts, roles, strict=True)
    ]


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


def _resolved(style: str, paths: list[str], columns: list[NameColumn]) -> Reading:
    """The columns with one role each; what stays open becomes a question."""
    columns = with_open_roles(settled(columns, len(paths)), paths)
    if not any(column.fixed for column in columns):
        columns = [column for column in columns if column.role is not Role.IGNORE]
    names = _names_of(columns)
    choices = tuple(
        _question(name, column)
        for name, column in zip(names, columns, strict=True)
        if column.role is None or column.proposed
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


def _names_of(columns: list[NameColumn]) -> list[str]:
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


def _question(name: str, column: NameColumn) -> Choice:
    where = "of the folders" if column.of_folder else "of the file names"
    values = listed(column.distinct, 4)
    chosen = None if column.role is None else str(column.role)
    text = f"What does {column.name} {where} say ({values})?"
    return Choice(name, text, tuple(map(str, OPEN_ROLES)), chosen)


def _style(columns: list[NameColumn]) -> str:
    """The parts of the name and the folders, in words."""
    telling = [one for one in columns if one.role not in (Role.IGNORE, Role.KEY)]
    in_name = [str(one.role or one.name) for one in telling if not one.of_folder]
    folders = [f"{one.role or one.name} per folder" for one in telling if one.of_folder]
    words = [f"{', '.join(in_name)} in the name"] if in_name else []
    return ", ".join([*words, *folders]) or "single images"
