"""Parts that do not tell by themselves what they say: from how they vary with the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from napari_channelmix.scan import vocabulary
from napari_channelmix.scan.name_columns import NameColumn, follows, identities, plain_numbers
from napari_channelmix.scan.pattern import plain_name, stem_of
from napari_channelmix.scan.roles import Role

__all__ = ["with_open_roles"]

# Letters before a running number of images, which say nothing else.
_COUNTED = frozenset(
    (
        *("img", "image", "im", "pic", "picture", "photo", "cell", "nucleus", "sample", "roi"),
        *("bild", "foto", "snap", "crop", "dsc", "object"),
    )
)
# Channels at most that numbers may say. Our definition.
MOST_CHANNELS = 12
# Roles of which one value says nothing.
_OF_NO_USE = (None, Role.TIME, Role.PLANE, Role.PLATE)
_WELLS = {Role.WELL, Role.WELL_ROW}


def with_open_roles(columns: list[NameColumn], paths: Sequence[str]) -> list[NameColumn]:
    """The columns with the roles that follow from the others; the rest is left to be asked."""
    files = len(paths)
    for place, column in enumerate(columns):
        if column.role is None and not column.asked:
            others = [one for one in columns if one is not column and one.role is not Role.IGNORE]
            tell = _of_folder if column.of_folder else _of_name
            columns = [*columns[:place], tell(column, others, files), *columns[place + 1 :]]
    columns = _whole_names(columns, paths)
    return [
        column
        for column in _named_fields(columns, paths)
        if len(column.distinct) > 1 or column.fixed or column.role not in _OF_NO_USE
    ]


def _of_name(column: NameColumn, others: list[NameColumn], files: int) -> NameColumn:
    roles = {one.role for one in others}
    if column.fixed:
        return column
    known = [one for one in others if one.role in (Role.WELL, Role.CHANNEL)]
    known += [one for one in others if one.of_folder]
    if any(follows(column, one) and follows(one, column) for one in known):
        return replace(column, role=Role.IGNORE)  # a running number of wells or channels
    if _numbers_files(column, others, files):
        return replace(column, role=Role.IGNORE)
    if column.is_capital:
        return _capital_letter(column, roles)
    if Role.FIELD in roles:
        return column
    names = [one for one in others if not one.of_folder and len(one.distinct) > 1]
    counted = column.is_number and (not column.prefix or column.prefix in _COUNTED)
    if not names and (counted or len(column.distinct) == files):
        return replace(column, role=Role.FIELD, values=plain_numbers(column))
    if column.is_number and Role.CHANNEL in roles:
        # By elimination, so it is said: it may be a plane or a time as well.
        if not any(one.role is None and one.is_number for one in names):
            values = plain_numbers(column)
            return replace(column, role=Role.FIELD, values=values, proposed=True)
    elif counted and not column.prefix and Role.CHANNEL not in roles:
        # Too many, or not the same for all: no channels.
        crossed = files == len(column.distinct) * identities(others)
        alone = not any(one.role is None and one.is_number for one in names)
        if alone and (not crossed or len(column.distinct) > MOST_CHANNELS):
            return replace(column, role=Role.FIELD, proposed=True)
    elif counted and column.prefix and not any(one.role is None and one.prefix for one in names):
        return replace(column, role=Role.FIELD, values=plain_numbers(column), proposed=True)
    return column


def _numbers_files(column: NameColumn, others: list[NameColumn], files: int) -> bool:
    """Whether a part numbers the files, which are told apart without it.

    With it, no two channels would be of one field of view.
    """
    places = [one for one in others if one.role is not Role.CHANNEL]
    if len(places) == len(others) or not column.is_number or identities(others) < files:
        return False
    return identities([*places, column]) == files > identities(places)


def _capital_letter(column: NameColumn, roles: set[Role | None]) -> NameColumn:
    """``C01`` is a channel beside wells, and may be a well without any."""
    meant = vocabulary.PREFIXES.get(column.distinct[0][:1].casefold())
    if column.distinct[0][:1] == "P" and roles & _WELLS and Role.PLATE not in roles:
        return replace(column, role=Role.PLATE, proposed=True)
    if roles & _WELLS and meant is not None and meant not in roles:
        return replace(column, role=meant)
    if meant is not None and meant in roles and not roles & _WELLS:
        return replace(column, role=Role.WELL)
    return column


def _of_folder(column: NameColumn, others: list[NameColumn], files: int) -> NameColumn:
    roles = {one.role for one in others}
    texts = [value for value in column.distinct if value]
    if not texts:
        return replace(column, role=Role.IGNORE)
    if any(follows(column, one) for one in others if one.role in (Role.WELL, Role.FIELD)):
        wells = [one for one in others if one.role is Role.WELL and follows(one, column)]
        if wells or any(follows(one, column) for one in others if one.role is Role.FIELD):
            return replace(column, role=Role.IGNORE)  # a folder for each well, or each field
    if roles & _WELLS:
        told = any(char.isdecimal() for value in texts for char in value)
        return replace(column, role=Role.PLATE) if told and Role.PLATE not in roles else column
    varying = [one for one in others if one.role is not Role.CHANNEL and len(one.distinct) > 1]
    if Role.CHANNEL in roles and not varying and Role.FIELD not in roles:
        return replace(column, role=Role.FIELD)  # a folder for each field of view
    if any(one.role is None and one.of_folder for one in varying) or Role.CLASS in roles:
        return column
    if all(re.search(r"\d", value) for value in texts):
        return column  # numbers count something; they seldom name a class
    crossed = files == len(texts) * identities(others)
    if Role.CHANNEL not in roles and crossed and varying:
        return column  # as likely a channel as a class
    channels = max([1, *(len(one.distinct) for one in others if one.role is Role.CHANNEL)])
    images = files / channels
    # Not a class for every image.
    return replace(column, role=Role.CLASS) if images > len(texts) else column


def _whole_names(columns: list[NameColumn], paths: Sequence[str]) -> list[NameColumn]:
    """Names in folders of classes that hold several parts, all unclear, as fields of view."""
    in_name = [column for column in columns if not column.of_folder]
    unclear = [column for column in in_name if column.role is None and not column.asked]
    known = [one for one in in_name if one.role not in (None, Role.FIELD, Role.IGNORE)]
    folders = any(column.of_folder and column.role is Role.CLASS for column in columns)
    if known or len(unclear) < 2 or not folders or any(column.fixed for column in in_name):
        return columns
    return _named_fields([column for column in columns if column.of_folder], paths)


def _named_fields(columns: list[NameColumn], paths: Sequence[str]) -> list[NameColumn]:
    """Names without any part of use are fields of view themselves."""
    telling = [one for one in columns if one.role is not Role.IGNORE and not one.of_folder]
    keys = [one for one in columns if one.role is not Role.IGNORE]
    if telling or (keys and identities(keys) == len(paths)):
        return columns
    stems = tuple(plain_name(stem_of(path.rsplit("/", 1)[-1])) for path in paths)
    return [*columns, NameColumn("part 0", stems, Role.FIELD)]
