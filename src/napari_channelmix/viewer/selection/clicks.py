"""A click on a cell, told from a drag, whatever layer is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.selection.picking import cell_at, elsewhere
from napari_channelmix.viewer.session.shown import LAYERS_GONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.viewer.session.session import Session

__all__ = ["CellClicks"]

# Pixels of the canvas within which a press and its release are a click.
STILL = 4


class CellClicks:
    """A mouse callback of the viewer that tells which cell was clicked.

    A callback of a layer would be called only while that layer is active. While the active layer
    is being edited (painting labels, adding points...) or classes are painted, clicks are theirs.

    Parameters
    ----------
    viewer : napari viewer
    session : Session
    chosen : callable
        Gets the cell's position in ``session.cells`` and whether Shift was held.
    missed : callable
        Gets the reason in a line where the click met no cell.
    does : str
        What a click does to cells, for those lines.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        chosen: Callable[[int, bool], object],
        missed: Callable[[str], object],
        does: str = "explain",
    ) -> None:
        self._viewer, self._session, self._chosen, self._missed = viewer, session, chosen, missed
        self._does = does

    @property
    def active(self) -> bool:
        """Whether clicks are listened to."""
        return self._clicked in self._viewer.mouse_drag_callbacks

    def switch(self, on: bool) -> None:
        """Begin or end to listen."""
        if on == self.active:
            return
        callbacks = self._viewer.mouse_drag_callbacks
        if on:
            callbacks.append(self._clicked)
        else:
            callbacks.remove(self._clicked)

    def _clicked(self, viewer: Any, event: Any) -> Iterator[None]:
        # Keys compare equal to their names, but do not hash alike.
        more = "Shift" in event.modifiers
        others = [key for key in event.modifiers if key != "Shift"]
        if event.button != 1 or others or self._session.painting:
            return
        start = np.asarray(event.pos, dtype=float)
        yield
        while event.type == "mouse_move":
            if np.abs(np.asarray(event.pos, dtype=float) - start).max() > STILL:
                return
            yield
        if np.abs(np.asarray(event.pos, dtype=float) - start).max() <= STILL:
            self._look(event.position, more)

    def _look(self, position: Any, more: bool) -> None:
        session, viewer = self._session, self._viewer
        shown = session.shown
        if session.cells is None or shown is None:
            return
        if not shown.is_in(viewer.layers):
            self._missed(LAYERS_GONE)
            return
        active = viewer.layers.selection.active
        if active is not None and str(active.mode) != "pan_zoom":
            self._missed(
                f"Layer {active.name!r} is being edited (mode {active.mode}); choose its "
                f"pan and zoom mode to {self._does} cells by a click."
            )
            return
        there = elsewhere(session, viewer, position)
        if there is not None:
            self._missed(f"These cells are of the slice {there}; go there to {self._does} them.")
            return
        cell = cell_at(session, viewer, position)
        if cell is None:
            self._missed("No cell there; click on a cell.")
            return
        self._chosen(cell, more)
