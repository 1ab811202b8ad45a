"""Run jobs in napari's own worker threads, and show how far they are."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from napari.utils.notifications import ErrorNotification, notification_manager, show_error
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_channelmix.duration import Stopwatch, Workload, estimate, past_run, record
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.tasks.redraw_pace import Pace
from napari_channelmix.viewer.tasks.threads import start_at_once, wait_for_all

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from napari_channelmix.viewer.session.session import Session

__all__ = ["Task", "Update"]

# Seconds between two updates, or more where the window is slow to show them (`Pace`): it needs no
# more, and a job may yield a thousand times.
PAUSE = 0.05
# Milliseconds between two steps on the main thread: with none, Qt takes several in one turn.
TURN = 10


@dataclass(frozen=True)
class Update:
    """What a job said since the update before: where it is, and every metric and partial result."""

    progress: Progress
    metrics: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True)
class _Outcome:
    """How a job ended: with a result or an error."""

    result: Any = None
    error: Exception | None = None


def _in_thread(
    job: Job[Any], stop: threading.Event, pace: Pace
) -> Generator[Update, None, _Outcome | None]:
    """Drive a job in a worker: hand on what it says now and then, stop it where it may be stopped.

    Errors are handed over as values: napari's worker takes a RuntimeError for the end of the
    worker, and PyTorch raises little else.
    """
    last, partial = 0.0, None
    metrics: list[dict[str, float]] = []
    try:
        while not stop.is_set():
            try:
                progress = next(job)
            except StopIteration as end:
                # The last epoch may have come within the pause.
                if metrics:
                    yield Update(Progress(1, 1, "done", partial=partial), tuple(metrics))
                return _Outcome(end.value)
            except Exception as error:
                return _Outcome(error=error)
            if progress.metrics:
                metrics.append(progress.metrics)
            partial = progress.partial if progress.partial is not None else partial
            if time.monotonic() - last >= max(PAUSE, pace.interval):
                yield Update(replace(progress, partial=partial), tuple(metrics))
                last, metrics, partial = time.monotonic(), [], None
        return None
    finally:
        job.close()


@dataclass(eq=False)
class _Run:
    """One job at work and whom to tell; late answers of an earlier one are known by identity."""

    name: str
    job: Job[Any]
    on_result: Callable[[Any], object]
    on_update: Callable[[Update], object] | None
    on_error: Callable[[str], object] | None
    data_set: int | None = None
    work: Workload | None = None
    show: Callable[[Any], Job[Any]] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    begun: bool = False
    # What is left of ``show``, once the thread has its result.
    turns: Job[Any] | None = None


# Those that may have a thread.
_RUNS: weakref.WeakSet[_Run] = weakref.WeakSet()


def stop_all() -> None:
    """Stop every job and wait for its thread: Python must not end below one that is at work."""
    for run in list(_RUNS):
        run.stop.set()
    wait_for_all()


# Where a script ends without closing its window, or an error ends it. Before what `atexit` calls:
# that runs backwards, and a library that a job imported later (zarr) would stop its own threads
# first, for which the job then waits without end. Python has no public name for it;
# `concurrent.futures` uses this one.
getattr(threading, "_register_atexit", atexit.register)(stop_all)


class Task:
    """At most one job at a time; a new one stops the one before, whose answers are then dropped.

    Parameters
    ----------
    session : Session
    one_thread : bool
        A new job begins only when the thread of the one before has come to its end, for jobs that
        work on one network. Of those that wait for it, all but the last are never begun.

    Signals
    -------
    started(str)
        Name of the task; it may still have to wait for a thread, see `waiting`.
    begun(str)
        Its thread is at work.
    updated(Update)
        At most 20 times a second, on the main thread.
    ended(str)
        ``"done"``, ``"failed"`` or ``"cancelled"``.
    """

    started = Signal(str)
    begun = Signal(str)
    updated = Signal(object)
    ended = Signal(str)

    def __init__(self, session: Session, *, one_thread: bool = False) -> None:
        self._session = session
        self._now: _Run | None = None
        self._one_thread = one_thread
        self._pace = Pace()
        # Of the job at work, or of the last one.
        self._watch = Stopwatch()
        # Those whose thread has not come to its end.
        self._threads: list[_Run] = []

    @property
    def busy(self) -> bool:
        """Whether a job is at work."""
        return self._now is not None

    @property
    def data_set(self) -> int | None:
        """The data set that the result of the job at work belongs to, where it has one."""
        return None if self._now is None else self._now.data_set

    @property
    def showing(self) -> bool:
        """Whether a result is there, and steps on the main thread to show it are left."""
        return self._now is not None and self._now.turns is not None

    @property
    def waiting(self) -> bool:
        """Whether the job waits for a thread, or for the job before to come to its end."""
        return self._now is not None and not self._now.begun

    @property
    def seconds_left(self) -> float | None:
        """About how long the job at work still takes; None while nothing can be said."""
        return None if self._now is None or self.waiting else self._watch.left_now()

    @property
    def threads(self) -> int:
        """Threads at work, those included that were stopped and are on their last step."""
        return len(self._threads)

    def run(
        self,
        name: str,
        job: Job[Any],
        on_result: Callable[[Any], object],
        *,
        on_update: Callable[[Update], object] | None = None,
        on_error: Callable[[str], object] | None = None,
        data_set: int | None = None,
        work: Workload | None = None,
        show: Callable[[Any], Job[Any]] | None = None,
    ) -> None:
        """Start a job; the callbacks are called on the main thread, in the order of events.

        ``data_set``: the key of the data set that the result belongs to; the job is stopped where
        that is closed. ``work``: how much there is to do, so that the time it takes is known
        better now and before the next run. ``show``: makes steps on the main thread out of the
        result, of which each turn of the event loop takes one, so that the window lives between
        them; ``on_result`` then gets what they return. Where the job is stopped meanwhile, or
        another one begins, the steps that are left are done at once: nothing stays half shown.
        """
        self.stop()
        now = _Run(name, job, on_result, on_update, on_error, data_set, work, show)
        self._watch = _watch_of(work)
        self._now = now
        self._session.begin(name, data_set)
        self.started.emit(name)
        if not (self._one_thread and self._threads):
            self._begin(now)

    def _begin(self, now: _Run) -> None:
        self._threads.append(now)
        _RUNS.add(now)
        worker = create_worker(
            _in_thread, now.job, now.stop, self._pace, _start_thread=False, _ignore_errors=True
        )
        worker.started.connect(lambda: self._started(now))
        worker.yielded.connect(lambda update: self._updated(now, update))
        worker.returned.connect(lambda outcome: self._returned(now, outcome))
        worker.finished.connect(lambda: self._finished(now))
        start_at_once(worker)

    def stop(self) -> None:
        """Stop the job; the page is free at once, the thread ends at the job's next step."""
        now = self._now
        if now is None:
            return
        if now.turns is not None:
            self.finish()
            return
        # Not the worker's own quit(): it would leave the job half way, until it is collected.
        now.stop.set()
        self._end(now, "cancelled")

    def finish(self) -> None:
        """Do at once what is left to be shown of a result; a job at work is let be."""
        now = self._now
        if now is None or now.turns is None or now.turns.gi_running:
            # Out of one of its own steps: the others follow.
            return
        while now.turns is not None:
            self._turn(now)

    def abandon(self) -> None:
        """Stop the job without a word: whoever listened is gone."""
        now, self._now = self._now, None
        if now is not None:
            now.stop.set()
            turns, now.turns = now.turns, None
            if turns is not None and not turns.gi_running:
                turns.close()
            self._session.end(now.name, now.data_set)

    def _started(self, now: _Run) -> None:
        now.begun = True
        if self._now is now:
            self._watch = _watch_of(now.work)
            self.begun.emit(now.name)

    def _updated(self, now: _Run, update: Update) -> None:
        if self._now is not now:
            return
        self._pace.begin()
        self._watch.note(update.progress)
        if now.on_update is not None:
            now.on_update(update)
        self.updated.emit(update)

    def _returned(self, now: _Run, outcome: _Outcome | None) -> None:
        if self._now is not now or outcome is None:
            return
        if outcome.error is not None:
            self._end(now, "failed")
            self._failed(now, outcome.error)
            return
        if now.work is not None:
            record(now.work, self._watch)
        if now.show is None:
            self._end(now, "done")
            now.on_result(outcome.result)
            return
        now.turns = now.show(outcome.result)
        self._next_turn(now)

    def _next_turn(self, now: _Run) -> None:
        """A step of what is shown; the next one follows once the event loop has had its turn."""
        if now.turns is None:
            return
        self._turn(now)
        while self._now is not now and now.turns is not None:
            # Another job began out of this step.
            self._turn(now)
        if now.turns is not None:
            QTimer.singleShot(TURN, lambda: self._next_turn(now))

    def _turn(self, now: _Run) -> None:
        assert now.turns is not None
        try:
            next(now.turns)
        except StopIteration as end:
            now.turns = None
            self._shown(now, "done")
            now.on_result(end.value)
        except Exception:
            now.turns = None
            self._shown(now, "failed")
            raise

    def _shown(self, now: _Run, how: str) -> None:
        if self._now is now:
            self._end(now, how)
        else:
            self._session.end(now.name, now.data_set)

    def _finished(self, now: _Run) -> None:
        """The thread is done; napari itself may have stopped it, in the middle of the job."""
        now.job.close()
        self._threads.remove(now)
        if self._now is now and now.turns is None:
            self._end(now, "cancelled")
        waiting = self._now
        if waiting is not None and waiting is not now and not self._threads:
            self._begin(waiting)

    def _failed(self, now: _Run, error: Exception) -> None:
        if isinstance(error, ChannelMixError):
            line = str(error)
            show_error(line)
        else:
            # Nothing the user did: napari's notification keeps the traceback for a report.
            line = f"{now.name} failed unexpectedly: {type(error).__name__}: {error}"
            notification_manager.dispatch(ErrorNotification(error))
        if now.on_error is not None:
            now.on_error(line)

    def _end(self, now: _Run, how: str) -> None:
        self._now = None
        self._session.end(now.name, now.data_set)
        self.ended.emit(how)


def _watch_of(work: Workload | None) -> Stopwatch:
    return Stopwatch(past_run(work), None if work is None else estimate(work))
