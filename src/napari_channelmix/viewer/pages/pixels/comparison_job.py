"""The same cell by several methods, as a job.

PyTorch is imported where the job begins, never with a page.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, mapped, part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["Answer", "compare_job"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answer:
    """What one method says of a cell: its map and how good it is, or why it cannot."""

    method: str
    map: FloatArray | None = dataclasses.field(default=None, repr=False)
    srg: float | None = None
    seconds: float | None = None
    reason: str = ""


def compare_job(
    sources: Sources,
    trained: Trained,
    cells: Cells,
    explanation: Explanation,
    methods: Sequence[str],
) -> Job[tuple[Answer, ...]]:
    """The same cell and question by several methods, measured alike."""
    from napari_channelmix.pcim import explain_job, measure_job

    answers: list[Answer] = []
    source, question = (
        sources.of(trained, cells).read(np.array([explanation.cell])),
        explanation.question,
    )
    for index, method in enumerate(methods):
        yield Progress(index, len(methods), f"explaining by {method}", partial=tuple(answers))
        try:
            job = explain_job(
                trained.classifier,
                source,
                question.target,
                versus=question.versus,
                settings=replace(question.maps, method=method, channels="shared"),
                batch=1,
            )
            made = yield from _silent(part(job, index, 0.5, len(methods)))
            measure = measure_job(trained.classifier, source, made.maps, made.target, made.versus)
            fidelity = yield from _silent(part(measure, index + 0.5, 0.5, len(methods)))
            answers.append(
                Answer(method, made.maps[0], float(fidelity.srg[0]), made.seconds_per_cell)
            )
        except ModelError as error:
            # The others are still worth seeing.
            answers.append(Answer(method, reason=str(error)))
    return tuple(answers)


def _silent(job: Job[Any]) -> Job[Any]:
    """A job whose partial results are not for the page."""
    return mapped(job, lambda step: replace(step, partial=None, metrics={}))
