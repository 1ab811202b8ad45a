"""A list to choose from that is no wider than the page."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox

__all__ = ["choice"]


def choice(tip: str) -> QComboBox:
    """An empty list; long names are cut off rather than the controls beside it."""
    box = QComboBox()
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    return box
