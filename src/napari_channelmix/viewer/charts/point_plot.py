"""A plot of points that can be clicked and tell of themselves, in the colours of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.charts.small_plot import switch_off_menu
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from qtpy.QtGui import QWheelEvent

__all__ = ["PointPlot"]


class PointPlot(pg.PlotWidget):
    """What plots of points share; the ones that draw them say what a point is.

    Parameters
    ----------
    name : str
        For those who cannot see it.
    tip : str
    theme : str
    height : int
    """

    #: A click or the mouse within so many pixels is on a point.
    near = 9.0

    def __init__(
        self, name: str, tip: str, theme: str, height: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, background=None)
        #: (n, 2) where the points lie, in the units of the axes.
        self.places: npt.NDArray[np.float64] = np.zeros((0, 2))
        switch_off_menu(self)
        self.getPlotItem().setContentsMargins(0, 6, 12, 2)
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setMouseTracking(True)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.scene().sigMouseMoved.connect(self._hovered)
        self._colors = chart_colors(theme)

    # ---------------------------------------------------------------- for those that draw

    def draw(self) -> None:
        """Draw everything anew."""
        raise NotImplementedError

    def pressed(self, index: int) -> None:
        """A point was clicked, by its position in `places`."""
        raise NotImplementedError

    def describe(self, index: int) -> str:
        """What a point is, in words."""
        raise NotImplementedError

    def double_pressed(self) -> None:
        """A double click, wherever it was."""

    def name_axes(self, across: str, up: str) -> None:
        """Write beside the axes what they are."""
        plot = self.getPlotItem()
        for side, title in (("bottom", across), ("left", up)):
            plot.setLabel(side, title, color=self._colors.text)
            # Plain numbers, not thousandths; a new label brings the prefix back.
            plot.getAxis(side).setSIPrefixEnableRanges(())
            plot.getAxis(side).updateAutoSIPrefix()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = self._colors = chart_colors(theme)
        self.setBackground(colors.ground)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(colors.line)
            axis.setTextPen(colors.text)
        self.getPlotItem().getAxis("left").setWidth(46)
        self.draw()

    # ---------------------------------------------------------------- mouse

    def pixel_of(self, index: int) -> QPointF:
        """Where a point lies, in pixels of this widget."""
        x, y = self.places[index]
        pixel: QPointF = self.mapFromScene(self.getViewBox().mapViewToScene(pg.Point(x, y)))
        return pixel

    def point_at(self, scene_point: Any) -> int | None:
        """The point at a place of the scene, the nearest one."""
        box = self.getPlotItem().getViewBox()
        if not len(self.places) or not box.sceneBoundingRect().contains(scene_point):
            return None
        (left, right), (low, high) = box.viewRange()
        size = np.array([box.width() / (right - left), box.height() / (high - low)])
        position = box.mapSceneToView(scene_point)
        away = np.hypot(*((self.places - (position.x(), position.y())) * size).T)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= self.near else None

    def _clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        index = self.point_at(event.scenePos())
        if event.double():
            self.double_pressed()
        elif index is not None:
            self.pressed(index)

    def _hovered(self, point: Any) -> None:
        index = self.point_at(point)
        on = index is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)
        if index is not None:
            where = self.mapToGlobal(self.mapFromScene(point))
            QToolTip.showText(where, self.describe(index), self)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        QToolTip.hideText()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page."""
        event.ignore()
