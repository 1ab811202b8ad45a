"""How the mean probabilities of the classes follow one axis, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.charts.small_plot import color_axes, still_plot
from napari_channelmix.viewer.widgets.theme import chart_colors
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["ResponsePlot"]

HEIGHT = 170
# Opacity of the band of an interval.
BAND = 60
# The amount that changes nothing.
AS_IT_IS = 0.0
# Share of the cells beyond which a curve is dashed: they are like none of the data.
MOSTLY = 0.5
TIP = (
    "Mean probability of each class against the amount; bands: 95 % interval over groups; dashed: "
    "most of the cells are then like none of the data"
)


class ResponsePlot(QWidget):
    """A line for each class."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._curve: pd.DataFrame | None = None
        self.class_order: tuple[str, ...] = ()
        self.plot = still_plot(TIP, HEIGHT)
        self.plot.setYRange(0, 1, padding=0.05)
        self.plot.setAccessibleName("Probability of each class against the amount")
        self.title = QLabel()
        self.title.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.plot)
        self.follow_theme(theme)

    def show_curve(self, curve: pd.DataFrame) -> None:
        """Show rows of ``WhatIf.curves`` of one axis and the cells of one class."""
        self._curve = curve
        self._draw()

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        if tuple(palette) != self.class_order:
            self.class_order = tuple(palette)
            self._draw()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self._draw()

    def _draw(self) -> None:
        self.plot.clear()
        colors = chart_colors(self._theme)
        curve = self._curve
        color_axes(self.plot, colors, "probability")
        self.title.setText("")
        if curve is None or not len(curve):
            return
        first = curve.iloc[0]
        cells = counted(int(first["n"]), "cell")
        self.title.setText(
            f"<b>{first['axis']}</b> in {first['unit']}; {cells} predicted as {first['from_class']}"
        )
        pen = pg.mkPen(colors.line, style=Qt.PenStyle.DotLine)
        self.plot.addItem(pg.InfiniteLine(AS_IT_IS, pen=pen))
        for name, rows in curve.groupby("class_name", sort=False):
            self._draw_class(str(name), rows.sort_values("amount"), colors.line)
        amounts = curve["amount"].to_numpy(np.float64)
        self.plot.setXRange(float(amounts.min()), float(amounts.max()), padding=0.02)

    def _draw_class(self, name: str, rows: pd.DataFrame, line: str) -> None:
        x, y, low, high, outside = (
            rows[column].to_numpy(np.float64)
            for column in ("amount", "probability", "low", "high", "outside")
        )
        known = name in self.class_order
        color = QColor(class_hex(self.class_order.index(name)) if known else line)
        if np.isfinite([low, high]).all():
            band = QColor(color)
            band.setAlpha(BAND)
            ends = [pg.PlotDataItem(x, end) for end in (low, high)]
            self.plot.addItem(pg.FillBetweenItem(*ends, brush=band))
        self.plot.plot(x, y, pen=pg.mkPen(color, width=1.5, style=Qt.PenStyle.DashLine))
        within = np.where(outside <= MOSTLY, y, np.nan)
        self.plot.plot(x, within, pen=pg.mkPen(color, width=2.5), connect="finite")
