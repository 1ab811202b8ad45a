"""What is done with a chunk of an explained data set, in this process or by a worker.

A task gives back what it found, and the process that began writes it down: the folder then has one
writer, and workers need the images alone, not the folder. A chunk of maps takes far longer to make
than to send.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, part
from napari_channelmix.pcim import BASELINES, explain_job, measure_job
from napari_channelmix.pcim.flatness import flat_lines
from napari_channelmix.run.explained_channels import contributions_job

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.settings import ExplainSettings
    from napari_channelmix.whatif.evidence_shares import CellParts

__all__ = ["ExplainTask", "ExplainedChunk", "ScoredRows", "explained_chunk_job", "scores_job"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ExplainTask:
    """What the chunks of an explained data set share; nothing in it depends on a chunk.

    Attributes
    ----------
    source : Source
        All cells that are explained, and the model.
    settings : ExplainSettings
    method, mode : str
    arrays : tuple of str
        What is kept of each cell, names of `Attribution`.
    device : str
    batch : int or None
    prior : Prior or None
    parts : CellParts or None
        What tells each cell from its surroundings; None: not known.
    """

    source: Source
    settings: ExplainSettings
    method: str
    mode: str
    arrays: tuple[str, ...]
    device: str
    batch: int | None
    prior: Prior | None
    parts: CellParts | None = None

    def cells_of(self, rows: slice) -> Source:
        """The cells of a chunk, their pixels read."""
        return self.source.read(np.arange(rows.start, rows.stop))

    def explained_job(self, cells: Source, method: str, target: Any) -> Any:
        """The job that explains some of the cells."""
        settings = self.settings
        # Baselines need gradients, also where the own method does without.
        mode = "autograd" if method in BASELINES else settings.mode
        return explain_job(
            self.source.model,
            cells,
            target,
            method,
            mode,
            versus=settings.versus,
            settings=replace(
                settings.maps,
                channels=settings.channels if method == self.method else "shared",
                prior=self.prior,
            ),
            device=self.device,
            batch=self.batch,
            compare=False,
        )


@dataclass(frozen=True, eq=False)
class ExplainedChunk:
    """Maps of a chunk: arrays of them by name, and what is said of them, for JSON."""

    arrays: dict[str, FloatArray]
    about: dict[str, Any]


def explained_chunk_job(task: ExplainTask, rows: slice) -> Job[ExplainedChunk]:
    """Explain the cells of a chunk."""
    cells = task.cells_of(rows)
    result = yield from task.explained_job(cells, task.method, task.settings.target)
    flat = flat_lines(result.flat, len(result), task.source.name_of)
    shares = None
    if task.parts is not None:
        pixels = np.asarray(cells.cells)
        shares = task.parts.shares(cells.numbers, pixels, result.maps, result.magnitude).as_dict()
    contributions = None
    if task.settings.contributions:
        contributions = yield from contributions_job(
            task.source,
            cells,
            result,
            task.settings.seed,
            tested=task.settings.reliability,
        )
    return ExplainedChunk(
        {name: getattr(result, name) for name in task.arrays},
        {
            "target": result.target.tolist(),
            "output": result.output,
            "flat": result.flat,
            "noise": result.noise,
            # Said of all cells together, in the report.
            "warnings": [line for line in result.warnings if line not in flat],
            "probabilities": result.probabilities.astype(float).round(6).tolist(),
            "seconds": result.seconds_per_cell * len(result),
            "shares": shares,
            "contributions": contributions,
        },
    )


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """A chunk that is measured by one method.

    Attributes
    ----------
    rows : slice
    method : str
    target : tuple of int
        What its maps are of.
    maps : (n, H, W) float32 array or None
        The maps, where they are those of the own method; else they are made.
    seconds : float
        What those took.
    """

    rows: slice
    method: str
    target: tuple[int, ...]
    maps: FloatArray | None = None
    seconds: float = 0.0


def scores_job(task: ExplainTask, scored: ScoredRows | None) -> Job[dict[str, Any] | None]:
    """Scores of the maps of a chunk by one method, for each cell, or why there are none.

    None is for a method that was left out meanwhile.

    Raises
    ------
    ModelError
        As `explain_job`; but for a baseline that this model does not allow.
    """
    if scored is None:
        return None
    cells, name = task.cells_of(scored.rows), scored.method
    target = np.array(scored.target)
    maps, seconds = scored.maps, scored.seconds
    if maps is None:
        try:
            result = yield from part(task.explained_job(cells, name, target), 0, 1, 2)
        except ModelError as error:
            if is_out_of_memory(error):
                # It can be measured, only not here and now.
                raise ModelError(f"{name}: {error}") from error
            if name not in BASELINES:
                raise
            return {"left_out": str(error)}
        maps, seconds = result.maps, result.seconds_per_cell * len(result)
    job = measure_job(
        task.source.model,
        cells,
        maps,
        target,
        task.settings.versus,
        device=task.device,
        seed=task.settings.seed,
    )
    fidelity = yield from part(job, 1, 1, 2)
    return {
        "srg": fidelity.srg.round(6).tolist(),
        "insertion": fidelity.insertion.round(6).tolist(),
        "deletion": fidelity.deletion.round(6).tolist(),
        "by_reference": {
            kind: values.round(6).tolist()
            for kind, values in zip(fidelity.references, fidelity.srg_by_reference, strict=True)
        },
        "seconds": seconds,
    }
