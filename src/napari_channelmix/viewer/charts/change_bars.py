"""Class probabilities of a cell before and after an edit: a bar each, a mark where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChangeBars"]

FloatArray = npt.NDArray[np.float32]

# Classes shown; the others are summed up in a last row.
MOST = 4
ROW, TEXT, BAR = 28, 16, 7


class ChangeBars(QWidget):
    """Those that matter before or after, in an order that stays while sliders move."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colors: ChartColors = chart_colors(theme)
        # Name, probability before, and after.
        self.rows: tuple[tuple[str, float, float], ...] = ()
        # Names whose positions are colours.
        self.class_order: tuple[str, ...] = ()
        self.setToolTip("Probability of each class; the mark is the cell as it is")
        self.setAccessibleName("Class probabilities before and after")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROW * MOST)

    def show_probabilities(
        self, classes: Sequence[str], before: FloatArray | None, after: FloatArray | None
    ) -> None:
        """Show (K,) probabilities; None leaves the chart empty."""
        rows: list[tuple[str, float, float]] = []
        if before is not None:
            now = before if after is None else after
            order = [int(code) for code in np.argsort(-np.maximum(before, now), kind="stable")]
            most = MOST if len(order) <= MOST else MOST - 1
            # In the order of the classes: rows do not jump while a slider is dragged.
            for code in sorted(order[:most]):
                rows.append((classes[code], float(before[code]), float(now[code])))
            rest = order[most:]
            if rest:
                sums = float(before[rest].sum()), float(now[rest].sum())
                rows.append((f"{len(rest)} others", *sums))
        if tuple(rows) == self.rows:
            return
        self.rows = tuple(rows)
        if rows:
            # As many for the same classifier: nothing below moves.
            self.setFixedHeight(ROW * len(rows))
        self.setAccessibleDescription(
            ", ".join(f"{name} {100 * was:.0f} to {100 * now:.0f} %" for name, was, now in rows)
        )
        self.update()

    def show_palette(self, palette: Sequence[str]) -> None:
        """Colour the bars by the positions of their classes."""
        if tuple(palette) != self.class_order:
            self.class_order = tuple(palette)
            self.update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    def sizeHint(self) -> QSize:
        """A row for each class."""
        return QSize(160, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name and figure over a bar, and the mark on it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = self.fontMetrics()
        width = self.width() - 2
        small = QFont(self.font())
        small.setPointSizeF(max(6.0, 0.85 * self.font().pointSizeF()))
        figures = QFontMetrics(small)
        text, middle = QColor(self.colors.text), Qt.AlignmentFlag.AlignVCenter
        for row, (name, was, now) in enumerate(self.rows):
            top = row * ROW
            moved = round(100 * was) != round(100 * now)
            figure = f"{100 * was:.0f} → {100 * now:.0f} %" if moved else f"{100 * now:.0f} %"
            painter.setFont(self.font())
            painter.setPen(text)
            room = width - figures.horizontalAdvance(figure) - 6
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(QRectF(0, top, room, TEXT), middle, shown)
            painter.setFont(small)
            right = middle | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, top, width, TEXT), right, figure)
            painter.setPen(Qt.PenStyle.NoPen)
            ground = QColor(self.colors.line)
            ground.setAlphaF(0.25)
            painter.setBrush(ground)
            bar = QRectF(0, top + TEXT + 1, width, BAR)
            painter.drawRoundedRect(bar, 3, 3)
            known = name in self.class_order
            color = class_hex(self.class_order.index(name)) if known else self.colors.line
            painter.setBrush(QColor(color))
            if now > 0:
                length = max(2.0, width * now)
                painter.drawRoundedRect(QRectF(0, bar.top(), length, BAR), 3, 3)
            painter.fillRect(QRectF(max(0.0, width * was - 1), bar.top() - 2, 2, BAR + 4), text)
        painter.end()
