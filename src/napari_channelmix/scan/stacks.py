"""Planes and times of stacks: which are asked for, and what the data-set file says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.scan.layout import columns_of
from napari_channelmix.scan.questions import Choice
from napari_channelmix.scan.roles import PLACES, Role

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.pictures import Pictures

__all__ = ["EACH_PLANE", "EACH_TIME", "planes_entry", "stack_questions"]

EACH_PLANE = "every plane a field of view"
EACH_TIME = "every time a field of view"
MAXIMUM = "maximum over the "
# Question, role, what one is called, all of them, axis of a file.
_AXES = (
    ("planes", Role.PLANE, "plane", EACH_PLANE, "Z"),
    ("times", Role.TIME, "time", EACH_TIME, "T"),
)
# Planes that are offered one by one.
MOST_PLANES = 200


def stack_questions(
    entries: pd.DataFrame, roles: Mapping[str, Role], pictures: Pictures
) -> list[Choice]:
    """Which planes and times are used, of stacks of files and of stacks within files.

    Nothing is proposed: a plane, all of them and their maximum are different data.
    """
    choices = []
    for name, role, word, each, axis in _AXES:
        count = _planes_in_files(pictures, axis)
        columns = columns_of(roles, role)
        values: list[Any] = [*range(count)]
        if columns and not count:
            values = sorted(set(entries[columns[0]]), key=natural_key)
            if not _in_stacks(entries, roles, columns[0]):
                continue
        if len(values) < 2:
            continue
        options = [f"only {word} {value}" for value in values[:MOST_PLANES]]
        text = f"{len(values)} {word}s of each field of view: which are used?"
        if count:
            text = f"{len(values)} {word}s in each file (0 is the first): which are used?"
        choices.append(Choice(name, text, (each, f"{MAXIMUM}{name}", *options)))
    return choices


def planes_entry(
    chosen: Mapping[str, str | None], roles: Mapping[str, Role], pictures: Pictures
) -> dict[str, Any]:
    """``[planes]`` of the data-set file; empty where every row is a field of view as it is."""
    entry: dict[str, Any] = {}
    for name, role, word, each, axis in _AXES:
        answer, key = chosen.get(name), axis.lower()
        in_files = bool(_planes_in_files(pictures, axis))
        columns = columns_of(roles, role)
        if answer == f"{MAXIMUM}{name}":
            entry[key] = "maximum"
        elif answer is not None and in_files:
            number = answer.removeprefix(f"only {word} ")
            entry[key] = "each" if answer == each else int(number)
        else:
            # Files of their own: the rows that are left are the planes.
            continue
        if columns:
            entry[f"{key}_column"] = columns[0]
    return entry


def _planes_in_files(pictures: Pictures, axis: str) -> int:
    """The planes that every file with that axis has; 0 where files hold one each."""
    counts = [
        picture.shape[picture.axes.index(axis)]
        for picture in pictures.opened
        if picture.axes and axis in picture.axes
    ]
    return min(counts, default=0)


def _in_stacks(entries: pd.DataFrame, roles: Mapping[str, Role], column: str) -> bool:
    """Whether some place has more than one value of a column."""
    keys = [
        name
        for name, role in roles.items()
        if (role in PLACES or role is Role.CHANNEL) and name != column
    ]
    if not keys:
        return True
    return bool(entries.duplicated(keys).any())
