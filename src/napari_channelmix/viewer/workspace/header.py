"""What is in hand, above every page: cells, model, display channels, work on other pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_channelmix.viewer.page_parts.data_set_menu import line_of
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow
from napari_channelmix.viewer.widgets.theme import chart_colors
from napari_channelmix.viewer.workspace.display_legend import DisplayLegend
from napari_channelmix.viewer.workspace.summary import accuracy_text, cells_text, model_tip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.session.session import Session

__all__ = ["Header", "Running"]


@dataclass(frozen=True)
class Running:
    """What runs on a page: in words, and how much of it is done, 0 to 1."""

    key: str
    title: str
    stage: str
    fraction: float


class Header(QWidget):
    """Cells, model, and work on pages that are not in sight, each in a line."""

    # Key of the page to go to; key of the page whose work is to be stopped.
    page_requested = Signal(str)
    cancel_requested = Signal(str)
    # Key of the open data set to work on.
    data_set_requested = Signal(int)

    def __init__(self, session: Session, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._theme = session, theme
        self._shown: Running | None = None
        self.cells, self.model = _line(), QLabel()
        # The figures of the model are never cut.
        self.model.setWordWrap(True)
        self.model.setTextFormat(Qt.TextFormat.PlainText)
        self.data_sets = QToolButton()
        self.data_sets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.data_sets.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.data_sets.setToolTip("Work on another of the open data sets")
        self.data_sets.setMenu(QMenu(self.data_sets))
        leave_room_for_arrow(self.data_sets)
        self.legend = DisplayLegend(session)
        self.next = QPushButton()
        self.next.setFlat(True)
        self.running = QWidget()
        self.work = _line()
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(56, 8)
        self.bar.setToolTip("Progress of the job")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop the job; earlier results are kept")
        self._build()
        self.next.clicked.connect(lambda: self.page_requested.emit(self.next.property("page")))
        self.cancel.clicked.connect(self._cancel)
        self.show_running(())
        self.show_next("", "")
        self.fill()

    def _build(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self.cells, 1)
        first.addWidget(self.data_sets)
        first.addWidget(self.next)
        row = QHBoxLayout(self.running)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self.work, self.bar, self.cancel):
            row.addWidget(widget, 1 if widget is self.work else 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(2)
        column.addLayout(first)
        column.addWidget(self.model)
        column.addWidget(self.legend)
        column.addWidget(self.running)

    def _cancel(self) -> None:
        if self._shown is not None:
            self.cancel_requested.emit(self._shown.key)

    def fill(self) -> None:
        """Bring cells and model up to date with the session."""
        session = self._session
        text, cells = cells_text(session), session.cells
        self.cells.setText(text)
        source = f"\n{session.source}" if cells is not None else ""
        self.cells.setToolTip(f"The cells that all pages work on: {text}{source}")
        text, reliable = accuracy_text(session.trained)
        warning = f"color: {chart_colors(self._theme).second}"
        self.model.setStyleSheet("" if reliable else warning)
        self.model.setText(text)
        self.model.setToolTip(model_tip(session.trained))
        self._fill_data_sets()
        self.legend.fill()

    def _fill_data_sets(self) -> None:
        """Offer the data sets that are open; of one there is nothing to choose."""
        session = self._session
        states = session.data_sets
        self.data_sets.setVisible(len(states) > 1)
        menu = self.data_sets.menu()
        menu.clear()
        for place, state in enumerate(states):
            action = menu.addAction(line_of(state))
            action.setCheckable(True)
            action.triggered.connect(
                lambda _=False, key=state.key: self.data_set_requested.emit(key)
            )
            if state.key == session.data_set:
                action.setChecked(True)
                self.data_sets.setText(f"{place + 1} of {len(states)}")
                self.data_sets.setAccessibleName(f"Data set {place + 1} of {len(states)}")

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.fill()

    def show_next(self, key: str, title: str) -> None:
        """Offer the page that comes next; an empty key: none."""
        self.next.setProperty("page", key)
        self.next.setText(f"Next: {title}")
        self.next.setToolTip(f"Go to the page '{title}'")
        self.next.setVisible(bool(key))

    def show_running(self, running: Sequence[Running]) -> None:
        """Show work of pages that are not in sight; of several, the first and how many more."""
        self._shown = running[0] if running else None
        self.running.setVisible(bool(running))
        if self._shown is None:
            return
        more = f" (and {len(running) - 1} more)" if len(running) > 1 else ""
        self.work.setText(f"{self._shown.title}: {self._shown.stage}{more}")
        self.work.setToolTip("\n".join(f"{work.title}: {work.stage}" for work in running))
        self.bar.setValue(round(100 * self._shown.fraction))


def _line() -> QElidingLabel:
    """A line that is cut at its end where it is too long; its tooltip has all of it."""
    line = QElidingLabel()
    line.setElideMode(Qt.TextElideMode.ElideRight)
    line.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
    line.setMinimumWidth(60)
    QLabel.setTextFormat(line, Qt.TextFormat.PlainText)
    return line
