"""Which cells a classifier is asked about: held-out ones with a class, spread over their groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.predictor import Predictor, training_marks_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.held_out import held_out_of
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["ChosenCells", "chosen_cells_job", "spread_over_groups"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChosenCells:
    """Cells whose class is known, and known to the classifier.

    Attributes
    ----------
    positions : (n,) int array
        In the data set, in random order: any part of them is of all classes.
    labels : (n,) int array
        Positions in the classes of the classifier.
    lines : tuple of str
        What must be said of the choice.
    """

    positions: IntArray = field(repr=False)
    labels: IntArray = field(repr=False)
    lines: tuple[str, ...]


def spread_over_groups(
    positions: IntArray, groups: npt.NDArray[np.str_], most: int, rng: np.random.Generator
) -> IntArray:
    """At most so many cells, one of each group in turn, drawn at random.

    Parameters
    ----------
    positions : (n,) int array
    groups : (n,) array
        Of these cells.
    most : int
    rng : Generator
    """
    order = rng.permutation(len(positions))
    _, which = np.unique(groups[order], return_inverse=True)
    # Each cell's turn within its group.
    turn = np.empty(len(order), np.int64)
    by_group = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[by_group], np.arange(which.max(initial=0) + 1))
    turn[by_group] = np.arange(len(order)) - starts[which[by_group]]
    first = np.argsort(turn, kind="stable")[:most]
    return np.asarray(positions[order[first]], np.int64)


def chosen_cells_job(
    model: Predictor, cells: Cells, only: str, limit: int | None, seed: int, what: str
) -> Job[ChosenCells]:
    """Choose the cells; a job, since it reads them to see which were trained on.

    Parameters
    ----------
    model : Predictor
    cells : Cells
    only : {"held-out", "all"}
    limit : int or None
        Cells of each class.
    seed : int
    what : str
        What the lines speak of: ``the audit is``.

    Raises
    ------
    DataError
        No cell with a class that the classifier knows, or one class only.
    """
    labels = matching(cells.labels, cells.classes, model.classes)
    marks = yield from training_marks_job(model, cells)
    held_out = held_out_of(marks, what, only)
    known = held_out.chosen & (labels >= 0)
    codes = np.unique(labels[known])
    if len(codes) < 2:
        who = f"{cells.name}: {what} of cells of two classes or more that {model.who} knows"
        there = ", ".join(model.classes[code] for code in codes.tolist()) or "none"
        raise DataError(
            f"{who} ({', '.join(model.classes)}); the cells that may be used have {there}: label "
            "cells of another class, or use all cells (only='all')"
        )
    rng, chosen = np.random.default_rng(seed), []
    for code in codes.tolist():
        own = np.flatnonzero(known & (labels == code))
        most = len(own) if limit is None else limit
        chosen.append(spread_over_groups(own, cells.groups[own], most, rng))
    positions = rng.permutation(np.concatenate(chosen))
    lines = [held_out.line] if held_out.line else []
    if len(positions) < known.sum():
        lines.append(
            f"{what} of {counted(len(positions), 'cell')} of {int(known.sum()):,}, spread over "
            "their groups"
        )
    unknown = int(((labels < 0) & (cells.labels >= 0)).sum())
    if unknown:
        lines.append(
            f"{counted(unknown, 'cell', 'have')} a class that {model.who} does not know: left out"
        )
    return ChosenCells(positions, labels[positions], tuple(lines))
