"""A matrix of signed figures: a row for each channel, a column for each class; it scrolls inside.

1. `show_fields` takes the figures, `show_rows` which rows are shown, in which order.
2. The names of the classes stay on top while the rows scroll below them.
3. A field is pointed at, moved to with the arrow keys, and pressed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.widgets.row_choice import FEW
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["EffectMatrix", "MatrixFields"]

# Heights of rows in pixels: of few, and of many.
HIGH, LOW = 22, 14
# Height of all rows in sight at most; the others are scrolled to.
TALLEST = 340
# Widths of the names of the rows: at most, in pixels and as a share of the width; at least, where
# columns would be narrower than the third.
LONGEST, NAMES, SHORTEST, NARROW = 116, 0.34, 64, 10
# Height of the names of the columns at most, where they stand on end; the smallest letters.
TALLEST_NAMES, SMALLEST = 96, 8
# How strong the colour of the weakest field is, and of a field that must not be read at most.
WEAKEST, PALE = 0.12, 0.26
CLICK = "Click, or Enter: see the cells of the class in this channel"
MINUS = "\N{MINUS SIGN}"
ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


@dataclass(frozen=True, eq=False)
class MatrixFields:
    """Figures of a matrix.

    Attributes
    ----------
    rows, columns : tuple of str
        R and C names.
    values : (R, C) array of float
        NaN: not known.
    readable : (R, C) array of bool
        Fields that are not are pale and have no figure in them.
    limit : float
        The absolute value that has the full colour.
    digits : int
        Behind the point.
    describe : callable
        What a field says in words, by its row and its column.
    sizes : (R, C) array of float or None
        Of fields whose sign is not known, how large they are: they are grey. NaN: not known either.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: npt.NDArray[np.float64]
    readable: npt.NDArray[np.bool_]
    limit: float
    digits: int
    describe: Callable[[int, int], str] = field(repr=False)
    sizes: npt.NDArray[np.float64] | None = None

    def figure(self, row: int, column: int) -> str:
        """A value in writing with its sign, short."""
        value = float(self.values[row, column])
        text = f"{abs(value):.{self.digits}f}"
        if not float(text):
            return "0"
        text = text[1:] if text.startswith("0.") else text
        return f"{'+' if value > 0 else MINUS}{text}"


