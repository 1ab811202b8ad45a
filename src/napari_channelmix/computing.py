"""How this process computes: its device, its threads, and how much memory it may hold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from napari_channelmix.bounds import hold

__all__ = [
    "GIB",
    "Computing",
    "compute_with",
    "computing",
    "computing_with",
    "leave_a_core",
    "within_cap",
]

GIB = 2**30


@dataclass(frozen=True)
class Computing:
    """What the user prefers, for all jobs of the process.

    Attributes
    ----------
    device : str
        What ``auto`` stands for; ``auto`` itself takes the best device there is.
    threads : int
        Threads of PyTorch; 0 lets each job choose.
    memory : float
        GiB that cells held for training, decoded pictures and batches may each take; on a CUDA
        device all of PyTorch together. 0 sets no cap beyond the usual ones.
    """

    device: str = "auto"
    threads: int = 0
    memory: float = 0.0

    def __post_init__(self) -> None:
        hold(threads=self.threads, memory=self.memory)


_now = Computing()


def computing() -> Computing:
    """What is preferred now."""
    return _now


def compute_with(preferred: Computing) -> None:
    """Let all jobs that begin from now on compute like this."""
    global _now
    _now = preferred


@contextlib.contextmanager
def computing_with(preferred: Computing) -> Iterator[None]:
    """The same for a while."""
    before = computing()
    compute_with(preferred)
    try:
        yield
    finally:
        compute_with(before)


def within_cap(usual: int) -> int:
    """Bytes something may hold: as many as usual, or the cap where it is lower."""
    cap = _now.memory
    return usual if cap <= 0 else min(usual, int(cap * GIB))


def leave_a_core() -> None:
    """Keep PyTorch from taking every core: one is for the window, which is drawn meanwhile."""
    import torch

    if computing().threads:
        torch.set_num_threads(computing().threads)
        return
    cores = os.cpu_count() or 1
    if torch.get_num_threads() >= cores > 1:
        torch.set_num_threads(cores - 1)
