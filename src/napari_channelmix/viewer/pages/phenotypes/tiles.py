"""One tile of the gallery: the picture, its class as a border, another prediction as a corner.

The corner of a cell without a class is what is predicted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygon

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
    from napari_channelmix.viewer.pages.phenotypes.crop_cache import CachedCrop

__all__ = ["TilePainter"]

# Widths in pixels: of the border in the colour of the class, of the frame of selected cells.
BORDER, FRAME = 2, 2


class TilePainter:
    """Pens and brushes are made once for each colour: a page has a hundred tiles."""

    def __init__(self, theme: str) -> None:
        self._borders: dict[int, QPen] = {}
        self._corners: dict[int, QColor] = {}
        self.follow_theme(theme)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = chart_colors(theme)
        self._ground = QColor(colors.ground)
        self._edge = QPen(self._ground, 1)
        empty = QColor(colors.line)
        empty.setAlpha(50)
        self._empty = empty
        self._missing = QPen(QColor(colors.line), 1)
        self._frame = QPen(QColor(colors.text), FRAME)
        self._frame.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        self._focus = QPen(QColor(colors.text), 1, Qt.PenStyle.DotLine)

    def begin(self, painter: QPainter, whole: QRect) -> None:
        """Paint the ground."""
        painter.fillRect(whole, self._ground)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)

    def draw(
        self,
        painter: QPainter,
        place: QRect,
        cached: CachedCrop | None,
        facts: Facts,
        cell: int,
        *,
        chosen: bool,
        current: bool,
    ) -> None:
        """Paint a cell."""
        if cached is None:
            painter.fillRect(place, self._empty)
        elif cached.picture is None:
            painter.fillRect(place, self._empty)
            painter.setPen(self._missing)
            painter.drawLine(place.topLeft(), place.bottomRight())
            painter.drawLine(place.topRight(), place.bottomLeft())
        else:
            painter.drawImage(place, cached.picture)
        label = int(facts.labels[cell])
        painter.setPen(self._border(label))
        painter.drawRect(place.adjusted(1, 1, -1, -1))
        if facts.called_apart[cell]:
            self._corner(painter, place, int(facts.predicted_colors[cell]))
        if chosen:
            painter.setPen(self._frame)
            painter.drawRect(place.adjusted(-1, -1, 1, 1))
        if current:
            painter.setPen(self._focus)
            painter.drawRect(place.adjusted(4, 4, -5, -5))

    def _border(self, code: int) -> QPen:
        if code not in self._borders:
            color = QColor(class_hex(code))
            if code < 0:
                color.setAlpha(70)
            pen = QPen(color, BORDER)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            self._borders[code] = pen
        return self._borders[code]

    def _corner(self, painter: QPainter, place: QRect, code: int) -> None:
        """A triangle in the upper right corner, with an edge that sets it off from any picture."""
        size = max(9, place.width() // 4)
        corner = place.topRight() + QPoint(1, 0)
        painter.setPen(self._edge)
        if code not in self._corners:
            self._corners[code] = QColor(class_hex(code))
        painter.setBrush(self._corners[code])
        painter.drawPolygon(QPolygon([corner, corner - QPoint(size, 0), corner + QPoint(0, size)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
