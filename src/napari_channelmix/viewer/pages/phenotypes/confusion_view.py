"""The confusion matrix as a painted table, readable with two classes and with thirty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPoint, QRect, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.phenotypes.confusion import Confusion

__all__ = ["ConfusionView"]

# Heights of a row in pixels; the share of the width for the names of the rows.
LOWEST, HIGHEST = 15, 40
NAMES, LONGEST = 0.3, 110
TALLEST_NAMES = 84
MARGIN = 3
ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class ConfusionView(QWidget):
    """Rows are labels, columns predictions; the darker or lighter blue is the share of the row.

    Signals
    -------
    pressed(int, int)
        A field, by mouse or by key.
    """

    pressed = Signal(int, int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.confusion: Confusion | None = None
        self.framed: tuple[int, int] | None = None
        self._current = (0, 0)
        self._colors = chart_colors(theme)
        self.setAccessibleName("Confusion matrix")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit()

    def show_confusion(self, confusion: Confusion | None) -> None:
        """Show other counts."""
        self.confusion = confusion
        if confusion is not None:
            rows, columns = len(confusion.rows) - 1, len(confusion.columns) - 1
            self._current = (
                max(0, min(self._current[0], rows)),
                max(0, min(self._current[1], columns)),
            )
        self._fit()
        self.update()

    def frame(self, pair: tuple[int, int] | None) -> None:
        """Set a field off: the one whose cells are shown."""
        self.framed = pair
        self.update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._colors = chart_colors(theme)
        self.update()

    # ---------------------------------------------------------------- places

    @property
    def _empty(self) -> bool:
        return self.confusion is None or not self.confusion.rows or not self.confusion.columns

    def _left(self) -> int:
        assert self.confusion is not None
        metrics = QFontMetrics(self.font())
        widest = max(metrics.horizontalAdvance(name) for name in self.confusion.rows) + 10
        return int(min(widest, LONGEST, NAMES * self.width() + 10))

    def _upright(self) -> bool:
        """Whether the names of the columns have to stand on end."""
        assert self.confusion is not None
        metrics = QFontMetrics(self.font())
        widest = max(metrics.horizontalAdvance(name) for name in self.confusion.columns)
        return widest + 6 > self._width()

    def _top(self) -> int:
        assert self.confusion is not None
        metrics = QFontMetrics(self.font())
        line = metrics.height() + 4
        if not self._upright():
            return line
        widest = max(metrics.horizontalAdvance(name) for name in self.confusion.columns)
        return min(widest + 8, TALLEST_NAMES)

    def _width(self) -> float:
        assert self.confusion is not None
        return max(4.0, (self.width() - self._left() - MARGIN) / len(self.confusion.columns))

    def _height(self) -> int:
        assert self.confusion is not None
        line = QFontMetrics(self.font()).height()
        return max(LOWEST, line, min(HIGHEST, 300 // len(self.confusion.rows)))

    def field(self, row: int, column: int) -> QRect:
        """Where a field is."""
        width, left = self._width(), self._left()
        start, end = (round(left + edge * width) for edge in (column, column + 1))
        height = self._height()
        return QRect(start, self._top() + row * height, end - start, height)

    def field_at(self, point: QPoint) -> tuple[int, int] | None:
        """The field at a place."""
        if self._empty:
            return None
        assert self.confusion is not None
        column = int((point.x() - self._left()) // self._width())
        row = (point.y() - self._top()) // self._height()
        inside = 0 <= row < len(self.confusion.rows) and 0 <= column < len(self.confusion.columns)
        return (row, column) if inside else None

    def _fit(self) -> None:
        height = 1
        if not self._empty:
            assert self.confusion is not None
            height = self._top() + self._height() * len(self.confusion.rows) + MARGIN
        if height != self.minimumHeight():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names of the columns may have to stand on end."""
        super().resizeEvent(event)
        self._fit()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names, fields, counts."""
        confusion = self.confusion
        if confusion is None or self._empty:
            return
        painter = QPainter(self)
        colors = self._colors
        text, dark = QColor(colors.text), QColor(colors.ground).lightness() < 128
        self._names(painter, text)
        shares, hue = confusion.shares, QColor(colors.bar)
        metrics = QFontMetrics(self.font())
        for row in range(len(confusion.rows)):
            for column in range(len(confusion.columns)):
                place = self.field(row, column).adjusted(0, 0, -1, -1)
                share, count = float(shares[row, column]), int(confusion.counts[row, column])
                tint = QColor(hue)
                tint.setAlphaF(min(1.0, 0.06 + 0.94 * share))
                painter.fillRect(place, tint)
                # Black on the strong light blue of dark themes, white on the dark one of light.
                strong = QColor("#000000" if dark else "#FFFFFF")
                painter.setPen(strong if share > 0.55 else text)
                figure = f"{count:,}"
                if count and metrics.horizontalAdvance(figure) <= place.width() - 2:
                    both = f"{figure}\n{share:.0%}"
                    room = place.height() >= 2 * metrics.height()
                    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, both if room else figure)
                if confusion.rows[row] == confusion.columns[column]:
                    painter.setPen(QPen(QColor(colors.line), 1))
                    painter.drawRect(place)
        if self.framed is not None and self._inside(self.framed):
            painter.setPen(QPen(QColor(colors.second), 3))
            painter.drawRect(self.field(*self.framed).adjusted(1, 1, -3, -3))
        if self.hasFocus():
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.field(*self._current).adjusted(2, 2, -4, -4))
        painter.end()

    def _inside(self, pair: tuple[int, int]) -> bool:
        assert self.confusion is not None
        return pair[0] < len(self.confusion.rows) and pair[1] < len(self.confusion.columns)

    def _names(self, painter: QPainter, text: QColor) -> None:
        confusion = self.confusion
        assert confusion is not None
        metrics, left, top = QFontMetrics(self.font()), self._left(), self._top()
        painter.setPen(text)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, name in enumerate(confusion.rows):
            place = QRect(0, self.field(row, 0).top(), left - 6, self._height())
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, place.width())
            painter.drawText(place, right, shown)
        upright = self._upright()
        for column, name in enumerate(confusion.columns):
            place = self.field(0, column)
            if not upright:
                line = QRect(place.left(), 0, place.width(), top)
                painter.drawText(line, Qt.AlignmentFlag.AlignCenter, name)
                continue
            # Every so many, where they would lie on each other.
            step = max(1, -(-metrics.height() // max(1, place.width())))
            if column % step:
                continue
            painter.save()
            painter.translate(place.center().x(), top - 4)
            painter.rotate(-90)
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, top - 8)
            painter.drawText(0, metrics.ascent() // 2 - 1, shown)
            painter.restore()

    # ---------------------------------------------------------------- mouse and keys

    def describe(self, row: int, column: int) -> str:
        """A field in words."""
        confusion = self.confusion
        assert confusion is not None
        count, share = int(confusion.counts[row, column]), float(confusion.shares[row, column])
        total = int(confusion.counts[row].sum())
        return (
            f"Label {confusion.rows[row]}, predicted {confusion.columns[column]}: {count:,} of "
            f"{total:,} "
            f"cells of this label ({share:.1%}).\nClick: show them in the gallery"
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand over the fields."""
        on = self.field_at(event.position().toPoint()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which field was pressed."""
        field = self.field_at(event.position().toPoint())
        if field is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = field
            self.pressed.emit(*field)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move, Enter and Space press."""
        if self._empty:
            super().keyPressEvent(event)
            return
        assert self.confusion is not None
        if event.key() in ARROWS:
            rows, columns = ARROWS[Qt.Key(event.key())]
            self._current = (
                max(0, min(len(self.confusion.rows) - 1, self._current[0] + rows)),
                max(0, min(len(self.confusion.columns) - 1, self._current[1] + columns)),
            )
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit(*self._current)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """A tooltip for each field."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            field = self.field_at(event.pos())
            text = (
                "Rows are labels, columns predictions" if field is None else (self.describe(*field))
            )
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().event(event))
