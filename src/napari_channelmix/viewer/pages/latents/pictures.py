"""Pictures of cells side by side, of which one may be drawn anew or clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen

from napari_channelmix.viewer.charts.thumbnails import Thumbnails
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["Pictures", "cell_image"]


def cell_image(picture: npt.NDArray[Any]) -> QImage:
    """A picture (3, H, W) in colour or (1, H, W) in grey; floats in [0, 1], or uint8."""
    levels = picture
    if picture.dtype != np.uint8:
        levels = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    depth, height, width = levels.shape
    pixels = np.ascontiguousarray(levels.transpose(1, 2, 0))
    kind = QImage.Format.Format_RGB888 if depth == 3 else QImage.Format.Format_Grayscale8
    return QImage(pixels.tobytes(), width, height, depth * width, kind).copy()


class Pictures(Thumbnails):
    """Thumbnails that tell of clicks; one of them may be framed."""

    clicked = Signal(int)

    def __init__(
        self, name: str, theme: str, smallest: int = 64, parent: QWidget | None = None
    ) -> None:
        super().__init__(name, smallest, parent)
        self.frame_color = chart_colors(theme).second
        self.framed: int | None = None
        self.pressable = False

    def make_pressable(self) -> None:
        """Let the pictures be clicked."""
        self.pressable = True
        self.setMouseTracking(True)

    def frame(self, index: int | None) -> None:
        """Set one picture off."""
        self.framed = index
        self.update()

    def redraw(self, index: int, image: QImage | None) -> None:
        """Another picture in one place; nothing else is painted."""
        self.tiles[index].below = image
        self.update(self.place(index))

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.frame_color = chart_colors(theme).second
        self.update()

    def _index_at(self, event: QMouseEvent) -> int | None:
        point = event.position().toPoint()
        matches = (index for index in range(len(self.tiles)) if self.place(index).contains(point))
        return next(matches, None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand where a click does something."""
        hand = self.pressable and self._index_at(event) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which picture was clicked."""
        index = self._index_at(event)
        if self.pressable and index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(index)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The pictures, and a frame around one of them."""
        super().paintEvent(event)
        if self.framed is None or self.framed >= len(self.tiles):
            return
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.frame_color), 2))
        painter.drawRect(self.place(self.framed).adjusted(1, 1, -1, -1))
        painter.end()
