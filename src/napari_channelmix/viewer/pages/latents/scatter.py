"""All cells on two axes: a point each, in the colour of its class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QPointF, Signal
from qtpy.QtGui import QColor

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.charts.point_plot import PointPlot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.charts.latent_axes import Axis

__all__ = ["Scatter"]

HEIGHT = 280
# Many points are small and let the ones below shine through.
MANY = 2000
TIP = (
    "Click a point: the viewer goes to the cell. Drag a rectangle to zoom in; double-click to "
    "show all"
)


class Scatter(PointPlot):
    """Points that can be clicked; drag a rectangle to see more of it, double click to see all."""

    cell_chosen = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__("Scatter of two axes", TIP, theme, HEIGHT, parent)
        self.marked: int | None = None
        self._axes: tuple[Axis, Axis] | None = None
        self._classes: tuple[str, ...] = ()
        # What a cell is called.
        self.name_of: Callable[[int], str] = str
        self._codes: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.getPlotItem().getViewBox().setMouseMode(pg.ViewBox.RectMode)
        self._ring = pg.ScatterPlotItem(size=15, brush=None, pxMode=True)
        self._ring.setZValue(10)
        self._points: list[Any] = []
        self.follow_theme(theme)

    # ---------------------------------------------------------------- what is shown

    def show_axes(
        self, across: Axis, up: Axis, codes: npt.NDArray[np.int64], classes: Sequence[str]
    ) -> None:
        """Draw all cells on two axes, in the colours of their classes (N,), -1 for none."""
        self._axes, self._classes, self._codes = (across, up), tuple(classes), codes
        self.places = np.stack([across.values, up.values], axis=1)
        for axis, column in ((across, 0), (up, 1)):
            if axis.cyclic:
                self.places[:, column] = np.degrees(axis.values)
        self.draw()
        self.see_all()

    def clear_cells(self) -> None:
        """Show nothing."""
        self._axes, self.marked = None, None
        self.places = np.zeros((0, 2))
        self.draw()

    def mark(self, cell: int | None) -> None:
        """Ring the point of a cell."""
        self.marked = cell
        point = self.places[:0] if cell is None else self.places[cell : cell + 1]
        self._ring.setData(point[:, 0], point[:, 1])

    def see_all(self) -> None:
        """Show all points."""
        if len(self.places):
            low, high = self.places.min(axis=0), self.places.max(axis=0)
            room = np.maximum(0.05 * (high - low), 0.05)
            box = self.getPlotItem().getViewBox()
            box.setRange(
                xRange=(low[0] - room[0], high[0] + room[0]),
                yRange=(low[1] - room[1], high[1] + room[1]),
                padding=0,
            )

    def draw(self) -> None:
        """Draw the points of all cells, those of a class together."""
        plot = self.getPlotItem()
        plot.clear()
        self._points = []
        self._ring.setPen(pg.mkPen(self._colors.text, width=2))
        if self._axes is None:
            return
        across, up = (
            f"{axis.title} (degrees)" if axis.cyclic else axis.title for axis in self._axes
        )
        self.name_axes(across, up)
        few = len(self.places) <= MANY
        for code in np.unique(self._codes).tolist():
            color = QColor(class_hex(code))
            color.setAlphaF(0.85 if few else 0.45)
            points = self.places[self._codes == code]
            item = pg.ScatterPlotItem(
                points[:, 0], points[:, 1], size=7 if few else 4, pen=None, brush=pg.mkBrush(color)
            )
            plot.addItem(item)
            self._points.append(item)
        plot.addItem(self._ring)
        self.mark(self.marked)

    # ---------------------------------------------------------------- mouse

    def point_of(self, cell: int) -> QPointF:
        """Where the point of a cell lies, in pixels of this widget."""
        return self.pixel_of(cell)

    def pressed(self, index: int) -> None:
        """Tell which cell was clicked."""
        self.cell_chosen.emit(index)

    def double_pressed(self) -> None:
        """Show all points again."""
        self.see_all()

    def describe(self, index: int) -> str:
        """The cell and its class."""
        code = int(self._codes[index])
        return f"cell {self.name_of(index)}" + (f", {self._classes[code]}" if code >= 0 else "")
