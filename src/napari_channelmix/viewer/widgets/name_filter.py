"""A line to find names with, and a button in it that empties it."""

from __future__ import annotations

from qtpy.QtWidgets import QLineEdit, QToolButton, QWidget

__all__ = ["NameFilter"]


class NameFilter(QLineEdit):
    """A line whose button to empty it says what it does, as every control does.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setClearButtonEnabled(True)
        # Qt makes this button, without a tool tip.
        self.findChild(QToolButton).setToolTip("Show all again")
