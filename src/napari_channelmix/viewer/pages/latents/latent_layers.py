"""What latents show in the viewer: a grid beside the field, scores, columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.latent_axes import title_of
from napari_channelmix.viewer.tasks.one_thread import one_thread
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.charts.latent_axes import Axis
    from napari_channelmix.viewer.session.session import Shown

__all__ = ["LatentLayers"]

GRID, SCORES = "latent traversals", "latent scores"
# A scale whose end is its beginning, for angles.
COLORS, CYCLIC = "viridis", "twilight_shifted"
STEPS = 9

# Centre and zoom of the camera.
Sight = tuple[float, ...]


class LatentLayers:
    """Adds these layers, keeps them true to the field of view that is shown, takes them away."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.grid = layers.GridLayer(viewer, GRID, GRID)
        # Where the camera stood before the grid, and where the grid took it.
        self._sights: tuple[Sight, Sight] | None = None

    def _there(self, shown: Shown | None) -> bool:
        return shown is not None and shown.is_in(self._viewer.layers)

    # ---------------------------------------------------------------- one cell

    def show_grid(self, latents: Latents, shown: Shown, cell: int, theme: str) -> bool:
        """Put all axes of a cell beside its field of view; whether that was possible."""
        if not self._there(shown):
            return False
        with one_thread():
            traversal = latents.traversal(cell, STEPS)
        facts = {
            "cell": cell,
            "axes": traversal.axes,
            "values": traversal.values.tolist(),
            "change": traversal.change.tolist(),
        }
        self.grid.show(
            shown,
            latents.cells.fields[shown.field].shape,
            latents.shown(traversal.pictures),
            [title_of(name) for name in traversal.axes],
            latents.prepared.how.zoom,
            chart_colors(theme).text,
            facts,
        )
        before = self._sight()
        self.grid.bring_into_sight()
        self._sights = before, self._sight()
        return True

    def take_grid_away(self) -> None:
        """Take the grid away, and show what was seen before it, unless the user went elsewhere."""
        self.grid.clear()
        sights, self._sights = self._sights, None
        if sights is not None and np.allclose(self._sight(), sights[1]):
            *center, zoom = sights[0]
            camera = self._viewer.scene.camera
            camera.center, camera.zoom = tuple(center), zoom

    def _sight(self) -> Sight:
        camera = self._viewer.scene.camera
        return (*map(float, camera.center), float(camera.zoom))

    # ---------------------------------------------------------------- all cells

    def show_scores(self, latents: Latents, shown: Shown | None, axis: Axis | None) -> None:
        """Colour the cells of the field of view by an axis; None takes the colours away."""
        if axis is None:
            self._remove(SCORES)
            return
        if shown is None or not self._there(shown):
            return
        with layers.keep_selection(self._viewer.layers):
            layers.show_scores(
                self._viewer,
                SCORES,
                latents.cells,
                shown.field,
                axis.values,
                layers.field_place(shown),
                name=f"latent: {axis.title}",
                limits=(axis.low, axis.high),
                colormap=CYCLIC if axis.cyclic else COLORS,
            )

    def write_columns(self, latents: Latents, shown: Shown | None) -> str:
        """Put the latents into the features of the cells' layer; gives its name, or nothing.

        A column of the user's that is called like a latent stays: ours gets another name.
        """
        target = None if shown is None else shown.objects
        if shown is None or target is None or target not in self._viewer.layers:
            return ""
        if layers.is_own(target):
            return ""
        in_field = (latents.cells.table["field"] == shown.field).to_numpy()
        objects = latents.cells.table["object"].to_numpy(np.int64)[in_field]
        columns = {}
        for index, name in enumerate(latents.names):
            if not name.startswith("Spare"):
                columns[name] = np.round(latents.values[in_field, index].astype(np.float64), 4)
        for axis in latents.axes():
            if latents.disentangler.circle(axis) is not None:
                title = f"{axis} (degrees)"
                columns[title] = np.round(np.degrees(latents.of_axis(axis)[in_field]), 1)
        refused = layers.write_features(
            target, objects, columns, part="latents", id_column=shown.id_column, whole=True
        )
        return "" if refused else str(target.name)

    # ---------------------------------------------------------------- away

    def _remove(self, role: str) -> None:
        layer = layers.find_ours(self._viewer, role)
        if layer is not None:
            self._viewer.layers.remove(layer)

    def clear(self) -> None:
        """Take all layers away."""
        self.grid.clear()
        self._remove(SCORES)
