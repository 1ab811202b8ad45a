"""All cells on two axes: a point each, in the colour of its class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QPointF, Qt, Signal
from qtpy.QtGui import QColor, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.colors import class_hex
from napari_channelmix.viewer.latents.marked import marked
from napari_channelmix.viewer.theme import chart_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.latents.axes import Axis

__all__ = ["Scatter"]

HEIGHT = 280
# A click or the mouse within so many pixels is on a point.
NEAR = 9
# Many points are small and let the ones below shine through.
MANY = 2000


class Scatter(pg.PlotWidget):
    """Points that can be clicked; drag a rectangle to see more of it, double click to see all."""

    cell_chosen = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        #: (N, 2) where the cells lie.
        self.places: npt.NDArray[np.float64] = np.zeros((0, 2))
        self.marked: int | None = None
        self._axes: tuple[Axis, Axis] | None = None
        self._classes: tuple[str, ...] = ()
        self._codes: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        plot = self.getPlotItem()
        self.setMenuEnabled(False)
        # pyqtgraph makes this menu in any case, and leaves it without an owner.
        menu = plot.ctrlMenu
        menu.setParent(self, menu.windowFlags())
        self.hideButtons()
        plot.getViewBox().setMouseMode(pg.ViewBox.RectMode)
        plot.setContentsMargins(0, 6, 10, 2)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Scatter of two axes")
        self.setToolTip(
            "Click a point: the viewer goes to the cell. Drag a rectangle to look closer; a "
            "double click shows all again"
        )
        self._ring = pg.ScatterPlotItem(size=15, brush=None, pxMode=True)
        self._ring.setZValue(10)
        self._points: list[Any] = []
        self._colors = chart_colors(theme)
        self.setMouseTracking(True)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.scene().sigMouseMoved.connect(self._hovered)
        self.follow_theme(theme)

    # ---------------------------------------------------------------- what is shown

    def show_axes(
        self, across: Axis, up: Axis, codes: npt.NDArray[np.int64], classes: Sequence[str]
    ) -> None:
        """Draw all cells on two axes, in the colours of their classes (N,), -1 for none."""
        self._axes, self._classes, self._codes = (across, up), tuple(classes), codes
        self.places = np.stack([across.values, up.values], axis=1)
        for axis, at in ((across, 0), (up, 1)):
            if axis.cyclic:
                self.places[:, at] = np.degrees(axis.values)
        self._draw()
        self.see_all()

    def clear_cells(self) -> None:
        """Show nothing."""
        self._axes, self.marked = None, None
        self.places = np.zeros((0, 2))
        self._draw()

    def mark(self, cell: int | None) -> None:
        """Ring the point of a cell."""
        self.marked = cell
        at = self.places[:0] if cell is None else self.places[cell : cell + 1]
        self._ring.setData(at[:, 0], at[:, 1])

    def see_all(self) -> None:
        """Show all points."""
        if len(self.places):
            low, high = self.places.min(axis=0), self.places.max(axis=0)
            room = np.maximum(0.05 * (high - low), 0.05)
            box = self.getPlotItem().getViewBox()
            box.setRange(xRange=(low[0] - room[0], high[0] + room[0]),
                         yRange=(low[1] - room[1], high[1] + room[1]), padding=0)  # fmt: skip

    def legend(self) -> str:
        """Which colour is which class, as rich text."""
        if not self._classes:
            return ""
        codes = sorted(set(self._codes.tolist()) - {-1}) + ([-1] if (self._codes < 0).any() else [])
        names = [self._classes[code] if code >= 0 else "no class" for code in codes]
        return marked("●", zip(map(class_hex, codes), names, strict=True))

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = self._colors = chart_colors(theme)
        self.setBackground(colors.ground)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(colors.line)
            axis.setTextPen(colors.text)
        self.getPlotItem().getAxis("left").setWidth(46)
        self._ring.setPen(pg.mkPen(colors.text, width=2))
        self._draw()

    def _draw(self) -> None:
        plot = self.getPlotItem()
        plot.clear()
        self._points = []
        if self._axes is None:
            return
        label = {"color": self._colors.text}
        for side, axis in zip(("bottom", "left"), self._axes, strict=True):
            plot.setLabel(side, f"{axis.title} (degrees)" if axis.cyclic else axis.title, **label)
            # Latents are plain numbers, not thousandths; a new label brings the prefix back.
            plot.getAxis(side).setSIPrefixEnableRanges(())
            plot.getAxis(side).updateAutoSIPrefix()
        few = len(self.places) <= MANY
        for code in np.unique(self._codes).tolist():
            color = QColor(class_hex(code))
            color.setAlphaF(0.85 if few else 0.45)
            here = self.places[self._codes == code]
            item = pg.ScatterPlotItem(here[:, 0], here[:, 1], size=7 if few else 4, pen=None,
                                      brush=pg.mkBrush(color))  # fmt: skip
            plot.addItem(item)
            self._points.append(item)
        plot.addItem(self._ring)
        self.mark(self.marked)

    # ---------------------------------------------------------------- mouse

    def point_of(self, cell: int) -> QPointF:
        """Where the point of a cell lies, in pixels of this widget."""
        x, y = self.places[cell]
        return self.mapFromScene(self.getViewBox().mapViewToScene(pg.Point(x, y)))

    def cell_at(self, scene_point: Any) -> int | None:
        """The cell whose point lies at a place of the scene, the nearest one."""
        box = self.getPlotItem().getViewBox()
        if not len(self.places) or not box.sceneBoundingRect().contains(scene_point):
            return None
        (left, right), (low, high) = box.viewRange()
        size = np.array([box.width() / (right - left), box.height() / (high - low)])
        at = box.mapSceneToView(scene_point)
        away = np.hypot(*((self.places - (at.x(), at.y())) * size).T)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= NEAR else None

    def _clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.see_all()
            return
        cell = self.cell_at(event.scenePos())
        if cell is not None:
            self.cell_chosen.emit(cell)

    def _hovered(self, point: Any) -> None:
        cell = self.cell_at(point)
        on = cell is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)
        if cell is not None:
            code = int(self._codes[cell])
            said = f", {self._classes[code]}" if code >= 0 else ""
            at = self.mapToGlobal(self.mapFromScene(point))
            QToolTip.showText(at, f"cell {cell}{said}", self)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        QToolTip.hideText()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the dock."""
        event.ignore()
