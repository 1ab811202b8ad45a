"""Keeps the layers 'classes' and 'predicted' and the cells' features true to the session."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.colors import palette_of
from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.session.session import Session, session_of

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.predictions import Predictions
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["Overlays", "overlays_of"]

# Milliseconds in which changes are gathered: a drag over cells makes many.
PAUSE = 60


class Overlays:
    """One per viewer; draws again shortly after cells, predictions or the field of view changed."""

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(viewer)
        self.session = session
        self._waiting = False
        # Why classes are not written into the features of the cells' layer, if they are not.
        self.refused = ""
        # Layers that were removed while a drawing waits: it does not bring them back.
        self._gone: set[str] = set()
        # What the layer 'predicted' shows: predictions, field of view, and classes by colour.
        self._shows: tuple[Predictions, Shown, tuple[str, ...]] | None = None
        # The columns that go with it.
        self._columns: dict[str, Any] = {}
        for signal in (session.cells_changed, session.shown_changed, session.predictions_changed):
            signal.connect(self._later)
        viewer.layers.events.removed.connect(self._removed)

    def _later(self, _: object = None) -> None:
        self._gone.clear()
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(PAUSE, self.draw)

    def _removed(self, event: Any) -> None:
        if self._waiting:
            self._gone.add(layers.role_of(event.value))

    def draw(self) -> None:
        """Bring the layers up to date now."""
        self._waiting = False
        gone, self._gone = self._gone, set()
        viewer, shown, cells = self._viewer(), self.session.shown, self.session.cells
        if viewer is None or shown is None or cells is None:
            return
        # Its layers may be gone: removed by the user, or with the window.
        if not shown.is_in(viewer.layers):
            return
        geometry = layers.field_place(shown)
        columns: dict[str, Any] = {}
        in_field = (cells.table["field"] == shown.field).to_numpy()
        with layers.keep_selection(viewer.layers):
            if cells.classes and "classes" not in gone:
                codes = cells.labels
                layers.show_codes(
                    viewer, "classes", cells, shown.field, codes, cells.classes, geometry
                )
                # The last of them is what -1 means.
                columns["class"] = np.array([*cells.classes, ""], dtype=object)[codes[in_field]]
            predictions = self.session.predictions
            known = predictions is not None and len(predictions.probabilities) == len(cells)
            if predictions is not None and known and "predicted" not in gone:
                columns |= self._predicted(viewer, shown, predictions, in_field, geometry)
        self._write(viewer, shown, in_field, columns)

    def _predicted(
        self,
        viewer: Any,
        shown: Shown,
        predictions: Predictions,
        in_field: Any,
        geometry: layers.FieldPlace,
    ) -> dict[str, Any]:
        cells = self.session.cells
        assert cells is not None
        # A class that was given changes nothing here, and drawing all cells takes its time.
        # By identity: predictions hold arrays, which compare element by element.
        same = self._shows is not None and all(
            before is other
            for before, other in zip(self._shows[:2], (predictions, shown), strict=True)
        )
        # A class that was added or renamed may move the others' colours.
        same = (
            same
            and self._shows is not None
            and self._shows[2] == palette_of(cells.classes, predictions.classes)
        )
        if same and layers.find_ours(viewer, "predicted") is not None:
            return self._columns
        palette, codes = palette_of(cells.classes, predictions.classes), predictions.codes
        colors = matching(codes, predictions.classes, palette)
        outlines = layers.find_ours(viewer, "cells")
        new = layers.find_ours(viewer, "predicted") is None
        if new and outlines is not None and not cells.classes:
            # Their colours are random, and would be taken for those of classes.
            outlines.visible = False
        layers.show_codes(viewer, "predicted", cells, shown.field, colors, palette, geometry)
        self._shows = predictions, shown, palette
        best = predictions.probabilities[in_field].max(axis=1)
        self._columns = {
            "predicted": np.array(predictions.classes, dtype=object)[codes[in_field]],
            "probability": np.round(best.astype(np.float64), 4),
        }
        return self._columns

    def _write(self, viewer: Any, shown: Shown, in_field: Any, columns: dict[str, Any]) -> None:
        target, cells = shown.objects, self.session.cells
        if not columns or target is None or target not in viewer.layers or cells is None:
            return
        if layers.is_own(target):
            return
        objects = cells.table["object"].to_numpy(np.int64)[in_field]
        self.refused = layers.write_features(
            target, objects, columns, part="classes", id_column=shown.id_column
        )


_OVERLAYS = PerViewer(lambda viewer: Overlays(viewer, session_of(viewer)))


def overlays_of(viewer: Any) -> Overlays:
    """The overlays of a viewer; made with its first dock."""
    return _OVERLAYS(viewer)
