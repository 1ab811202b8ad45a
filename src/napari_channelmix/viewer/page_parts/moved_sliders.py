"""Sliders of named axes: which of them the user moved, and where to."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

__all__ = ["MovedSliders"]


class MovedSliders(QWidget):
    """Remembers the axes that are not at home.

    Signals
    -------
    moved()
        The user moved a slider; see `moves`.
    taken(str)
        The axis the user turned to.
    """

    moved = Signal()
    taken = Signal(str)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        #: Values of the axes that are moved.
        self.moves: dict[str, float] = {}

    def home_of(self, name: str) -> float | None:
        """Where the slider of an axis stands unmoved."""
        raise NotImplementedError

    def note_move(self, name: str, amount: float) -> None:
        """Take a slider's new value, and tell."""
        if amount == self.home_of(name):
            self.moves.pop(name, None)
        else:
            self.moves[name] = amount
        self.moved.emit()
