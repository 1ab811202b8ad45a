"""A slider beside a box for numbers, for values that are felt as multiples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QSlider

if TYPE_CHECKING:
    from qtpy.QtWidgets import QDoubleSpinBox, QWidget

__all__ = ["LogSlider"]

STEPS = 200


class LogSlider(QSlider):
    """Moves with a box and moves it; each step multiplies the value by the same factor.

    Parameters
    ----------
    box : QDoubleSpinBox
    low, high : float
        Values at both ends; the box may go further.
    """

    def __init__(
        self, box: QDoubleSpinBox, low: float, high: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._box, self._low, self._high = box, low, high
        self.setRange(0, STEPS)
        self.setMinimumWidth(50)
        self.valueChanged.connect(self._moved)
        box.valueChanged.connect(self.place)
        self.place(box.value())

    def place(self, value: float) -> None:
        """Stand at a value without changing the box."""
        share = np.log(max(value, 1e-9) / self._low) / np.log(self._high / self._low)
        with QSignalBlocker(self):
            self.setValue(round(float(np.clip(share, 0, 1)) * STEPS))

    def _moved(self, step: int) -> None:
        value = self._low * (self._high / self._low) ** (step / STEPS)
        # The box rounds the value, and the slider must not jump to what it rounded.
        self._box.valueChanged.disconnect(self.place)
        self._box.setValue(value)
        self._box.valueChanged.connect(self.place)
