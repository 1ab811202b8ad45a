"""Which cells are edited: held-out ones, some of each class, spread over the groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.predictor import Predictor, training_marks_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, part
from napari_channelmix.phenotypes.confusion import class_places
from napari_channelmix.phenotypes.fractions import grouping_of
from napari_channelmix.phenotypes.held_out import held_out_of

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.settings import Only

__all__ = ["ChosenCells", "choose_cells_job", "spread"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChosenCells:
    """Cells that are edited.

    Attributes
    ----------
    positions : (n,) int array
        In the data set, in random order.
    groups : (n,) int array
        Position of each cell's group in ``group_names``.
    group_names : tuple of str
    group_kind : str
        What the groups are: ``group``, ``field of view``, or ``cell`` where none is known.
    labels : (n,) int array
        Position of each cell's own class among those of the model; -1 where it has none.
    line : str
        Which cells these are; empty where all cells were held out.
    """

    positions: IntArray = field(repr=False)
    groups: IntArray = field(repr=False)
    group_names: tuple[str, ...] = field(repr=False)
    group_kind: str
    labels: IntArray = field(repr=False)
    line: str

    def __len__(self) -> int:
        return len(self.positions)


def choose_cells_job(
    model: Predictor, cells: Cells, *, only: Only = "held-out", limit: int | None, seed: int = 0
) -> Job[ChosenCells]:
    """Choose cells to edit; a job.

    Parameters
    ----------
    model : Predictor
    cells : Cells
    only : {"held-out", "all"}
    limit : int or None
        Cells of each class; of cells without classes that many for each class of the model.
    seed : int

    Raises
    ------
    DataError
        No cells.
    """
    if not len(cells):
        raise DataError(f"{cells.name} has no cells to edit")
    marks = yield from part(training_marks_job(model, cells), 0, 1, 1)
    held_out = held_out_of(marks, "answers are", only)
    candidates = np.flatnonzero(held_out.chosen)
    grouping = grouping_of(cells)
    kind, names, codes = grouping.kind, grouping.names, grouping.codes
    if kind == "data set":
        kind, names, codes = "cell", (), np.arange(len(cells))
    own = np.asarray(cells.labels, np.int64)
    places = np.array([*class_places(cells.classes, model.classes), -1])
    labels = places[own]
    if (labels[candidates] >= 0).any():
        candidates = candidates[labels[candidates] >= 0]
        classes = labels[candidates]
    else:
        # As many for each class of the model, together.
        classes = np.zeros(len(candidates), np.int64)
        limit = None if limit is None else limit * len(model.classes)
    chosen = candidates[spread(classes, codes[candidates], limit, seed)]
    return ChosenCells(chosen, codes[chosen], tuple(names), kind, labels[chosen], held_out.line)


def spread(classes: IntArray, groups: IntArray, limit: int | None, seed: int = 0) -> IntArray:
    """Positions of some cells of each class, from as many groups as there are; in random order.

    Parameters
    ----------
    classes, groups : (m,) int arrays
    limit : int or None
        Cells of each class; None: all.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> groups = np.array([0, 0, 0, 0, 0, 1])
    >>> sorted(groups[spread(np.zeros(6, int), groups, 2)].tolist())
    [0, 1]
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(classes))
    if limit is None:
        return order
    chosen = []
    for code in np.unique(classes):
        some = order[classes[order] == code]
        # Turn by turn a cell of each group.
        turns = pd.Series(groups[some]).groupby(groups[some]).cumcount().to_numpy()
        chosen.append(some[np.argsort(turns, kind="stable")[:limit]])
    every = np.concatenate(chosen) if chosen else order[:0]
    return np.asarray(every[rng.permutation(len(every))], np.int64)
