"""Long work as generators: a job yields `Progress`, may be closed, and returns its result.

The same generator serves the docks (napari's `thread_worker`), the command line (a progress bar)
and the tests. Cancelling a job is closing its generator, so no job needs a flag or a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

__all__ = ["Job", "Progress", "drain", "part"]

Result = TypeVar("Result")


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
    """

    done: float
    total: float
    stage: str
    metrics: dict[str, float] = field(default_factory=dict)
    partial: Any = None

    @property
    def fraction(self) -> float:
        """Share of the work that is done, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0)


Job = Generator[Progress, None, Result]


def drain(job: Job[Result], on_progress: Callable[[Progress], object] | None = None) -> Result:
    """Run a job to its end and give its result.

    Closing is left to the caller's exceptions: an exception raised by ``on_progress`` (or Ctrl-C)
    closes the generator, so the job can tidy up.
    """
    try:
        while True:
            progress = next(job)
            if on_progress is not None:
                on_progress(progress)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        job.close()


def part(
    job: Job[Result], start: float, share: float, total: float, prefix: str = ""
) -> Job[Result]:
    """Run a job as part of a larger one: its 0..1 becomes ``start .. start + share``."""
    try:
        while True:
            step = next(job)
            stage = f"{prefix}{step.stage}"
            yield replace(step, done=start + share * step.fraction, total=total, stage=stage)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        job.close()
