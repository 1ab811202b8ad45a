"""The rule that a classifier follows: axes against classes, a share of flips in each field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FlipMatrix"]

HEAD, ROW = 22, 30
# Width of the names of the axes.
NAMES = 116
# Opacity of a field in which all cells flip.
DEEPEST = 0.75


class Flip(Protocol):
    """What a field shows."""

    @property
    def share(self) -> float: ...
    @property
    def to_class(self) -> str: ...
    @property
    def above_sham(self) -> bool: ...
    @property
    def text(self) -> str: ...


class FlipMatrix(QWidget):
    """Rows are axes, columns the classes that cells are called as they are.

    A field that is not above its sham has no colour.

    Signals
    -------
    chosen(str, str)
        Axis and class of the field that was clicked.
    """

    chosen = Signal(str, str)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colors: ChartColors = chart_colors(theme)
        self.axes: tuple[str, ...] = ()
        self.classes: tuple[str, ...] = ()
        self.flips: dict[tuple[str, str], Flip] = {}
        #: Axis and class that are set off.
        self.framed: tuple[str, str] | None = None
        # Names whose positions are colours.
        self.class_order: tuple[str, ...] = ()
        self.setAccessibleName("Share of flipped cells by axis and class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(1)

    def show_flips(
        self,
        axes: Sequence[str],
        classes: Sequence[str],
        flips: Mapping[tuple[str, str], Flip],
    ) -> None:
        """Show other fields, by axis and class."""
        self.axes, self.classes, self.flips = tuple(axes), tuple(classes), dict(flips)
        self.setFixedHeight(max(1, HEAD + ROW * len(self.axes) if self.axes else 1))
        self.setAccessibleDescription(
            "; ".join(
                f"{axis}, {name}: {100 * flip.share:.0f} %"
                + (f" become {flip.to_class}" if flip.to_class else "")
                for (axis, name), flip in self.flips.items()
                if flip.above_sham
            )
        )
        self.update()

    def frame(self, axis: str, from_class: str) -> None:
        """Set a field off."""
        self.framed = axis, from_class
        self.update()

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        self.class_order = tuple(palette)
        self.update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.height())

    # ---------------------------------------------------------------- where fields are

    def field(self, row: int, column: int) -> QRectF:
        """Where a field stands."""
        width = max(10.0, (self.width() - NAMES) / max(1, len(self.classes)))
        return QRectF(NAMES + column * width, HEAD + row * ROW, width, ROW)

    def _field_at(self, x: float, y: float) -> tuple[str, str] | None:
        for row, axis in enumerate(self.axes):
            for column, name in enumerate(self.classes):
                if self.field(row, column).contains(x, y):
                    return axis, name
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which field was clicked."""
        place = self._field_at(event.position().x(), event.position().y())
        if place is not None:
            self.chosen.emit(*place)

    def event(self, event: QEvent) -> bool:
        """A tooltip for each field."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._field_at(event.pos().x(), event.pos().y())
            flip = None if place is None else self.flips.get(place)
            QToolTip.showText(event.globalPos(), "" if flip is None else flip.text, self)
            return True
        return super().event(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Names of classes and axes, and the fields."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text, middle = QColor(self.colors.text), Qt.AlignmentFlag.AlignVCenter
        small = QFont(self.font())
        small.setPointSizeF(max(6.0, 0.82 * self.font().pointSizeF()))
        painter.setPen(text)
        elided = Qt.TextElideMode.ElideMiddle
        for column, name in enumerate(self.classes):
            box = self.field(0, column).translated(0, -HEAD)
            box.setHeight(HEAD - 4)
            shown = self.fontMetrics().elidedText(name, elided, int(box.width()) - 4)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)
            if name in self.class_order:
                color = QColor(class_hex(self.class_order.index(name)))
                painter.fillRect(box.adjusted(2, HEAD - 6, -2, 2), color)
        for row, axis in enumerate(self.axes):
            box = QRectF(0, HEAD + row * ROW, NAMES - 8, ROW)
            wide = self.fontMetrics().horizontalAdvance(axis) > box.width()
            painter.setFont(small if wide else self.font())
            painter.setPen(text)
            painter.drawText(box, middle | Qt.TextFlag.TextWordWrap, axis)
            for column, name in enumerate(self.classes):
                flip = self.flips.get((axis, name))
                if flip is not None:
                    self._paint_field(painter, self.field(row, column), flip, small, (axis, name))
        painter.end()

    def _paint_field(
        self, painter: QPainter, box: QRectF, flip: Flip, small: QFont, place: tuple[str, str]
    ) -> None:
        inner = box.adjusted(1, 1, -1, -1)
        if flip.above_sham:
            ground = QColor(self.colors.bar)
            ground.setAlphaF(DEEPEST * flip.share)
            painter.fillRect(inner, ground)
        painter.setPen(QPen(QColor(self.colors.line), 0.5))
        if place == self.framed:
            painter.setPen(QPen(QColor(self.colors.second), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(inner)
        painter.setPen(QColor(self.colors.text if flip.above_sham else self.colors.line))
        painter.setFont(self.font())
        center = Qt.AlignmentFlag.AlignCenter
        becomes = flip.to_class if flip.above_sham else ""
        upper = QRectF(inner.left(), inner.top(), inner.width(), ROW / 2 if becomes else ROW - 2)
        painter.drawText(upper, center, f"{100 * flip.share:.0f} %")
        if becomes:
            painter.setFont(small)
            lower = QRectF(inner.left(), box.top() + ROW / 2 - 1, inner.width(), ROW / 2)
            shown = painter.fontMetrics().elidedText(
                f"→ {becomes}", Qt.TextElideMode.ElideMiddle, int(inner.width()) - 2
            )
            painter.drawText(lower, center, shown)
