"""Zoom to the cell that is explained: by a button, and with a click on a cell too small to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QWidget

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.shown import LAYERS_GONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.session.session import Session

__all__ = ["CellZoom"]

# Pixels of the screen below which the map on a cell cannot be made out.
SMALL = 48
# Share of the canvas: of a cell after a click, so that its surroundings stay, and after the button.
CLICKED, WANTED = 0.25, 0.6


class CellZoom(QWidget):
    """A button and a tick box.

    Parameters
    ----------
    viewer, session
    failed : callable
        Gets the reason in a line where there is no way.
    """

    def __init__(self, viewer: Any, session: Session, failed: Callable[[str], object]) -> None:
        super().__init__()
        self._viewer, self._session, self._failed = viewer, session, failed
        self.button = QPushButton("Zoom to cell")
        self.button.setToolTip("Bring the cell into the middle of the canvas, large")
        self.small = QCheckBox("Zoom when small")
        self.small.setChecked(True)
        self.small.setToolTip(
            f"A click zooms to a cell whose crop is smaller than {SMALL} pixels of the screen, "
            "where no map could be seen. Default: on"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.small)
        row.addStretch(1)

    def to(self, cell: int | None, share: float = WANTED) -> None:
        """Zoom to a cell of the field of view that is shown."""
        cells, shown = self._session.cells, self._session.shown
        if cell is None or cells is None or shown is None:
            return
        if not shown.is_in(self._viewer.layers):
            self._failed(LAYERS_GONE)
            return
        layers.zoom_to(self._viewer, shown, cells, cell, share)

    def clicked_on(self, cell: int) -> None:
        """Zoom to a cell that was clicked where it is small on the screen."""
        cells, shown = self._session.cells, self._session.shown
        if not self.small.isChecked() or cells is None or shown is None:
            return
        if not shown.is_in(self._viewer.layers):
            return
        if layers.side_on_screen(self._viewer, shown, cells, cell) < SMALL:
            self.to(cell, CLICKED)
