"""Which cells are audited: held-out ones, so many of each class, spread over their groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.whatif.cell_choice import ChosenCells, chosen_cells_job
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job

__all__ = ["audited_cells_job", "spread_over_groups"]

IntArray = npt.NDArray[np.int64]


def spread_over_groups(groups: npt.NDArray[Any], most: int, rng: np.random.Generator) -> IntArray:
    """At most so many of some cells, drawn at random, one of each group in turn.

    Parameters
    ----------
    groups : (n,) array
    most : int
    rng : Generator

    Returns
    -------
    (m,) int array
        Places among the cells.
    """
    order = rng.permutation(len(groups))
    _, which = np.unique(groups[order], return_inverse=True)
    by_group = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[by_group], np.arange(which.max(initial=0) + 1))
    # Each cell's turn within its group.
    turn = np.empty(len(order), np.int64)
    turn[by_group] = np.arange(len(order)) - starts[which[by_group]]
    return np.asarray(order[np.argsort(turn, kind="stable")[:most]], np.int64)


def audited_cells_job(
    model: Predictor, cells: Cells, only: str, limit: int | None, seed: int
) -> Job[ChosenCells]:
    """Choose the cells, in random order: any part of them is of all classes; a job.

    Parameters
    ----------
    model : Predictor
    cells : Cells
        With the channels of the model.
    only : {"held-out", "all"}
    limit : int or None
        Cells of each class at most.
    seed : int

    Raises
    ------
    DataError
        No cells of two classes that the classifier knows.
    ModelError
        As `chosen_cells_job`.
    """
    chosen = yield from chosen_cells_job(model, cells, only)
    known = np.flatnonzero(chosen.labels >= 0)
    codes = np.unique(chosen.labels[known])
    if len(codes) < 2:
        there = ", ".join(model.classes[code] for code in codes.tolist()) or "none"
        raise DataError(
            f"{cells.name}: an audit needs cells of two classes or more that {model.who} knows "
            f"({', '.join(model.classes)}), and those that may be used have {there}; label cells "
            "of another class, or take all cells (only='all')"
        )
    rng, taken = np.random.default_rng(seed), []
    for code in codes.tolist():
        own = known[chosen.labels[known] == code]
        most = len(own) if limit is None else limit
        taken.append(own[spread_over_groups(chosen.groups[own], most, rng)])
    some = rng.permutation(np.concatenate(taken))
    line = chosen.line
    if len(some) < len(known):
        line += f"; audited are {counted(len(some), 'cell')} of these, spread over their groups"
    return replace(
        chosen,
        positions=chosen.positions[some],
        labels=chosen.labels[some],
        groups=chosen.groups[some],
        line=line,
    )
