"""Changes of layers one after another, each in a turn of the event loop of its own.

napari takes some 100 ms to add or remove a layer beside 40 others. Several in one turn would block
the window for all of them together.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LayerSteps"]

# Milliseconds between two steps: with none, Qt takes several in one turn.
TURN = 10


class LayerSteps:
    """Takes steps in their order; the window lives between two of them.

    Parameters
    ----------
    in_turns : bool
        Off: each step is taken at once, for viewers without a window.
    ended : callable
        Called after the last step of those that wait.
    """

    def __init__(self, ended: Callable[[], object], *, in_turns: bool = True) -> None:
        self._ended, self._in_turns = ended, in_turns
        self._steps: deque[Callable[[], object]] = deque()
        # Whether a turn is on its way; one is enough for all.
        self._coming = False

    @property
    def busy(self) -> bool:
        """Whether steps wait for their turn."""
        return bool(self._steps)

    def then(self, step: Callable[[], object]) -> None:
        """Take a step after those that wait, never within this call where there are turns."""
        if not self._in_turns:
            step()
            return
        self._steps.append(step)
        self._come()

    def finish(self) -> None:
        """Take all steps that wait, now."""
        while self._steps:
            self._take()

    def drop(self) -> None:
        """Take none of the steps that wait."""
        self._steps.clear()

    def _come(self) -> None:
        if self._steps and not self._coming:
            self._coming = True
            QTimer.singleShot(TURN, self._turn)

    def _turn(self) -> None:
        self._coming = False
        if self._steps:
            try:
                self._take()
            finally:
                self._come()

    def _take(self) -> None:
        self._steps.popleft()()
        if not self._steps:
            self._ended()
