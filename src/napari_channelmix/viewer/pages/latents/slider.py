"""The slider of one axis: its name and badge, how the cells are spread, where this cell lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)

from napari_channelmix.viewer.charts.latent_axes import Axis, figure
from napari_channelmix.viewer.widgets.painted_slider import HANDLE, STEPS, PaintedSlider

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.widgets.theme import ChartColors

__all__ = ["AxisSlider", "badge_color"]

ROW = 38
# Columns for name and badge, and for the value.
NAMES, FIGURES = 112, 48
# Bars of the histogram.
BINS = 32
# Where the groove lies, from the top; the histogram stands on it.
GROOVE = 27
HELP = "Drag it, or use the arrow keys; a double click goes back to the cell's own value"


def badge_color(badge: str, colors: ChartColors) -> str:
    """The colour of a badge, readable on the theme's ground; shape and words say the same."""
    return {"verified": colors.good, "plausible": colors.second}.get(badge, colors.line)


class AxisSlider(PaintedSlider):
    """Moves a cell along one axis."""

    def __init__(self, axis: Axis, theme: str, parent: QWidget | None = None) -> None:
        self.axis = axis
        self.own: float | None = None
        super().__init__(
            axis.name,
            theme,
            height=ROW,
            names=NAMES,
            figures=FIGURES,
            groove=GROOVE,
            parent=parent,
        )
        self.setAccessibleName(axis.title)
        self.setToolTip(f"{axis.tip}\n{HELP}")
        self._bars: npt.NDArray[np.float64] = np.zeros(BINS)
        self.show_axis(axis)

    # ---------------------------------------------------------------- what is shown

    def show_axis(self, axis: Axis) -> None:
        """Show how the cells are spread along the axis."""
        self.axis = axis
        inside = axis.values[(axis.values >= axis.low) & (axis.values <= axis.high)]
        counts, _ = np.histogram(inside, bins=BINS, range=(axis.low, axis.high))
        # Square roots: the rare cells are the ones one looks for.
        self._bars = np.sqrt(counts / max(int(counts.max()), 1))
        self.update()

    def show_cell(self, own: float) -> None:
        """Mark a cell's own value and go there; nobody is told."""
        self.own = own
        axis = self.axis.reaching(own)
        if axis is not self.axis:
            self.show_axis(axis)
        self.go_to(own)

    @property
    def ends(self) -> tuple[float, float]:
        """Values at both ends."""
        return self.axis.low, self.axis.high

    @property
    def home(self) -> float | None:
        """The cell's own value."""
        return self.own

    def describe(self) -> str:
        """Value and badge."""
        return f"{figure(self.axis, self.amount)}; {self.axis.badge}"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move it; an angle goes on after a full turn."""
        step = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: -1,
        }.get(Qt.Key(event.key()))
        if step is None or not self.axis.cyclic:
            super().keyPressEvent(event)
            return
        self.taken.emit(self.name)
        self.setValue((self.value() + step * self.singleStep()) % STEPS)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name and badge, histogram, the cell's mark, handle, value."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_name(painter)
        self._paint_cells(painter)
        self._paint_handle(painter)
        painter.setPen(QColor(self.colors.text))
        text = figure(self.axis, self.amount) if self.own is not None else ""
        where = QRectF(self.width() - FIGURES, 6, FIGURES, GROOVE - 4)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(where, right, text)
        painter.end()

    def _paint_name(self, painter: QPainter) -> None:
        metrics = QFontMetrics(self.font())
        name = metrics.elidedText(self.axis.title, Qt.TextElideMode.ElideRight, NAMES - 12)
        painter.setPen(QColor(self.colors.text))
        painter.drawText(QRectF(0, 1, NAMES - 12, 18), Qt.AlignmentFlag.AlignVCenter, name)
        small = QFont(self.font())
        small.setPointSizeF(max(6.0, 0.82 * self.font().pointSizeF()))
        painter.setFont(small)
        color = QColor(badge_color(self.axis.badge, self.colors))
        spot = QRectF(1.5, 23, 7, 7)
        painter.setPen(QPen(color, 1.3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(spot)
        # Full, half or empty: told apart without the colour as well.
        share = {"verified": 360, "plausible": 180}.get(self.axis.badge, 0)
        painter.setBrush(color)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPie(spot, -90 * 16, -share * 16)
        painter.setPen(QColor(self.colors.line))
        painter.drawText(
            QRectF(13, 18, NAMES - 25, 17), Qt.AlignmentFlag.AlignVCenter, self.axis.badge
        )
        painter.setFont(self.font())

    def _paint_cells(self, painter: QPainter) -> None:
        room = self.room()
        shape = QPainterPath(QPointF(room.left(), GROOVE))
        width = room.width() / BINS
        for index, share in enumerate(self._bars):
            top = GROOVE - (room.height() - 3) * share
            shape.lineTo(room.left() + index * width, top)
            shape.lineTo(room.left() + (index + 1) * width, top)
        shape.lineTo(room.right(), GROOVE)
        ground = QColor(self.colors.bar)
        ground.setAlphaF(0.32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawPath(shape)
        painter.setPen(QPen(QColor(self.colors.line), 1))
        painter.drawLine(QPointF(room.left(), GROOVE), QPointF(room.right(), GROOVE))

    def _paint_handle(self, painter: QPainter) -> None:
        if self.own is None:
            return
        own, handle = self.place(self.own), self.place(self.amount)
        second, bar = QColor(self.colors.second), QColor(self.colors.bar)
        if abs(own.x() - handle.x()) > 1:
            painter.setPen(QPen(bar, 2))
            painter.drawLine(own, handle)
        painter.setPen(QPen(second, 1.5))
        painter.drawLine(QPointF(own.x(), 5), own)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(second)
        mark = [QPointF(own.x() - 4, 1), QPointF(own.x() + 4, 1), QPointF(own.x(), 7)]
        painter.drawPolygon(QPolygonF(mark))
        ring = QColor(self.colors.text) if self.hasFocus() else QColor(self.colors.ground)
        painter.setPen(QPen(ring, 1.5))
        painter.setBrush(bar)
        painter.drawEllipse(handle, HANDLE, HANDLE)
