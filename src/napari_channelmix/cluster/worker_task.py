"""What a worker does with a chunk: computes it, says how far it is, and stops when left alone."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import ClusterError
from napari_channelmix.provenance import package_version

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job

__all__ = ["Facts", "hold", "import_there", "own_facts", "run_chunk"]

#: Version of this package and minor version of Python.
Facts = tuple[str, str]

# Seconds between what a worker says of a chunk.
OFTEN = 0.5
# Seconds after which a line has left the process.
SENT = 0.01
# A model in use by two threads at once may give wrong results (hooks), and cells share open files.
_one_at_a_time = threading.Lock()


class NotWanted(Exception):
    """Nobody waits for the chunk any more."""


def import_there(modules: Sequence[str]) -> None:
    """Import modules where this is called; one that is not there is missed when it is needed."""
    for name in modules:
        with contextlib.suppress(ImportError):
            import_module(name)


def hold(shared: object) -> None:
    """Have a copy of what is shared in the worker that is asked."""


def own_facts() -> Facts:
    """Of this process."""
    version = package_version("napari-channelmix") or "unknown"
    return version, f"{sys.version_info[0]}.{sys.version_info[1]}"


def run_chunk(
    task: Callable[[Any, Any], Job[Any]],
    shared: Any,
    chunk: Any,
    index: int,
    topic: str,
    facts: Facts,
) -> Any:
    """Compute a chunk in a worker; what is said of it on the way goes to ``topic``.

    Raises
    ------
    ClusterError
        A worker with other versions than ``facts``.
    """
    from distributed import get_worker

    refuse_other(own_facts(), facts, "a worker")
    worker: Any = get_worker()
    key = worker.get_current_task()
    with _one_at_a_time:
        if not _is_wanted(worker, key):
            raise NotWanted
        _compute_with_one_thread()
        worker.log_event(topic, {"chunk": index, "share": 0.0, "begins": True})
        # Sent by another thread: it must be on its way before the chunk can take this process down.
        time.sleep(SENT)
        job, last = task(shared, chunk), time.monotonic()
        try:
            while True:
                step = next(job)
                now = time.monotonic()
                if now - last < OFTEN:
                    continue
                last = now
                if not _is_wanted(worker, key):
                    raise NotWanted
                worker.log_event(topic, {"chunk": index, "share": float(step.fraction)})
        except StopIteration as stop:
            return stop.value
        finally:
            job.close()


def refuse_other(theirs: Facts, ours: Facts, who: str) -> None:
    """Refuse a worker that would compute something else, or nothing.

    Raises
    ------
    ClusterError
        One line that names both versions.
    """
    advice = "install the same version on all machines"
    if theirs[1] != ours[1]:
        raise ClusterError(f"{who} runs Python {theirs[1]}, this process {ours[1]}; {advice}")
    if not theirs[0]:
        raise ClusterError(f"{who} has no napari-channelmix, this process {ours[0]}; {advice}")
    if theirs[0] != ours[0]:
        raise ClusterError(
            f"{who} has napari-channelmix {theirs[0]}, this process {ours[0]}; {advice}"
        )


def _is_wanted(worker: Any, key: Any) -> bool:
    """Whether the scheduler still asks this worker for the chunk; it may have been cancelled."""
    state = worker.state.tasks.get(key)
    return state is not None and state.state not in ("cancelled", "released", "forgotten")


def _compute_with_one_thread() -> None:
    """Let PyTorch take one core, where it is loaded: other workers have the others."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        with contextlib.suppress(RuntimeError):
            torch.set_num_threads(1)
