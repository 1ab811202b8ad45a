"""The table of groups: cells and fractions of the classes, sorted by a click on a head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableView,
    QToolButton,
    QWidget,
)

from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_channelmix.phenotypes.fractions import Fractions

__all__ = ["GroupTable", "GroupsModel"]

ROWS_SHOWN, ROW = 7, 22
# Pixels of a column: room for '100.0%'.
NARROWEST = 52
# Longer names lose their middle, so that more columns fit.
WIDEST = 84
# Pixels of a heading beside its words: mark of the order, margins.
BESIDE_WORDS = 28
SORTED = Qt.ItemDataRole.UserRole


class GroupsModel(QAbstractTableModel):
    """A row per group; columns: group, cells, a fraction of each class, the adjusted beside."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.table_fractions: Fractions | None = None
        self._fractions: Any = None
        # Cells of each group that are counted.
        self._counted: Any = np.zeros(0, np.int64)
        # Class of each column, and whether it is the adjusted fraction.
        self._columns: tuple[tuple[int, bool], ...] = ()

    def show_fractions(self, fractions: Fractions | None, *, held_out: bool = False) -> None:
        """Show other figures.

        ``held_out``: the counts leave out cells that the classifier was trained on.
        """
        self.beginResetModel()
        self.table_fractions = fractions
        self._fractions = None if fractions is None else fractions.fractions
        self._counted = (
            np.zeros(0, np.int64)
            if fractions is None
            else (
                fractions.cells - fractions.trained_on
                if held_out and fractions.trained_on is not None
                else fractions.cells
            )
        )
        classes = range(0 if fractions is None else len(fractions.classes))
        kinds = (False, True) if fractions is not None and fractions.has_adjusted else (False,)
        self._columns = tuple((code, kind) for code in classes for kind in kinds)
        self.endResetModel()

    @property
    def class_columns(self) -> tuple[tuple[str, bool], ...]:
        """Name of each class column, and whether it is the adjusted fraction."""
        fractions = self.table_fractions
        return (
            () if fractions is None else tuple((fractions.classes[c], k) for c, k in self._columns)
        )

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Groups."""
        return 0 if self.table_fractions is None else len(self.table_fractions.groups)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Group, cells, classes."""
        return 0 if self.table_fractions is None else 2 + len(self._columns)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Names of the columns."""
        if orientation != Qt.Orientation.Horizontal or self.table_fractions is None:
            return None
        if section < 2:
            names = (self.table_fractions.grouping.kind, "cells")
            if role == Qt.ItemDataRole.ToolTipRole and section == 1:
                return (
                    "Cells that are counted; those that the classifier was trained on are left "
                    "out where only held-out cells are shown"
                )
            return names[section] if role == Qt.ItemDataRole.DisplayRole else None
        code, adjusted = self._columns[section - 2]
        name = self.table_fractions.classes[code]
        if role == Qt.ItemDataRole.DisplayRole:
            # Two lines, so that the name has the width of the column.
            return f"adj.\n{name}" if adjusted else name
        if role == Qt.ItemDataRole.ToolTipRole and adjusted:
            return (
                f"Fraction of {name} corrected for the classes that the classifier confuses; a "
                f"click sorts by it"
            )
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"Fraction of the cells that are {name}; a click sorts by it"
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """A figure as text, as a number to sort by, or in words."""
        fractions = self.table_fractions
        if fractions is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if column == 0 and role in (
            Qt.ItemDataRole.DisplayRole,
            SORTED,
            Qt.ItemDataRole.ToolTipRole,
        ):
            return fractions.groups[row]
        if column == 1:
            return self._cells(row, role)
        if column >= 2:
            code, adjusted = self._columns[column - 2]
            return (self._adjusted if adjusted else self._fraction)(row, code, role)
        return None

    def _cells(self, row: int, role: int) -> Any:
        """Cells of a group; with ``*`` where the classifier was trained on some that count."""
        assert self.table_fractions is not None
        count, total = int(self._counted[row]), int(self.table_fractions.cells[row])
        trained_on = (
            0
            if self.table_fractions.trained_on is None
            else int(self.table_fractions.trained_on[row])
        )
        if role == SORTED:
            return count
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{count:,}{'*' if trained_on and count == total else ''}"
        if role == Qt.ItemDataRole.ToolTipRole and trained_on:
            left_out = "counted too, and too good" if count == total else "left out"
            return f"The classifier was trained on {trained_on:,} of {total:,} cells: {left_out}"
        return None

    def _adjusted(self, row: int, code: int, role: int) -> Any:
        assert self.table_fractions is not None and self.table_fractions.adjusted is not None
        known = self.table_fractions.adjusted
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
        assert self.table_fractions is not None
        share = float(self._fractions[row, code])
        if role == SORTED:
            return -1.0 if np.isnan(share) else share
        if role == Qt.ItemDataRole.DisplayRole:
            return "–" if np.isnan(share) else f"{share:.1%}"
        if role == Qt.ItemDataRole.ToolTipRole:
            count, total = (
                int(self.table_fractions.counts[row, code]),
                int(self.table_fractions.classed[row]),
            )
            if not total:
                return "No cell of this group is counted: none has a class, or all were trained on"
            low, high = self.table_fractions.interval(row, code)
            return (
                f"{count:,} of {total:,} cells; 95 % interval {low:.1%} to {high:.1%} (Wilson), if "
                "the cells were independent"
            )
        return None


class GroupTable(QTableView):
    """The table, with the columns that fit; the button `columns` has a menu of all of them.

    Adjusted fractions come first, since those are to be read; the fractions of the calls follow
    where there is room, or where the user wants them.

    Signals
    -------
    group_pressed(int)
        A position in the names of the grouping.
    """

    group_pressed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures = GroupsModel(self)
        # Columns that the user showed or hid, by class and kind.
        self._chosen_columns: dict[tuple[str, bool], bool] = {}
        # The class that comes first where not all fit.
        self._first = ""
        self.columns = QToolButton()
        self.columns.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.columns.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.columns.setToolTip(
            "Show or hide columns of the table. Default: those that fit, adjusted fractions first"
        )
        self.columns.setMenu(QMenu(self.columns))
        leave_room_for_arrow(self.columns)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.figures)
        self._sorted.setSortRole(SORTED)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setToolTip("Click a row to see only its cells; click a heading to sort by its column")
        self.setShowGrid(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(ROW)
        # As wide as the page; only columns that the user wants beyond that need a bar below.
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setMinimumSectionSize(NARROWEST)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName("Fractions of the classes in each group")
        self.clicked.connect(self._pressed)
        self.activated.connect(self._pressed)

    def show_fractions(self, fractions: Fractions | None, *, held_out: bool = False) -> None:
        """Show other figures; the order of the rows stays."""
        before = self.figures.columnCount()
        self.figures.show_fractions(fractions, held_out=held_out)
        if self.figures.columnCount() != before:
            self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
            for column in range(min(2, self.figures.columnCount())):
                self.horizontalHeader().setSectionResizeMode(
                    column, QHeaderView.ResizeMode.ResizeToContents
                )
        rows = min(max(self.figures.rowCount(), 1), ROWS_SHOWN)
        self.setFixedHeight(ROW * rows + self.horizontalHeader().sizeHint().height() + 4)
        self._fit()

    def put_first(self, name: str) -> None:
        """Show the columns of this class before others, where not all fit."""
        if name != self._first:
            self._first = name
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns that fit now."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide the class columns that do not fit, those of the calls first."""
        names = self.figures.class_columns
        head, metrics = self.horizontalHeader(), self.horizontalHeader().fontMetrics()
        room = self.viewport().width() - head.sectionSize(0) - head.sectionSize(1)
        shown: set[tuple[str, bool]] = {name for name in names if self._chosen_columns.get(name)}

        def width(name: tuple[str, bool]) -> int:
            words: int = metrics.horizontalAdvance(name[0])
            return min(WIDEST, max(NARROWEST, BESIDE_WORDS + words))

        room -= sum(map(width, shown))
        for name in sorted(names, key=lambda name: (not name[1], name[0] != self._first)):
            needed = width(name)
            if name not in self._chosen_columns and (needed <= room or not shown):
                shown.add(name)
                room -= needed
        for column, name in enumerate(names):
            self.setColumnHidden(column + 2, name not in shown)
        self._fill_menu(names, shown)

    def _fill_menu(self, names: Sequence[tuple[str, bool]], shown: set[tuple[str, bool]]) -> None:
        hidden = len(names) - len(shown)
        self.columns.setText(f"{hidden} more columns" if hidden > 1 else "1 more column")
        self.columns.setText(self.columns.text() if hidden else "Columns")
        self.columns.setVisible(bool(hidden or self._chosen_columns))
        menu = self.columns.menu()
        menu.clear()
        for name in names:
            action = menu.addAction(f"{name[0]}, adjusted" if name[1] else name[0])
            action.setCheckable(True)
            action.setChecked(name in shown)
            action.toggled.connect(lambda on, name=name: self.show_column(name, on))

    def show_column(self, name: tuple[str, bool], on: bool) -> None:
        """Show or hide the column of a class, and whether it is the adjusted fraction."""
        self._chosen_columns[name] = on
        self._fit()

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
