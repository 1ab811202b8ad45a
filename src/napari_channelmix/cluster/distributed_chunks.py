"""Chunks on the workers of a scheduler: a few in flight, each kept here as soon as it is done.

A chunk whose worker dies is computed by another one; what is shared is sent again where the workers
that held it are gone. Every result is fetched by a thread of its own, so that a step of the job
never waits for the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.cluster.chunk_states import ChunkStates, deadly
from napari_channelmix.cluster.connection import Connection, quiet_logs
from napari_channelmix.cluster.worker_task import NotWanted, hold, own_facts, run_chunk
from napari_channelmix.errors import ClusterError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from napari_channelmix.settings.cluster import ClusterSettings

__all__ = ["on_workers_job"]

# Chunks in flight for each worker: one is computed, the next are there already.
IN_FLIGHT = 3
# What is raised of objects that cannot be sent.
NOT_SENT = (TypeError, AttributeError, pickle.PicklingError)
# Seconds between steps of the job, between counts of the workers, and until work without workers or
# without a scheduler is given up.
STEP, COUNT, ALONE, LOST = 0.1, 2.0, 30.0, 3.0


def on_workers_job(
    task: Callable[[Any, Any], Job[Any]],
    shared: Any,
    chunks: Sequence[Any],
    keep: Callable[[int, Any], object],
    settings: ClusterSettings,
    states: ChunkStates,
) -> Job[None]:
    """Compute the chunks that ``states`` has waiting on workers.

    Raises
    ------
    ClusterError
        A scheduler that cannot be reached or is lost, workers that do not fit.
    """
    # More workers than chunks would have nothing to do.
    settings = replace(settings, workers=min(settings.workers, len(chunks)))
    connection = Connection(settings, _modules(task, shared))
    with quiet_logs() as silence:
        try:
            yield from _opened_job(connection, settings, states, silence)
            flight = _Flight(connection, task, shared, chunks, states)
            try:
                yield from _flown_job(flight, connection, keep, states)
            finally:
                flight.close()
        finally:
            connection.close()


def _modules(*objects: Any) -> list[str]:
    """Where these, and what they hold, are defined; not what is the user's own script."""
    held = [value for each in objects for value in getattr(each, "__dict__", {}).values()]
    names = {getattr(each, "__module__", "") for each in (*objects, *held)}
    names |= {type(each).__module__ for each in (*objects, *held)}
    return sorted(name for name in names if isinstance(name, str) and _is_ours(name))


def _is_ours(module: str) -> bool:
    """Whether importing it runs no code of the user's."""
    return module.partition(".")[0] == "napari_channelmix"


def _opened_job(
    connection: Connection,
    settings: ClusterSettings,
    states: ChunkStates,
    silence: Callable[[], None],
) -> Job[None]:
    where = settings.scheduler or f"{settings.workers} worker{'s' * (settings.workers > 1)}"
    stage = f"{'connecting to' if settings.scheduler else 'starting'} {where}"
    total = states.progress().total
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(connection.open)
        try:
            while not opening.done():
                silence()
                yield Progress(0, total, stage)
                time.sleep(STEP)
        except BaseException:
            connection.close()
            raise
        opening.result()
    silence()


def _flown_job(
    flight: _Flight,
    connection: Connection,
    keep: Callable[[int, Any], object],
    states: ChunkStates,
) -> Job[None]:
    note = f"dashboard: {connection.dashboard}" if connection.dashboard else ""
    while not states.complete:
        yield states.progress(note, flight.workers)
        flight.wait()
        connection.replace_dead(states.settled)
        for index, result in flight.landed():
            keep(index, result)
            states.finish(index)
        flight.launch()
    yield states.progress(note, flight.workers)


