"""Classes that cells were given by hand: as a table, and found again in the same cells."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.data.image_planes import FilePlane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.data.fields import Field

__all__ = [
    "COLUMNS",
    "Given",
    "annotated",
    "cell_centres",
    "changed_cells",
    "earlier_centres",
    "field_names",
    "matched_cells",
    "positions_of_fields",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

COLUMNS = ("field", "object", "y", "x", "class")


def cell_centres(cells: CellBoxes) -> FloatArray:
    """Centre (y, x) of each cell, (N, 2), in pixels; see `Cells.centres`."""
    return cells.centres


def earlier_centres(cells: CellBoxes) -> tuple[FloatArray, FloatArray]:
    """What earlier versions wrote for centres (N, 2): the middles of their crops, rounded.

    Of cells around points, and of those around objects, boxes and tiles, whose middle they took
    half a pixel further.
    """
    sides = (cells.boxes[:, 2] - cells.boxes[:, 0]).astype(np.float64)[:, None]
    points, others = (
        np.round(cells.centres + shift - sides / 2) + sides / 2 - 0.5 for shift in (0.0, 0.5)
    )
    return np.asarray(points), np.asarray(others)


def field_names(cells: CellBoxes, folder: str | Path | None = None) -> tuple[str, ...]:
    """A name for each field of view that differs from all others and travels with the files.

    Parameters
    ----------
    cells : Cells
    folder : path, optional
        Fields that are read from files are named by their path from this folder, that of the
        data-set file; by default from the folder that holds all of them.
    """
    files = [_file_of(cells, index) for index in range(len(cells.fields))]
    known = [path for path in files if path is not None]
    if folder is None and known:
        # Other drives have no folder in common: then paths are whole.
        with contextlib.suppress(ValueError):
            folder = os.path.commonpath([path.absolute().parent for path in known])
    start = str(Path(folder or "").absolute())
    names, seen = [], Counter[str]()
    for path, field in zip(files, cells.fields, strict=True):
        name = field.name if path is None else _from(path, start) + _plane_of(field)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _file_of(cells: CellBoxes, index: int) -> Path | None:
    plane = cells.fields[index].planes[cells.planes[0]]
    return plane.file.path if isinstance(plane, FilePlane) else None


def _plane_of(field: Field) -> str:
    """Where a field of view lies in the stack of its file, such as ``, z=3``; else nothing."""
    stack = field.planes[0].stack if isinstance(field.planes[0], FilePlane) else ()
    return "".join(f", {axis.lower()}={at}" for axis, at in stack if at != PROJECT)


def _from(path: Path, folder: str) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        # Another drive.
        return path.absolute().as_posix()


@dataclass(frozen=True, eq=False)
class Given:
    """Classes given to cells: what an annotation file holds.

    Attributes
    ----------
    rows : pandas.DataFrame
        `COLUMNS`: name of the field of view; value in its label image, 0 where there is none;
        centre in pixels of the image; class, empty where it was taken away. Others are
        to join on: the short name of the field, and the user's columns.
    palette : tuple of str
        All classes in their order, those without cells too.
    """

    rows: pd.DataFrame
    palette: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)


def annotated(
    cells: CellBoxes, chosen: npt.ArrayLike | None = None, names: Sequence[str] | None = None
) -> Given:
    """The classes of the chosen cells, by default of all that have one.

    ``names`` are those of the fields, by default `field_names`.
    """
    import pandas as pd

    indices = np.flatnonzero(cells.labels >= 0) if chosen is None else np.asarray(chosen, np.int64)
    names = field_names(cells) if names is None else names
    centres, classes = cell_centres(cells)[indices], np.array([*cells.classes, ""], dtype=object)
    rows = pd.DataFrame(
        {
            "field": np.array(names, dtype=object)[
                cells.table["field"].to_numpy(np.int64)[indices]
            ],
            "object": cells.table["object"].to_numpy(np.int64)[indices],
            "y": centres[:, 0],
            "x": centres[:, 1],
            "class": classes[cells.labels[indices]],
            "field_name": np.array(cells.field_names, dtype=object)[
                cells.table["field"].to_numpy(np.int64)[indices]
            ],
        }
    )
    keys = named_keys(cells.keys.iloc[indices], rows.columns)
    return Given(rows.assign(**keys), cells.classes)


def changed_cells(before: CellBoxes, after: CellBoxes) -> IntArray:
    """Positions of the cells whose class has another name, or none, after than before."""
    # A class that is gone is not the same as none.
    same = [after.classes.index(name) if name in after.classes else -2 for name in before.classes]
    moved = np.array([*same, -1], dtype=np.int64)
    return np.flatnonzero(moved[before.labels] != after.labels)


def matched_cells(
    cells: CellBoxes, rows: pd.DataFrame, names: Sequence[str] | None = None
) -> IntArray:
    """Position of the cell that each row of a `Given` is about, (R,), or -1.

    A cell with an id is known by its field and its id, if it lies near the place it had: an id may
    have been given to another object meanwhile. A cell without an outline that lies exactly where
    it lay is the same, whatever its id. Any other cell is known by its place alone: its centre, or
    the middle of its box, which earlier versions wrote.
    """
    import pandas as pd

    names = field_names(cells) if names is None else names
    centres = cell_centres(cells)
    mine = pd.DataFrame(
        {
            "field": cells.table["field"].to_numpy(np.int64),
            "object": cells.table["object"].to_numpy(np.int64),
            "y": centres[:, 0],
            "x": centres[:, 1],
            "at": np.arange(len(cells)),
        }
    )
    theirs = pd.DataFrame(
        {
            "field": positions_of_fields(rows["field"], names),
            "object": rows["object"].to_numpy(np.int64),
            "y": rows["y"].to_numpy(np.float64),
            "x": rows["x"].to_numpy(np.float64),
        }
    )
    matches = np.full(len(rows), -1, dtype=np.int64)
    valued, has_value = (item["object"].to_numpy() > 0 for item in (mine, theirs))

    outlined = np.array([item.labels is not None for item in cells.fields], dtype=bool)
    bare = ~outlined[mine["field"]]

    def match(rule: Callable[..., IntArray], candidates: BoolArray, some: BoolArray) -> None:
        """Give rows without a cell one of those that no row has yet."""
        free, left = candidates & ~np.isin(mine["at"], matches), some & (matches < 0)
        if left.any():
            matches[left] = rule(mine[free], theirs[left])

    # Without outlines, what lies exactly where it lay is the same, whatever its number: numbers of
    # points all change when one of them is deleted.
    match(partial(_by_place, also=("object",)), valued, has_value)
    match(_by_place, bare, has_value)
    match(partial(_by_value, far=cells.crop / 2), valued, has_value)
    match(_by_place, ~valued, ~has_value)
    for earlier in earlier_centres(cells):
        moved = mine.assign(y=earlier[:, 0], x=earlier[:, 1])
        match(partial(_by_moved, moved), ~valued, ~has_value)
    return matches


def _by_value(mine: pd.DataFrame, theirs: pd.DataFrame, far: float) -> IntArray:
    keys = ["field", "object"]
    both = theirs.merge(mine.drop_duplicates(keys), on=keys, how="left", suffixes=("", "_here"))
    away = np.asarray(np.hypot(both["y"] - both["y_here"], both["x"] - both["x_here"]))
    return np.where(away <= far, both["at"].fillna(-1).to_numpy(np.int64), -1)


def _by_place(mine: pd.DataFrame, theirs: pd.DataFrame, also: Sequence[str] = ()) -> IntArray:
    keys = ["field", "y", "x", *also]
    # Cells at one place, such as twice the same image, are told apart by their order.
    mine, theirs = (table.assign(nth=table.groupby(keys).cumcount()) for table in (mine, theirs))
    both = theirs.merge(mine, on=[*keys, "nth"], how="left")
    return both["at"].fillna(-1).to_numpy(np.int64)


def _by_moved(moved: pd.DataFrame, mine: pd.DataFrame, theirs: pd.DataFrame) -> IntArray:
    """`_by_place` of some cells, where they are in ``moved``."""
    return _by_place(moved.loc[mine.index], theirs)


def positions_of_fields(texts: pd.Series[str], names: Sequence[str]) -> IntArray:
    """Which field a text names: by its whole name, else by the only one whose path ends in it."""
    by_name: dict[str, int] = {name: index for index, name in enumerate(names)}
    parts = [PurePosixPath(name.replace("\\", "/")).parts for name in names]

    trimmed = Counter(name.strip() for name in names)
    by_trimmed = {
        name.strip(): index for index, name in enumerate(names) if trimmed[name.strip()] == 1
    }

    def position(text: str) -> int:
        if text in by_name:
            return by_name[text]
        text = text.strip()
        if text in by_trimmed:
            return by_trimmed[text]
        requested = PurePosixPath(text.replace("\\", "/")).parts
        ends = [index for index, own in enumerate(parts) if requested and _ends(own, requested)]
        return ends[0] if len(ends) == 1 else -1

    known = {text: position(text) for text in texts.unique()}
    return np.array([known[text] for text in texts], dtype=np.int64)


def _ends(first: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one path ends in the other."""
    few = min(len(first), len(other))
    return first[-few:] == other[-few:]
