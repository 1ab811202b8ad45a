"""Next cell to label: buttons for the least certain cell and for one without a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.pages.annotate.next_cell import Round, next_unlabelled

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["GoingOn"]

UNSURE = "the least-certain cell is known once a classifier is applied to the cells"


class GoingOn(QWidget):
    """Signals which cell is next; the page goes there.

    Signals
    -------
    cell_requested(int)
        Position of a cell.
    """

    cell_requested = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._round, self._last = session, Round(), -1
        self.uncertain = QPushButton("Next least-certain cell")
        self.uncertain.clicked.connect(self.go_to_uncertain)
        self.unlabelled = QPushButton("Next cell without a class")
        self.unlabelled.clicked.connect(self.go_to_unlabelled)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setToolTip("Progress")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.uncertain, self.unlabelled, self.line):
            column.addWidget(widget)
        self.fill()

    def begin(self) -> None:
        """Other cells or other predictions: every cell may come again."""
        self._round.begin()
        self._last = -1
        self.fill()

    def go_to_uncertain(self) -> None:
        """Ask for the cell the classifier is least certain of; those without a class come first."""
        cells, predictions = self._session.cells, self._session.predictions
        if cells is None or predictions is None or self._reason_not_ready():
            return
        cell = self._round.next(cells, predictions)
        if cell is None:
            self._round.begin()
            cell = self._round.next(cells, predictions)
        self._go(cell)

    def go_to_unlabelled(self) -> None:
        """Ask for the next cell without a class, in the order of the data set."""
        cells = self._session.cells
        if cells is not None:
            self._go(next_unlabelled(cells, self._last))

    def _go(self, cell: int | None) -> None:
        if cell is not None:
            self._last = cell
            self.cell_requested.emit(cell)
        self.fill()

    def _reason_not_ready(self) -> str:
        cells, predictions = self._session.cells, self._session.predictions
        if cells is None:
            return "no cells yet"
        if predictions is None:
            return UNSURE
        if len(predictions.probabilities) != len(cells):
            return "the predictions are of other cells: apply the classifier again"
        return ""

    def fill(self) -> None:
        """Say how far the user is, and why a button can do nothing."""
        cells, why = self._session.cells, self._reason_not_ready()
        self.uncertain.setEnabled(not why)
        self.uncertain.setToolTip(
            f"{why[:1].upper()}{why[1:]}"
            if why
            else "Go to the cell whose two most probable classes are closest; cells without a "
            "class come first, each cell once in a round"
        )
        free = 0 if cells is None else int((cells.labels < 0).sum())
        self.unlabelled.setEnabled(free > 0)
        self.unlabelled.setToolTip(
            "Go to the next cell that has no class" if free else "No cell is without a class"
        )
        if cells is None:
            self.line.setText("")
            return
        parts = [f"{len(cells) - free:,} of {len(cells):,} cells have a class"]
        if why:
            parts.append(why)
        elif self._round.seen:
            seen = len(self._round.seen)
            done = ", all of them: the next begins" if seen >= len(cells) else ""
            parts.append(f"{seen:,} seen in this round{done}")
        self.line.setText("; ".join(parts) + ".")
