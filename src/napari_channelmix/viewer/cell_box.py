"""A box that shows a cell by the id the user knows, and finds it by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QSpinBox, QWidget

from napari_channelmix.viewer.cell_names import cell_ids

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["CellBox"]


class CellBox(QSpinBox):
    """Its value is the position of a cell, its text the cell's id in its field of view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._fields: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.setKeyboardTracking(False)
        self.setToolTip("The cell by its id, without the mouse: Enter, or up and down")

    def set_cells(self, cells: Cells | None) -> None:
        """Take other cells; nothing is told of it."""
        self._ids = np.zeros(0, np.int64) if cells is None else cell_ids(cells)
        self._fields = self._ids if cells is None else cells.table["field"].to_numpy(np.int64)
        with QSignalBlocker(self):
            self.setRange(0, max(0, len(self._ids) - 1))

    def textFromValue(self, value: int) -> str:
        """The id of the cell at a position."""
        return str(self._ids[value]) if 0 <= value < len(self._ids) else str(value)

    def valueFromText(self, text: str | None) -> int:
        """The position of the cell with an id: of the same field of view if there is one."""
        place = self._position(text or "")
        return self.value() if place is None else place

    def _position(self, text: str) -> int | None:
        number = text.strip().replace(",", "")
        if not number.isdigit() or len(number) > 18:
            return None
        places = np.flatnonzero(self._ids == int(number))
        if not len(places):
            return None
        now = self.value()
        here = places[self._fields[places] == self._fields[now]] if now < len(self._ids) else places
        return int((here if len(here) else places)[0])

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Digits are on the way to an id; those of a cell are one."""
        typed = (text or "").strip()
        if typed and not typed.isdigit():
            return QValidator.State.Invalid, text or "", position
        known = self._position(typed) is not None
        state = QValidator.State.Acceptable if known else QValidator.State.Intermediate
        return state, text or "", position

    def fixup(self, text: str | None) -> str:
        """What is no id becomes the cell that was shown."""
        return self.textFromValue(self.value())
