"""One selection: the session's, napari's own tables and layers, and the rings in the picture.

Setting what is set does nothing, and while the layers are told, what they say back is not heard:
so nothing goes round in circles.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

import numpy as np

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.session.session import Session, session_of

__all__ = ["RINGS", "Linking", "linking_of"]

RINGS = "selected cells"
# Rings that are drawn at most: more hide the picture, and the window would wait for them.
MOST = 2000


class Linking:
    """One per viewer, between the session and the layer that the cells come from."""

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(viewer)
        self.session = session
        self._telling = False
        self._watched: Any = None
        session.selected_changed.connect(self._selected_changed)
        session.shown_changed.connect(self._shown_changed)
        self._shown_changed()

    # ---------------------------------------------------------------- to the layers

    def _shown_changed(self, _: object = None) -> None:
        self._watch()
        self._selected_changed()

    def _selected_changed(self, _: object = None) -> None:
        viewer, shown, cells = self._viewer(), self.session.shown, self.session.cells
        if viewer is None or shown is None or cells is None:
            return
        # Its layers may be gone: removed by the user, or with the window.
        if not shown.is_in(viewer.layers):
            return
        chosen = np.asarray(self.session.selected, np.int64)
        chosen = chosen[chosen < len(cells)]
        fields = cells.table["field"].to_numpy(np.int64)
        in_view = chosen[fields[chosen] == shown.field]
        self._telling = True
        try:
            layers.ring_cells(viewer, RINGS, cells, shown, in_view[:MOST].tolist())
            if shown.objects in viewer.layers:
                layers.select_objects(shown, cells, in_view.tolist())
        finally:
            self._telling = False

    # ---------------------------------------------------------------- from the layers

    def _watch(self) -> None:
        """Hear of what is selected in the layer of the cells that are shown now."""
        shown = self.session.shown
        objects = None if shown is None else shown.objects
        if objects is self._watched:
            return
        if self._watched is not None:
            # A layer that is gone may have let go of it already.
            with suppress(ValueError, RuntimeError):
                layers.selection_signal(self._watched).disconnect(self._heard)
        self._watched = objects if layers.selection_signal(objects) is not None else None
        if self._watched is not None:
            layers.selection_signal(self._watched).connect(self._heard)

    def _heard(self, _: object = None, *more: object) -> None:
        """The user selected a label or points, in the layer or in napari's table of features."""
        viewer, shown, cells = self._viewer(), self.session.shown, self.session.cells
        if self._telling or viewer is None or shown is None or cells is None:
            return
        if shown.objects is None or shown.objects not in viewer.layers:
            return
        selected = layers.selected_objects(shown, cells)
        if selected is None:
            return
        before = [cell for cell in self.session.selected if cell in set(selected)]
        if len(before) == len(selected) and (
            len(selected) > 1 or before == [*self.session.selected[:1]]
        ):
            return
        self.session.select(*selected)


_LINKINGS = PerViewer(lambda viewer: Linking(viewer, session_of(viewer)))


def linking_of(viewer: Any) -> Linking:
    """The linking of a viewer; made with its first dock."""
    return _LINKINGS(viewer)
