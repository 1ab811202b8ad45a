"""The table of a data set from the files or objects of a scan: a row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_channelmix.scan.doses import doses_in_one_unit
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.roles import PLACES, SINGLE, Role
from napari_channelmix.scan.wells import missing_wells, well_name, well_of
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SPLITS", "Layout", "columns_of", "incomplete_fields", "layout_of"]

# Names of the parts of a split, as they are met and as a data set has them.
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "holdout": "test",
}
# Roles that tell apart images of one stack, or cells of one image: not part of a group.
_WITHIN_GROUP = (Role.PLANE, Role.TIME, Role.OBJECT, Role.KEY)
# What may differ among the objects of one field of view.
_OF_OBJECTS = (Role.CLASS, Role.DOSE, Role.SPLIT)


@dataclass(frozen=True, eq=False)
class Layout:
    """The table of the data set and what its columns say.

    Attributes
    ----------
    table : pandas.DataFrame
        Of texts; a row per field of view, or per object.
    files : dict of str to str
        Channel as files name it, and the column with its file; empty where one file holds all.
    image : str or None
        The column of files that hold all channels.
    mask, object, y, x, label, group, split : str or None
        Columns.
    left_out : tuple of LeftOut
        Rows that cannot be used.
    notes, problems : tuple of str
    """

    table: pd.DataFrame
    files: dict[str, str] = field(default_factory=dict)
    image: str | None = None
    mask: str | None = None
    object: str | None = None
    y: str | None = None
    x: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def columns_of(roles: Mapping[str, Role], role: Role) -> list[str]:
    """The columns of a role, in their order."""
    return [column for column, its_role in roles.items() if its_role is role]


def layout_of(
    entries: pd.DataFrame,
    roles: Mapping[str, Role],
    channels: Mapping[str, str],
    chosen: Mapping[str, str | None],
) -> Layout:
    """Lay out the files or objects of a scan as the table of a data set.

    Keep the planes and times that are asked for; put the files of one field of view into one row;
    leave out what lacks a channel; name wells, groups and parts of the split.

    Parameters
    ----------
    entries : pandas.DataFrame
        Of texts; a row for each image file, or for each object of a table.
    roles : mapping of str to Role
        Of every column.
    channels : mapping of str to str
        Channel as files name it, and its name.
    chosen : mapping of str to (str or None)
        Answers, by the name of the question.
    """
    problems = _role_problems(roles)
    if problems:
        return Layout(entries.iloc[:0], problems=tuple(problems))
    entries = _of_one_plane(entries, roles, chosen)
    single = {role: columns_of(roles, role)[0] for role in SINGLE if columns_of(roles, role)}
    images = columns_of(roles, Role.IMAGE)
    left_out: tuple[LeftOut, ...] = ()
    notes: list[str] = []
    files: dict[str, str] = {}
    if Role.CHANNEL in single:
        table, files, left_out, problems = _pivoted(
            entries, roles, channels, chosen.get("incomplete")
        )
    else:
        kept = [name for name, role in roles.items() if role is not Role.IGNORE]
        table = entries[kept].reset_index(drop=True)
        if len(images) > 1:
            files = {name: name for name in images if name in channels}
    table, well = _with_wells(table, single)
    if well is not None:
        notes += _missing(table, well, single.get(Role.PLATE))
    table = _with_doses(table, columns_of(roles, Role.DOSE))
    label = single.get(Role.CLASS)
    table, group = _with_group(table, roles, single, well, images)
    if Role.SPLIT in single:
        split = single[Role.SPLIT]
        table[split] = [SPLITS.get(str(text).casefold(), str(text)) for text in table[split]]
        if group and Role.GROUP not in single and table.groupby(group)[split].nunique().max() > 1:
            notes.append(
                f"column {quoted(split)} divides cells of one {group}: each cell is a group of its "
                "own, and accuracy may not hold on other images"
            )
            group = None
    if not len(table) and not problems:
        problems = ["no field of view is left"]
    return Layout(
        table,
        files,
        images[0] if not files and images else None,
        single.get(Role.MASK),
        single.get(Role.OBJECT),
        single.get(Role.Y),
        single.get(Role.X),
        label,
        group,
        single.get(Role.SPLIT),
        left_out,
        tuple(notes),
        tuple(problems),
    )


def _role_problems(roles: Mapping[str, Role]) -> list[str]:
    lines = []
    for role in SINGLE:
        columns = columns_of(roles, role)
        if len(columns) > 1:
            names = listed([quoted(name) for name in columns])
            lines.append(f"the columns {names} are all '{role}'; leave one of them so")
    if not columns_of(roles, Role.IMAGE):
        lines.append("no column names image files")
    elif columns_of(roles, Role.CHANNEL) and len(columns_of(roles, Role.IMAGE)) > 1:
        lines.append(
            "several columns of image files, and a column of channels: a file column is a channel "
            "itself; leave out one or the other"
        )
    for one, other in (
        (Role.WELL_ROW, Role.WELL_COLUMN),
        (Role.WELL_COLUMN, Role.WELL_ROW),
        (Role.X, Role.Y),
        (Role.Y, Role.X),
    ):
        if columns_of(roles, one) and not columns_of(roles, other):
            lines.append(f"there is a column '{one}', and none '{other}'")
    if columns_of(roles, Role.WELL) and columns_of(roles, Role.WELL_ROW):
        lines.append("a column 'well' and one 'well row'; leave out one of the two")
    return lines


def _of_one_plane(
    entries: pd.DataFrame, roles: Mapping[str, Role], chosen: Mapping[str, str | None]
) -> pd.DataFrame:
    """The entries of the plane and the time that were chosen."""
    for name, role, word in (("planes", Role.PLANE, "plane"), ("times", Role.TIME, "time")):
        answer = chosen.get(name) or ""
        columns = columns_of(roles, role)
        if columns and answer.startswith(f"only {word} "):
            entries = entries[entries[columns[0]] == answer.removeprefix(f"only {word} ")]
    return entries


def _pivoted(
    entries: pd.DataFrame,
    roles: Mapping[str, Role],
    channels: Mapping[str, str],
    incomplete: str | None,
) -> tuple[pd.DataFrame, dict[str, str], tuple[LeftOut, ...], list[str]]:
    """A row per field of view, a file column per channel."""
    image, channel = (columns_of(roles, role)[0] for role in (Role.IMAGE, Role.CHANNEL))
    keys = [name for name, role in roles.items() if role in PLACES]
    names = [name for name in channels if (entries[channel] == name).any()]
    dropped = _channel_left_out(incomplete, names, channels)
    names = [name for name in names if name != dropped]
    nameless = entries.loc[entries[channel] == "", image]
    said = tuple(LeftOut(str(path), "its name says no channel") for path in nameless)
    entries = entries[entries[channel].isin(names)]
    taken = set(keys) | set(columns_of(roles, Role.MASK))
    files = {name: _free(f"{channels[name]} file", taken) for name in names}
    entries = _wells_as_matched(entries, roles)
    duplicates = entries[entries.duplicated([*keys, channel], keep=False)]
    if len(duplicates):
        return entries.iloc[:0], files, (), [_duplicate(duplicates, keys, channel, image)]
    if keys:
        codes = entries.groupby(keys, sort=False).ngroup()
    else:
        codes = entries[channel].groupby(entries[channel]).cumcount()
    first = entries[keys].groupby(codes).first() if keys else entries[[]].groupby(codes).first()
    wide = entries.assign(_field=codes).pivot(index="_field", columns=channel, values=image)
    table = first.assign(**{files[name]: wide[name] for name in names})
    for mask in columns_of(roles, Role.MASK):
        # One label image is of all channels: the files that have none say nothing of it.
        table[mask] = entries[mask].groupby(codes).max()
    whole = table[list(files.values())].notna().all(axis=1)
    if not whole.any():
        shown = listed([channels[name] for name in names])
        problem = (
            f"no field of view has all of the channels {shown}: one of the columns {listed(keys)} "
            "differs between the files of one field of view; say what it is, or leave it out"
        )
        return table.fillna("").reset_index(drop=True), files, (), [problem]
    left_out = tuple(
        LeftOut(
            str(next(path for path in row if isinstance(path, str))),
            f"its field of view has no {listed(_lacking(row, names, channels))}",
        )
        for row in table.loc[~whole, list(files.values())].itertuples(index=False)
    )
    return table[whole].reset_index(drop=True), files, (*said, *left_out), []


def _wells_as_matched(entries: pd.DataFrame, roles: Mapping[str, Role]) -> pd.DataFrame:
    """The entries with one name for each well where files have several: ``a1`` and ``A01``."""
    for column in columns_of(roles, Role.WELL):
        texts = entries[column].astype(str)
        known = {text: well_name(text) or text for text in texts.unique()}
        if len(set(known.values())) < len(known):
            entries = entries.assign(**{column: texts.map(known)})
    return entries


def _lacking(row: Sequence[object], names: Sequence[str], channels: Mapping[str, str]) -> list[str]:
    pairs = zip(row, names, strict=True)
    return [f"channel {channels[name]}" for path, name in pairs if not isinstance(path, str)]


def _channel_left_out(
    incomplete: str | None, names: Sequence[str], channels: Mapping[str, str]
) -> str | None:
    text = (incomplete or "").removeprefix("without channel ")
    if text == (incomplete or ""):
        return None
    return next((name for name in names if channels[name] == text), None)


def incomplete_fields(
    entries: pd.DataFrame, roles: Mapping[str, Role]
) -> tuple[int, int, list[str]]:
    """Fields of view that lack a channel, all fields, and the channels that some lack."""
    channel = columns_of(roles, Role.CHANNEL)
    keys = [name for name, role in roles.items() if role in PLACES]
    if len(channel) != 1 or not keys or not len(entries):
        return 0, 0, []
    codes = entries.groupby(keys, sort=False).ngroup()
    total = int(codes.max()) + 1
    there = entries[channel[0]].groupby(entries[channel[0]]).size()
    having = {name: int(codes[entries[channel[0]] == name].nunique()) for name in there.index}
    counts = entries[channel[0]].groupby(codes).nunique()
    lacking = int((counts < len(having)).sum())
    return lacking, total, [name for name, count in having.items() if count < total]


def _duplicate(duplicates: pd.DataFrame, keys: list[str], channel: str, image: str) -> str:
    first = duplicates.iloc[0]
    same = duplicates[(duplicates[[*keys, channel]] == first[[*keys, channel]]).all(axis=1)]
    where = ", ".join(f"{name} {first[name]}" for name in keys) or "one field of view"
    return (
        f"{counted(len(duplicates), 'file')} share well, field and channel with another: "
        f"{quoted(same[image].iloc[0], 100)} and {quoted(same[image].iloc[1], 100)} are both "
        f"{where}, channel {first[channel]}; say what tells them apart, or remove one"
    )


def _with_wells(table: pd.DataFrame, single: Mapping[Role, str]) -> tuple[pd.DataFrame, str | None]:
    """The table with wells as they are matched; as files name them only where that differs."""
    if Role.WELL in single:
        column = single[Role.WELL]
        texts = table[column].astype(str)
        known = {text: well_name(text) for text in texts.unique()}
        if any(name is None for name in known.values()):
            # Wells of a kind we do not know stay as they are.
            return table, column
        names = texts.map(known).tolist()
        if names == texts.tolist():
            return table, column
        taken = set(table.columns) - {column}
        table = table.rename(columns={column: _free("well as named", taken)})
        name = _free("well", set(table.columns))
    elif Role.WELL_ROW in single:
        rows, columns = table[single[Role.WELL_ROW]], table[single[Role.WELL_COLUMN]]
        pairs = list(zip(rows, columns, strict=True))
        of_pair = {pair: well_of(*map(str, pair)) for pair in dict.fromkeys(pairs)}
        names = [of_pair[pair] or f"{pair[0]}-{pair[1]}" for pair in pairs]
        name = _free("well", set(table.columns))
    else:
        return table, None
    table = table.copy()
    table.insert(0, name, names)
    return table, name


def _with_doses(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The table with a column of numbers beside each of doses with units."""
    for column in columns:
        if column in table and len(table):
            known = list(dict.fromkeys(table[column].astype(str)))
            plain = doses_in_one_unit(known)
            if plain is not None:
                of_text = dict(zip(known, plain[0], strict=True))
                name = _free(f"{column} in {plain[1]}", set(table.columns))
                table = table.assign(**{name: table[column].astype(str).map(of_text)})
    return table


