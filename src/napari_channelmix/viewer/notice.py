"""A line for the user: what went wrong, what to mind, what was done."""

from __future__ import annotations

from typing import Literal

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

__all__ = ["Kind", "Notice"]

Kind = Literal["good", "info", "warning", "error"]

# Own backgrounds, so that the text is readable in every theme.
COLORS: dict[str, tuple[str, str, str]] = {
    "good": ("#DDF3E7", "#0B3D26", "#009E73"),
    "info": ("#DCEBF7", "#10304A", "#0072B2"),
    "warning": ("#FFF0CF", "#4A3200", "#E69F00"),
    "error": ("#FBE0DA", "#5F1400", "#D55E00"),
}


class Notice(QLabel):
    """Text on a coloured ground; hidden while there is nothing to say."""

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
        self.setVisible(False)

    def say(self, text: str, kind: Kind = "info") -> None:
        """Show a text; an empty one hides the line."""
        self.kind = kind
        ground, ink, edge = COLORS[kind]
        self.setStyleSheet(
            f"QLabel {{ background: {ground}; color: {ink}; border-left: 4px solid {edge};"
            " padding: 5px 7px; }"
        )
        self.setText(text)
        self.setVisible(bool(text))

    def clear_line(self) -> None:
        """Hide the line."""
        self.say("")
