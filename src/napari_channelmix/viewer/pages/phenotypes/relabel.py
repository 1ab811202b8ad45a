"""Give the selected cells a class, and take that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.class_swatch import swatch
from napari_channelmix.viewer.pages.phenotypes.cell_facts import NO_CLASS

if TYPE_CHECKING:
    from qtpy.QtCore import QPoint

    from napari_channelmix.viewer.session.session import Session

__all__ = ["Relabel"]


class Relabel(QWidget):
    """A button with the palette, and the way back.

    Signals
    -------
    said(str)
        What was done, or why nothing was.
    """

    reported = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.button = QPushButton()
        self.menu = QMenu(self)
        self.button.setMenu(self.menu)
        self.undo = QPushButton("Undo")
        self.undo.clicked.connect(lambda _: session.undo())
        self.redo = QPushButton("Redo")
        self.redo.clicked.connect(lambda _: session.redo())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 1)
        row.addWidget(self.undo)
        row.addWidget(self.redo)
        self._offered: tuple[str, ...] | None = None
        self.fill()

    def fill(self, _: object = None) -> None:
        """Offer the palette of the session for the cells that are selected."""
        session = self._session
        cells, chosen = session.cells, len(session.selected)
        classes = () if cells is None else cells.classes
        if classes != self._offered:
            self._offered = classes
            self._offer(classes)
        what = "1 selected cell" if chosen == 1 else f"{chosen:,} selected cells"
        if not classes:
            why = "There is no class yet: add one to the palette"
        elif not chosen:
            why = "No cell is selected: click one in the gallery or in the image"
        else:
            why = ""
        self.button.setText(f"Class of {what}" if chosen else "Class of the selected cells")
        self.button.setEnabled(not why)
        self.button.setToolTip(why or f"Give the {what} a class; or press its key in the gallery")
        steps = session.edits
        for button, count, does in (
            (self.undo, steps.undoable, "Undo the last change of classes"),
            (self.redo, steps.redoable, "Redo the change of classes that was undone last"),
        ):
            button.setEnabled(bool(count))
            button.setToolTip(does if count else f"{does}: there is none")

    def _offer(self, classes: tuple[str, ...]) -> None:
        self.menu.clear()
        for code, name in enumerate(classes):
            key = f"\t{code + 1}" if code < 9 else ""
            action = self.menu.addAction(swatch(code), f"{name.replace('&', '&&')}{key}")
            action.triggered.connect(lambda _, code=code: self.give(code))
        self.menu.addSeparator()
        action = self.menu.addAction(swatch(-1), f"{NO_CLASS}\t0")
        action.triggered.connect(lambda _: self.give(-1))

    def give(self, code: int) -> None:
        """Give the selected cells a class, -1 for none; one change, which can be taken back."""
        session = self._session
        cells, chosen = session.cells, session.selected
        if cells is None or not chosen:
            self.reported.emit("No cell is selected; click one first.")
            return
        if code >= len(cells.classes):
            have = f"{len(cells.classes)} classes" if len(cells.classes) != 1 else "1 class"
            self.reported.emit(f"There is no class {code + 1}: the palette has {have}.")
            return
        session.assign(chosen, code)
        name = cells.classes[code] if code >= 0 else NO_CLASS
        what = (
            f"Cell {cell_name(cells, chosen[0])}" if len(chosen) == 1 else f"{len(chosen):,} cells"
        )
        self.reported.emit(f"{what}: {name}.")

    def ask(self, place: QPoint) -> None:
        """Offer the palette at a place of the screen."""
        if self.button.isEnabled():
            self.menu.popup(place)
