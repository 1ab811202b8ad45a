"""A line for the user: what went wrong, what to mind, what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

__all__ = ["Kind", "Notice", "tinted"]

Kind = Literal["good", "info", "warning", "error"]

# Okabe and Ito's, which colour-blind people can tell apart.
EDGES: dict[Kind, str] = {
    "good": "#009E73",
    "info": "#0072B2",
    "warning": "#E69F00",
    "error": "#D55E00",
}
# Share of the edge's colour in the ground: enough to be seen, little enough to read on.
SHARE = 0.16
EDGE = 4


def tinted(ground: QColor, kind: Kind) -> QColor:
    """Ground of a notice: the theme's own, dark or light, with a breath of the kind's colour."""
    edge = QColor(EDGES[kind])
    mixed = (
        round((1 - SHARE) * below + SHARE * above)
        for below, above in zip(ground.getRgb()[:3], edge.getRgb()[:3], strict=True)
    )
    return QColor(*mixed)


class Notice(QLabel):
    """Text on a tinted ground; hidden while there is nothing to say.

    The ground is mixed when it is painted, from what the theme gives to the widget around it, so
    a change of theme is followed by itself.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind: Kind = "info"
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        # napari's style would fill the label with the ground of the dock.
        self.setStyleSheet("QLabel { background: transparent; padding: 5px 7px 5px 11px; }")
        self.setVisible(False)

    def say(self, text: str, kind: Kind = "info") -> None:
        """Show a text; an empty one hides the line."""
        self.kind = kind
        self.setText(text)
        self.setVisible(bool(text))
        self.update()

    def clear_line(self) -> None:
        """Hide the line."""
        self.say("")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, its edge, and the text upon it."""
        around = self.parentWidget() or self
        painter = QPainter(self)
        painter.fillRect(self.rect(), tinted(around.palette().window().color(), self.kind))
        painter.fillRect(QRect(0, 0, EDGE, self.height()), QColor(EDGES[self.kind]))
        painter.end()
        super().paintEvent(event)
