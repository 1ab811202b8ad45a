"""A thread at once for each of our workers: a short job never waits behind long ones.

napari's workers share one pool with as many threads as the computer has cores. Two long jobs would
take all of them on a small computer, and whatever comes next, as opening a data set, would wait
until one ends. A worker of ours therefore lends the pool one thread more for as long as it lives.
It stays in napari's pool, so that napari knows of it when its window is closed.
"""

from __future__ import annotations

import threading
from typing import Any

from qtpy.QtCore import QThreadPool

__all__ = ["MOST", "start_at_once", "wait_for_all"]

# Further threads at most; workers beyond that wait for one to end.
MOST = 16

# Milliseconds that a job which was stopped may need for its last step.
LAST_STEP = 10_000

_LOCK = threading.Lock()
_lent = 0


def start_at_once(worker: Any) -> None:
    """Start a worker of napari's, in a thread of its own as long as there are not too many."""
    global _lent
    with _LOCK:
        lends = _lent < MOST
        _lent += lends
    if lends:
        pool = _pool()
        # "Releases a thread that was reserved": without one, the pool may have one more.
        pool.releaseThread()
        worker.finished.connect(_give_back)
    worker.start()


def wait_for_all() -> None:
    """Wait until no worker is at work any more, or until it is clear that one hangs."""
    _pool().waitForDone(LAST_STEP)


def _give_back() -> None:
    global _lent
    with _LOCK:
        _lent -= 1
    _pool().reserveThread()


def _pool() -> QThreadPool:
    pool = QThreadPool.globalInstance()
    assert pool is not None
    return pool