class _Flight:
    """The chunks that are in flight."""

    def __init__(
        self,
        connection: Connection,
        task: Callable[[Any, Any], Job[Any]],
        shared: Any,
        chunks: Sequence[Any],
        states: ChunkStates,
    ) -> None:
        self._connection, self._client = connection, connection.client
        self._task, self._shared, self._chunks, self._states = task, shared, chunks, states
        self._run = uuid.uuid4().hex[:12]
        self._topic = f"napari-channelmix-{self._run}"
        self._facts = own_facts()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="channelmix-chunks")
        self._pending: dict[int, Any] = {}
        self._fetching: dict[int, tuple[Any, Future[Any]]] = {}
        self._sending: Future[Any] | None = None
        self._sent_to = (0, 1)
        self._copies: list[Any] = []
        self._sent: Any = None
        self._tries = 0
        self._counting: Future[Any] | None = None
        self._counted = self._alone = time.monotonic()
        self._lost: float | None = None
        self._news = threading.Event()
        self.workers = 1
        self._client.subscribe_topic(self._topic, self._hear)
        self._send()
        self._count()

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """What a worker says of a chunk."""
        message = event[1]
        index = int(message["chunk"])
        if message.get("begins"):
            self._states.begin(index)
        else:
            self._states.advance(index, float(message["share"]))

    def _send(self) -> None:
        """Give what is shared to all workers."""
        self._sent, self._sent_to = None, (self._connection.replaced, self.workers)
        sending: Future[Any] = Future()
        self._sending = sending

        def send() -> None:
            try:
                # Not by dask's broadcast, which never ends where a worker dies meanwhile, and
                # keeps all later ones waiting: each worker is asked to hold a copy.
                [sent] = self._client.scatter([self._shared], hash=False)
                self._copies = [
                    self._client.submit(hold, sent, workers=[address], pure=False)
                    for address in self._client.nthreads()
                ]
                sending.set_result(sent)
            except Exception as error:
                sending.set_exception(error)

        # No thread of the pool: where a worker dies meanwhile it may wait for it without end.
        threading.Thread(target=send, name="channelmix-send", daemon=True).start()

    @property
    def _worker_died(self) -> bool:
        """Whether a worker was lost since what is shared was last sent."""
        replaced, workers = self._sent_to
        return self._connection.replaced > replaced or self.workers < workers

    def _count(self) -> None:
        self._counting = self._pool.submit(self._client.nthreads)

    def wait(self) -> None:
        """Wait for news, not for long; see what became of the scheduler and its workers.

        Raises
        ------
        ClusterError
            The scheduler is gone, or it has had no worker for half a minute.
        """
        self._news.wait(STEP)
        self._news.clear()
        now = time.monotonic()
        if self._connection.lost:
            self._lost = self._lost or now
            if now - self._lost > LOST or self._client.status == "closed":
                raise self._gone()
            return
        self._lost = None
        if self._counting is not None and self._counting.done():
            with contextlib.suppress(Exception):
                self.workers = len(self._counting.result())
            self._counting, self._counted = None, now
        elif self._counting is None and now - self._counted > COUNT:
            self._count()
        if self.workers:
            self._alone = now
        elif now - self._alone > ALONE:
            raise ClusterError(
                f"{self._connection.where} has had no worker for {ALONE:.0f} s; what was finished "
                "is kept, and the same command goes on from it"
            )

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"the connection to {self._connection.where} is lost; what was finished is kept, and "
            "the same command goes on from it once a scheduler runs there again"
        )

    def landed(self) -> list[tuple[int, Any]]:
        """Results that are here; chunks that failed are noted, lost ones are waiting again."""
        here = []
        for index, future in list(self._pending.items()):
            status = future.status
            if status == "pending":
                continue
            del self._pending[index]
            if status == "finished":
                self._fetching[index] = future, self._pool.submit(future.result)
            elif status == "error":
                self._note(index, future.exception())
            else:
                self._lost_chunk(index)
        for index, (future, fetching) in list(self._fetching.items()):
            if not fetching.done():
                continue
            del self._fetching[index]
            error = fetching.exception()
            if error is None:
                here.append((index, fetching.result()))
            else:
                self._note(index, error)
            future.release()
        return here

    def _note(self, index: int, error: BaseException) -> None:
        """A chunk that raised."""
        from distributed.scheduler import KilledWorker

        if isinstance(error, ClusterError):
            raise error
        if isinstance(error, NotWanted) or _is_cancelled(error):
            self._lost_chunk(index)
        elif isinstance(error, KilledWorker):
            self._states.fail(index, deadly(), final=True)
        else:
            self._states.fail(index, error)

    def _lost_chunk(self, index: int) -> None:
        """A chunk, or what it needs, went with a worker or a connection."""
        self._states.repeat(index)
        if self._sent is not None and self._sent.status != "finished":
            self._sent = None

    def launch(self) -> None:
        """Send waiting chunks, as many as keep the workers busy."""
        if self._connection.lost:
            return
        if self._sending is not None:
            if not self._sending.done():
                if self._worker_died:
                    self._send()
                return
            try:
                self._sent = self._sending.result()
            except Exception as error:
                # No worker was there for it, for a moment; `wait` gives up in time.
                if self._tries > 3 or isinstance(error, NOT_SENT):
                    raise ClusterError(
                        f"the model or the cells could not be sent to the workers of "
                        f"{self._connection.where} ({_root(error)})"
                    ) from error
                self._tries += 1
                self._send()
                return
            self._sending = None
        if self._sent is None or self._sent.status != "finished":
            self._send()
            return
        room = IN_FLIGHT * max(self.workers, 1) - len(self._pending) - len(self._fetching)
        while self._states.waiting and room > 0:
            index = self._states.waiting.popleft()
            try:
                chunk = self._chunks[index]
            except Exception as error:
                # It is made when it is asked for, from files that may be damaged.
                self._states.fail(index, error)
                continue
            future = self._client.submit(
                run_chunk,
                self._task,
                self._sent,
                chunk,
                index,
                self._topic,
                self._facts,
                key=f"napari-channelmix-{self._run}-{index}-{uuid.uuid4().hex[:6]}",
                # Results depend on nothing else, but are the same only by chance to dask.
                pure=False,
            )
            future.add_done_callback(self._wake)
            self._pending[index] = future
            room -= 1

    def _wake(self, future: object) -> None:
        self._news.set()

    def close(self) -> None:
        """Let go of all chunks in flight: workers stop at the next step of what they compute."""
        fetched = (pair[0] for pair in self._fetching.values())
        for future in (*self._pending.values(), *fetched, *self._copies):
            with contextlib.suppress(Exception):
                # Nobody else waits for it, so the scheduler takes it back from the worker.
                future.release()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _root(error: BaseException) -> str:
    """What went wrong first: what is raised about pickling quotes whole objects."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return f"{type(error).__name__}: {shown_error(error)}"


def _is_cancelled(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError | CancelledError)
