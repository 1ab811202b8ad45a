"""A task over chunks of cells: one after the other here, or on workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from napari_channelmix.cluster.chunk_states import ChunkStates
from napari_channelmix.errors import ModelError
from napari_channelmix.settings.cluster import ClusterSettings

if TYPE_CHECKING:
    from napari_channelmix.cluster.report import ChunkReport
    from napari_channelmix.jobs import Job

__all__ = ["chunks_job"]

Shared = TypeVar("Shared")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


def chunks_job(
    task: Callable[[Shared, Chunk], Job[Result]],
    shared: Shared,
    chunks: Sequence[Chunk],
    *,
    keep: Callable[[int, Result], object],
    settings: ClusterSettings | None = None,
    stage: str = "",
    sizes: Sequence[int] | None = None,
) -> Job[ChunkReport]:
    """Compute chunks, each by itself, and keep what comes of them; a job.

    Where they are computed changes nothing: chunks do not depend on the number of workers, and
    ``task`` must not depend on other chunks.

    Parameters
    ----------
    task : callable
        ``task(shared, chunk)`` is a job that gives the result of a chunk. On workers it must be a
        function of a module, and ``shared``, chunks and results must be fit for pickling.
    shared : object
        What all chunks need, such as cells and a model; it goes to each worker once.
    chunks : sequence
        One small value for each chunk, such as the positions of its cells; ``chunks[index]`` is
        asked for when the chunk is begun, or sent.
    keep : callable
        ``keep(index, result)`` is called in this process, in any order, as chunks are done; what
        it has kept stays kept whatever happens later.
    settings : ClusterSettings, optional
        Default: all is computed in this process, and dask.distributed is not imported.
    stage : str
        What is done, for progress: ``classifying the cells``; empty: as the tasks say it, where
        they run in this process.
    sizes : sequence of int, optional
        Cells of each chunk; default: 1 each.

    Returns
    -------
    ChunkReport
        A chunk that fails by what its files or the machine did (`DataError`, OSError,
        MemoryError, a worker that dies) is tried again after the others, ``settings.retries``
        times, and is then listed under ``failed``.

    Raises
    ------
    ClusterError
        A scheduler that cannot be reached or is lost, workers that do not fit.
    Exception
        What ``keep`` raises; what a task raises beside the errors above, such as `ModelError`; and
        any error where eight chunks, spread over the data, failed before one was done.

    Examples
    --------
    >>> from napari_channelmix.jobs import Progress, drain
    >>> def squares(offset, numbers):
    ...     yield Progress(0, 1, "")
    ...     return [offset + number**2 for number in numbers]
    >>> kept = {}
    >>> drain(chunks_job(squares, 1, [(1, 2), (3,)], keep=kept.__setitem__)).done
    2
    >>> kept
    {0: [2, 5], 1: [10]}
    """
    settings = settings or ClusterSettings()
    refuse_both(settings)
    states = ChunkStates(
        [1] * len(chunks) if sizes is None else sizes, stage, retries=settings.retries
    )
    if not len(chunks):
        return states.report()
    if settings.workers or settings.scheduler:
        # Imported here: few runs need dask.distributed, and it may not be installed.
        from napari_channelmix.cluster.distributed_chunks import on_workers_job

        yield from on_workers_job(task, shared, chunks, keep, settings, states)
    else:
        yield from _here_job(task, shared, chunks, keep, states)
    return states.report()


def refuse_both(settings: ClusterSettings) -> None:
    """Refuse workers to be started beside a scheduler that has its own.

    Raises
    ------
    ModelError
        As settings do.
    """
    if settings.workers and settings.scheduler:
        raise ModelError(
            "workers and scheduler: give one of them; a scheduler has workers of its own"
        )


def _here_job(
    task: Callable[[Shared, Chunk], Job[Result]],
    shared: Shared,
    chunks: Sequence[Chunk],
    keep: Callable[[int, Result], object],
    states: ChunkStates,
) -> Job[None]:
    """Compute the chunks one after the other in this process."""
    while states.waiting:
        index = states.waiting.popleft()
        states.begin(index)
        job: Job[Result] | None = None
        try:
            job = task(shared, chunks[index])
            while True:
                try:
                    step = next(job)
                except StopIteration as stop:
                    result: Result = stop.value
                    break
                states.advance(index, step.fraction)
                yield states.progress(step=step)
        except Exception as error:
            states.fail(index, error)
            continue
        finally:
            if job is not None:
                job.close()
        keep(index, result)
        del result
        states.finish(index)
        yield states.progress()
