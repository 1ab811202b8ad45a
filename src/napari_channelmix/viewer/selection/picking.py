"""Which cell lies under the mouse, and giving it a class by click or drag."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.layers import plane_point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.viewer.session.session import Session

__all__ = ["ClassBrush", "cell_at", "elsewhere"]


def cell_at(session: Session, viewer: Any, position: Any) -> int | None:
    """Position in ``session.cells`` of the cell at a world position, or None.

    Whatever layer is active or hidden, and however the layers are scaled, moved or sheared.
    """
    cells, shown = session.cells, session.shown
    if cells is None or shown is None or not shown.is_in(viewer.layers):
        return None
    if elsewhere(session, viewer, position) is not None:
        return None
    layer = shown.reference
    y, x = plane_point(layer, position, shown.axes)
    height, width = cells.fields[shown.field].shape
    if not (-0.5 <= y < height - 0.5 and -0.5 <= x < width - 0.5):
        return None
    in_field = cells.table["field"].to_numpy() == shown.field
    labels = cells.fields[shown.field].labels
    if labels is not None:
        value = int(labels[math.floor(y + 0.5), math.floor(x + 0.5)])
        if value <= 0:
            return None
        matches = np.flatnonzero(in_field & (cells.table["object"].to_numpy() == value))
        return int(matches[0]) if len(matches) else None
    rows = np.flatnonzero(in_field)
    boxes = cells.boxes[rows]
    centres, half = cells.centres[rows], (boxes[:, 2] - boxes[:, 0]) / 2
    away = np.abs(centres - (y, x)).max(axis=1)
    near = np.where(away <= half, away, np.inf)
    if not len(near) or not np.isfinite(near.min()):
        return None
    return int(rows[near.argmin()])


def elsewhere(session: Session, viewer: Any, position: Any) -> str | None:
    """The slice that the cells are of, in words, where the position lies in another one."""
    shown = session.shown
    if shown is None or not shown.is_in(viewer.layers):
        return None
    layer = shown.reference
    point = np.round(layer.world_to_data(position))
    wrong = [
        f"{layer.axis_labels[axis]} = {index}"
        for axis, index in shown.slice_position.items()
        if point[axis] != index
    ]
    return ", ".join(wrong) or None


class ClassBrush:
    """A mouse callback of the viewer that gives the cells under it the chosen class.

    A callback of a layer would be called only while that layer is active.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        chosen: Callable[[], int],
        missed: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._viewer, self._session, self._chosen, self._missed = viewer, session, chosen, missed
        self.active = False

    def switch(self, on: bool) -> None:
        """Begin or end painting; while it is on, dragging does not move the image."""
        if on == self.active:
            return
        self.active = on
        self._session.painting = on
        callbacks, selection = self._viewer.mouse_drag_callbacks, self._viewer.layers.selection
        if on:
            callbacks.append(self._drag)
            selection.events.active.connect(self._hold_still)
        else:
            if self._drag in callbacks:
                callbacks.remove(self._drag)
            selection.events.active.disconnect(self._hold_still)
        self._hold_still()

    def _hold_still(self, event: Any = None) -> None:
        # A change of the active layer sets this anew.
        layer = self._viewer.layers.selection.active
        moves = layer is None or layer.mouse_pan
        self._viewer.scene.camera.mouse_pan = moves and not self.active

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if event.button != 1 or event.modifiers:
            return
        there = elsewhere(self._session, self._viewer, event.position)
        if there is not None:
            self._missed(f"These cells are of the slice {there}; go there to give them classes.")
            return
        begun = self._assign(event, joined=False)
        yield
        while event.type == "mouse_move":
            begun |= self._assign(event, joined=begun)
            yield

    def _assign(self, event: Any, *, joined: bool) -> bool:
        """Give the cell under the mouse the chosen class; whether that changed anything."""
        session = self._session
        cell = cell_at(session, self._viewer, event.position)
        if cell is None or session.cells is None or session.cells.labels[cell] == self._chosen():
            return False
        session.assign([cell], self._chosen(), joined=joined)
        return True
