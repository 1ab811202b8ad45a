"""Jobs in a terminal: how long it takes, a bar with the time left, and a clean stop on Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from typing import TypeVar

from tqdm import tqdm

from napari_channelmix.duration import (
    Stopwatch,
    Workload,
    duration_text,
    estimate,
    past_run,
    record,
)
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.run.interrupts import noted_interrupts

__all__ = ["run_job"]

Result = TypeVar("Result")


def run_job(
    job: Job[Result], *, title: str, quiet: bool = False, work: Workload | None = None
) -> Result:
    """Run a job to its end with a progress bar on standard error; Ctrl-C closes the job.

    The bar appears with the first step, so a job that refuses its input leaves one line alone.

    Parameters
    ----------
    work : Workload, optional
        How much there is to do: a line before the bar then says how long it takes, and the time
        it took is remembered for the next run.
    """
    expected = None if work is None else estimate(work)
    watch = Stopwatch(past_run(work), expected)
    with contextlib.ExitStack() as stack:
        interrupts = stack.enter_context(noted_interrupts())
        bars: list[tqdm[None]] = []

        def show(progress: Progress) -> None:
            if interrupts:
                raise KeyboardInterrupt
            if not bars:
                bar = _bar(title, quiet)
                if expected is not None and not bar.disable:
                    bar.write(f"{title}: takes {expected.text}", file=sys.stderr)
                bars.append(stack.enter_context(bar))
            left = watch.left(progress)
            about = "" if left is None else f", about {duration_text(left)} left"
            bars[0].set_postfix_str(f"{progress.stage}{about}", refresh=False)
            bars[0].update(100.0 * progress.fraction - bars[0].n)

        try:
            result = drain(job, show)
        except Exception as error:
            # A library may have made an error of its own out of Ctrl-C.
            if interrupts:
                raise KeyboardInterrupt from error
            raise
    if work is not None:
        record(work, watch)
    return result


def _bar(title: str, quiet: bool) -> tqdm[None]:
    return tqdm(
        total=100.0,
        desc=title,
        file=sys.stderr,
        # None: no bar where standard error is no terminal, as in a log.
        disable=True if quiet else None,
        bar_format="{desc}: {percentage:3.0f}%|{bar:24}| {elapsed}  {postfix}",
    )
