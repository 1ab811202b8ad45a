"""What the preview of an import shows, worked out from a scan in a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.asking import WITHOUT
from napari_channelmix.scan.pattern import SUFFIXES
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.well_classes import wells_of, with_layout
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.plate_layout import PlateLayout
    from napari_channelmix.scan.scan import Scan

__all__ = ["Change", "Preview", "preview_job", "proposed_path", "sentence_of"]

# Another scan made of one; a job where that takes long.
Change = Callable[["Scan"], "Scan | Job[Scan]"]

# Names of channels and classes that a sentence lists.
MOST = 6


@dataclass(frozen=True, eq=False)
class Preview:
    """A scan with what is said of it.

    Attributes
    ----------
    scan : Scan
    sentence, detail : str
        What was understood: wells, fields, channels, classes; files and style.
    problems : tuple of str
        Why it cannot be used yet, a line each; all open questions are one of them.
    wells : pandas.DataFrame
        See `scan.well_classes.wells_of`.
    path : Path or None
        Where its data-set file may be written; None where its folder cannot be written to.
    data_set : Path or None
        A data-set file that is in its folder already.
    """

    scan: Scan
    sentence: str
    detail: str
    problems: tuple[str, ...]
    wells: pd.DataFrame
    path: Path | None
    data_set: Path | None


def preview_job(
    scan: Scan | Job[Scan], changes: Sequence[Change] = (), layout: PlateLayout | None = None
) -> Job[Preview]:
    """Make changes of a scan, and work out what is shown of it.

    Parameters
    ----------
    scan : Scan or job that gives one
    changes : sequence of callable
        Made one after the other.
    layout : PlateLayout, optional
        Classes of wells that were given before, and are given again where a change reads the
        files anew and finds wells.
    """
    if isinstance(scan, Generator):
        scan = yield from scan
    for place, change in enumerate(changes):
        yield Progress(place, len(changes) + 1, "reading the change")
        changed = change(scan)
        if not isinstance(changed, Generator):
            scan = changed
            continue
        scan = yield from changed
        if layout is not None and layout.classes and len(wells_of(scan)):
            scan = with_layout(scan, layout)
    yield Progress(len(changes), len(changes) + 1, "counting")
    return Preview(
        scan,
        sentence_of(scan),
        _detail(scan),
        _problems(scan),
        wells_of(scan),
        proposed_path(scan),
        _data_set_in(scan),
    )


def _problems(scan: Scan) -> tuple[str, ...]:
    """Problems of a scan; the options of questions are seen beside it, and need no words."""
    unanswered = [choice for choice in scan.choices if choice.chosen is None]
    named = [f"Choose {quoted(choice.name)}:" for choice in unanswered]
    others = [line for line in scan.problems if not any(name in line for name in named)]
    if not unanswered:
        return tuple(others)
    ended = [
        choice.text if choice.text[-1:] in "?." else f"{choice.text}." for choice in unanswered
    ]
    texts = " ".join(ended) if len(ended) > 1 else unanswered[0].text
    return (f"Answer {counted(len(unanswered), 'question')}: {texts}", *others)


def _columns(scan: Scan, role: Role) -> list[str]:
    return [name for name, each in scan.roles.items() if each is role]


def _has(scan: Scan, role: Role) -> bool:
    return bool(_columns(scan, role))


def _values(scan: Scan, role: Role) -> list[str]:
    """Different values of the column with a role, in their order; none where there is no column."""
    return [
        text
        for name in _columns(scan, role)[:1]
        for text in scan.entries[name].dropna().astype(str).unique()
        if text.strip()
    ]


def sentence_of(scan: Scan) -> str:
    """What was understood, in one sentence.

    Parameters
    ----------
    scan : Scan
    """
    parts = []
    plates = _values(scan, Role.PLATE)
    if len(plates) > 1:
        parts.append(counted(len(plates), "plate"))
    wells = len(wells_of(scan))
    if wells:
        parts.append(counted(wells, "well"))
    of_cells = any(_has(scan, role) for role in (Role.OBJECT, Role.X))
    fields, rows = _fields_of_wells(scan), len(scan.table())
    if wells and fields:
        parts.append(f"{fields} in each")
    elif not wells and rows and not of_cells:
        parts.append(f"{rows:,} field{'s' * (rows != 1)} of view")
    for role, noun in ((Role.TIME, "time point"), (Role.PLANE, "plane"), (Role.DOSE, "dose")):
        count = len(_values(scan, role))
        if count > 1:
            parts.append(counted(count, noun))
    if of_cells:
        parts.append(counted(len(scan.entries), "cell"))
    names = _channels(scan)
    if names:
        parts.append(f"{counted(len(names), 'channel')}: {listed(names, MOST)}")
    classes = _values(scan, Role.CLASS)
    said = [", ".join(parts)] if parts else []
    if classes:
        said.append(f"{len(classes)} class{'es' * (len(classes) != 1)}: {listed(classes, MOST)}")
    return "; ".join(said) or "Nothing that can be used was understood"


def _channels(scan: Scan) -> list[str]:
    """Names of the channels that are used."""
    chosen = {choice.chosen for choice in scan.choices}
    return [name for name in scan.channels.values() if f"{WITHOUT}{name}" not in chosen]


def _fields_of_wells(scan: Scan) -> str:
    """Fields of view of a well, or from how few to how many; nothing where no well has two."""
    named = _columns(scan, Role.FIELD)[:1]
    roles = (Role.PLATE, Role.WELL, Role.WELL_ROW, Role.WELL_COLUMN)
    wells = [name for role in roles for name in _columns(scan, role)]
    if not named or not wells:
        return ""
    counts = scan.entries.groupby(wells)[named[0]].nunique()
    if counts.empty:
        return ""
    least, most = int(counts.min()), int(counts.max())
    if most < 2:
        return ""
    return counted(most, "field") if least == most else f"{least} to {counted(most, 'field')}"


def _detail(scan: Scan) -> str:
    files = {
        text
        for name in _columns(scan, Role.IMAGE)
        for text in scan.entries[name].dropna().unique()
        if str(text).strip()
    }
    others = len(
        {each.path for each in scan.left_out if each.path.lower().endswith(SUFFIXES)} - files
    )
    rest = [f"{counted(others, 'other image')} left out"] if others else []
    return ", ".join([counted(len(files), "file"), *rest, *([scan.style] if scan.style else [])])


def proposed_path(scan: Scan) -> Path | None:
    """Where the data-set file may be written: beside the images, under a name that is free."""
    folder = scan.folder
    if not os.access(folder, os.W_OK):
        return None
    names = ("dataset.toml", *(f"dataset-{number}.toml" for number in range(2, 100)))
    paths: Any = (folder / name for name in names)
    return next((path for path in paths if not path.exists()), None)


def _data_set_in(scan: Scan) -> Path | None:
    path = scan.folder / "dataset.toml"
    return path if path.is_file() else None
