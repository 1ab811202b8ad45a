"""Dose-response: a point per group, the mean of each dose, and a curve where one fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QPointF, Qt, Signal
from qtpy.QtGui import QColor, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.phenotypes.doses import DoseResponse

__all__ = ["DosePlot"]

HEIGHT = 220
NEAR = 9
# Powers of ten between dose 0, which has no logarithm, and the lowest dose above it.
APART = 0.6


class DosePlot(pg.PlotWidget):
    """Fraction against the logarithm of the dose; dose 0 stands at the left edge.

    Signals
    -------
    group_pressed(int)
        A point was clicked.
    """

    group_pressed = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.found: DoseResponse | None = None
        #: (n, 2) where the points of the groups lie.
        self.places: npt.NDArray[np.float64] = np.zeros((0, 2))
        self._names: tuple[str, ...] = ()
        self._titles = ("dose", "fraction")
        self._color = "#9A9A9A"
        self._marked: int | None = None
        self.setMenuEnabled(False)
        # pyqtgraph makes this menu in any case, and leaves it without an owner.
        menu = self.getPlotItem().ctrlMenu
        menu.setParent(self, menu.windowFlags())
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.getPlotItem().setContentsMargins(0, 6, 12, 2)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Dose-response")
        self.setToolTip(
            "A point per group; click one to see its cells. Bars: mean and standard deviation over "
            "the groups of a dose"
        )
        self.setMouseTracking(True)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.scene().sigMouseMoved.connect(self._hovered)
        self.follow_theme(theme)

    def show_response(
        self, found: DoseResponse | None, names: tuple[str, ...], dose: str, what: str, color: str
    ) -> None:
        """Draw the groups ``names``, against the column ``dose``, in the colour of the class."""
        self.found, self._names, self._color = found, names, color
        self._titles = dose, what
        self._draw()

    def mark(self, group: int | None) -> None:
        """Ring the point of a group."""
        self._marked = group
        self._draw()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = self._colors = chart_colors(theme)
        self.setBackground(colors.ground)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(colors.line)
            axis.setTextPen(colors.text)
        self.getPlotItem().getAxis("left").setWidth(46)
        self._draw()

    # ---------------------------------------------------------------- drawing

    def _x(self, doses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Logarithms; dose 0 stands left of the others."""
        assert self.found is not None
        positive = self.found.levels[self.found.levels > 0]
        zero = np.log10(positive[0]) - APART if len(positive) else 0.0
        return np.where(doses > 0, np.log10(np.where(doses > 0, doses, 1.0)), zero)

    def _draw(self) -> None:
        plot, found = self.getPlotItem(), self.found
        plot.clear()
        self.places = np.zeros((0, 2))
        if found is None or not len(found.groups):
            return
        label = {"color": self._colors.text}
        for side, title in zip(("bottom", "left"), self._titles, strict=True):
            plot.setLabel(side, title, **label)
            plot.getAxis(side).setSIPrefixEnableRanges(())
            plot.getAxis(side).updateAutoSIPrefix()
        x = self._x(found.doses)
        self.places = np.stack([x, found.fractions], axis=1)
        color = QColor(self._color)
        color.setAlphaF(0.75)
        plot.addItem(pg.ScatterPlotItem(x, found.fractions, size=8, pen=None,
                                        brush=pg.mkBrush(color)))  # fmt: skip
        middle, pen = self._x(found.levels), pg.mkPen(self._colors.text, width=1.5)
        spread = np.nan_to_num(found.spread)
        plot.addItem(pg.ErrorBarItem(x=middle, y=found.mean, height=2 * spread, beam=0.06, pen=pen))
        plot.addItem(pg.ScatterPlotItem(middle, found.mean, size=11, symbol="_", pen=pen))
        if found.fit is not None:
            positive = found.levels[found.levels > 0]
            line = np.linspace(np.log10(positive[0]), np.log10(positive[-1]), 160)
            plot.plot(line, found.fit.at(10**line), pen=pg.mkPen(self._colors.bar, width=2))
            at = np.log10(found.fit.ec50)
            plot.addItem(pg.InfiniteLine(at, pen=pg.mkPen(self._colors.line,
                                                          style=Qt.PenStyle.DashLine)))  # fmt: skip
        if self._marked is not None and self._marked in found.groups:
            chosen = self.places[found.groups == self._marked]
            ring = pg.mkPen(self._colors.second, width=2)
            plot.addItem(pg.ScatterPlotItem(chosen[:, 0], chosen[:, 1], size=15, brush=None,
                                            pen=ring))  # fmt: skip
        self._ticks(middle)
        low, high = float(self.places[:, 0].min()), float(self.places[:, 0].max())
        room = max(0.06 * (high - low), 0.1)
        plot.getViewBox().setRange(xRange=(low - room, high + room), yRange=(-0.03, 1.03),
                                   padding=0)  # fmt: skip

    def _ticks(self, places: npt.NDArray[np.float64]) -> None:
        """The doses themselves, as many as there is room for."""
        assert self.found is not None
        step = max(1, -(-len(places) // 7))
        kept = sorted({0, *range(len(places) - 1, 0, -step)})
        # Dose 0 is not on the scale: the one beside it must not lie on it.
        labels = [(float(places[at]), f"{self.found.levels[at]:g}") for at in kept]
        self.getPlotItem().getAxis("bottom").setTicks([labels])

    # ---------------------------------------------------------------- mouse

    def point_of(self, group: int) -> QPointF:
        """Where the point of a group lies, in pixels of this widget."""
        assert self.found is not None
        x, y = self.places[list(self.found.groups).index(group)]
        return self.mapFromScene(self.getViewBox().mapViewToScene(pg.Point(x, y)))

    def _group_at(self, scene_point: Any) -> int | None:
        box = self.getPlotItem().getViewBox()
        if self.found is None or not len(self.places):
            return None
        if not box.sceneBoundingRect().contains(scene_point):
            return None
        (left, right), (low, high) = box.viewRange()
        size = np.array([box.width() / (right - left), box.height() / (high - low)])
        at = box.mapSceneToView(scene_point)
        away = np.hypot(*((self.places - (at.x(), at.y())) * size).T)
        nearest = int(away.argmin())
        return int(self.found.groups[nearest]) if away[nearest] <= NEAR else None

    def _clicked(self, event: Any) -> None:
        group = self._group_at(event.scenePos())
        if event.button() == Qt.MouseButton.LeftButton and group is not None:
            self.group_pressed.emit(group)

    def _hovered(self, point: Any) -> None:
        group, found = self._group_at(point), self.found
        on = group is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)
        if group is not None and found is not None:
            at = list(found.groups).index(group)
            said = f"{self._names[group]}: dose {found.doses[at]:g}, {found.fractions[at]:.1%}"
            QToolTip.showText(self.mapToGlobal(self.mapFromScene(point)), said, self)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        QToolTip.hideText()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the dock."""
        event.ignore()
