"""A page about one cell at a time: what it knows holds as long as the pixels of the cells do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker

from napari_channelmix.viewer.page_parts.base_page import Page
from napari_channelmix.viewer.session.cell_sources import same_pixels
from napari_channelmix.viewer.widgets.cell_number import CellNumber

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["CellPage"]


class CellPage(Page):
    """The number of a cell, and when what is known of cells is forgotten."""

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        self.number = CellNumber()
        # The cell that was chosen last, also while nothing is known of it yet.
        self.cell: int | None = None
        # What is known holds for these; classes may be painted without touching it.
        self._cells: Cells | None = None

    def _cells_changed(self, _: object = None) -> None:
        cells, before, self._cells = self.session.cells, self._cells, self.session.cells
        if not same_pixels(cells, before):
            self._forget()
            with QSignalBlocker(self.number):
                self.number.show_cells(cells)
        self._fill()

    def _forget(self, _: object = None) -> None:
        """Nothing that is known holds any more."""
        raise NotImplementedError

    def _fill(self, _: object = None) -> None:
        """Bring the page up to date."""
        raise NotImplementedError
