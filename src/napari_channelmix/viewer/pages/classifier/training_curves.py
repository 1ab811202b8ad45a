"""Loss and accuracy while a classifier learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.small_plot import color_axes, still_plot
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TrainingCurves"]

LOSS_TIP = "Cross entropy on training (line) and validation cells (dashed)"
ACCURACY_TIP = "Balanced accuracy: the mean of the classes' recalls, 1 at best"


class TrainingCurves(QWidget):
    """Two small charts over the epochs: loss, and balanced accuracy on validation cells."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The lowest tick's number and the name of the epochs reach over the edge.
        room: dict[str, Any] = {"left": 48, "margins": (0, 4, 6, 7)}
        self.loss = still_plot(LOSS_TIP, 130, **room)
        # Room for the names of the epochs.
        self.accuracy = still_plot(ACCURACY_TIP, 165, **room)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        # Above the chart: inside, it would lie over a line wherever that goes.
        self.legend = QLabel()
        self.legend.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.legend.setToolTip("What the two lines of the upper chart are")
        column.addWidget(self.legend)
        for plot in (self.loss, self.accuracy):
            column.addWidget(plot)
        self.loss.getAxis("bottom").setStyle(showValues=False)
        self.accuracy.setYRange(0.0, 1.05, padding=0)
        self._lines = {
            "loss": self.loss.plot([], []),
            "validation_loss": self.loss.plot([], []),
            "accuracy": self.accuracy.plot([], []),
        }
        self.follow_theme(theme)

    def show_history(self, history: Sequence[dict[str, float]]) -> None:
        """Draw the metrics of the epochs so far."""
        for name, line in self._lines.items():
            points = [(entry["epoch"], entry[name]) for entry in history if name in entry]
            line.setData([x for x, _ in points], [y for _, y in points])
        last = max((entry["epoch"] for entry in history), default=5.0)
        for plot in (self.loss, self.accuracy):
            plot.setXRange(0.5, max(5.0, last) + 0.5, padding=0)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = chart_colors(theme)
        dots = {"symbol": "o", "symbolSize": 5, "symbolPen": None}
        for plot, title in ((self.loss, "loss"), (self.accuracy, "accuracy")):
            color_axes(plot, colors, title)
        self.accuracy.setLabel("bottom", "epoch", color=colors.text)
        self.legend.setText(
            f'<span style="color:{colors.bar}">━━</span> training &nbsp; '
            f'<span style="color:{colors.text}">╍╍</span> validation'
        )
        self._lines["loss"].setPen(pg.mkPen(colors.bar, width=2))
        self._lines["validation_loss"].setPen(
            pg.mkPen(colors.text, width=1.5, style=Qt.PenStyle.DashLine)
        )
        accuracy = self._lines["accuracy"]
        accuracy.setPen(pg.mkPen(colors.second, width=2))
        accuracy.setSymbol(dots["symbol"])
        accuracy.setSymbolSize(dots["symbolSize"])
        accuracy.setSymbolBrush(colors.second)
        accuracy.setSymbolPen(None)
