"""Bars with intervals, a row each: accuracies, importances, distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.widgets.row_choice import FEW
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bar", "Bars"]

# Heights of a row in pixels: of few rows, and of many.
ROW, LOW = 22, 14
# Widths beside the bars: of the longest names, of what stands after a name, of the figures.
NAMES, AFTER, FIGURES = 112, 10, 56


@dataclass(frozen=True)
class Bar:
    """One row.

    Attributes
    ----------
    name : str
    value : float
    figure : str
        The value in writing.
    interval : (float, float) or None
    strong : bool
        Set off in the second colour.
    tip : str
    color : str
        Of the bar, ``#RRGGBB``, such as that of a class; empty: one of the chart's own.
    floor : float or None
        What the value must exceed to say anything, such as that of a sham: a mark across the bar.
    """

    name: str
    value: float
    figure: str
    interval: tuple[float, float] | None = None
    strong: bool = False
    tip: str = ""
    color: str = ""
    floor: float | None = None


class Bars(QWidget):
    """Horizontal bars from zero on one scale; negative ones to the left.

    Parameters
    ----------
    name : str
        For those who cannot see it.
    theme : str
    least : (float, float)
        The scale reaches at least so far.
    figures, names : int
        Widths of the figures, and of the names at most, in pixels.

    Signals
    -------
    chosen(int)
        A row was clicked, where rows can be; see `make_pressable`.
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
    ) -> None:
        super().__init__(parent)
        self._figures, self._names = figures, names
        self.pressable = False
        #: The row that is set off, where rows can be clicked.
        self.framed: int | None = None
        self.colors: ChartColors = chart_colors(theme)
        self.rows: tuple[Bar, ...] = ()
        #: Of which the rows that are shown are some: scale, names and heights are of all.
        self.every: tuple[Bar, ...] = ()
        # Width of the longest name of these; None where it is to be measured.
        self._widest: int | None = None
        #: A dashed line, such as chance.
        self.level: float | None = None
        self._least = least
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(1)

    def show_bars(
        self, rows: Sequence[Bar], level: float | None = None, *, every: Sequence[Bar] = ()
    ) -> None:
        """Show other rows; where they are some of ``every``, on the scale of all of those."""
        self.rows, self.level = tuple(rows), level
        self.every = tuple(every) or self.rows
        self._widest = None
        self._fit()
        self.setAccessibleDescription(", ".join(f"{bar.name} {bar.figure}" for bar in self.rows))
        self.update()

    def _fit(self) -> None:
        self.setFixedHeight(max(1, self.row_height * len(self.rows)))

    def changeEvent(self, event: QEvent) -> None:
        """Rows are as high as the letters, which a style may change."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._widest = None
            self._fit()

    @property
    def row_height(self) -> int:
        """Height of a row in pixels: 14, or that of the letters, where rows are many."""
        return ROW if len(self.every) <= FEW else max(LOW, self.fontMetrics().height())

    def make_pressable(self) -> None:
        """Let rows be clicked."""
        self.pressable = True
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def frame(self, row: int | None) -> None:
        """Set a row off."""
        self.framed = row
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which row was clicked."""
        row = int(event.position().y()) // self.row_height
        if self.pressable and row < len(self.rows):
            self.chosen.emit(row)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    @property
    def scale(self) -> tuple[float, float]:
        """The values at both ends."""
        reached = [end for bar in self.every for end in (*(bar.interval or ()), bar.value)]
        reached += [bar.floor for bar in self.every if bar.floor is not None]
        return min([self._least[0], *reached]), max([self._least[1], *reached])

    @property
    def names_width(self) -> int:
        """Width of the names, no more than the longest needs: the bars have what is left."""
        if self._widest is None:
            metrics = self.fontMetrics()
            widths = [metrics.horizontalAdvance(bar.name) for bar in self.every]
            # Each bar that is drawn asks for it several times.
            self._widest = max(widths, default=0)
        return min(self._names, self._widest + AFTER)

    def x_of(self, value: float) -> float:
        """Where a value stands, in pixels from the left."""
        low, high = self.scale
        room = max(10, self.width() - self.names_width - self._figures)
        return self.names_width + room * (value - low) / max(high - low, 1e-9)

    def bar_rect(self, row: int) -> QRectF:
        """Where the bar of a row stands."""
        start, end = sorted((self.x_of(0.0), self.x_of(self.rows[row].value)))
        height = self.row_height
        room = 5 if height >= ROW else 3
        return QRectF(start, row * height + room, max(end - start, 1.0), height - 2 * room)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, max(1, self.row_height * len(self.rows)))

    def event(self, event: QEvent) -> bool:
        """A tooltip for each row."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = event.pos().y() // self.row_height
            if 0 <= row < len(self.rows):
                QToolTip.showText(event.globalPos(), self.rows[row].tip, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names, bars, intervals, figures."""
        if not self.rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetrics(self.font())
        middle = Qt.AlignmentFlag.AlignVCenter
        names, high = self.names_width, self.row_height
        text, line = QColor(self.colors.text), QColor(self.colors.line)
        for row, bar in enumerate(self.rows):
            top = row * high
            if row == self.framed:
                ground = QColor(self.colors.bar)
                ground.setAlphaF(0.16)
                painter.fillRect(QRectF(0, top, self.width(), high), ground)
            painter.setPen(text)
            name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, names - 8)
            painter.drawText(QRectF(0, top, names - 6, high), middle, name)
            painter.drawText(
                QRectF(self.width() - self._figures, top, self._figures, high),
                middle | Qt.AlignmentFlag.AlignRight,
                bar.figure,
            )
            painter.setPen(Qt.PenStyle.NoPen)
            own = self.colors.second if bar.strong else self.colors.bar
            painter.setBrush(QColor(bar.color or own))
            painter.drawRoundedRect(self.bar_rect(row), 2, 2)
            if bar.interval is not None:
                self._paint_interval(painter, row, bar.interval, text)
            if bar.floor is not None:
                x = self.x_of(bar.floor)
                painter.setPen(QPen(text, 1.6, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(x, top + 1), QPointF(x, top + high - 1))
        height = high * len(self.rows)
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(self.x_of(0.0), 2), QPointF(self.x_of(0.0), height - 2))
        if self.level is not None:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
            painter.drawLine(
                QPointF(self.x_of(self.level), 0), QPointF(self.x_of(self.level), height)
            )
        painter.end()

    def _paint_interval(
        self, painter: QPainter, row: int, interval: tuple[float, float], color: QColor
    ) -> None:
        painter.setPen(QPen(color, 1.3))
        y = (row + 0.5) * self.row_height
        low, high = (self.x_of(end) for end in interval)
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for x in (low, high):
            painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
