"""The numbers of the chart, as a small table, and what the last columns were measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["FiguresTable", "measured_alone"]

# Pixels of a column; longer names of channels are cut off. Rows in sight at most.
WIDEST, IN_SIGHT = 170, 14

TIPS = {
    "share": "Share of the channel in the blended image",
    "± sd": "Standard deviation of the share over the repeats",
    "Shapley": "What the channel adds to the balanced accuracy of a network that sees all channels",
    "control": "Negative control: share of a channel that carries nothing, the same channel of "
    "another cell",
    "alone": "Balanced accuracy of a linear classifier that sees this channel alone, with its 95 % "
    "interval over groups",
    "without": "Balanced accuracy of a linear classifier that sees all channels but this one, with "
    "its 95 % interval over groups",
    "p": "The larger of two: share against its negative control, and this channel alone against "
    "permuted labels (Holm's correction for all channels)",
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

    def _off(self) -> QColor:
        return self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)

    def _accuracy(self, estimate: AccuracyEstimate, unreadable: str) -> QTableWidgetItem:
        """An accuracy with its interval; in the colour of what is switched off where unreadable."""
        item = QTableWidgetItem(estimate.short_text)
        item.setToolTip(f"{unreadable}. {estimate.text()}" if unreadable else estimate.text())
        if unreadable:
            item.setForeground(self._off())
        return item

    def _grey(self, row: int) -> None:
        for column in range(self.columnCount()):
            item = self.item(row, column)
            item.setForeground(self._off())
            tips = [line for line in ("Not above its negative control", item.toolTip()) if line]
            item.setToolTip("\n".join(tips))

    def show_importance(self, importance: ChannelImportance | None) -> None:
        """Fill the table from a result, which may be partial."""
        if importance is None:
            self.setRowCount(0)
            return
        columns: list[tuple[str, Sequence[float | AccuracyEstimate]]] = [
            (title, values)
            for title, values in (
                ("share", importance.share),
                ("± sd", importance.share_sd),
                ("Shapley", importance.shapley),
                ("control", importance.decoy),
                ("p", importance.p_value),
                ("alone", _accuracies(importance, "alone")),
                ("without", _accuracies(importance, "without")),
            )
            if values is not None
        ]
        self._head(["channel", *(title for title, _ in columns)])
        self.setRowCount(len(importance.channels))
        unreadable = importance.alone_unreadable
        for row, channel in enumerate(importance.order):
            self.setItem(row, 0, QTableWidgetItem(importance.channels[channel]))
            for column, (title, values) in enumerate(columns, start=1):
                value = values[channel]
                if isinstance(value, float):
                    item = QTableWidgetItem(_figure(title, value))
                else:
                    item = self._accuracy(value, unreadable)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
            if importance.above_control is not None and not importance.above_control[channel]:
                self._grey(row)
        header = self.horizontalHeader()
        # The names too: stretched, they would be cut off where the figures fill the page.
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        bar = self.horizontalScrollBar().sizeHint().height()
        # Of many channels the others are scrolled to, below a header that stays.
        rows = min(len(importance.channels), IN_SIGHT)
        self.setFixedHeight(22 * rows + header.sizeHint().height() + bar + 6)


def measured_alone(importance: ChannelImportance | None) -> str:
    """What the columns ``alone`` and ``without`` were measured on, and if they must not be read."""
    if importance is None or importance.alone is None:
        return ""
    measured = f"alone, without: {importance.alone.measured_on}."
    unreadable = importance.alone_unreadable
    return f"{measured} {unreadable}." if unreadable else measured


def _accuracies(importance: ChannelImportance, kind: str) -> tuple[AccuracyEstimate, ...] | None:
    if importance.alone is None:
        return None
    return tuple(channels.accuracy for channels in getattr(importance.alone, kind))


def _figure(title: str, value: float) -> str:
    return "<0.001" if title == "p" and value < 0.001 else f"{value:.3f}"
