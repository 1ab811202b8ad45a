"""The slider of one intervention: where real cells are, where it does nothing, how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF

from napari_channelmix.viewer.pages.whatif.amounts import amount_text, small_text
from napari_channelmix.viewer.widgets.painted_slider import HANDLE, STEPS, PaintedSlider

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.pages.whatif.opened_cell import AxisRange

__all__ = ["OUTSIDE", "EditSlider"]

ROW, GROOVE = 30, 15
# Columns for the name, and for the amount.
NAMES, FIGURES = 104, 90
# Height of the part of the groove where real cells are.
BAND = 8
OUTSIDE = "no such cell"
HELP = "Drag it, or use the arrow keys; a double click goes back to the cell as it is"


class EditSlider(PaintedSlider):
    """Edits a cell along one axis."""

    def __init__(self, bounds: AxisRange, theme: str, parent: QWidget | None = None) -> None:
        self.bounds = bounds
        super().__init__(
            bounds.name,
            theme,
            height=ROW,
            names=NAMES,
            figures=FIGURES,
            groove=GROOVE,
            parent=parent,
        )
        self.setAccessibleName(bounds.name)
        self.show_range(bounds)

    def show_range(self, bounds: AxisRange) -> None:
        """Show the range of another cell, which is as it is."""
        self.bounds = bounds
        if bounds.switch:
            self.setSingleStep(STEPS)
            self.setPageStep(STEPS)
        self.setToolTip(f"{_tip(bounds)}\n{HELP}")
        self.go_to(bounds.axis.neutral)

    @property
    def ends(self) -> tuple[float, float]:
        """Amounts at both ends."""
        return self.bounds.low, self.bounds.high

    @property
    def home(self) -> float:
        """The amount that changes nothing."""
        return self.bounds.axis.neutral

    @property
    def amount(self) -> float:
        """Where the slider stands; of a switch, one of its ends."""
        amount = super().amount
        if not self.bounds.switch:
            return amount
        low, high = self.ends
        return low if amount - low < high - amount else high

    def describe(self) -> str:
        """The amount in words."""
        axis, amount = self.bounds.axis, self.amount
        outside = f"; {OUTSIDE} in the data" if self.bounds.outside(amount) else ""
        return f"{amount_text(axis, amount)} {small_text(axis, amount)}{outside}".strip()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name, range of real cells, mark of the cell as it is, handle, amount."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = QFont(self.font())
        small.setPointSizeF(max(6.0, 0.82 * self.font().pointSizeF()))
        self._paint_name(painter, small)
        self._paint_groove(painter)
        self._paint_amount(painter, small)
        painter.end()

    def _paint_name(self, painter: QPainter, small: QFont) -> None:
        painter.setPen(QColor(self.colors.text))
        box = QRectF(0, 0, NAMES - 10, ROW)
        flags = Qt.AlignmentFlag.AlignVCenter
        if self.fontMetrics().horizontalAdvance(self.name) > box.width():
            painter.setFont(small)
            flags |= Qt.TextFlag.TextWordWrap
        painter.drawText(box, flags, self.name)
        painter.setFont(self.font())

    def _paint_groove(self, painter: QPainter) -> None:
        room, handle, home = self.room(), self.place(self.amount), self.place(self.home)
        painter.setPen(QPen(QColor(self.colors.line), 1))
        painter.drawLine(QPointF(room.left(), GROOVE), QPointF(room.right(), GROOVE))
        painter.setPen(Qt.PenStyle.NoPen)
        if self.bounds.real is not None:
            first, last = (self.place(amount).x() for amount in self.bounds.real)
            ground = QColor(self.colors.bar)
            ground.setAlphaF(0.32)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(first, GROOVE - BAND / 2, last - first, BAND), 3, 3)
        color = self._color
        if abs(home.x() - handle.x()) > 1:
            painter.setPen(QPen(color, 2))
            painter.drawLine(home, handle)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colors.text))
        mark = [QPointF(home.x() - 3.5, 3), QPointF(home.x() + 3.5, 3), QPointF(home.x(), 8)]
        painter.drawPolygon(QPolygonF(mark))
        ring = QColor(self.colors.text) if self.hasFocus() else QColor(self.colors.ground)
        painter.setPen(QPen(ring, 1.5))
        painter.setBrush(color)
        painter.drawEllipse(handle, HANDLE, HANDLE)

    def _paint_amount(self, painter: QPainter, small: QFont) -> None:
        axis, amount = self.bounds.axis, self.amount
        outside = self.bounds.outside(amount)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        below = OUTSIDE if outside else small_text(axis, amount)
        height = ROW / 2 if below else ROW
        left = self.width() - FIGURES + 8
        painter.setPen(QColor(self.colors.text))
        painter.drawText(QRectF(left, 0, FIGURES - 8, height), right, amount_text(axis, amount))
        painter.setFont(small)
        painter.setPen(QColor(self.colors.second if outside else self.colors.line))
        painter.drawText(QRectF(left, ROW / 2, FIGURES - 8, ROW / 2), right, below)

    @property
    def _color(self) -> QColor:
        outside = self.bounds.outside(self.amount)
        return QColor(self.colors.second if outside else self.colors.bar)


def _tip(bounds: AxisRange) -> str:
    axis = bounds.axis
    if bounds.real is None:
        name = f"{axis.name}, in {axis.unit}"
        if axis.to_level is None:
            return name
        return f"{name}\nNot known for this cell: which amounts the cells in the data show"
    low, high = (amount_text(axis, amount) for amount in bounds.real)
    feature = axis.feature or axis.name
    return (
        f"{axis.name}, in {axis.unit}\nThe wide part: {feature} as 90 % of the cells have it "
        f"({low} to {high} for this cell)"
    )
