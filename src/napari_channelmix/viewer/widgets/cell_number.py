"""A box for the number of a cell that shows the id by which the user knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QSpinBox, QWidget

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["CellNumber"]


class CellNumber(QSpinBox):
    """Its value is the position of a cell in the data set; what it shows and takes is the id.

    Ids may come again in other images: an id that is typed means the image of the cell that is
    shown, and the first one that has it where that image has none.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        self._cells: Cells | None = None
        super().__init__(parent)
        self.setKeyboardTracking(False)
        self.setToolTip(
            "The cell by its id, without the mouse: Enter, or up and down. Default: the first"
        )

    def show_cells(self, cells: Cells | None) -> None:
        """Offer these cells."""
        self._cells = cells
        self.setRange(0, max(0, 0 if cells is None else len(cells) - 1))
        # What stands there is written anew: the same position may be another id.
        self.lineEdit().setText(self.textFromValue(self.value()))

    def textFromValue(self, value: int) -> str:
        """The id of the cell at a position."""
        known = self._cells is not None and value < len(self._cells)
        return self._cells.name_of(value) if known and self._cells is not None else str(value)

    def valueFromText(self, text: str | None) -> int:
        """The position of the cell with an id; where there is none, nothing changes."""
        cell = self._cell_of(text or "")
        return self.value() if cell is None else cell

    def validate(self, text: str | None, place: int) -> tuple[QValidator.State, str, int]:
        """Digits may become an id; only that of a cell is one."""
        typed = (text or "").strip()
        state = QValidator.State.Invalid
        if not typed or typed.isdecimal():
            state = QValidator.State.Intermediate
            if self._cells is None or self._cell_of(typed) is not None:
                state = QValidator.State.Acceptable
        return state, text or "", place

    def _cell_of(self, text: str) -> int | None:
        typed, cells = text.strip(), self._cells
        if not typed.isdecimal() or len(typed) > 19:
            return None
        number = int(typed)
        if cells is None or not len(cells):
            return number
        fields, ids = (cells.table[name].to_numpy(np.int64) for name in ("field", "object"))
        if not ids.any():
            return number if number < len(cells) else None
        matches = np.flatnonzero(ids == number)
        in_field = matches[fields[matches] == fields[min(self.value(), len(cells) - 1)]]
        first = in_field if len(in_field) else matches
        return int(first[0]) if len(first) else None