def _missing(table: pd.DataFrame, well: str, plate: str | None) -> list[str]:
    lines = []
    names = table[plate].unique() if plate else [""]
    for name in map(str, names):
        rows = table[table[plate] == name] if plate else table
        missing = missing_wells(text for text in rows[well].unique() if well_name(text) == text)
        if missing:
            where = f"plate {name}: " if name else ""
            lines.append(f"{where}{counted(len(missing), 'well')} missing: {listed(missing)}")
    return lines


def _with_group(
    table: pd.DataFrame,
    roles: Mapping[str, Role],
    single: Mapping[Role, str],
    well: str | None,
    images: Sequence[str],
) -> tuple[pd.DataFrame, str | None]:
    """The table with a column of groups: wells of a plate, else fields of view, else files."""
    if Role.GROUP in single:
        return table, single[Role.GROUP]
    plate = single.get(Role.PLATE)
    if well is not None:
        columns = [well] if plate is None or table[plate].nunique() < 2 else [plate, well]
    else:
        of_objects = Role.OBJECT in single or Role.X in single
        without = (*_WITHIN_GROUP, *(_OF_OBJECTS if of_objects else ()))
        wanted = [role for role in PLACES if role not in without]
        columns = [name for name, role in roles.items() if role in wanted and name in table]
        if not columns:
            columns = [name for name in columns_of(roles, Role.KEY) if name in table]
        # Class and dose alone are no field of view, but the file is.
        if Role.FIELD not in single and images and images[0] in table:
            columns = [images[0]]
    if not columns:
        return table, None
    if len(columns) == 1:
        column = columns[0]
        return table, None if well is None and table[column].is_unique else column
    joined = table[columns[0]].astype(str)
    for column in columns[1:]:
        joined = joined + " " + table[column].astype(str)
    if well is None and joined.is_unique:
        return table, None
    name = _free("group", set(table.columns))
    return table.assign(**{name: joined}), name


def _free(name: str, taken: set[str]) -> str:
    """A name that no column has."""
    own, count = name, 2
    while own in taken:
        own, count = f"{name} {count}", count + 1
    taken.add(own)
    return own
