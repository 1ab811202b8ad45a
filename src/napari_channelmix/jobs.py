"""Long work as generators: a job yields `Progress`, may be closed, and returns its result.

The same generator serves the pages (napari's `thread_worker`), the command line (a progress bar)
and the tests. Cancelling a job is closing its generator, so no job needs a flag or a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, overload

from napari_channelmix.progress_bar import ShowProgress, shown_progress

__all__ = ["Job", "Progress", "drain", "mapped", "mapped_results", "part"]

Result = TypeVar("Result")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Progress:
    """One step of a job.

    Attributes
    ----------
    done, total : float
        Work done and work in all, in any unit that grows evenly with time; ``total`` is never 0.
    stage : str
        What is being done now, in words for the user ("training, epoch 3 of 40").
    metrics : dict of str to float
        Figures to plot live, such as ``{"epoch": 3, "loss": 0.31, "accuracy": 0.94}``.
    partial : object
        What is known of the result so far, or None.
    note : str
        A line worth keeping in sight while the job runs, such as the address of a dashboard.

    Examples
    --------
    >>> Progress(3, 12, "training, epoch 3 of 12").fraction
    0.25
    """

    done: float
    total: float
    stage: str
    metrics: dict[str, float] = field(default_factory=dict)
    partial: Any = None
    note: str = ""

    @property
    def fraction(self) -> float:
        """Progress of the job, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0)


Job = Generator[Progress, None, Result]


def drain(job: Job[Result], progress: ShowProgress = None) -> Result:
    """Run a job to its end and give its result.

    Closing is left to the caller's exceptions: an exception raised by ``progress`` (or Ctrl-C)
    closes the generator, so the job can tidy up.

    Parameters
    ----------
    job : Job
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`. Default: quiet.
    """
    try:
        with shown_progress(progress) as show:
            while True:
                try:
                    step = next(job)
                except StopIteration as stop:
                    result: Result = stop.value
                    return result
                if show is not None:
                    show(step)
    finally:
        job.close()


def part(
    job: Job[Result], start: float, share: float, total: float, prefix: str = ""
) -> Job[Result]:
    """Run a job as part of a larger one: its 0..1 becomes ``start .. start + share``."""

    def placed(step: Progress) -> Progress:
        done, stage = start + share * step.fraction, f"{prefix}{step.stage}"
        return replace(step, done=done, total=total, stage=stage)

    return mapped(job, placed)


@overload
def mapped(job: Job[Result], step: Callable[[Progress], Progress]) -> Job[Result]: ...
@overload
def mapped(
    job: Job[Result], step: Callable[[Progress], Progress], result: Callable[[Result], Other]
) -> Job[Other]: ...
def mapped(
    job: Job[Any],
    step: Callable[[Progress], Progress],
    result: Callable[[Any], Any] | None = None,
) -> Job[Any]:
    """Run a job with every step of its progress, and its result, changed; closes it in any case.

    Parameters
    ----------
    job : Job
    step : callable
        Gives the progress that is passed on.
    result : callable, optional
        Gives the result from that of the job; default: as it is.
    """
    try:
        while True:
            yield step(next(job))
    except StopIteration as stop:
        return stop.value if result is None else result(stop.value)
    finally:
        job.close()


def mapped_results(job: Job[Result], change: Callable[[Result], Result]) -> Job[Result]:
    """Run a job whose result, and whose partial results of the same kind, are changed alike."""

    def step(progress: Progress) -> Progress:
        if progress.partial is None:
            return progress
        return replace(progress, partial=change(progress.partial))

    return mapped(job, step, change)
