"""A list of what can be exported, to be ticked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.report.exports import Item

__all__ = ["ExportList"]

LONGEST = 12


class ExportList(QTreeWidget):
    """A row for each thing, with its formats; what was unticked stays so.

    Signals
    -------
    changed()
        Other rows are ticked.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderLabels(["Result", "Format"])
        self.setRootIsDecorated(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setToolTip("Tick what to export; Space ticks the selected row")
        self.setAccessibleName("What to export")
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            # A row is known by its name; formats that are cut are in the tooltip.
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._items: tuple[Item, ...] = ()
        # What each row is of; None: the name of a data set.
        self._rows: list[Item | None] = []
        self._unticked: set[str] = set()
        # Those that were shown: only a new one starts as it says itself.
        self._known: set[str] = set()
        self.itemChanged.connect(self._ticked)
        self.show_items(())

    @property
    def chosen(self) -> tuple[Item, ...]:
        """The items that are ticked."""
        return tuple(item for item in self._items if item.key not in self._unticked)

    def show_items(self, items: tuple[Item, ...]) -> None:
        """Show what there is now."""
        # What is compared are the rows: the mark of the keyboard stays where it is.
        same, self._items = items == self._items, items
        if same and items:
            return
        self._unticked |= {
            item.key for item in items if not item.ticked and item.key not in self._known
        }
        self._known |= {item.key for item in items}
        with QSignalBlocker(self):
            self.clear()
            self._rows = []
            before = ""
            for item in items:
                if item.of != before:
                    before = item.of
                    self._add_name(item.of)
                self._rows.append(item)
                row = QTreeWidgetItem([item.title, item.formats])
                row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                ticked = item.key not in self._unticked
                row.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
                for column in (0, 1):
                    row.setToolTip(column, f"{item.title}: {item.formats}\n{item.tip}")
                self.addTopLevelItem(row)
        height = self.sizeHintForRow(0) if items else self.fontMetrics().lineSpacing() + 6
        header = self.header()
        head = 0 if header is None else header.sizeHint().height()
        self.setFixedHeight(head + height * max(1, min(len(self._rows), LONGEST)) + 6)

    def _add_name(self, name: str) -> None:
        """The name of a data set above what there is of it."""
        row = QTreeWidgetItem([name])
        row.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = self.font()
        font.setBold(True)
        row.setFont(0, font)
        row.setToolTip(0, f"The results of {name}; it goes into a folder of that name")
        self.addTopLevelItem(row)
        row.setFirstColumnSpanned(True)
        self._rows.append(None)

    def _ticked(self, row: QTreeWidgetItem, _: int) -> None:
        item = self._rows[self.indexOfTopLevelItem(row)]
        if item is None:
            return
        key = item.key
        if row.checkState(0) == Qt.CheckState.Checked:
            self._unticked.discard(key)
        else:
            self._unticked.add(key)
        self.changed.emit()
