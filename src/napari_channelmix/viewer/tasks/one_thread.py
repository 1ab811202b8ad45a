"""PyTorch with one thread, for what is computed on the thread of the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch work with one thread here.

    A few pictures take a millisecond with one; with several, which wait for each other, a hundred
    where the cores are busy, and this is the thread of the window.
    """
    import torch

    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
