"""Go to a cell: its field of view is shown where another one is, and the cell is in its middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.shown import LAYERS_GONE
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.session.session import Session

__all__ = ["Going"]


class Going:
    """Moves the view; reading another field of view is a task of its own.

    Parameters
    ----------
    viewer, session
    failed : callable
        Gets the reason in a line where there is no way.
    """

    def __init__(self, viewer: Any, session: Session, failed: Callable[[str], object]) -> None:
        self._viewer, self._session, self._failed = viewer, session, failed
        self.task = Task(session)

    def to(self, cell: int) -> None:
        """Show a cell."""
        session = self._session
        cells, shown = session.cells, session.shown
        if cells is None or shown is None:
            return
        self.task.stop()
        field = int(cells.table["field"].iloc[cell])
        if field == shown.field:
            self._look(cell)
            return
        self.task.run(
            "reading the field of view",
            layers.field_job(cells, field),
            lambda pixels: self._arrive(pixels, cell),
            on_error=self._failed,
        )

    def _arrive(self, pixels: layers.FieldPixels, cell: int) -> None:
        cells = self._session.cells
        if cells is not None:
            # Hidden channels and the zoom stay as they are: the layers are the same ones.
            self._session.shown = layers.show_field(self._viewer, cells, pixels)
            self._look(cell)

    def _look(self, cell: int) -> None:
        cells, shown = self._session.cells, self._session.shown
        if cells is None or shown is None:
            return
        if not shown.is_in(self._viewer.layers):
            self._failed(LAYERS_GONE)
            return
        layers.center_on(self._viewer, shown, cells, cell)
        # The one that is gone to may be one of several that are selected.
        if cell not in self._session.selected:
            self._session.select(cell)
