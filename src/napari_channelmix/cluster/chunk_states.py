"""Which chunks of a job are waiting, running, done or given up, and how fast they go."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence

from napari_channelmix.cluster.report import ChunkReport
from napari_channelmix.errors import ChannelMixError, ClusterError, ModelError
from napari_channelmix.jobs import Progress
from napari_channelmix.wording import shown_error

__all__ = ["ChunkStates", "deadly"]

# Parts of the data in each of which a chunk must fail, none having been done, before the reason is
# taken to lie elsewhere than in one image.
HOPELESS = 8
# Workers that a chunk may take with it.
DEADLY = 3
# What the files or the machine did to a chunk; anything else would happen to all.
OF_A_CHUNK = (ChannelMixError, OSError, MemoryError)
# Seconds over which the pace is taken.
RECENT = 30.0


class ChunkStates:
    """Which chunks are waiting, running, done or given up.

    Parameters
    ----------
    sizes : sequence of int
        Cells of each chunk.
    stage : str
        What is done, for progress.
    retries : int
        How often a chunk that failed is tried again.
    """

    def __init__(self, sizes: Sequence[int], stage: str, retries: int) -> None:
        self._sizes, self._stage, self._retries = sizes, stage, retries
        self.waiting: deque[int] = deque(range(len(sizes)))
        self._cells, self._done, self._total = 0, 0, sum(sizes)
        # Share that is through of chunks that run.
        self._shares: dict[int, float] = {}
        self._errors: dict[int, list[Exception]] = {}
        self._failed: dict[int, Exception] = {}
        # How often each chunk was begun.
        self._begun: Counter[int] = Counter()
        self._again: set[int] = set()
        self._pace: deque[tuple[float, float]] = deque([(time.monotonic(), 0.0)])

    @property
    def settled(self) -> int:
        """Chunks that are done or given up."""
        return self._done + len(self._failed)

    @property
    def complete(self) -> bool:
        """Whether no chunk is waiting or running."""
        return self.settled == len(self._sizes)

    def begin(self, index: int) -> None:
        """Note that a chunk is being computed, here or by a worker."""
        self._begun[index] += 1
        self._shares[index] = 0.0
        if self._begun[index] > 1 + len(self._errors.get(index, ())):
            self._again.add(index)

    def advance(self, index: int, share: float) -> None:
        """Note how far a running chunk is, 0 to 1."""
        if index in self._shares:
            self._shares[index] = share

    def finish(self, index: int) -> None:
        """Note that a chunk is done and kept."""
        self._shares.pop(index, None)
        # One error is all that a message needs, and it may hold much.
        self._errors.pop(index, None)
        self._done += 1
        self._cells += self._sizes[index]

    def repeat(self, index: int) -> None:
        """Have a chunk computed again that was lost with its worker, or give it up as deadly."""
        lost = self._begun[index] - len(self._errors.get(index, ()))
        if lost > DEADLY:
            self.fail(index, deadly(), final=True)
            return
        self._shares.pop(index, None)
        self.waiting.appendleft(index)

    def fail(self, index: int, error: BaseException, *, final: bool = False) -> None:
        """Note an error of a chunk: it is tried again after all others, or given up.

        Raises
        ------
        BaseException
            The error itself, where it is not of the chunk: a model that does not fit, a fault of
            the program; or where chunk after chunk failed and none was ever done.
        """
        if not isinstance(error, OF_A_CHUNK) or isinstance(error, ModelError):
            raise error
        self._shares.pop(index, None)
        errors = self._errors.setdefault(index, [])
        errors.append(error.with_traceback(None))
        if not self._done:
            self._look_elsewhere()
        if not final and len(errors) <= self._retries:
            self.waiting.append(index)
            return
        self._failed[index] = errors[0]
        self._cells += self._sizes[index]

    def _look_elsewhere(self) -> None:
        """Have a chunk from a part of the data computed next of which none has failed yet.

        Neighbouring chunks lie in one image: it may be damaged, and the others sound.
        """
        count = len(self._sizes)
        tried = {index * HOPELESS // count for index in self._errors}
        if len(tried) == HOPELESS:
            raise self._errors[min(self._errors)][0]
        for position, index in enumerate(self.waiting):
            if index * HOPELESS // count not in tried:
                self.waiting.rotate(-position)
                return

    def progress(self, note: str = "", workers: int = 0, step: Progress | None = None) -> Progress:
        """How far all chunks are, with the cells a second of the last half minute.

        Parameters
        ----------
        note : str
        workers : int
            How many there are; 0: no others than this process.
        step : Progress, optional
            Of the chunk that runs in this process: its figures are passed on, and its stage where
            the job has none of its own.
        """
        running = sum(
            share * self._sizes[index]
            # Workers report from another thread.
            for index, share in list(self._shares.items())
        )
        cells, now = self._cells + running, time.monotonic()
        if now - self._pace[-1][0] > 0.25:
            self._pace.append((now, cells))
        while len(self._pace) > 2 and now - self._pace[1][0] > RECENT:
            self._pace.popleft()
        since, before = self._pace[0]
        metrics = {} if step is None else dict(step.metrics)
        if now - since > 0.5 and cells > before:
            metrics["cells per second"] = (cells - before) / (now - since)
        if workers:
            metrics["workers"] = float(workers)
        if step is not None and not self._stage:
            return Progress(cells, max(self._total, 1), step.stage, metrics, note=step.note)
        stage = f"{self._stage or 'computing'}, {int(cells):,} of {self._total:,}"
        if workers:
            stage += f", {workers} worker{'s' * (workers > 1)}"
        return Progress(cells, max(self._total, 1), stage, metrics, note=note)

    def report(self) -> ChunkReport:
        """What became of the chunks."""
        failed = sorted(self._failed.items())
        return ChunkReport(
            len(self._sizes),
            self._done,
            tuple(sorted(self._again)),
            tuple((index, one_line(error)) for index, error in failed),
            failed[0][1] if failed else None,
        )


def deadly() -> ClusterError:
    """Why a chunk is given up that no worker survives."""
    return ClusterError(
        "every worker that computed it died; it may need more memory than they have"
    )


def one_line(error: BaseException) -> str:
    """Why a chunk failed: our own words as they are, others with the name of their kind."""
    if isinstance(error, ChannelMixError):
        return str(error)
    return f"{type(error).__name__}: {shown_error(error)}"
