"""Mean maps of the classes, of some cells of the whole data set, as a job.

PyTorch is imported where the job begins, never with a page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.phenotypes.held_out import held_out_of
from napari_channelmix.viewer.pages.pixels.explain_job import limits_job

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_limits import DisplayLimits
    from napari_channelmix.pcim import MeanMaps
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.explanation import Question
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["MeanMapsResult", "mean_maps_job"]

IntArray = npt.NDArray[np.int64]

# Cells looked at for held-out ones, and those of each class that are explained.
MOST, PER_CLASS = 1000, 24


@dataclass(frozen=True, eq=False)
class MeanMapsResult:
    """Mean maps, and the grey values of their pictures.

    Attributes
    ----------
    mean : MeanMaps
    limits : DisplayLimits or None
        None where the cells have not the classifier's channels by name.
    lines : tuple of str
        Which cells, and what to mind.
    """

    mean: MeanMaps
    limits: DisplayLimits | None
    lines: tuple[str, ...]


def mean_maps_job(
    sources: Sources, trained: Trained, cells: Cells, question: Question, align: str = "axis"
) -> Job[MeanMapsResult]:
    """Explain up to 24 held-out cells of each class, and average their aligned maps.

    Raises
    ------
    ModelError, DataError
        As `pcim.explain`.
    """
    yield Progress(0, 100, "reading the cells")
    from napari_channelmix.classify.predictor import training_marks_job
    from napari_channelmix.pcim import explain_job, mean_maps

    whole = sources.of(trained, cells)
    pool = np.sort(np.random.default_rng(question.seed).permutation(len(cells))[:MOST])
    marks = yield from part(training_marks_job(trained.classifier, cells.subset(pool)), 0, 10, 100)
    meant = held_out_of(marks, "the mean maps are")
    chosen = _some_of_each(pool[meant.chosen], cells.labels, question.seed)
    limits = yield from part(limits_job(trained, cells), 10, 5, 100)
    job = explain_job(
        trained.classifier,
        replace(whole, numbers=whole.numbers[chosen]),
        question.target,
        versus=question.versus,
        settings=question.maps,
        # Said with each cell.
        compare=False,
        check=False,
    )
    job = mapped(job, lambda step: replace(step, partial=None, metrics={}))
    attribution = yield from part(job, 15, 80, 100)
    yield Progress(95, 100, "aligning the maps")
    mean = mean_maps(attribution, align)
    line = (meant.line,) if meant.line else ()
    return MeanMapsResult(mean, limits, (*line, *mean.lines))


def _some_of_each(positions: IntArray, labels: npt.NDArray[np.int64], seed: int) -> IntArray:
    """Up to so many cells of each label, also of those without one."""
    order = np.random.default_rng(seed).permutation(positions)
    of = labels[order]
    parts = [order[of == label][:PER_CLASS] for label in np.unique(of)]
    return np.sort(np.concatenate(parts)) if parts else positions
