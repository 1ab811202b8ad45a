"""The class palette: names, colours, keys, counts, and painting classes onto cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.charts.class_swatch import swatch
from napari_channelmix.viewer.pages.annotate.keys import KEYS, WITH_ALT
from napari_channelmix.viewer.selection.picking import ClassBrush

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

    from napari_channelmix.viewer.session.session import Session

__all__ = ["Palette", "key_of"]

NO_CLASS = "no class"
ROWS_SHOWN = 11
HEADS = ("Class", "Key", "Cells", "Share")


class Palette(QWidget):
    """A row per class; the selected one is painted. The first row takes a class away.

    ``missed`` says why a stroke of the brush met no cell.
    """

    missed = Signal(str)

    def __init__(self, viewer: Any, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.brush = ClassBrush(viewer, session, lambda: self.chosen, self.missed.emit)
        self._filling = False
        self.table = _table()
        self.table.itemChanged.connect(self._renamed)
        self.table.itemSelectionChanged.connect(self._enable)
        self.name = QLineEdit()
        self.name.setPlaceholderText("name of a new class")
        self.name.setToolTip("Name of a new class; Enter adds it")
        self.name.returnPressed.connect(self.add_class)
        self.name.textChanged.connect(self._enable)
        self.add = QPushButton("Add")
        self.add.clicked.connect(self.add_class)
        self.remove = QPushButton("Remove")
        self.remove.clicked.connect(self.remove_class)
        self.paint = QPushButton()
        self.paint.setCheckable(True)
        self.paint.toggled.connect(self._switch)
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.add)
        row.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.table)
        column.addLayout(row)
        column.addWidget(self.paint)
        self.fill()

    @property
    def chosen(self) -> int:
        """The class to paint, a position in the classes, or -1."""
        return max(self.table.currentRow(), 0) - 1

    def choose(self, code: int) -> None:
        """Choose the class to paint, -1 for none."""
        self.table.selectRow(code + 1)

    def fill(self, _: object = None) -> None:
        """Show the classes of the session and how many cells each has."""
        cells = self.session.cells
        classes = () if cells is None else cells.classes
        counts = {} if cells is None else cells.class_counts
        none, total = (0, 0) if cells is None else (int((cells.labels < 0).sum()), len(cells))
        # The row 'no class' is chosen on purpose only.
        current = self.table.currentRow() if self.table.rowCount() > 1 else -1
        self._filling = True
        self.table.setRowCount(len(classes) + 1)
        for row, (name, count) in enumerate([(NO_CLASS, none), *counts.items()]):
            key = key_of(row - 1)
            share = _share(count, total)
            for column, text in enumerate((name, key, f"{count:,}", share)):
                self._say(row, column, text)
        self._filling = False
        self._fit()
        self.table.selectRow(current if 0 <= current <= len(classes) else min(1, len(classes)))
        if cells is None:
            self.paint.setChecked(False)
        self._enable()

    def _fit(self) -> None:
        """Show all classes, or as many as there is room for."""
        rows = min(self.table.rowCount(), ROWS_SHOWN)
        height = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(24 * rows + height + 4)

    def showEvent(self, event: QShowEvent) -> None:
        """The head of the table is as high as its style says, which is known now."""
        super().showEvent(event)
        self._fit()

    def _say(self, row: int, column: int, text: str) -> None:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            if column or not row:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            else:
                item.setIcon(swatch(row - 1))
            self.table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
        if not column:
            item.setToolTip(text)

    def _enable(self) -> None:
        cells, name = self.session.cells, self.name.text().strip()
        why = "" if cells is not None else "There are no cells yet"
        self.name.setEnabled(cells is not None)
        taken = cells is not None and name in cells.classes
        not_yet = (
            why
            or ("" if name else "Type a name first")
            or (f"There is a class {name!r} already" if taken else "")
        )
        self.add.setEnabled(not not_yet)
        self.add.setToolTip(not_yet or "Add this class to the palette")
        none = why or ("" if self.chosen >= 0 else "Select a class first")
        self.remove.setEnabled(not none)
        self.remove.setToolTip(none or "Remove the selected class; its cells have none then")
        unseen = why or ("" if self.session.shown is not None else "No field of view is shown")
        self.paint.setEnabled(not unseen)
        self.paint.setToolTip(
            unseen
            or "Click a cell in the viewer, or drag over cells, to give them the selected class; "
            "while this is on, dragging does not move the image, and a key (1 to 9, 0, Alt and a "
            "digit) chooses what is painted"
        )
        self._name_paint()

    def _name_paint(self) -> None:
        cells = self.session.cells
        name = cells.classes[self.chosen] if cells is not None and self.chosen >= 0 else NO_CLASS
        short = name if len(name) <= 18 else f"{name[:17]}…"
        on = self.paint.isChecked()
        self.paint.setText(f"Painting '{short}'" if on else f"Paint '{short}' onto cells")

    def add_class(self) -> None:
        """Add the class whose name was typed, and select it."""
        cells, name = self.session.cells, self.name.text().strip()
        if cells is None or not name or name in cells.classes:
            return
        self.session.classify(cells.labels, (*cells.classes, name))
        self.name.clear()
        self.fill()
        self.choose(len(cells.classes))
        self.table.scrollToBottom()

    def remove_class(self) -> None:
        """Remove the selected class from the palette and from its cells."""
        cells, gone = self.session.cells, self.chosen
        if cells is None or gone < 0:
            return
        codes = cells.labels
        moved = np.where(codes == gone, -1, codes - (codes > gone))
        self.session.classify(moved, cells.classes[:gone] + cells.classes[gone + 1 :])

    def _renamed(self, item: QTableWidgetItem) -> None:
        cells = self.session.cells
        if self._filling or cells is None or item.column() != 0 or item.row() == 0:
            return
        names, index = list(cells.classes), item.row() - 1
        name = item.text().strip()
        if name and name not in names:
            names[index] = name
            self.session.classify(cells.labels, tuple(names))
        else:
            self.fill()

    def _switch(self, on: bool) -> None:
        self.brush.switch(on)
        self._name_paint()


def key_of(code: int) -> str:
    """The key that gives a class, by its position; empty for those that have none."""
    number = code + 1
    if number <= KEYS:
        return str(number)
    return f"Alt+{(number - KEYS) % 10}" if number <= KEYS + WITH_ALT else ""


def _share(count: int, total: int) -> str:
    """Per cent, with a digit behind the point below one."""
    if not total:
        return ""
    share = 100 * count / total
    return f"{share:.1f} %" if 0 < share < 1 else f"{share:.0f} %"


def _table() -> QTableWidget:
    table = QTableWidget(0, len(HEADS))
    table.setToolTip("Select the class to paint; double-click a name (or F2) to change it")
    table.setHorizontalHeaderLabels(list(HEADS))
    head, side = table.horizontalHeader(), table.verticalHeader()
    head.setSectionsClickable(False)
    head.setHighlightSections(False)
    head.setMinimumSectionSize(30)
    for column in range(len(HEADS)):
        fits = QHeaderView.ResizeMode.ResizeToContents
        head.setSectionResizeMode(column, fits if column else QHeaderView.ResizeMode.Stretch)
    table.horizontalHeaderItem(0).setTextAlignment(
        Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    )
    side.setVisible(False)
    side.setDefaultSectionSize(24)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    # Long names often differ at their ends.
    table.setWordWrap(False)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    table.setTabKeyNavigation(False)
    return table
