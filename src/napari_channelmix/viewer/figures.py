"""The numbers behind the bars, as a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["FiguresTable"]

# Pixels of a column; longer names of channels are cut off.
WIDEST = 170

TIPS = {
    "share": "Share of the channel in the mixed image",
    "± sd": "Standard deviation of the share over the repeats",
    "Shapley": "What the channel adds to the balanced accuracy of the plain network",
    "decoy": "Share of a channel that carries nothing",
    "alone": "Balanced accuracy of a plain classifier that sees this channel alone",
    "without": "Balanced accuracy of a plain classifier that sees all channels but this one",
    "p": "Chance of such a share for a channel without a link to the classes (Holm's correction)",
}


class FiguresTable(QTableWidget):
    """A row per channel, the most important first; Enter or a double click shows it alone.

    Channels that are not above their negative control are in the colour of what is switched off.
    """

    channel_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 0, parent)
        self.setToolTip("Enter or a double click shows the channel alone")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(22)
        self.setShowGrid(False)
        self.horizontalHeader().setMaximumSectionSize(WIDEST)
        self.itemActivated.connect(
            lambda item: self.channel_chosen.emit(self.item(item.row(), 0).text())
        )

    def _head(self, columns: Sequence[str]) -> None:
        self.setColumnCount(len(columns))
        self.setHorizontalHeaderLabels(list(columns))
        for place, title in enumerate(columns):
            if title in TIPS:
                self.horizontalHeaderItem(place).setToolTip(TIPS[title])

    def _grey(self, row: int) -> None:
        color = self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
        for column in range(self.columnCount()):
            self.item(row, column).setForeground(color)
            self.item(row, column).setToolTip("Not above its negative control")

    def show_importance(self, importance: ChannelImportance | None) -> None:
        """Fill the table from a result, which may be partial."""
        if importance is None:
            self.setRowCount(0)
            return
        columns = [
            (title, values)
            for title, values in (
                ("share", importance.share),
                ("± sd", importance.share_sd),
                ("Shapley", importance.shapley),
                ("decoy", importance.decoy),
                ("p", importance.p_value),
                ("alone", _accuracies(importance, "alone")),
                ("without", _accuracies(importance, "without")),
            )
            if values is not None
        ]
        self._head(["channel", *(title for title, _ in columns)])
        self.setRowCount(len(importance.channels))
        for row, at in enumerate(importance.order):
            self.setItem(row, 0, QTableWidgetItem(importance.channels[at]))
            for column, (title, values) in enumerate(columns, start=1):
                item = QTableWidgetItem(_figure(title, values[at]))
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
            if importance.above_control is not None and not importance.above_control[at]:
                self._grey(row)
        header = self.horizontalHeader()
        # The names too: stretched, they would be cut off where the figures fill the dock.
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(22 * len(importance.channels) + header.sizeHint().height() + bar + 6)


def _accuracies(importance: ChannelImportance, kind: str) -> tuple[float, ...] | None:
    if importance.alone is None:
        return None
    return tuple(one.accuracy.balanced for one in getattr(importance.alone, kind))


def _figure(title: str, value: float) -> str:
    return "<0.001" if title == "p" and value < 0.001 else f"{value:.3f}"
