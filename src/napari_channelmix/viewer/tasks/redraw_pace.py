"""How often a window can be redrawn, found out while it is."""

from __future__ import annotations

import time

from qtpy.QtCore import QTimer

__all__ = ["Pace"]

# Share of the time that redrawing may take; the rest is the user's.
SHARE = 0.5
# Seconds that are waited at most: a window that is slow once still tells how far things are.
LONGEST = 1.0
# Milliseconds after which a redraw that was asked for has begun: Qt gathers them for a moment.
BEGUN = 15


class Pace:
    """Lets redraws through so that they leave the window time for itself.

    A redraw takes two milliseconds with a graphics card and a hundred without one; a window that
    is redrawn whenever there is news would then answer the user late.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._took = 0.0

    @property
    def interval(self) -> float:
        """Seconds from one redraw to the next; it may be asked for in any thread."""
        return min(self._took / SHARE, LONGEST)

    def ready(self) -> bool:
        """Whether the window has rested long enough since the redraw before."""
        return time.monotonic() >= self._next

    def begin(self) -> None:
        """A redraw is about to be asked for: see when it is done."""
        start = time.monotonic()
        # While the window is drawn no timer comes.
        QTimer.singleShot(BEGUN, lambda: self._done(start))

    def _done(self, start: float) -> None:
        self._took = time.monotonic() - start
        self._next = start + self.interval
