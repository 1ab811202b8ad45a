"""Text of less weight than its surroundings that can still be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from qtpy.QtWidgets import QLabel

__all__ = ["show_secondary"]


def show_secondary(label: QLabel, theme: str) -> None:
    """Write a label in the theme's secondary colour; again where the theme changes.

    The colour of what is switched off is too dark on a dark ground: WCAG 2.1 asks for a contrast
    of 4.5 (success criterion 1.4.3).
    """
    label.setStyleSheet(f"QLabel {{ color: {chart_colors(theme).line}; }}")
