"""Jobs in a terminal: a bar with a total, time left, and a clean stop on Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
from typing import TypeVar

from tqdm import tqdm

from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.run.interrupts import noted_interrupts

__all__ = ["run_job"]

Result = TypeVar("Result")


def run_job(job: Job[Result], *, title: str, quiet: bool = False) -> Result:
    """Run a job to its end with a progress bar on standard error; Ctrl-C closes the job.

    The bar appears with the first step, so a job that refuses its input leaves one line alone.
    """
    with contextlib.ExitStack() as stack:
        interrupts = stack.enter_context(noted_interrupts())
        bars: list[tqdm[None]] = []

        def show(progress: Progress) -> None:
            if interrupts:
                raise KeyboardInterrupt
            if not bars:
                bars.append(stack.enter_context(_bar(title, quiet)))
            bars[0].set_postfix_str(progress.stage, refresh=False)
            bars[0].update(100.0 * progress.fraction - bars[0].n)

        try:
            return drain(job, show)
        except Exception as error:
            # A library may have made an error of its own out of Ctrl-C.
            if interrupts:
                raise KeyboardInterrupt from error
            raise


def _bar(title: str, quiet: bool) -> tqdm[None]:
    return tqdm(
        total=100.0,
        desc=title,
        file=sys.stderr,
        # None: no bar where standard error is no terminal, as in a log.
        disable=True if quiet else None,
        bar_format="{desc}: {percentage:3.0f}%|{bar:24}| {elapsed}<{remaining}  {postfix}",
    )
