"""Bars of many rows: the first of them, the others on request, an axis that stays in sight.

Few rows are shown as `Bars` shows them. Of many, the first twelve are shown; a button shows the
others, which scroll above the axis, and a name narrows them down.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import (
    QFrame,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.charts.interval_bars import FIGURES, NAMES, Bar, Bars
from napari_channelmix.viewer.widgets.row_choice import FEW, RowChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BarsAxis", "LongBars", "tick_values"]

# Height of all rows in sight at most, and of the axis, in pixels; ticks at most.
TALLEST, AXIS, TICKS = 340, 20, 5


def tick_values(low: float, high: float, most: int = TICKS) -> tuple[float, ...]:
    """Round values between two ends, 0 among them where it lies between.

    Examples
    --------
    >>> tick_values(-0.02, 0.31)
    (0.0, 0.1, 0.2, 0.3)
    """
    span = high - low
    if not span > 0:
        return (low,)
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * of for of in (1, 2, 5, 10) if span / (power * of) <= most)
    digits = max(0, -math.floor(math.log10(step)))
    ends = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(index * step, digits) + 0.0 for index in range(ends[0], ends[1] + 1))


class BarsAxis(QWidget):
    """Round values below the bars of another widget, on their scale."""

    def __init__(self, bars: Bars, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars = bars
        self.setFixedHeight(AXIS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line, ticks and their values."""
        bars, painter = self._bars, QPainter(self)
        low, high = bars.scale
        line, text = QColor(bars.colors.line), QColor(bars.colors.text)
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(bars.x_of(low), 1), QPointF(bars.x_of(high), 1))
        for value in tick_values(low, high):
            x = bars.x_of(value)
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(x, 1), QPointF(x, 5))
            painter.setPen(text)
            place = QRectF(x - 30, 4, 60, AXIS - 4)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, f"{value:g}")
        painter.end()


class LongBars(QWidget):
    """`Bars` for any number of rows, in the order that they are given.

    Parameters
    ----------
    name, theme, least, figures, names
        As for `Bars`.
    noun : str
        What a row is.

    Signals
    -------
    chosen(int)
        A row was clicked, where rows can be: its position among all rows.
    """

    chosen = Signal(int)

    def __init__(
        self,
        name: str,
        theme: str,
        least: tuple[float, float],
        parent: QWidget | None = None,
        *,
        figures: int = FIGURES,
        names: int = NAMES,
        noun: str = "channel",
    ) -> None:
        super().__init__(parent)
        #: All rows, and the positions of those that are shown.
        self.rows: tuple[Bar, ...] = ()
        self.shown: tuple[int, ...] = ()
        self.level: float | None = None
        self.bars = Bars(name, theme, least, figures=figures, names=names)
        self.axis = BarsAxis(self.bars)
        self.choice = RowChoice(self, noun)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidgetResizable(True)
        self.area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # Not smaller than a row, and no hint of its own: its height is set with its rows.
        self.area.setMinimumHeight(1)
        inner = QWidget()
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.bars)
        inside.addStretch(1)
        self.area.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for part in (self.choice.name, self.area, self.axis, self.choice.more):
            column.addWidget(part)
        self.choice.changed.connect(self._arrange)
        self.bars.chosen.connect(lambda place: self.chosen.emit(self.shown[place]))
        self.bars.installEventFilter(self)
        self._arrange()

    @property
    def scale(self) -> tuple[float, float]:
        """The values at both ends, of all rows."""
        return self.bars.scale

    def show_bars(self, rows: Sequence[Bar], level: float | None = None) -> None:
        """Show other rows: the first of them first."""
        self.rows, self.level = tuple(rows), level
        self._arrange()

    def make_pressable(self) -> None:
        """Let rows be clicked."""
        self.bars.make_pressable()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.bars.follow_theme(theme)
        self.axis.update()

    def _arrange(self, _: object = None) -> None:
        self.shown = tuple(self.choice.choose([bar.name for bar in self.rows], self._rest()))
        chosen = [self.rows[place] for place in self.shown]
        self.bars.show_bars(chosen, self.level, every=self.rows)
        self._fit()
        self.axis.setVisible(len(self.rows) > FEW)
        self.axis.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Rows in sight have the room that they need, whatever letters they get."""
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        # What the rows need, which the bars get only when they are laid out.
        height = max(1, min(self.bars.sizeHint().height(), self._tallest))
        if height != self.area.height():
            self.area.setFixedHeight(height)

    @property
    def _tallest(self) -> int:
        return TALLEST // self.bars.row_height * self.bars.row_height

    def _rest(self) -> str:
        """How many of the rows that are not shown say nothing."""
        rest = self.rows[FEW:]
        controlled = [bar for bar in rest if bar.floor is not None]
        if controlled:
            low = sum(bar.value <= (bar.floor or 0.0) for bar in controlled)
            return f"{low} not above the control" if low else ""
        low = sum(bar.interval is not None and bar.interval[0] <= 0 for bar in rest)
        return f"{low} with 0 in the interval" if low else ""

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, super().sizeHint().height())
