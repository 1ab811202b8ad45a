"""Jobs of the command line: how far they are, the time left, and a clean stop on Ctrl-C.

In a terminal that is a bar; where standard error is a file or a pipe, as in the log of a batch
system, one line every half minute.
"""

from __future__ import annotations

import contextlib
import sys
import time
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

# Seconds between two lines where there is no terminal.
EVERY = 30.0


def run_job(
    job: Job[Result], *, title: str, quiet: bool = False, work: Workload | None = None
) -> Result:
    """Run a job to its end with its progress on standard error; Ctrl-C closes the job.

    The bar appears with the first step, so a job that refuses its input leaves one line alone.
    Where standard error is no terminal there is no bar, but a line every half minute.

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
        lines, notes = _Lines(title, quiet), set[str]()

        def show(progress: Progress) -> None:
            if interrupts:
                raise KeyboardInterrupt
            if not bars:
                bar = _bar(title, quiet)
                if expected is not None and not bar.disable:
                    bar.write(f"{title}: takes {expected.text}", file=sys.stderr)
                bars.append(stack.enter_context(bar))
            if progress.note and progress.note not in notes and not quiet:
                notes.add(progress.note)
                bars[0].write(f"{title}: {progress.note}", file=sys.stderr)
            left = watch.left(progress)
            about = _pace(progress)
            about += "" if left is None else f", about {duration_text(left)} left"
            lines.show(progress, about)
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


class _Lines:
    """A line every half minute, where there is no terminal."""

    def __init__(self, title: str, quiet: bool) -> None:
        self._title, self._silent = title, quiet or sys.stderr.isatty()
        self._last = time.monotonic()

    def show(self, progress: Progress, about: str) -> None:
        now = time.monotonic()
        if self._silent or now - self._last < EVERY:
            return
        self._last = now
        percent = f"{100 * progress.fraction:.0f} %"
        print(f"{self._title}: {percent}, {progress.stage}{about}", file=sys.stderr, flush=True)


def _pace(progress: Progress) -> str:
    """Cells a second, where the job counts them."""
    pace = progress.metrics.get("cells per second")
    return "" if not pace else f", {pace:,.{0 if pace >= 10 else 1}f} cells/s"
