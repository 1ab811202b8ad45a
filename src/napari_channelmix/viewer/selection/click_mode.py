"""The switch that makes clicks on cells do what a dock is for, and when it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_channelmix.viewer.selection.clicks import CellClicks

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.session.session import Session

__all__ = ["ClickMode", "ClickWords"]


@dataclass(frozen=True)
class ClickWords:
    """What the switch says while it is on and off, its tooltip, and what a click does to cells."""

    on: str
    off: str
    tip: str
    does: str


class ClickMode(QPushButton):
    """On while its dock is in front, until the user switches it off; off while classes are painted.

    Parameters
    ----------
    viewer, session, chosen, missed
        As for `CellClicks`.
    words : ClickWords
    ready : callable
        Whether there is anything that a click could do.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        words: ClickWords,
        ready: Callable[[], bool],
        chosen: Callable[[int, bool], object],
        missed: Callable[[str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(words.off, parent)
        self._session, self._words, self._ready = session, words, ready
        self.clicks = CellClicks(viewer, session, chosen, missed, words.does)
        # Whether the dock is in front of the others.
        self.front = False
        self._was_on = True
        self.setCheckable(True)
        self.setToolTip(words.tip)
        self.toggled.connect(self._toggled)

    def come_to_front(self, front: bool) -> None:
        """The dock came in front of the others, or is behind one."""
        self.front = front
        if front:
            # Opened for its clicks: they do so at once.
            self.setChecked(not self._session.painting)
        self.fit()

    def give_way(self, painting: bool) -> None:
        """Painting of classes began or ended: clicks are for one thing at a time."""
        if painting:
            self._was_on = self.isChecked()
            self.setChecked(False)
        else:
            self.setChecked(self._was_on)
        self.fit()

    def _toggled(self, on: bool) -> None:
        self.setText(self._words.on if on else self._words.off)
        self.fit()

    def fit(self) -> None:
        """Listen to clicks where there is something to do."""
        self.setEnabled(not self._session.painting)
        self.clicks.switch(self._ready() and self.isChecked() and self.front)
