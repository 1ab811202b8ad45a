"""Dose-response: a point per group, the mean of each dose, and a curve where one fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtGui import QColor

from napari_channelmix.viewer.charts.point_plot import PointPlot

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_channelmix.phenotypes.dose_response import DoseResponse

__all__ = ["DosePlot"]

HEIGHT = 220
# Powers of ten between dose 0, which has no logarithm, and the lowest dose above it.
APART = 0.6
TIP = (
    "A point per group; click one to see its cells. Bars: mean and 95 % interval over the groups "
    "of a dose, where it has three or more; band: 95 % interval of the EC50"
)
# Two groups have an interval as wide as the plot.
FEWEST = 3


class DosePlot(PointPlot):
    """Fraction against the logarithm of the dose; dose 0 stands at the left edge.

    Signals
    -------
    group_pressed(int)
        A point was clicked.
    """

    group_pressed = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__("Dose-response", TIP, theme, HEIGHT, parent)
        self.response: DoseResponse | None = None
        self._names: tuple[str, ...] = ()
        self._titles = ("dose", "fraction")
        self._color = "#9A9A9A"
        self._marked: int | None = None
        self.setMouseEnabled(x=False, y=False)
        self.follow_theme(theme)

    def show_response(
        self,
        response: DoseResponse | None,
        names: tuple[str, ...],
        dose: str,
        what: str,
        color: str,
    ) -> None:
        """Draw the groups ``names``, against the column ``dose``, in the colour of the class."""
        self.response, self._names, self._color = response, names, color
        self._titles = dose, what
        self.draw()

    def mark(self, group: int | None) -> None:
        """Ring the point of a group."""
        self._marked = group
        self.draw()

    # ---------------------------------------------------------------- drawing

    def _x(self, doses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Logarithms; dose 0 stands left of the others."""
        assert self.response is not None
        positive = self.response.levels[self.response.levels > 0]
        zero = np.log10(positive[0]) - APART if len(positive) else 0.0
        return np.where(doses > 0, np.log10(np.where(doses > 0, doses, 1.0)), zero)

    def draw(self) -> None:
        """Draw points, means and curve."""
        plot, response = self.getPlotItem(), self.response
        plot.clear()
        self.places = np.zeros((0, 2))
        if response is None or not len(response.groups):
            return
        self.name_axes(*self._titles)
        x = self._x(response.doses)
        self.places = np.stack([x, response.fractions], axis=1)
        color = QColor(self._color)
        color.setAlphaF(0.75)
        plot.addItem(
            pg.ScatterPlotItem(x, response.fractions, size=8, pen=None, brush=pg.mkBrush(color))
        )
        middle, pen = self._x(response.levels), pg.mkPen(self._colors.text, width=1.5)
        known = response.counts >= FEWEST
        plot.addItem(
            pg.ErrorBarItem(
                x=middle[known],
                y=response.mean[known],
                beam=0.06,
                pen=pen,
                top=(response.high - response.mean)[known],
                bottom=(response.mean - response.low)[known],
            )
        )
        plot.addItem(pg.ScatterPlotItem(middle, response.mean, size=11, symbol="_", pen=pen))
        if response.fit is not None:
            positive = response.levels[response.levels > 0]
            line = np.linspace(np.log10(positive[0]), np.log10(positive[-1]), 160)
            plot.plot(line, response.fit.at(10**line), pen=pg.mkPen(self._colors.bar, width=2))
            band = pg.LinearRegionItem(
                np.log10(response.fit.interval),
                movable=False,
                brush=self._tint(),
                pen=pg.mkPen(None),
            )
            band.setZValue(-10)
            plot.addItem(band)
            log_ec50 = np.log10(response.fit.ec50)
            plot.addItem(
                pg.InfiniteLine(
                    log_ec50, pen=pg.mkPen(self._colors.line, style=Qt.PenStyle.DashLine)
                )
            )
        if self._marked is not None and self._marked in response.groups:
            chosen = self.places[response.groups == self._marked]
            ring = pg.mkPen(self._colors.second, width=2)
            plot.addItem(
                pg.ScatterPlotItem(chosen[:, 0], chosen[:, 1], size=15, brush=None, pen=ring)
            )
        self._ticks(middle)
        low, high = float(self.places[:, 0].min()), float(self.places[:, 0].max())
        room = max(0.06 * (high - low), 0.1)
        # Adjusted fractions may lie a little outside.
        floor, ceiling = (
            min(0.0, float(response.fractions.min())),
            max(1.0, response.fractions.max()),
        )
        plot.getViewBox().setRange(
            xRange=(low - room, high + room), yRange=(floor - 0.03, ceiling + 0.03), padding=0
        )

    def _tint(self) -> QColor:
        """A veil in the colour of the curve."""
        color = QColor(self._colors.bar)
        color.setAlphaF(0.15)
        return color

    def _ticks(self, places: npt.NDArray[np.float64]) -> None:
        """The doses themselves, as many as there is room for."""
        assert self.response is not None
        step = max(1, -(-len(places) // 7))
        indices = sorted({0, *range(len(places) - 1, 0, -step)})
        # Dose 0 is not on the scale: the one beside it must not lie on it.
        labels = [(float(places[index]), f"{self.response.levels[index]:g}") for index in indices]
        self.getPlotItem().getAxis("bottom").setTicks([labels])

    # ---------------------------------------------------------------- mouse

    def point_of(self, group: int) -> QPointF:
        """Where the point of a group lies, in pixels of this widget."""
        assert self.response is not None
        return self.pixel_of(list(self.response.groups).index(group))

    def pressed(self, index: int) -> None:
        """Tell which group was clicked."""
        assert self.response is not None
        self.group_pressed.emit(int(self.response.groups[index]))

    def describe(self, index: int) -> str:
        """The group, its dose and its fraction."""
        assert self.response is not None
        name = self._names[int(self.response.groups[index])]
        return f"{name}: dose {self.response.doses[index]:g}, {self.response.fractions[index]:.1%}"
