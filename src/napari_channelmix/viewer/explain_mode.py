"""The switch that makes clicks explain cells, and when it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_channelmix.viewer.clicks import CellClicks

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.session import Session

__all__ = ["ExplainMode"]

ON, OFF = "Explaining: click a cell in the picture", "Explain cells by a click"


class ExplainMode(QPushButton):
    """On while its dock is in front, until the user switches it off; off while classes are painted.

    Parameters
    ----------
    viewer, session, chosen, missed
        As for `CellClicks`.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        chosen: Callable[[int, bool], object],
        missed: Callable[[str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(OFF, parent)
        self._session = session
        self.clicks = CellClicks(viewer, session, chosen, missed)
        # Whether the dock is in front of the others.
        self.front = False
        self._was_on = True
        self.setCheckable(True)
        self.setToolTip(
            "While this is on and the dock in front, a click on a cell explains it; Shift and a "
            "click chooses cells for 'Explain chosen'; a drag moves the picture as ever"
        )
        self.toggled.connect(self._toggled)

    def come_to_front(self, front: bool) -> None:
        """The dock came in front of the others, or is behind one."""
        self.front = front
        if front:
            # Opened to explain cells: a click does so at once.
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
        self.setText(ON if on else OFF)
        self.fit()

    def fit(self) -> None:
        """Listen to clicks where there is something to explain."""
        session = self._session
        self.setEnabled(not session.painting)
        ready = session.trained is not None and session.shown is not None
        self.clicks.switch(ready and self.isChecked() and self.front)
