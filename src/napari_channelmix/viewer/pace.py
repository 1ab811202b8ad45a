"""How often a window can be redrawn, found out while it is."""

from __future__ import annotations

import time

from qtpy.QtCore import QTimer

__all__ = ["Pace"]

# Share of the time that redrawing may take; the rest is the user's.
SHARE = 0.5


class Pace:
    """Lets redraws through so that they leave the window time for itself.

    A redraw takes two milliseconds with a graphics card and a hundred without one; a window that
    is redrawn whenever there is news would then answer the user late.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def ready(self) -> bool:
        """Whether the window has rested long enough since the redraw before."""
        return time.monotonic() >= self._next

    def begin(self) -> None:
        """A redraw is about to be asked for: see when it is done."""
        start = time.monotonic()
        # Timers come after the paint events that are waiting by then.
        QTimer.singleShot(0, lambda: self._done(start))

    def _done(self, start: float) -> None:
        now = time.monotonic()
        self._next = now + (now - start) * (1 - SHARE) / SHARE
