"""Make napari ask before it closes a window with annotations that could not be saved."""

from __future__ import annotations

from typing import Any

from napari.qt.threading import create_worker

__all__ = ["UnsavedWork"]


class _Saving:
    """What napari's list of unfinished work says; there is nothing to run."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __call__(self) -> None:
        pass


class UnsavedWork:
    """Unfinished work in napari's own list, as long as something is unsaved.

    napari's window asks before it closes while a worker is waiting or at work, and shows what
    each is about. So a worker waits, and is run once all is saved. That is all plugins have: the
    list itself is not public.
    """

    def __init__(self) -> None:
        self._waiting: Any = None
        self.text = ""

    def note(self, text: str) -> None:
        """Have napari ask, and say this; an empty text: there is nothing left to ask for."""
        if text == self.text:
            return
        if self._waiting is not None:
            self._waiting.start()
        self.text = text
        self._waiting = create_worker(_Saving(text), _start_thread=False) if text else None
