"""Room for the arrow of a button that opens a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QAbstractButton

__all__ = ["leave_room_for_arrow"]

# Pixels for the arrow.
ARROW = 10


def leave_room_for_arrow(button: QAbstractButton) -> None:
    """Keep the text of a button with a menu away from its arrow.

    napari's style draws the arrow over the last letters.
    """
    button.setStyleSheet(f"QAbstractButton {{ padding-right: {ARROW}px; }}")
