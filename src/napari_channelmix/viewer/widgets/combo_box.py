"""A list to choose from that is no wider than the page."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

__all__ = ["choice"]

# Width of the list that opens at most, in pixels, and what stands beside the names in it.
WIDEST, BESIDE = 520, 40


class _Choice(QComboBox):
    """A combo box whose list, once it is open, is as wide as its names."""

    def showPopup(self) -> None:
        """Open the list; names that are still too long lose their middle, not their end."""
        view = self.view()
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setMinimumWidth(min(WIDEST, view.sizeHintForColumn(0) + BESIDE))
        super().showPopup()


def choice(tip: str) -> QComboBox:
    """An empty list; long names are cut off rather than the controls beside it."""
    box = _Choice()
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    return box
