"""A part of a page that folds away, with an arrow that can be seen in every theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QPointF, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF, QShowEvent
from superqt import QCollapsible

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

__all__ = ["Folding"]

SIDE = 10
# Pixels below the content.
BELOW = 10
ROOM = (QEvent.Type.LayoutRequest, QEvent.Type.Resize)
CHANGES = (QEvent.Type.StyleChange, QEvent.Type.PaletteChange)


class Folding(QCollapsible):
    """superqt's, whose own arrow keeps the colour of the moment it was made: black, mostly."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        # Each level of folding that is set in on both sides would make the page wider.
        margins = self.layout().contentsMargins()
        self.layout().setContentsMargins(2, margins.top(), 0, margins.bottom())
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._draw)
        self.toggleButton().setIconSize(QSize(SIDE, SIDE))
        self.toggleButton().setToolTip("Show or hide what is below")
        self.content().installEventFilter(self)

    def setToolTip(self, tip: str | None) -> None:
        """What is inside, said by the button that opens it as well."""
        super().setToolTip(tip)
        self.toggleButton().setToolTip(tip)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep room for texts that are wrapped anew, or have more to say."""
        # Not superqt's: it would take the room away again, and so on without an end.
        if event.type() in ROOM and not self._is_animating:
            self._give_room()
        return False

    def _expand_collapse(self, *args: Any, **kwargs: Any) -> None:
        self.content().setMinimumHeight(0)
        super()._expand_collapse(*args, **kwargs)
        if not self._is_animating:
            self._give_room()

    def _on_animation_done(self) -> None:
        super()._on_animation_done()
        self._give_room()

    def _give_room(self) -> None:
        """As high as the content is at its width: superqt does not ask how texts are wrapped."""
        content = self.content()
        layout = content.layout()
        if not self.isExpanded() or layout is None:
            return
        needed = layout.sizeHint().height()
        if layout.hasHeightForWidth():
            needed = max(needed, layout.totalHeightForWidth(content.width()))
        if content.minimumHeight() != needed or content.maximumHeight() != needed + BELOW:
            content.setMaximumHeight(needed + BELOW)
            content.setMinimumHeight(needed)

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
