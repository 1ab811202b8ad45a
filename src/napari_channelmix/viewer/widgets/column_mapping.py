"""Which column of a table says what: a list for each purpose, above the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.widgets.combo_box import choice

__all__ = ["ROWS", "ColumnMapping", "Purpose"]

# Rows of the table that are shown.
ROWS = 5
# Pixels of a column at most.
WIDEST = 140


@dataclass(frozen=True)
class Purpose:
    """What a column may say.

    Attributes
    ----------
    key, label, tip : str
        Its key in the mapping, what stands beside its list, and a line of help.
    none : str
        What the list offers where no column is needed; empty: one is.
    """

    key: str
    label: str
    tip: str
    none: str = ""


class ColumnMapping(QWidget):
    """Lists of columns; ``changed`` gives the key of the purpose whose column was chosen."""

    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[str, QComboBox] = {}
        self._purposes: tuple[Purpose, ...] = ()
        self._aligned: QLabel | None = None
        self._form = QFormLayout()
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(5)
        self.table = QTableWidget()
        self.table.setAccessibleName("First rows of the table")
        self.table.setToolTip("The first rows of the table, as they stand in the file")
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._form)
        column.addWidget(self.table)

    def align_with(self, label: QLabel) -> None:
        """Begin the lists where that beside a label above begins, if no label is wider."""
        self._aligned = label

    def show_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show the columns of a table and its first rows; nothing is chosen then."""
        rows = rows[:ROWS]
        self.table.setColumnCount(len(columns))
        self.table.setRowCount(len(rows))
        self.table.setHorizontalHeaderLabels(list(columns))
        for place, row in enumerate(rows):
            for column, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(place, column, item)
        self.table.resizeColumnsToContents()
        for column in range(len(columns)):
            self.table.setColumnWidth(column, min(self.table.columnWidth(column), WIDEST))
        head = self.table.horizontalHeader().sizeHint().height()
        high = self.table.verticalHeader().defaultSectionSize()
        bar = self.table.horizontalScrollBar().sizeHint().height()
        self.table.setFixedHeight(head + len(rows) * high + bar + 4)

    def ask(self, purposes: Sequence[Purpose], chosen: Mapping[str, str]) -> None:
        """Ask for the columns of purposes; ``chosen``: what is proposed."""
        if tuple(purposes) != self._purposes:
            self._purposes = tuple(purposes)
            while self._form.rowCount():
                self._form.removeRow(0)
            self.boxes = {purpose.key: self._box(purpose) for purpose in purposes}
        names = [
            head.text()
            for head in map(self.table.horizontalHeaderItem, range(self.table.columnCount()))
            if head is not None
        ]
        for purpose in purposes:
            box = self.boxes[purpose.key]
            box.clear()
            if purpose.none:
                box.addItem(purpose.none, "")
            for name in names:
                box.addItem(name, name)
            index = box.findData(chosen.get(purpose.key, "") or ("" if purpose.none else None))
            box.setCurrentIndex(index)

    def _box(self, purpose: Purpose) -> QComboBox:
        box = choice(purpose.tip)
        box.setAccessibleName(purpose.label)
        box.setPlaceholderText("Choose…")
        box.activated.connect(lambda _, key=purpose.key: self.changed.emit(key))
        label = QLabel(purpose.label)
        label.setBuddy(box)
        if self._aligned is not None:
            label.setMinimumWidth(self._aligned.sizeHint().width())
        self._form.addRow(label, box)
        return box

    @property
    def chosen(self) -> dict[str, str]:
        """The column of each purpose; empty where there is none."""
        return {key: str(box.currentData() or "") for key, box in self.boxes.items()}

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of the purposes that need a column and have none."""
        chosen = self.chosen
        return tuple(
            purpose.label
            for purpose in self._purposes
            if not purpose.none and not chosen[purpose.key]
        )
