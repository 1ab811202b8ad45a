"""A plate as a map of heat: a square for each well, as bright as its fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import QPointF, Signal

from napari_channelmix.viewer.charts.point_plot import PointPlot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.phenotypes.plate import Plate

__all__ = ["PlateView"]

HEIGHT = 230
TIP = "A square per well, from 0 (dark) to 1 (bright); click one to see its cells"
COLORS = "viridis"
# Names of rows and columns up to this many; beyond, every so many.
NAMED = 12


class PlateView(PointPlot):
    """The wells of a plate.

    Signals
    -------
    group_pressed(int)
        A well with cells was clicked.
    """

    group_pressed = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__("Plate", TIP, theme, HEIGHT, parent)
        self.plate: Plate | None = None
        self.values: npt.NDArray[np.float64] = np.zeros((0, 0))
        self._names: Sequence[str] = ()
        self._what = "fraction"
        self._marked: int | None = None
        # Position of the group of each place that can be clicked.
        self._groups: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.setMouseEnabled(x=False, y=False)
        plot = self.getPlotItem()
        plot.getViewBox().invertY(True)
        plot.getViewBox().setAspectLocked(True)
        plot.hideAxis("bottom")
        plot.showAxis("top")
        self.follow_theme(theme)
        plot.getAxis("left").setWidth(26)

    def show_plate(
        self, plate: Plate | None, values: npt.ArrayLike, names: Sequence[str], what: str
    ) -> None:
        """Draw a value (G,) for each group; ``what`` says what it is."""
        self.plate, self._names, self._what = plate, names, what
        self.values = np.zeros((0, 0)) if plate is None else plate.arranged(values)
        self.draw()

    def mark(self, group: int | None) -> None:
        """Ring the well of a group."""
        self._marked = group
        self.draw()

    def draw(self) -> None:
        """Draw the wells and their names."""
        plot = self.getPlotItem()
        plot.clear()
        self.places = np.zeros((0, 2))
        if self.plate is None:
            return
        from napari_channelmix.phenotypes.plate import row_name

        rows, columns = self.plate.shape
        ramp = pg.colormap.get(COLORS)
        image = ramp.map(np.nan_to_num(np.clip(self.values, 0, 1)), mode="byte")
        # Wells without cells show the ground.
        image[..., 3] = np.where(np.isfinite(self.values), 255, 0)
        plot.addItem(pg.ImageItem(image, axisOrder="row-major"))
        inside = np.argwhere(self.plate.groups >= 0)
        self._groups = self.plate.groups[self.plate.groups >= 0]
        self.places = inside[:, ::-1].astype(np.float64) + 0.5
        empty = self.places[~np.isfinite(self.values[self.plate.groups >= 0])]
        plot.addItem(
            pg.ScatterPlotItem(
                *empty.T,
                size=0.5,
                pxMode=False,
                symbol="x",
                brush=None,
                pen=pg.mkPen(self._colors.line),
            )
        )
        if self._marked is not None:
            ring = pg.mkPen(self._colors.second, width=2)
            chosen = self.places[self._groups == self._marked]
            plot.addItem(
                pg.ScatterPlotItem(
                    *chosen.T, size=1.0, pxMode=False, symbol="s", brush=None, pen=ring
                )
            )
        for axis, count, name in (
            ("left", rows, row_name),
            ("top", columns, lambda column: str(column + 1)),
        ):
            step = -(-count // NAMED)
            ticks = [(index + 0.5, name(index)) for index in range(0, count, step)]
            plot.getAxis(axis).setTicks([ticks])
            plot.getAxis(axis).setTextPen(self._colors.text)
        plot.getViewBox().setRange(xRange=(0, columns), yRange=(0, rows), padding=0.01)

    # ---------------------------------------------------------------- mouse

    @property
    def near(self) -> float:
        """Half a well in pixels: the whole square can be clicked."""
        if self.plate is None:
            return 0.0
        (left, right), _ = self.getViewBox().viewRange()
        return float(self.getViewBox().width() / (right - left) / np.sqrt(2))

    def point_of(self, group: int) -> QPointF:
        """Where the well of a group lies, in pixels of this widget."""
        return self.pixel_of(int(np.flatnonzero(self._groups == group)[0]))

    def pressed(self, index: int) -> None:
        """Tell which group was clicked."""
        self.group_pressed.emit(int(self._groups[index]))

    def describe(self, index: int) -> str:
        """The well and its fraction."""
        from napari_channelmix.phenotypes.plate import row_name

        column, row = (int(coordinate) for coordinate in self.places[index])
        value = self.values[row, column]
        text = "no cell with a class" if np.isnan(value) else f"{self._what} {value:.1%}"
        name = self._names[int(self._groups[index])]
        well = f"{row_name(row)}{column + 1:02d}"
        return f"{name}: {text}" if name == well else f"{well}, {name}: {text}"
