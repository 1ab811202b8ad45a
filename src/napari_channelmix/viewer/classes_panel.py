"""The class palette: names, colours, counts, and painting classes onto cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
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

from napari_channelmix.viewer.colors import class_hex
from napari_channelmix.viewer.picking import ClassBrush

if TYPE_CHECKING:
    from napari_channelmix.viewer.session import Session

__all__ = ["ClassesPanel"]

NO_CLASS = "no class"
ROWS_SHOWN = 6


class ClassesPanel(QWidget):
    """A row per class; the selected one is painted. The first row takes a class away.

    ``missed`` says why a stroke of the brush met no cell.
    """

    missed = Signal(str)

    def __init__(self, viewer: Any, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.brush = ClassBrush(viewer, session, lambda: self.chosen, self.missed.emit)
        self._filling = False
        self.table = QTableWidget(0, 2)
        self.table.setToolTip("Select the class to paint; double-click a name to change it")
        self.table.horizontalHeader().setVisible(False)
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setSectionResizeMode(
            1, QHeaderView.ResizeMode.ResizeToContents
        )
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.itemChanged.connect(self._renamed)
        self.name = QLineEdit()
        self.name.setPlaceholderText("name of a new class")
        self.name.setToolTip("Name of a new class; Enter adds it")
        self.name.returnPressed.connect(self.add_class)
        self.name.textChanged.connect(self._enable)
        self.add = QPushButton("Add")
        self.add.setToolTip("Add this class to the palette")
        self.add.clicked.connect(self.add_class)
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Remove the selected class; its cells have none then")
        self.remove.clicked.connect(self.remove_class)
        self.paint = QPushButton("Paint the selected class onto cells")
        self.paint.setCheckable(True)
        self.paint.setToolTip(
            "Click a cell in the viewer, or drag over cells, to give them the selected class; "
            "while this is on, dragging does not move the picture"
        )
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
        self.table.itemSelectionChanged.connect(self._enable)
        self.fill()

    @property
    def chosen(self) -> int:
        """The class to paint, a position in the classes, or -1."""
        return max(self.table.currentRow(), 0) - 1

    def fill(self, _: object = None) -> None:
        """Show the classes of the session and how many cells each has."""
        cells = self.session.cells
        classes = () if cells is None else cells.classes
        counts = {} if cells is None else cells.class_counts
        none = 0 if cells is None else int((cells.labels < 0).sum())
        # The row 'no class' is chosen on purpose only.
        current = self.table.currentRow() if self.table.rowCount() > 1 else -1
        self._filling = True
        self.table.setRowCount(len(classes) + 1)
        for row, (name, count) in enumerate([(NO_CLASS, none), *counts.items()]):
            first = QTableWidgetItem(_swatch(row - 1), name)
            if row == 0:
                first.setFlags(first.flags() & ~Qt.ItemFlag.ItemIsEditable)
            second = QTableWidgetItem(f"{count} cells")
            second.setFlags(second.flags() & ~Qt.ItemFlag.ItemIsEditable)
            second.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, 0, first)
            self.table.setItem(row, 1, second)
        self._filling = False
        rows = min(len(classes) + 1, ROWS_SHOWN)
        self.table.setFixedHeight(24 * rows + 4)
        self.table.selectRow(current if 0 <= current <= len(classes) else min(1, len(classes)))
        if cells is None:
            self.paint.setChecked(False)
        self._enable()

    def _enable(self) -> None:
        cells = self.session.cells
        name = self.name.text().strip()
        known = cells is not None
        self.name.setEnabled(known)
        self.add.setEnabled(
            known and bool(name) and cells is not None and name not in cells.classes
        )
        self.remove.setEnabled(known and self.chosen >= 0)
        self.paint.setEnabled(known and self.session.shown is not None)

    def add_class(self) -> None:
        """Add the class whose name was typed, and select it."""
        cells, name = self.session.cells, self.name.text().strip()
        if cells is None or not name or name in cells.classes:
            return
        self.session.classify(cells.labels, (*cells.classes, name))
        self.name.clear()
        self.fill()
        self.table.selectRow(len(cells.classes) + 1)

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
        names, at = list(cells.classes), item.row() - 1
        name = item.text().strip()
        if name and name not in names:
            names[at] = name
            self.session.classify(cells.labels, tuple(names))
        else:
            self.fill()

    def _switch(self, on: bool) -> None:
        self.brush.switch(on)
        self.paint.setText(
            "Painting: click or drag over cells" if on else "Paint the selected class onto cells"
        )


def _swatch(code: int) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(class_hex(code)))
    icon = QIcon(pixmap)
    # Qt would tint that of the selected row, which is then no colour of any class.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
