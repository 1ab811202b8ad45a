"""Being stopped: Ctrl-C, and the signal with which systems end a process."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

__all__ = ["noted_interrupts", "terminated_as_interrupted"]


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: what was finished is kept, locks are given back."""
    with _handled((signal.SIGTERM,), []):
        yield


@contextlib.contextmanager
def noted_interrupts() -> Iterator[list[int]]:
    """Remember Ctrl-C: where it falls into a callback of a library, Python loses the exception."""
    noted: list[int] = []
    with _handled((signal.SIGINT, signal.SIGTERM), noted):
        yield noted


@contextlib.contextmanager
def _handled(numbers: tuple[signal.Signals, ...], noted: list[int]) -> Iterator[None]:
    def note(number: int, _: object) -> None:
        noted.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
