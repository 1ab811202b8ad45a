"""Two jobs on one network: the long one rests between its steps while a short one is at work."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TypeVar

from napari_channelmix.jobs import Job, Progress

__all__ = ["Turns"]

Result = TypeVar("Result")

# Seconds between two looks at whether the other one is at its end.
LOOK = 0.02


class Turns:
    """Lets a short job go first; never are both within a step at the same time.

    Examples
    --------
    >>> from napari_channelmix.jobs import Progress, drain
    >>> def job():
    ...     yield Progress(0, 1, "a step")
    ...     return 5
    >>> turns = Turns()
    >>> drain(turns.long(job())), drain(turns.short(job()))
    (5, 5)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0

    def short(self, job: Job[Result]) -> Job[Result]:
        """A job that begins after the step that the long one is at, and is not interrupted."""
        self._wanted += 1
        try:
            while not self._lock.acquire(timeout=LOOK):
                yield Progress(0, 1, "waiting for a step of another job")
            try:
                return (yield from job)
            finally:
                job.close()
                self._lock.release()
        finally:
            self._wanted -= 1

    def long(self, job: Job[Result]) -> Job[Result]:
        """A job that rests between two steps while a short one waits or is at work."""
        last = Progress(0, 1, "")
        try:
            while True:
                while self._wanted:
                    yield replace(last, stage="resting while a single cell is explained")
                    time.sleep(LOOK)
                with self._lock:
                    step = next(job)
                last = replace(step, partial=None, metrics={})
                yield step
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            # Closing brings the network back to what it was before.
            with self._lock:
                job.close()
