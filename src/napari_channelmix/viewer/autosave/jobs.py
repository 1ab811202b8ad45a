"""Keeping annotations and finding them again, as jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.annotation_files import (
    palette_beside,
    read_given,
    saved_at,
    write_given_job,
)
from napari_channelmix.data.annotations import Given, annotated, changed_cells, matched_cells
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.autosave.location import set_aside

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Cells

__all__ = ["Restored", "SaveResult", "Unreadable", "keep_job", "named_again", "restore_job"]


@dataclass(frozen=True)
class SaveResult:
    """Where annotations were written; ``path`` is None where no place took them.

    ``troubles`` says of each place that did not take them why, in a line; ``other`` is the copy of
    what somebody else had written there.
    """

    path: Path | None
    count: int
    troubles: tuple[str, ...] = ()
    other: Path | None = None


@dataclass(frozen=True, eq=False)
class Restored:
    """Annotations of an earlier day, and the cells they are about.

    Attributes
    ----------
    path : Path
    saved : datetime
    annotations : Given
        Those that fit.
    cell_indices : (R,) int array
        Position of the cell of each row of ``annotations``.
    unfit : pandas.DataFrame
        Rows about cells that are not there any more.
    """

    path: Path
    saved: datetime
    annotations: Given
    cell_indices: npt.NDArray[np.int64] = field(repr=False)
    unfit: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class Unreadable:
    """An annotation file that cannot be used, why, and its new name; None where it has the old."""

    path: Path
    why: str
    moved: Path | None


def keep_job(
    before: Cells,
    after: Cells,
    files: Sequence[Path],
    names: Sequence[str],
    unfit: pd.DataFrame | None,
    earlier: tuple[Path, int] | None,
    known: dict[Path, int],
) -> Job[SaveResult]:
    """Write the classes that differ from those the data set came with, to the first good place.

    ``earlier``: the file of an earlier day, and how many annotations it held; where fewer are to
    be left, a copy of it stays beside it. ``known``: when the files were written that this window
    has read or written; another one was changed by somebody else, so a copy of it stays as well.
    """
    yield Progress(0, 1, "writing the annotations")
    table = annotated(after, changed_cells(before, after), names)
    if earlier is not None and len(table) + len(unfit if unfit is not None else ()) < earlier[1]:
        # Where no copy can be written, the file itself cannot be replaced either.
        with contextlib.suppress(OSError):
            set_aside(earlier[0], "previous", copied=True)
    troubles: list[str] = []
    for path in files:
        other = None
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime_ns != known.get(path):
                other = set_aside(path, "other", copied=True)
        try:
            yield from write_given_job(path, table, unfit)
        except SaveError as error:
            troubles.append(str(error))
            continue
        return SaveResult(path, len(table), tuple(troubles), other)
    return SaveResult(None, len(table), tuple(troubles))


def restore_job(path: Path, cells: Cells, names: Sequence[str]) -> Job[Restored | Unreadable]:
    """Read an annotation file and find its cells; one that cannot be read gets another name."""
    yield Progress(0, 2, "reading the annotations")
    try:
        table, saved = read_given(path), saved_at(path)
    except (DataError, OSError) as error:
        try:
            return Unreadable(path, str(error), set_aside(path, "unreadable"))
        except OSError:
            return Unreadable(path, str(error), None)
    yield Progress(1, 2, "finding the cells of the annotations")
    indices = matched_cells(cells, table.rows, names)
    if not palette_beside(path):
        # The table alone knows neither classes without cells nor their order.
        table = replace(table, palette=tuple(dict.fromkeys([*cells.classes, *table.palette])))
    fits = Given(table.rows[indices >= 0].reset_index(drop=True), table.palette)
    unfit = table.rows[indices < 0].reset_index(drop=True)
    return Restored(path, saved, fits, indices[indices >= 0], unfit)


def named_again(
    cells: Cells, indices: npt.NDArray[np.int64], classes: Sequence[str], palette: Sequence[str]
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Labels (N,) and classes of the cells once those at some positions have these classes.

    The palette comes first, then whatever other classes there are cells of. An empty class is none.
    """
    names = np.array([*cells.classes, ""], dtype=object)[cells.labels]
    names[indices] = list(classes)
    used = [name for name in cells.classes if (names == name).any()]
    every = tuple(dict.fromkeys([*palette, *used, *(name for name in classes if name)]))
    codes = {name: code for code, name in enumerate(every)}
    return np.array([codes.get(name, -1) for name in names], dtype=np.int64), every
