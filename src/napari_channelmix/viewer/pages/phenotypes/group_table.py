"""The table of groups: cells and fractions of the classes, sorted by a click on a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from napari_channelmix.viewer.charts.colors import class_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.phenotypes.fractions import Fractions

__all__ = ["GroupTable", "GroupsModel"]

ROWS_SHOWN, ROW = 7, 22
# Pixels of a column: room for '100.0%'.
NARROWEST = 52
SORTED = Qt.ItemDataRole.UserRole


class GroupsModel(QAbstractTableModel):
    """A row per group; columns: group, cells, a fraction of each class, the adjusted beside."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.found: Fractions | None = None
        self._fractions: Any = None
        # Cells of each group that are counted.
        self._counted: Any = np.zeros(0, np.int64)
        # Class of each column, and whether it is the adjusted fraction.
        self._columns: tuple[tuple[int, bool], ...] = ()
        self._colors: tuple[int, ...] = ()

    def show_fractions(
        self, found: Fractions | None, colors: Sequence[int], *, held_out: bool = False
    ) -> None:
        """Show other figures; ``colors`` are positions of the classes' colours.

        ``held_out``: the counts leave out cells that the classifier was trained on.
        """
        self.beginResetModel()
        self.found, self._colors = found, tuple(colors)
        self._fractions = None if found is None else found.fractions
        self._counted = (
            np.zeros(0, np.int64)
            if found is None
            else (
                found.cells - found.trained_on
                if held_out and found.trained_on is not None
                else found.cells
            )
        )
        classes = range(0 if found is None else len(found.classes))
        kinds = (False, True) if found is not None and found.has_adjusted else (False,)
        self._columns = tuple((code, kind) for code in classes for kind in kinds)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Groups."""
        return 0 if self.found is None else len(self.found.groups)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Group, cells, classes."""
        return 0 if self.found is None else 2 + len(self._columns)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Names of the columns."""
        if orientation != Qt.Orientation.Horizontal or self.found is None:
            return None
        if section < 2:
            names = (self.found.grouping.kind, "cells")
            if role == Qt.ItemDataRole.ToolTipRole and section == 1:
                return (
                    "Cells that are counted; those that the classifier was trained on are left "
                    "out where only held-out cells are shown"
                )
            return names[section] if role == Qt.ItemDataRole.DisplayRole else None
        code, adjusted = self._columns[section - 2]
        name = self.found.classes[code]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"adj. {name}" if adjusted else name
        if role == Qt.ItemDataRole.ToolTipRole and adjusted:
            return (
                f"Fraction of {name} behind the calls, adjusted for the classes that the "
                "classifier confuses; a click sorts by it"
            )
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"Fraction of the cells that are {name}; a click sorts by it"
        if role == Qt.ItemDataRole.DecorationRole:
            return QColor(class_hex(self._colors[code]))
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """A figure as text, as a number to sort by, or in words."""
        found = self.found
        if found is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if column == 0 and role in (
            Qt.ItemDataRole.DisplayRole,
            SORTED,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return found.groups[row]
        if column == 1:
            return self._cells(row, role)
        if column >= 2:
            code, adjusted = self._columns[column - 2]
            return (self._adjusted if adjusted else self._fraction)(row, code, role)
        return None

    def _cells(self, row: int, role: int) -> Any:
        """Cells of a group; with ``*`` where the classifier was trained on some that count."""
        assert self.found is not None
        count, total = int(self._counted[row]), int(self.found.cells[row])
        trained_on = 0 if self.found.trained_on is None else int(self.found.trained_on[row])
        if role == SORTED:
            return count
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{count:,}{'*' if trained_on and count == total else ''}"
        if role == Qt.ItemDataRole.ToolTipRole and trained_on:
            left_out = "counted too, and too good" if count == total else "left out"
            return f"The classifier was trained on {trained_on:,} of {total:,} cells: {left_out}"
        return None

    def _adjusted(self, row: int, code: int, role: int) -> Any:
        assert self.found is not None and self.found.adjusted is not None
        known = self.found.adjusted
        share = float(known.fractions[row, code])
        if role == SORTED:
            return -1.0 if np.isnan(share) else share
        if role == Qt.ItemDataRole.DisplayRole:
            return "–" if np.isnan(share) else f"{share:.1%}"
        if role == Qt.ItemDataRole.ToolTipRole and not np.isnan(share):
            return (
                f"95 % interval {known.low[row, code]:.1%} to {known.high[row, code]:.1%}, "
                "with the sampling of the cells, the confusion of held-out ones, and how groups "
                "differ"
            )
        return None

    def _fraction(self, row: int, code: int, role: int) -> Any:
        assert self.found is not None
        share = float(self._fractions[row, code])
        if role == SORTED:
            return -1.0 if np.isnan(share) else share
        if role == Qt.ItemDataRole.DisplayRole:
            return "–" if np.isnan(share) else f"{share:.1%}"
        if role == Qt.ItemDataRole.ToolTipRole:
            count, total = int(self.found.counts[row, code]), int(self.found.classed[row])
            if not total:
                return "No cell of this group is counted: none has a class, or all were trained on"
            low, high = self.found.interval(row, code)
            return (
                f"{count:,} of {total:,} cells; 95 % interval {low:.1%} to {high:.1%} (Wilson), if "
                "the cells were independent"
            )
        return None


class GroupTable(QTableView):
    """The table.

    Signals
    -------
    group_pressed(int)
        A position in the names of the grouping.
    """

    group_pressed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures = GroupsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.figures)
        self._sorted.setSortRole(SORTED)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setToolTip("Press a row to see its cells alone; a heading sorts by its column")
        self.setShowGrid(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(ROW)
        # As wide as the page: names of classes are cut, and whole in the tooltips. Only where
        # columns would be narrower than their figures is there a bar below.
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setMinimumSectionSize(NARROWEST)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setAccessibleName("Fractions of the classes in each group")
        self.clicked.connect(self._pressed)
        self.activated.connect(self._pressed)

    def show_fractions(
        self, found: Fractions | None, colors: Sequence[int], *, held_out: bool = False
    ) -> None:
        """Show other figures; the order of the rows stays."""
        before = self.figures.columnCount()
        self.figures.show_fractions(found, colors, held_out=held_out)
        if self.figures.columnCount() != before:
            self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
            for column in range(min(2, self.figures.columnCount())):
                self.horizontalHeader().setSectionResizeMode(
                    column, QHeaderView.ResizeMode.ResizeToContents
                )
        rows = min(max(self.figures.rowCount(), 1), ROWS_SHOWN)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(ROW * rows + self.horizontalHeader().sizeHint().height() + bar + 4)

    def mark(self, group: int | None) -> None:
        """Mark the row of a group, the one whose cells are shown."""
        if group is None:
            self.clearSelection()
            return
        index = self._sorted.mapFromSource(self.figures.index(group, 0))
        if index.isValid():
            self.selectRow(index.row())

    def _pressed(self, index: QModelIndex) -> None:
        self.group_pressed.emit(self._sorted.mapToSource(index).row())
