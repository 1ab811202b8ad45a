"""A grid of pictures beside a field of view: one image layer, and one that names its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QTimer

from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.map_layer import box_geometry
from napari_channelmix.viewer.layers.own_layers import OURS, claim, find_ours, role_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["GridLayer", "mosaic"]

FloatArray = npt.NDArray[np.float32]

# Pixels of the pictures between two of them, and grey level there.
GAP, EDGE = 2, 0.16
# Room for the names between the field of view and the grid, in sides of a picture.
NAMES = 3.2
# Smaller on the screen, in pixels, pictures and names cannot be read.
READABLE = 36


def mosaic(pictures: FloatArray) -> FloatArray:
    """Pictures (L, T, C, H, W) as one: (rows, columns, 3) in colour, (rows, columns) in grey."""
    rows, columns, depth, height, width = pictures.shape
    whole = np.full(
        (rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, depth), EDGE, np.float32
    )
    for row in range(rows):
        for column in range(columns):
            y, x = GAP + row * (height + GAP), GAP + column * (width + GAP)
            whole[y : y + height, x : x + width] = pictures[row, column].transpose(1, 2, 0)
    return whole if depth == 3 else whole.mean(axis=2)


class GridLayer:
    """A grid in the viewer; where the user removes one of its two layers, the other goes as well.

    Parameters
    ----------
    viewer : napari viewer
    role, name : str
    """

    def __init__(self, viewer: Any, role: str, name: str) -> None:
        self._viewer, self.role, self._name = viewer, role, name

    @property
    def layers(self) -> list[Any]:
        """Those of its layers that are there."""
        candidates = (find_ours(self._viewer, role) for role in (self.role, f"{self.role} names"))
        return [layer for layer in candidates if layer is not None]

    def show(
        self,
        shown: Shown,
        shape: tuple[int, int],
        pictures: FloatArray,
        names: Sequence[str],
        zoom: float,
        color: str,
        facts: dict[str, Any],
    ) -> Any:
        """Put pictures (L, T, C, H, W) to the right of the field of view, a name before each row.

        Parameters
        ----------
        shown : Shown
            Scale, units and place are those of its reference layer.
        shape : (int, int)
            Of the field of view in pixels.
        zoom : float
            Pixels of the pictures for a pixel of the field: both are seen at one scale.
        color : str
            Of the names.
        facts : dict
            Kept in the metadata of the layer.
        """
        self.clear()
        image = mosaic(pictures)
        rows, columns = image.shape[:2]
        side = pictures.shape[-1]
        left = shape[1] + NAMES * side / zoom
        box = [0.0, left, rows / zoom, left + columns / zoom]
        geometry = box_geometry(shown, box, (rows, columns), planar=True)
        colored = image.ndim == 3
        with keep_selection(self._viewer.layers):
            layer = claim(
                self._viewer.add_image(
                    image,
                    name=self._name,
                    rgb=colored,
                    multiscale=False,
                    contrast_limits=None if colored else (0.0, 1.0),
                    colormap=None if colored else "gray",
                    blending="translucent",
                    interpolation2d="linear",
                    metadata={OURS: self.role, "side": side, **facts},
                    **geometry,
                )
            )
            self._add_names(names, side, color, geometry)
        self._viewer.layers.events.removed.connect(self._removed)
        return layer

    def _add_names(
        self, names: Sequence[str], side: int, color: str, geometry: dict[str, Any]
    ) -> None:
        points = np.full((len(names), 2), -0.15 * side)
        points[:, 0] = GAP + np.arange(len(names)) * (side + GAP) + 0.3 * side
        text = {"string": list(names), "color": color, "size": 10, "anchor": "lower_right"}
        added = claim(
            self._viewer.add_points(
                points,
                name=f"{self._name}: names",
                size=1,
                opacity=1.0,
                face_color="transparent",
                border_color="transparent",
                text=text,
                metadata={OURS: f"{self.role} names"},
                **geometry,
            )
        )
        added.editable = False

    def bring_into_sight(self) -> None:
        """Show all layers, or the grid alone where its pictures would be too small then."""
        viewer, layer = self._viewer, find_ours(self._viewer, self.role)
        if layer is None:
            return
        viewer.reset_view()
        low, high = np.asarray(layer.extent.world)[:, -2:]
        side = (high - low).max() / max(layer.data.shape[:2]) * layer.metadata["side"]
        camera = viewer.scene.camera
        if camera.zoom * side >= READABLE:
            return
        low = low - np.array([0.5, NAMES]) * side
        camera.center = tuple((low + high) / 2)
        camera.zoom = float((np.asarray(viewer.canvas.size) / (high - low)).min() * 0.95)

    def follow_theme(self, color: str) -> None:
        """Write the names in another colour."""
        layer = find_ours(self._viewer, f"{self.role} names")
        if layer is not None:
            layer.text.color = color

    def _removed(self, event: Any) -> None:
        if role_of(event.value).startswith(self.role):
            # Not now: several layers may be on their way out, this one's fellow among them.
            QTimer.singleShot(0, self.clear)

    def clear(self) -> None:
        """Take both layers away."""
        self._viewer.layers.events.removed.disconnect(self._removed)
        for layer in self.layers:
            self._viewer.layers.remove(layer)
