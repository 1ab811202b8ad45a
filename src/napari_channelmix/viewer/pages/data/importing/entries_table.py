"""The table of what was understood: a row for each file, the roles of columns above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPoint, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from napari_channelmix.scan.roles import Role

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.scan import Scan

__all__ = ["EntriesModel", "EntriesView"]

# Rows that tell how wide a column is, and pixels that it is at least and at most.
LOOKED_AT, NARROWEST, WIDEST = 60, 64, 260
# Pixels beside the text of a cell.
AROUND = 22
# Last in the table: what says nothing of where a file lies.
QUIET = (Role.KEY, Role.IGNORE)
NO_INDEX = QModelIndex()


class EntriesModel(QAbstractTableModel):
    """Entries of a scan; only what is in sight is asked for."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.columns: tuple[str, ...] = ()
        self.roles: dict[str, Role] = {}
        self._texts: list[Any] = []
        self._rows = 0

    def show_scan(self, entries: pd.DataFrame, roles: dict[str, Role]) -> None:
        """Show other entries."""
        self.beginResetModel()
        names = [str(name) for name in entries.columns]
        self.columns = tuple(sorted(names, key=lambda name: roles.get(name) in QUIET))
        self.roles = roles
        self._texts = [entries[name].to_numpy(object) for name in self.columns]
        self._rows = len(entries)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Entries."""
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: QModelIndex = NO_INDEX) -> int:
        """Columns of the entries."""
        return 0 if parent.isValid() else len(self.columns)

    def text(self, row: int, column: int) -> str:
        """What stands in a cell."""
        value = self._texts[column][row]
        # Missing values are not equal to themselves.
        return "" if value is None or value != value else str(value)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell; whole in its tooltip."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole) and index.isValid():
            return self.text(index.row(), index.column())
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name of a column and, below it, its role."""
        if orientation == Qt.Orientation.Vertical or section >= len(self.columns):
            return None
        name = self.columns[section]
        says = self.roles.get(name, Role.KEY)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{name}\n{says.value} ▾"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"Column '{name}' is read as: {says.value}. Click to change it"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None


class EntriesView(QTableView):
    """The table; a click on the head of a column opens the menu of roles.

    ``role_chosen`` gives the column and its new role.
    """

    role_chosen = Signal(str, object)
    # The row that was chosen.
    row_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries = EntriesModel(self)
        self.setModel(self.entries)
        self.setAccessibleName("Files and what their names say")
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setHighlightSections(False)
        head.setFixedHeight(2 * self.fontMetrics().height() + 12)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setStretchLastSection(True)
        head.sectionClicked.connect(self._ask_role)
        self.selectionModel().currentRowChanged.connect(
            lambda now, _: self.row_chosen.emit(now.row())
        )

    def show_scan(self, scan: Scan) -> None:
        """Show the entries of a scan, at the row that was in sight."""
        before = self.entries.columns
        place = self.verticalScrollBar().value()
        self.entries.show_scan(scan.entries, dict(scan.roles))
        if before != self.entries.columns:
            self._fit_columns()
        self.verticalScrollBar().setValue(place)

    def _fit_columns(self) -> None:
        """Wide enough for the first rows: asking all would take long where they are many."""
        metrics, model = self.fontMetrics(), self.entries
        for column in range(model.columnCount()):
            head = str(model.headerData(column, Qt.Orientation.Horizontal)).split("\n")
            rows = range(min(model.rowCount(), LOOKED_AT))
            texts = [*head, *(model.text(row, column) for row in rows)]
            width = max(metrics.horizontalAdvance(text) for text in texts) + AROUND
            self.setColumnWidth(column, min(max(width, NARROWEST), WIDEST))

    def role_menu(self, column: str) -> QMenu:
        """The menu of roles of a column."""
        menu = QMenu(self)
        now = self.entries.roles.get(column)
        for role in Role:
            if role is Role.KEY:
                menu.addSeparator()
            action = menu.addAction(role.value)
            action.setCheckable(True)
            action.setChecked(role is now)
            action.triggered.connect(lambda _=False, role=role: self.role_chosen.emit(column, role))
        return menu

    def _ask_role(self, section: int) -> None:
        head = self.horizontalHeader()
        menu = self.role_menu(self.entries.columns[section])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(
            head.viewport().mapToGlobal(
                QPoint(head.sectionViewportPosition(section), head.height())
            )
        )
