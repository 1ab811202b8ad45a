"""Which of the classifiers of a session is in use: each data set keeps the last one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from napari_channelmix.viewer.page_parts.base_page import no_wider

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session, Trained

__all__ = ["ClassifierBox"]


class ClassifierBox(QWidget):
    """Seen as soon as there are two. It only asks.

    Signals
    -------
    chosen(Trained)
    """

    chosen = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._classifiers: tuple[Trained, ...] = ()
        self.list = QComboBox()
        self.list.setAccessibleName("Classifier in use")
        self.list.setToolTip(
            "Which classifier cells are classified and explained with; each data set keeps the "
            "last one that was trained on it or opened with it"
        )
        no_wider(self.list)
        label = QLabel("In use")
        label.setBuddy(self.list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.list, 1)
        self.list.activated.connect(lambda index: self.chosen.emit(self._classifiers[index]))
        self.fill(busy=False)

    def fill(self, busy: bool) -> None:
        """Show the classifiers that there are."""
        self._classifiers = self._session.classifiers
        self.setVisible(len(self._classifiers) > 1)
        self.list.setEnabled(not busy)
        with QSignalBlocker(self.list):
            self.list.clear()
            for trained in self._classifiers:
                state = self._session.data_set_of(trained)
                # Two data sets may have one name in their files.
                where = "" if state is None or state.name in trained.source else f" ({state.name})"
                self.list.addItem(f"{trained.source}{where}")
            marks = [trained is self._session.trained for trained in self._classifiers]
            self.list.setCurrentIndex(marks.index(True) if True in marks else -1)
