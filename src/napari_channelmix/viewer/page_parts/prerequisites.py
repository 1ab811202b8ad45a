"""What is missing before a cell can be explained, and the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.page_parts.open_page import open_dock
from napari_channelmix.viewer.session.classifier_fit import reason_not_fitting
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["Needs"]

IMAGES, CLASSIFIER = "Images and cells", "Classifier"


class Needs(QWidget):
    """A line that says what to do next, and a button that goes to the page for it."""

    def __init__(self, viewer: Any, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self.line = Notice()
        self.button = QPushButton()
        self.button.clicked.connect(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.line)
        column.addWidget(self.button)
        self._dock = ""

    def fill(self) -> bool:
        """Say what is missing; gives whether nothing is."""
        session = self._session
        if session.cells is None or session.shown is None:
            self._dock = IMAGES
            reason = "No cells yet: first open a data set, or use the layers of the viewer."
        elif session.trained is None:
            self._dock = CLASSIFIER
            reason = "No classifier yet: train one, or open a model, on the page 'Classifier'."
        else:
            reason = reason_not_fitting(session)
            self._dock = CLASSIFIER if reason else ""
        self.line.say(reason)
        self.button.setText(f"Go to '{self._dock}'")
        self.button.setToolTip(f"Go to the page '{self._dock}'")
        self.setVisible(bool(reason))
        return not reason

    def go(self) -> None:
        """Go to the page that comes first."""
        open_dock(self._viewer, self._dock)
