"""A part of a dock that folds away, with an arrow that can be seen in every theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPointF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF, QShowEvent
from superqt import QCollapsible

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["Folding"]

SIDE = 10
CHANGES = (QEvent.Type.StyleChange, QEvent.Type.PaletteChange)


class Folding(QCollapsible):
    """superqt's, whose own arrow keeps the colour of the moment it was made: black, mostly."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._draw)
        self.toggleButton().setIconSize(QSize(SIDE, SIDE))
        self.toggleButton().setToolTip("Show or hide what is below")

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() in CHANGES:
            # The button hears of it after the box around it.
            self._soon.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        """The colours of the theme are known now."""
        super().showEvent(event)
        self._draw()

    def _draw(self) -> None:
        color = self.toggleButton().palette().windowText().color()
        self.setCollapsedIcon(self._arrow(color, [(2, 1), (9, 5), (2, 9)]))
        self.setExpandedIcon(self._arrow(color, [(1, 2), (9, 2), (5, 9)]))

    def _arrow(self, color: QColor, corners: list[tuple[int, int]]) -> QIcon:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(SIDE * ratio), round(SIDE * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.end()
        return QIcon(picture)
