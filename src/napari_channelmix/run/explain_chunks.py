"""Explain and measure a data set chunk by chunk; what an earlier run has kept is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.pcim import BASELINES, measure_job
from napari_channelmix.pcim.flatness import flat_lines

if TYPE_CHECKING:
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.run.explain_run import ExplainRun

__all__ = ["all_maps_job", "all_scores_job", "staged"]


def all_maps_job(run: ExplainRun) -> Job[bool]:
    """Explain the chunks that are missing; whether there were any."""
    missing = [index for index in range(len(run.chunks)) if run.part(index) is None]
    if not missing:
        return False
    run.store.refuse_without(run.arrays)
    source = run.source()
    for index in missing:
        rows = run.chunks[index]
        chunk = source.read(np.arange(rows.start, rows.stop))
        job = run.explained(chunk, run.method, run.settings.target)
        result = yield from staged(job, index, run.steps, run.stage(rows, "explaining"))
        run.store.put(
            index,
            rows,
            len(run.chosen),
            {name: getattr(result, name) for name in run.arrays},
            {
                "target": result.target.tolist(),
                "output": result.output,
                "flat": result.flat,
                "noise": result.noise,
                "warnings": [
                    line
                    for line in result.warnings
                    if line not in flat_lines(result.flat, len(result), run.name_of)
                ],
                "probabilities": result.probabilities.astype(float).round(6).tolist(),
                "seconds": result.seconds_per_cell * len(result),
            },
        )
    return True


def all_scores_job(run: ExplainRun) -> Job[bool]:
    """Measure what is not measured yet; whether there was any."""
    source: Source | None = None
    left_out = set(run.left_out())
    for index, rows in enumerate(run.chunks):
        missing = [
            name for name in run.scored if name not in left_out and not run.part(index, name)
        ]
        if not missing:
            continue
        source = source or run.source()
        chunk = source.read(np.arange(rows.start, rows.stop))
        for name in missing:
            done = len(run.chunks) + index * len(run.scored) + run.scored.index(name)
            job = _scores(run, chunk, index, rows, name)
            stage = run.stage(rows, f"measuring {name}")
            scores = yield from staged(job, done, run.steps, stage)
            run.store.put_scores(index, name, scores)
            if "left_out" in scores:
                left_out.add(name)
    return source is not None


def _scores(
    run: ExplainRun, chunk: Source, index: int, rows: slice, name: str
) -> Job[dict[str, Any]]:
    """Scores of the maps of a chunk, by one method, for each cell."""
    stored = run.part(index)
    assert stored is not None
    target, seconds = np.array(stored["target"]), stored["seconds"]
    if name == run.method:
        maps = run.store.maps(rows)
    else:
        try:
            result = yield from part(run.explained(chunk, name, target), 0, 1, 2)
        except ModelError as error:
            if is_out_of_memory(error):
                # It can be measured, only not here and now.
                raise ModelError(f"{name}: {error}") from error
            if name not in BASELINES:
                raise
            return {"left_out": str(error)}
        maps, seconds = result.maps, result.seconds_per_cell * len(result)
    job = measure_job(
        run.model,
        chunk,
        maps,
        target,
        run.settings.versus,
        device=run.device,
        seed=run.settings.seed,
    )
    fidelity = yield from part(job, 1, 1, 2)
    return {
        "srg": fidelity.srg.round(6).tolist(),
        "insertion": fidelity.insertion.round(6).tolist(),
        "deletion": fidelity.deletion.round(6).tolist(),
        "seconds": seconds,
    }


def staged(job: Job[Any], index: int, total: int, stage: str) -> Job[Any]:
    """A job as one step of many, under a name of its own; maps on the way are not passed on."""
    return mapped(job, lambda step: Progress(index + step.fraction, total, stage))
