"""Which questions the columns of a scan raise, and what is proposed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from napari_channelmix.data.field_names import distinct_names
from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.errors import DataError
from napari_channelmix.scan.layout import columns_of, incomplete_fields
from napari_channelmix.scan.questions import Choice
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.stacks import EACH_PLANE, EACH_TIME, stack_questions
from napari_channelmix.scan.vocabulary import is_channel

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.pictures import Pictures
    from napari_channelmix.settings.scan import ScanSettings

__all__ = [
    "EACH_PLANE",
    "EACH_TIME",
    "IMAGES",
    "MASKS",
    "ONE_CHANNEL",
    "POINTS",
    "SEGMENT",
    "WITHOUT",
    "answered",
    "asks_role",
    "channel_names",
    "questions_of",
]

# Options of the question 'cells'; the channel's name follows the last.
IMAGES, MASKS, POINTS, SEGMENT = (
    "each image is a cell",
    "label images",
    "points",
    "segment nuclei in ",
)
# The channel of files that hold one and do not name it.
ONE_CHANNEL = "image"
LEAVE_OUT = "leave out these fields of view"
WITHOUT = "without channel "
# Share of fields of view that may lack a channel without a question. Our definition.
FEW = 0.1
# Images of a well at least, where each image may be one cell. Our definition.
CELLS_OF_WELL = 20
# `w1DAPI`, `ch2-GFP`, `ChannelDAPI`.
_NUMBER_BEFORE = re.compile(r"^(?:(?:w|ch?)\d+|channel)[ _-]*(?=[^\W\d_]{2})", re.IGNORECASE)
# Names that are numbers: `Channel:0:1`, `ch2`.
_NUMBERED = re.compile(r"(?:channel|chan|ch?|w)?[ :_-]*\d+(?:[ :_-]+\d+)*", re.IGNORECASE)
# Axes of files that hold several channels.
AXES = ("CYX", "YXC")


def channel_names(
    entries: pd.DataFrame,
    roles: Mapping[str, Role],
    settings: ScanSettings,
    pictures: Pictures,
) -> dict[str, str]:
    """Channels as files name them, in their order, and the names that are shown.

    Parameters
    ----------
    settings : ScanSettings
        With names that were given, and the answer to the question of axes.
    """
    names: Mapping[str, str] = settings.channels or {}
    columns = columns_of(roles, Role.CHANNEL)
    images = columns_of(roles, Role.IMAGE)
    if columns:
        own = sorted(set(entries[columns[0]]) - {""}, key=natural_key)
    elif len(images) > 1:
        own = list(images)
    else:
        first = pictures.first
        count = None if first is None else first.channel_count
        if first is not None and count is None:
            # Axes that the file does not name: the user has, or will.
            axes = str((settings.choices or {}).get("axes", "")).upper()[:3]
            count = first.shape[axes.index("C")] if axes in AXES else None
        if first is None or count is None:
            own = list(names)
        elif first.channels and len(first.channels) == count:
            own = list(distinct_names(first.channels))
        elif first.axes and "S" in first.axes and count == 3:
            own = ["red", "green", "blue"]
        elif count == 1:
            own = [ONE_CHANNEL]
        else:
            own = [f"channel {1 + place}" for place in range(count)]
    known = {name.casefold(): shown for name, shown in names.items()}
    plain = _plain_names(own)
    inside = pictures.names_of_channels()
    numbered = not any(map(is_channel, plain.values()))
    if columns and numbered and set(own) <= set(inside) and not _say_nothing(inside.values()):
        plain = {name: inside[name] for name in own}
    return {
        name: names.get(name, known.get(name.casefold(), shown)) for name, shown in plain.items()
    }


def _say_nothing(names: Iterable[str]) -> bool:
    return any(_NUMBERED.fullmatch(name) for name in names)


def _plain_names(own: Sequence[str]) -> dict[str, str]:
    """Channels without the number before their name: ``w1DAPI`` is shown as ``DAPI``."""
    plain = {name: _NUMBER_BEFORE.sub("", name) for name in own}
    return plain if len(set(plain.values())) == len(plain) else {name: name for name in own}


def questions_of(
    entries: pd.DataFrame,
    roles: Mapping[str, Role],
    channels: Mapping[str, str],
    pictures: Pictures,
) -> list[Choice]:
    """The questions that follow from the columns, with what is proposed."""
    choices = [_cells(entries, roles, channels, pictures)]
    first = pictures.first
    one_file = len(columns_of(roles, Role.IMAGE)) == 1 and not columns_of(roles, Role.CHANNEL)
    if one_file and first is not None and first.axes is None and len(first.shape) == 3:
        counts = (first.shape[0], first.shape[2])
        options = tuple(f"{axes} ({n} channels)" for axes, n in zip(AXES, counts, strict=True))
        text = f"The files do not say what their axes {first.shape} are: which are they?"
        choices.append(Choice("axes", text, options))
    choices += stack_questions(entries, roles, pictures)
    lacking, total, without = incomplete_fields(entries, roles)
    # Where every one lacks a channel, a part of the names was understood wrongly.
    if 0 < lacking < total and len(set(entries[columns_of(roles, Role.CHANNEL)[0]])) > 1:
        options = (LEAVE_OUT, *(f"{WITHOUT}{channels[name]}" for name in without))
        text = f"{lacking} of {total} fields of view lack a channel: what is left out?"
        proposed = LEAVE_OUT if lacking <= FEW * total else None
        choices.append(Choice("incomplete", text, options, proposed))
    return choices


def _images_of_wells(entries: pd.DataFrame, roles: Mapping[str, Role]) -> bool:
    """Whether files are named by wells of few images each: no well holds a few cells only."""
    wells = [*columns_of(roles, Role.WELL), *columns_of(roles, Role.WELL_ROW)]
    if not wells or not len(entries):
        return False
    channels = columns_of(roles, Role.CHANNEL)
    images = len(entries) / (entries[channels[0]].nunique() if channels else 1)
    wells = [*wells, *columns_of(roles, Role.WELL_COLUMN), *columns_of(roles, Role.PLATE)]
    return bool(images < CELLS_OF_WELL * entries.groupby(wells).ngroups)


def _cells(
    entries: pd.DataFrame,
    roles: Mapping[str, Role],
    channels: Mapping[str, str],
    pictures: Pictures,
) -> Choice:
    names = list(channels.values())
    options = [f"{SEGMENT}{name}" for name in names]
    masks = bool(columns_of(roles, Role.MASK))
    points = bool(columns_of(roles, Role.X) and columns_of(roles, Role.Y))
    options = [*[MASKS] * masks, *[POINTS] * points, IMAGES, *options]
    proposed = None
    if masks and (not points or columns_of(roles, Role.OBJECT)):
        proposed = MASKS
    elif points:
        proposed = POINTS
    elif pictures.of_single_cells and not _images_of_wells(entries, roles):
        proposed = IMAGES
    else:
        nuclei = nuclear_channel(names)
        proposed = None if nuclei is None else f"{SEGMENT}{nuclei}"
    return Choice("cells", "What is a cell?", tuple(options), proposed)


def answered(
    choices: Iterable[Choice], answers: Mapping[str, str], *, strict: bool
) -> tuple[Choice, ...]:
    """The questions with the answers that were given.

    Parameters
    ----------
    strict : bool
        Whether an answer that is no option is refused; otherwise the question is open again.

    Raises
    ------
    DataError
    """
    with_answers = []
    for choice in choices:
        chosen = choice.chosen
        if choice.name in answers:
            try:
                chosen = choice.option(answers[choice.name])
            except DataError:
                if strict:
                    raise
        with_answers.append(Choice(choice.name, choice.text, choice.options, chosen))
    return tuple(with_answers)


def asks_role(choice: Choice) -> bool:
    """Whether a question is about the role of a column: the one it is named after."""
    return set(choice.options) <= set(map(str, Role))
