"""Which cells are edited: held-out ones, some of each class, spread over the groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.fractions import grouping_of
from napari_channelmix.whatif.cell_choice import chosen_cells_job

if TYPE_CHECKING:
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.settings import Only

__all__ = ["EditedCells", "edited_cells_job", "spread"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EditedCells:
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
        From which cells these were chosen.
    """

    positions: IntArray = field(repr=False)
    groups: IntArray = field(repr=False)
    group_names: tuple[str, ...] = field(repr=False)
    group_kind: str
    labels: IntArray = field(repr=False)
    line: str

    def __len__(self) -> int:
        return len(self.positions)


def edited_cells_job(
    model: Predictor, cells: Cells, *, only: Only = "held-out", limit: int | None, seed: int = 0
) -> Job[EditedCells]:
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
    rows = yield from chosen_cells_job(model, cells, only)
    grouping = grouping_of(cells)
    kind, names, codes = grouping.kind, grouping.names, grouping.codes
    if kind == "data set":
        kind, names, codes = "cell", (), np.arange(len(cells))
    groups, classes = codes[rows.positions], rows.labels
    if not rows.labelled and limit is not None:
        # As many for each class of the model, together.
        limit *= len(model.classes)
    some = spread(classes, groups, limit, seed)
    return EditedCells(
        rows.positions[some], groups[some], tuple(names), kind, rows.labels[some], rows.line
    )


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
