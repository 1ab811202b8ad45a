"""Explain and measure a data set chunk by chunk; what an earlier run has kept is not done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from napari_channelmix.cluster import ChunkReport, chunks_job
from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.run.explain_tasks import (
    ExplainedChunk,
    ScoredRows,
    explained_chunk_job,
    scores_job,
)

if TYPE_CHECKING:
    from napari_channelmix.run.explain_run import ExplainRun

__all__ = ["all_maps_job", "all_scores_job", "staged"]


def all_maps_job(run: ExplainRun) -> Job[ChunkReport]:
    """Explain the chunks that are missing, where there are any.

    Raises
    ------
    DataError
        Chunks that could not be explained, with the reason; the others are kept.
    """
    chunks = run.chunks
    missing = [index for index in range(len(chunks)) if run.part(index) is None]
    if not missing:
        return ChunkReport(0, 0)
    run.store.refuse_without(run.arrays)

    def keep(position: int, result: ExplainedChunk) -> None:
        index = missing[position]
        run.store.put(index, chunks[index], len(run.chosen), result.arrays, result.about)

    rows = [chunks[index] for index in missing]
    job = chunks_job(
        explained_chunk_job,
        run.task,
        rows,
        keep=keep,
        settings=run.cluster,
        stage="explaining the cells",
        sizes=[some.stop - some.start for some in rows],
    )
    report = yield from part(job, len(chunks) - len(missing), len(missing), run.steps)
    report.refuse_missing(lambda position: run.words_of(rows[position]), len(chunks) - len(missing))
    return report


def all_scores_job(run: ExplainRun) -> Job[ChunkReport]:
    """Measure what is not measured yet, a chunk for each method.

    Raises
    ------
    DataError
        Chunks that could not be measured, with the reason; the others are kept.
    """
    left_out = set(run.left_out())
    missing = [
        (index, name)
        for index in range(len(run.chunks))
        for name in run.scored
        if name not in left_out and not run.part(index, name)
    ]
    if not missing:
        return ChunkReport(0, 0)

    def keep(position: int, scores: dict[str, Any] | None) -> None:
        index, name = missing[position]
        if scores is None:
            return
        run.store.put_scores(index, name, scores)
        if "left_out" in scores:
            left_out.add(name)

    def chunk(position: int) -> ScoredRows | None:
        index, name = missing[position]
        # A method that could not be asked of one chunk is not asked of those that come later.
        return None if name in left_out else _scored(run, index, name)

    rows = [run.chunks[index] for index, _ in missing]
    job = chunks_job(
        scores_job,
        run.task,
        _Asked(len(missing), chunk),
        keep=keep,
        settings=run.cluster,
        stage="measuring the maps",
        sizes=[some.stop - some.start for some in rows],
    )
    done = len(run.chunks) * (1 + len(run.scored)) - len(missing)
    report = yield from part(job, done, len(missing), run.steps)
    report.refuse_missing(
        lambda position: f"{missing[position][1]}, {run.words_of(rows[position])}",
        len(run.chunks) * len(run.scored) - len(missing),
    )
    return report


def _scored(run: ExplainRun, index: int, name: str) -> ScoredRows:
    """What is measured of a chunk, by one method."""
    stored, rows = run.part(index), run.chunks[index]
    assert stored is not None
    chunk = ScoredRows(rows, name, tuple(stored["target"]))
    if name != run.method:
        return chunk
    return replace(chunk, maps=run.store.maps(rows), seconds=stored["seconds"])


class _Asked(Sequence[Any]):
    """Chunks that are made when they are asked for: with their maps, all would be much."""

    def __init__(self, count: int, chunk: Callable[[int], Any]) -> None:
        self._count, self._chunk = count, chunk

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._chunk(one) for one in range(*index.indices(self._count))]
        return self._chunk(range(self._count)[index])


def staged(job: Job[Any], index: int, total: int, stage: str) -> Job[Any]:
    """A job as one step of many, under a name of its own; maps on the way are not passed on."""
    return mapped(job, lambda step: Progress(index + step.fraction, total, stage))
