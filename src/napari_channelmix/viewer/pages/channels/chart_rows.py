"""Which channels the chart of importance shows: the first, all, or those of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QScrollBar, QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.row_choice import FEW, RowChoice

if TYPE_CHECKING:
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.viewer.pages.channels.chart import ImportanceChart

__all__ = ["ChartRows"]


class ChartRows(QWidget):
    """A chart with a box for names above it, a bar that scrolls it, and a button below.

    Few channels are all shown, and nothing but the chart is.
    """

    def __init__(self, chart: ImportanceChart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = chart
        self.choice = RowChoice(self)
        self.bar = QScrollBar(Qt.Orientation.Vertical)
        self.bar.setToolTip("More channels; the axes stay")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(chart, 1)
        row.addWidget(self.bar)
        column.addWidget(self.choice.name)
        column.addLayout(row)
        column.addWidget(self.choice.more)
        self.choice.changed.connect(self._choose)
        self.bar.valueChanged.connect(chart.scroll_to)
        chart.moved.connect(self._follow)
        self.show_importance(None)

    def show_importance(self, importance: ChannelImportance | None) -> None:
        """Show a result, which may be partial; None empties the chart."""
        self.chart.importance = importance
        self._choose()
        self.chart.show_importance(importance)

    def _choose(self, _: object = None) -> None:
        imp = self.chart.importance
        names = [] if imp is None else [imp.channels[index] for index in imp.order]
        rest = "" if imp is None else _rest(imp, imp.order[FEW:])
        self.chart.show_rows({names[place] for place in self.choice.choose(names, rest)})

    def _follow(self) -> None:
        """Scroll bar and rows in sight say the same."""
        chart = self.chart
        rest = max(0, len(chart.rows) - chart.in_sight)
        self.bar.setVisible(rest > 0)
        self.bar.setRange(0, rest)
        self.bar.setPageStep(max(1, chart.in_sight))
        self.bar.setValue(chart.first)


def _rest(imp: ChannelImportance, rest: tuple[int, ...]) -> str:
    """How many of the channels that are not shown carry nothing that can be told."""
    above = imp.above_control
    below = 0 if above is None else sum(not above[index] for index in rest)
    return f"{below} not above the control" if below else ""
