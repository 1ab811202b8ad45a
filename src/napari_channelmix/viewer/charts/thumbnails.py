"""Pictures of one cell with a map over them: one for each channel, or one for each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

if TYPE_CHECKING:
    from napari_channelmix.data.display_limits import DisplayLimits

__all__ = ["Thumbnails", "Tile", "grey_image", "grey_levels"]

FloatArray = npt.NDArray[np.float32]

GAP = 6
# No picture is larger, and none smaller where it can be helped.
LARGEST, SMALLEST = 108, 64
# Bright cells are not white: the brightest colours are the map's.
WHITE = 190


def grey_levels(crops: FloatArray, limits: DisplayLimits | None = None) -> npt.NDArray[np.uint8]:
    """Channels (C, H, W) as grey pictures, in the scale of the data set.

    ``limits``: of the same channels; without them each is stretched over its own range.
    """
    if limits is not None:
        return (limits.levels(crops) * WHITE).astype(np.uint8)
    low, high = np.percentile(crops, (1.0, 99.8), axis=(1, 2), keepdims=True)
    span = np.where(high > low, high - low, 1.0)
    grey: npt.NDArray[np.uint8] = (np.clip((crops - low) / span, 0, 1) * WHITE).astype(np.uint8)
    return grey


def grey_image(levels: npt.NDArray[np.uint8]) -> QImage:
    """Grey levels (H, W) as a picture."""
    height, width = levels.shape
    return QImage(
        np.ascontiguousarray(levels).tobytes(),
        width,
        height,
        width,
        QImage.Format.Format_Grayscale8,
    ).copy()


@dataclass
class Tile:
    """One picture: what is below, what lies over it, and what is written under it.

    ``below`` is drawn once for all maps; ``over`` may change twenty times a second. ``mark`` stands
    below ``note``.
    """

    below: QImage | None
    over: QImage | None = None
    title: str = ""
    note: str = ""
    tip: str = ""
    mark: str = ""


class Thumbnails(QWidget):
    """Tiles in rows; painted, not built of widgets, so that a new map costs a millisecond.

    Signals
    -------
    chosen(int)
        A tile was clicked, where tiles can be; see `make_pressable`.
    """

    chosen = Signal(int)

    def __init__(self, name: str, smallest: int = SMALLEST, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._smallest = smallest
        self.tiles: tuple[Tile, ...] = ()
        self._together = 0
        self.pressable = False
        #: The tile that is set off.
        self.framed: int | None = None
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        self._fit()

    def show_tiles(self, tiles: Sequence[Tile], together: int = 0) -> None:
        """Show other pictures; of these so many belong in a row, where there is room for it."""
        self.tiles, self._together = tuple(tiles), together
        self._fit()
        self.update()

    def cover(self, overs: Sequence[QImage | None]) -> None:
        """Lay other maps over the pictures, one for each."""
        for tile, over in zip(self.tiles, overs, strict=True):
            tile.over = over
        self.update()

    def make_pressable(self, pressable: bool = True) -> None:
        """Let tiles be clicked, or no more."""
        self.pressable = pressable
        shape = Qt.CursorShape.PointingHandCursor if pressable else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def frame(self, index: int | None) -> None:
        """Set a tile off."""
        if index != self.framed:
            self.framed = index
            self.update()

    # ---------------------------------------------------------------- where they stand

    def _columns(self) -> int:
        count = max(1, len(self.tiles))
        most = max(1, (self.width() + GAP) // (self._smallest + GAP))
        if 0 < self._together <= most:
            return self._together
        if count <= most:
            return count
        # As many in each row as can be, with rows of the same length.
        return -(-count // -(-count // most))

    def _side(self) -> int:
        columns = self._columns()
        return max(24, min(LARGEST, (self.width() - GAP * (columns - 1)) // columns))

    def _text_height(self) -> int:
        lines = sum(
            any(getattr(tile, line) for tile in self.tiles) for line in ("title", "note", "mark")
        )
        return lines * QFontMetrics(self.font()).height()

    def _fit(self) -> None:
        rows = -(-len(self.tiles) // self._columns())
        height = rows * (self._side() + self._text_height() + GAP)
        if height != self.minimumHeight():
            self.setFixedHeight(max(height, 1))

    def place(self, index: int) -> QRect:
        """Where the picture of a tile stands."""
        side, columns = self._side(), self._columns()
        row, column = divmod(index, columns)
        return QRect(column * (side + GAP), row * (side + self._text_height() + GAP), side, side)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other sizes of the pictures."""
        super().resizeEvent(event)
        self._fit()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Pictures, maps over them, words under them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        metrics = QFontMetrics(self.font())
        for index, tile in enumerate(self.tiles):
            place = self.place(index)
            if tile.below is None:
                painter.setPen(self.palette().mid().color())
                painter.drawRect(place.adjusted(0, 0, -1, -1))
            else:
                painter.drawImage(place, tile.below)
            if tile.over is not None:
                painter.drawImage(place, tile.over)
            painter.setPen(self.palette().windowText().color())
            line = QRect(place.left(), place.bottom() + 2, place.width(), metrics.height())
            if index == self.framed:
                painter.setPen(QPen(self.palette().highlight().color(), 2))
                painter.drawRect(place.adjusted(1, 1, -1, -1))
                painter.setPen(self.palette().windowText().color())
            for text in (tile.title, tile.note, tile.mark):
                if text:
                    shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, line.width())
                    painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)
                    line.translate(0, metrics.height())
        painter.end()

    def event(self, event: QEvent) -> bool:
        """A tooltip for each picture."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._tile_at(event.pos())
            if index is None:
                QToolTip.hideText()
            else:
                tile = self.tiles[index]
                QToolTip.showText(event.globalPos(), tile.tip or tile.title, self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which tile was clicked."""
        index = self._tile_at(event.position().toPoint())
        if self.pressable and index is not None:
            self.chosen.emit(index)

    def _tile_at(self, point: QPoint) -> int | None:
        """The tile with its words at a place."""
        for index in range(len(self.tiles)):
            whole = self.place(index).adjusted(0, 0, 0, self._text_height())
            if whole.contains(point):
                return index
        return None
