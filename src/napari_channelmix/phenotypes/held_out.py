"""Cells that figures should be of: those that a classifier was not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.wording import quoted

__all__ = [
    "NO",
    "ONLY",
    "SAME_GROUP",
    "UNKNOWN",
    "YES",
    "HeldOut",
    "Marks",
    "cell_in_words",
    "held_out_of",
    "only_named",
]

Marks = npt.NDArray[np.str_]

#: Whether a cell is one of those of the training: itself, another of its group, or none.
YES, SAME_GROUP, NO, UNKNOWN = "yes", "same group", "no", "unknown"
#: Which cells are meant: those that were not trained on, or all.
ONLY = ("held-out", "all")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Cells that figures should be of.

    Attributes
    ----------
    chosen : (N,) bool array
    line : str
        What to say of it; empty where all cells were held out.
    """

    chosen: npt.NDArray[np.bool_]
    line: str


def only_named(only: str) -> str:
    """The word, checked.

    Raises
    ------
    ModelError
        Another than ``held-out`` or ``all``.
    """
    if only not in ONLY:
        raise ModelError(f"only {quoted(only)} is unknown; use held-out or all")
    return only


def cell_in_words(mark: str) -> str:
    """What it means for one cell whether a classifier was trained on it: a sentence.

    Empty for an empty mark.
    """
    return {
        YES: "The classifier was trained on this cell: a correct prediction proves nothing.",
        SAME_GROUP: "The classifier was trained on other cells of this cell's group: its "
        "prediction of this one may be too good.",
        NO: "Held out: the classifier was not trained on this cell.",
        UNKNOWN: "Whether the classifier was trained on this cell is not known.",
    }.get(mark, "")


def held_out_of(marks: Marks, what: str = "figures are", only: str = "held-out") -> HeldOut:
    """The cells that were not trained on, nor share a group with one that was.

    Where there are none of these, those of the same groups; where there are none either, or it is
    not known which cells were trained on, all; and that is said.

    Parameters
    ----------
    marks : (N,) array
        ``yes``, ``same group``, ``no`` or ``unknown``; see `classify.training_cells`.
    what : str
        What the line speaks of.
    only : {"held-out", "all"}
        ``all`` takes all, and says how many of them were trained on.
    """
    count, everything = len(marks), np.ones(len(marks), dtype=bool)
    seen, near = int((marks == YES).sum()), int((marks == SAME_GROUP).sum())
    of = f"{seen:,} of {count:,} cells were trained on"
    if (marks == UNKNOWN).any():
        return HeldOut(
            everything,
            "which cells were trained on is not known, so held-out ones cannot be told apart: "
            f"{what} of all cells, and may be too good",
        )
    if not seen:
        return HeldOut(everything, "")
    if only == "all" and seen < count:
        return HeldOut(everything, f"{of}: {what} of all of them, and too good")
    if seen + near < count:
        also = f", {near:,} are of the same groups" if near else ""
        other = count - seen - near
        return HeldOut(marks == NO, f"{of}{also}: {what} of the other {other:,}")
    if near:
        return HeldOut(
            marks == SAME_GROUP,
            f"{of}, the other {near:,} are of the same groups: {what} of these, and may be too "
            "good for other groups",
        )
    return HeldOut(
        everything,
        "the only cell was trained on, so none is held out: figures may be too good"
        if count == 1
        else f"all {count:,} cells were trained on, so none is held out: {what} of all of them, "
        "and too good",
    )
