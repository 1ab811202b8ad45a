"""Which of the open data sets is in use: a list by name, and a button that closes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from napari_channelmix.viewer.page_parts.base_page import no_wider

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.session import Session

__all__ = ["DataSetBox"]

TIP = "The data set that all pages use; each data set keeps its results"
LONGEST = 12
NAME = Qt.ItemDataRole.UserRole + 1


class DataSetBox(QWidget):
    """Seen as soon as two data sets are open. It only asks; the page does the work.

    Signals
    -------
    chosen(int), close_requested(int)
        Key of a data set.
    """

    chosen = Signal(int)
    close_requested = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.list = _NameList()
        self.list.setMaxVisibleItems(LONGEST)
        self.list.setAccessibleName("Data set in use")
        no_wider(self.list)
        self.close_button = QToolButton()
        self.close_button.setText("Close")
        self.close_button.setToolTip("Close this data set and discard its results")
        label = QLabel("Data set")
        label.setBuddy(self.list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.list, 1)
        row.addWidget(self.close_button)
        self.list.activated.connect(self._activated)
        self.close_button.clicked.connect(self._close)
        self.fill()

    def _activated(self, row: int) -> None:
        self.chosen.emit(int(self.list.itemData(row)))

    def _close(self) -> None:
        if self.list.currentIndex() >= 0:
            self.close_requested.emit(int(self.list.currentData()))

    def fill(self, _: object = None) -> None:
        """Show the data sets that are open, and what was found of each."""
        states = self._session.data_sets
        self.setVisible(len(states) > 1)
        with QSignalBlocker(self.list):
            self.list.clear()
            for row, state in enumerate(states):
                self.list.addItem(line_of(state), state.key)
                self.list.setItemData(row, tip_of(state), Qt.ItemDataRole.ToolTipRole)
                self.list.setItemData(row, state.name, NAME)
            self.list.setCurrentIndex(self.list.findData(self._session.data_set))
        now = self._session.of(self._session.data_set)
        self.list.setToolTip(TIP if now is None else f"{tip_of(now)}\n{TIP}")


class _NameList(QComboBox):
    """Closed, it shows the name alone: a line with all that was found does not fit."""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the frame and the name, cut where it is too long."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        name = str(self.currentData(NAME) or "")
        option.currentText = self.fontMetrics().elidedText(
            name, Qt.TextElideMode.ElideMiddle, field.width() - 4
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:
        """Unfold the list as wide as its longest line."""
        view = self.view()
        if view is not None:
            view.setMinimumWidth(view.sizeHintForColumn(0) + 24)
        super().showPopup()


def line_of(state: DataSetState) -> str:
    """A data set in a line: its name, how many cells, what was found of it."""
    count = len(state.cells)
    parts = [state.name, f"{count:,} cell{'' if count == 1 else 's'}"]
    return " · ".join([*parts, ", ".join(state.results)] if state.results else parts)


def tip_of(state: DataSetState) -> str:
    """A data set in several lines, with the classifier that gave its predictions."""
    lines = [f"{state.name}: {state.source}", f"{len(state.cells):,} cells"]
    lines.append("found: " + (", ".join(state.results) or "nothing yet"))
    if state.predictions is not None and state.predictions.source:
        lines.append(f"predictions by the classifier {state.predictions.source}")
    if state.classifier is not None and state.classifier.accuracy is not None:
        lines.append(f"classifier: balanced accuracy {state.classifier.accuracy:.3f}")
    return "\n".join(lines)
