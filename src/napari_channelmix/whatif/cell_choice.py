"""Which cells a classifier is asked about: held-out ones, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.classify.predictor import Predictor, training_marks_job
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.held_out import held_out_of, only_named
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job

__all__ = ["ChosenCells", "chosen_cells_job"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChosenCells:
    """Cells that a classifier is asked about.

    Attributes
    ----------
    positions : (n,) int array
        Of the cells in their data set.
    labels : (n,) int array
        Class of each in the classes of the classifier; -1 where no cell has one.
    groups : (n,) str array
    line : str
        Which cells these are.
    """

    positions: IntArray = field(repr=False)
    labels: IntArray = field(repr=False)
    groups: npt.NDArray[Any] = field(repr=False)
    line: str

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def labelled(self) -> bool:
        """Whether the classes of the cells are known."""
        return bool((self.labels >= 0).any())

    @property
    def groups_line(self) -> str:
        """Why intervals say little, or of what they are; empty for enough groups."""
        count = len(np.unique(self.groups))
        if 1 < count == len(self):
            return (
                "the groups of the cells are not known: intervals are over single cells, and too "
                "narrow if wells or patients differ"
            )
        few = few_groups_text(count, len(self))
        return f"intervals: {few}" if few else ""


def chosen_cells_job(
    model: Predictor, cells: Cells, only: str = "held-out", *, labelled: bool = True
) -> Job[ChosenCells]:
    """The held-out cells of a data set; those with a class where any has one; as a job.

    Parameters
    ----------
    model : Predictor
    cells : Cells
        With the channels of the model.
    only : {"held-out", "all"}
    labelled : bool
        Leave cells without a class out, where others have one.

    Raises
    ------
    DataError
        There are no cells.
    ModelError
        Another word than ``held-out`` or ``all``; as `training_marks_job`.
    """
    only_named(only)
    if not len(cells):
        raise DataError(f"{cells.name} has no cells; there is nothing to ask the classifier about")
    labels = matching(cells.labels, cells.classes, model.classes)
    rows = np.arange(len(cells))
    if labelled and (labels >= 0).any():
        rows = np.flatnonzero(labels >= 0)
    marks = yield from training_marks_job(model, cells.subset(rows))
    held_out = held_out_of(marks, "figures are", only)
    rows = rows[held_out.chosen]
    line = held_out.line or f"figures are of {counted(len(rows), 'cell')}, all held out of training"
    return ChosenCells(rows, labels[rows], np.asarray(cells.groups)[rows], line)