class EffectMatrix(QAbstractScrollArea):
    """Orange: above 0; blue: below; pale: not to be read; a dot: not known.

    Signals
    -------
    pressed(int, int)
        A field, by mouse or by key: positions of its row and its column in the figures.
    described(str)
        What the field that is pointed at, or moved to, says; empty where there is none.
    """

    pressed = Signal(int, int)
    described = Signal(str)

    def __init__(self, name: str, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: MatrixFields | None = None
        #: Positions of the rows that are shown, in order.
        self.rows: tuple[int, ...] = ()
        #: The field that is set off: row and column.
        self.framed: tuple[int, int] | None = None
        self._current = (0, 0)
        self._widest = ""
        self._colors: ChartColors = chart_colors(theme)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        self._fit()

    # ---------------------------------------------------------------- what is shown

    def show_fields(self, fields: MatrixFields | None) -> None:
        """Show other figures, all rows as they come; None empties the matrix."""
        self.fields = fields
        # One kind of writing in all fields: figures where the longest of them fits.
        figures = [] if fields is None else _figures(fields)
        self._widest = max(figures, key=self.fontMetrics().horizontalAdvance, default="")
        self.show_rows(() if fields is None else range(len(fields.rows)))

    def show_rows(self, rows: Sequence[int]) -> None:
        """Show these rows in this order."""
        self.rows = tuple(rows)
        columns = 0 if self.fields is None else len(self.fields.columns)
        self._current = (
            max(0, min(self._current[0], len(self.rows) - 1)),
            max(0, min(self._current[1], columns - 1)),
        )
        self._fit()
        self.verticalScrollBar().setValue(0)
        self.viewport().update()

    def frame(self, chosen: tuple[int, int] | None) -> None:
        """Set a field off; None: none."""
        self.framed = chosen
        self.viewport().update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._colors = chart_colors(theme)
        self.viewport().update()

    # ---------------------------------------------------------------- places

    @property
    def row_height(self) -> int:
        """Height of a row in pixels: 14 or the height of the letters where rows are many."""
        return HIGH if len(self.rows) <= FEW else max(LOW, self.fontMetrics().height())

    @property
    def _empty(self) -> bool:
        return self.fields is None or not self.fields.columns

    def _advance(self, names: Sequence[str]) -> int:
        metrics = self.fontMetrics()
        return max((metrics.horizontalAdvance(name) for name in names), default=0)

    def _left(self) -> int:
        assert self.fields is not None
        # Of all rows: names that are filtered away do not move the columns.
        width = self.viewport().width()
        room = min(LONGEST, NAMES * width, width - NARROW * len(self.fields.columns))
        return int(min(self._advance(self.fields.rows) + 8, max(room, SHORTEST)))

    def _width(self) -> float:
        assert self.fields is not None
        room = self.viewport().width() - self._left() - 2
        return max(4.0, room / len(self.fields.columns))

    def _upright(self) -> bool:
        assert self.fields is not None
        return self._advance(self.fields.columns) + 6 > self._width()

    @property
    def header_height(self) -> int:
        """Height of the names of the columns, in pixels."""
        if self._empty:
            return 0
        assert self.fields is not None
        if not self._upright():
            return self.fontMetrics().height() + 4
        return min(self._advance(self.fields.columns) + 8, TALLEST_NAMES)

    def field_rect(self, place: int, column: int) -> QRect:
        """Where a field is, in pixels of the viewport; ``place`` of its row among those shown."""
        left, width = self._left(), self._width()
        start, end = (round(left + edge * width) for edge in (column, column + 1))
        top = self.header_height + place * self.row_height - self.verticalScrollBar().value()
        return QRect(start, top, end - start, self.row_height)

    def field_at(self, point: QPoint) -> tuple[int, int] | None:
        """The field at a place of the viewport: where its row stands, and its column."""
        if self._empty or point.y() < self.header_height or point.x() < self._left():
            return None
        assert self.fields is not None
        below = point.y() - self.header_height + self.verticalScrollBar().value()
        place, column = below // self.row_height, int((point.x() - self._left()) // self._width())
        inside = 0 <= place < len(self.rows) and 0 <= column < len(self.fields.columns)
        return (place, column) if inside else None

    def _fit(self) -> None:
        """As high as the rows are, no higher than a part of the page; the others scroll."""
        rows = self.row_height * max(1, len(self.rows))
        # Whole rows: half a one at the end would look cut off.
        sight = min(rows, TALLEST // self.row_height * self.row_height)
        height = 1 if self._empty else self.header_height + sight + 2
        if height != self.minimumHeight() or height != self.maximumHeight():
            self.setFixedHeight(height)
        bar = self.verticalScrollBar()
        bar.setRange(0, 0 if self._empty else max(0, rows - sight))
        bar.setPageStep(max(1, sight))
        bar.setSingleStep(self.row_height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names of the columns may have to stand on end."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Rows are as high as the letters, which a style may change."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.minimumHeight())

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Rows move below the names of the columns, which stay."""
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the rows, and the page where there are no more."""
        bar = self.verticalScrollBar()
        before = bar.value()
        super().wheelEvent(event)
        event.setAccepted(bar.value() != before)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names and fields in sight."""
        if self._empty:
            return
        assert self.fields is not None
        painter = QPainter(self.viewport())
        top, height = self.header_height, self.viewport().height()
        self._paint_columns(painter)
        painter.setClipRect(0, top, self.viewport().width(), height - top)
        first = self.verticalScrollBar().value() // self.row_height
        last = min(len(self.rows), first + (height - top) // self.row_height + 2)
        for place in range(first, last):
            self._paint_row(painter, place)
        if not self.rows:
            painter.setPen(QColor(self._colors.line))
            rest = QRect(0, top, self.viewport().width(), height - top)
            painter.drawText(rest, Qt.AlignmentFlag.AlignCenter, "no channel of this name")
        if self.framed is not None and self.framed[0] in self.rows:
            place = self.rows.index(self.framed[0])
            painter.setPen(QPen(QColor(self._colors.text), 2))
            painter.drawRect(self.field_rect(place, self.framed[1]).adjusted(0, 0, -2, -2))
        if self.hasFocus() and self.rows:
            painter.setPen(QPen(QColor(self._colors.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.field_rect(*self._current).adjusted(1, 1, -3, -3))
        painter.end()

    def _paint_columns(self, painter: QPainter) -> None:
        assert self.fields is not None
        painter.setPen(QColor(self._colors.text))
        top, width = self.header_height, self._width()
        font = QFont(self.font())
        if self._upright() and width < self.fontMetrics().height():
            # Every class has its name, in smaller letters where columns are narrow.
            font.setPixelSize(max(SMALLEST, int(width)))
        painter.setFont(font)
        metrics = QFontMetrics(font)
        step = max(1, -(-SMALLEST // max(1, int(width))))
        for column, name in enumerate(self.fields.columns):
            place = self.field_rect(0, column)
            if not self._upright():
                line = QRect(place.left(), 0, place.width(), top)
                painter.drawText(line, Qt.AlignmentFlag.AlignCenter, name)
            elif column % step == 0:
                painter.save()
                painter.translate(place.center().x(), top - 4)
                painter.rotate(-90)
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, top - 8)
                painter.drawText(0, metrics.ascent() // 2 - 1, shown)
                painter.restore()
        painter.setFont(self.font())

    def _paint_row(self, painter: QPainter, place: int) -> None:
        assert self.fields is not None
        row, metrics, left = self.rows[place], self.fontMetrics(), self._left()
        painter.setPen(QColor(self._colors.text))
        first = self.field_rect(place, 0)
        name = metrics.elidedText(self.fields.rows[row], Qt.TextElideMode.ElideMiddle, left - 6)
        line = QRect(0, first.top(), left - 4, self.row_height)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        for column in range(len(self.fields.columns)):
            self._paint_field(painter, self.field_rect(place, column), row, column)

    def _paint_field(self, painter: QPainter, place: QRect, row: int, column: int) -> None:
        fields = self.fields
        assert fields is not None
        inside = place.adjusted(0, 0, -1, -1)
        value, readable = float(fields.values[row, column]), bool(fields.readable[row, column])
        if np.isnan(value):
            self._paint_unsigned(painter, inside, row, column)
            return
        share = min(1.0, abs(value) / max(fields.limit, 1e-12))
        painter.fillRect(inside, self._tint(value, share, readable))
        if not readable:
            return
        figure = fields.figure(row, column)
        if self.fontMetrics().horizontalAdvance(self._widest) > self._width() - 3:
            # The sign alone, for those to whom the colours look alike.
            figure = figure[0] if figure != "0" else ""
        dark = QColor(self._colors.ground).lightness() < 128
        strong = QColor("#000000" if dark else "#FFFFFF")
        painter.setPen(strong if share > 0.5 else QColor(self._colors.text))
        painter.drawText(inside, Qt.AlignmentFlag.AlignCenter, figure)

    def _paint_unsigned(self, painter: QPainter, inside: QRect, row: int, column: int) -> None:
        """A field whose sign is not known: grey by its size, or a dot."""
        assert self.fields is not None
        sizes = self.fields.sizes
        size = np.nan if sizes is None else float(sizes[row, column])
        color = QColor(self._colors.line)
        if np.isfinite(size) and size > 0:
            share = min(1.0, size / max(self.fields.limit, 1e-12))
            readable = bool(self.fields.readable[row, column])
            color.setAlphaF(_strength(share, readable) * (0.8 if readable else 1.0))
            painter.fillRect(inside, color)
            return
        painter.setPen(color)
        painter.drawText(inside, Qt.AlignmentFlag.AlignCenter, "·")

    def _tint(self, value: float, share: float, readable: bool) -> QColor:
        color = QColor(self._colors.second if value > 0 else self._colors.bar)
        color.setAlphaF(_strength(share, readable))
        return color

    # ---------------------------------------------------------------- mouse and keys

    def describe(self, place: int, column: int) -> str:
        """What a field says in words."""
        assert self.fields is not None
        return self.fields.describe(self.rows[place], column)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand over the fields, and what they say."""
        pointed = self.field_at(event.position().toPoint())
        shape = Qt.CursorShape.ArrowCursor if pointed is None else Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)
        self.described.emit("" if pointed is None else self.describe(*pointed))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self.described.emit("")
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which field was pressed."""
        pointed = self.field_at(event.position().toPoint())
        if pointed is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = pointed
            self.pressed.emit(self.rows[pointed[0]], pointed[1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move, Page up and down as well, Enter and Space press."""
        if self._empty or not self.rows:
            super().keyPressEvent(event)
            return
        page = max(1, self.verticalScrollBar().pageStep() // self.row_height)
        steps = {**ARROWS, Qt.Key.Key_PageUp: (-page, 0), Qt.Key.Key_PageDown: (page, 0)}
        key = event.key()
        if key in steps:
            self._move(*steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit(self.rows[self._current[0]], self._current[1])
        else:
            super().keyPressEvent(event)

    def _move(self, rows: int, columns: int) -> None:
        assert self.fields is not None
        self._current = (
            max(0, min(len(self.rows) - 1, self._current[0] + rows)),
            max(0, min(len(self.fields.columns) - 1, self._current[1] + columns)),
        )
        bar, top = self.verticalScrollBar(), self._current[0] * self.row_height
        if top < bar.value():
            bar.setValue(top)
        elif top + self.row_height > bar.value() + bar.pageStep():
            bar.setValue(top + self.row_height - bar.pageStep())
        text = self.describe(*self._current)
        self.setAccessibleDescription(text)
        self.described.emit(text)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """A tooltip for each field, and for names that are cut off."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            pointed = self.field_at(event.pos())
            text = self._name_at(event.pos())
            if pointed is not None:
                text = f"{self.describe(*pointed)}\n{CLICK}"
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return bool(super().viewportEvent(event))

    def _name_at(self, point: QPoint) -> str:
        if self._empty:
            return ""
        assert self.fields is not None
        if point.y() < self.header_height:
            column = int((point.x() - self._left()) // self._width())
            names = self.fields.columns
            return names[column] if 0 <= column < len(names) else ""
        below = point.y() - self.header_height + self.verticalScrollBar().value()
        place = below // self.row_height
        return self.fields.rows[self.rows[place]] if 0 <= place < len(self.rows) else ""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The field that the keys move from is marked."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It is not any more."""
        super().focusOutEvent(event)
        self.viewport().update()


def _figures(fields: MatrixFields) -> list[str]:
    """All figures that are written into fields."""
    written = fields.readable & np.isfinite(fields.values)
    return [fields.figure(int(row), int(column)) for row, column in np.argwhere(written)]


def _strength(share: float, readable: bool) -> float:
    """Opacity of a field whose value is this share of the limit."""
    return WEAKEST + (1 - WEAKEST) * share if readable else 0.04 + (PALE - 0.04) * share
