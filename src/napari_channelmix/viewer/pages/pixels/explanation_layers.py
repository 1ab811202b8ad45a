"""The layers that explanations are shown in: one for the cell, one for a whole field of view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.layers import MapLayer, Patches, view_of
from napari_channelmix.viewer.layers.own_layers import PLANE
from napari_channelmix.viewer.pages.pixels.map_scaling import highest, inside, scaled

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.pixels.batch_job import FieldMaps
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Shown

__all__ = ["ExplanationLayers"]

FloatArray = npt.NDArray[np.float32]

# Bytes of a picture of maps above which only parts of it are ever made.
LARGE = 256 * 2**20


class ExplanationLayers:
    """Keeps 'explanation' on the cell that is looked at, and 'explanations' on all of them."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.cell = MapLayer(viewer, "explanation", "explanation")
        self.field = MapLayer(viewer, "explanations", "explanations")
        self.channels: dict[str, MapLayer] = {}
        # Pixels of the box that are in the picture at all; a cell may be cut by the border.
        self._inside: Any = None

    def lay(
        self,
        shown: Shown,
        box: Any,
        size: tuple[int, int],
        shape: tuple[int, int],
        channels: tuple[str, ...],
    ) -> None:
        """Put empty maps on a cell: one, and one for each of the channels that are named."""
        self._inside = inside(box, size, shape)
        self.cell.lay(shown, box, size)
        for name in [name for name in self.channels if name not in channels]:
            self.channels.pop(name).clear()
        for name in channels:
            if name not in self.channels:
                # Hidden: the thumbnails show them side by side, layers would cover each other.
                role = f"explanation {name}"
                self.channels[name] = MapLayer(self._viewer, role, role, visible=False)
            self.channels[name].lay(shown, box, size)

    def show(self, explanation: Explanation) -> None:
        """Show the maps of a cell that was laid."""
        if explanation.map is None or explanation.map.shape != self._inside.shape:
            return
        self.cell.show(np.where(self._inside, scaled(explanation.map), 0))
        if explanation.channel_maps is not None:
            # One scale for all: a channel that says little has a pale map.
            top = highest(explanation.channel_maps)
            for name, channel_map in zip(
                explanation.channels, explanation.channel_maps, strict=True
            ):
                if name in self.channels:
                    self.channels[name].show(np.where(self._inside, scaled(channel_map, top), 0))

    def lay_field(self, shown: Shown, shape: tuple[int, int]) -> FloatArray | Patches:
        """Put an empty map over the whole field of view; gives what is to be painted into."""
        if 4 * shape[0] * shape[1] > LARGE:
            patches = Patches(shape)
            if self.field.lay_patches(shown, patches):
                return patches
        self.field.lay(shown, (0, 0, *shape), shape)
        return np.zeros(shape, np.float32)

    def view(self) -> Any:
        """The part of the field of view that is in sight; it may be asked in any thread."""
        layer = self.field.layer
        return None if layer is None else view_of(layer, layer.metadata[PLANE])

    def show_field(self, maps: FieldMaps) -> None:
        """Show the maps of many cells."""
        if isinstance(maps.image, Patches):
            self.field.draw()
        else:
            self.field.show(maps.image)

    def clear_cell(self) -> None:
        """Take the maps of the cell away."""
        self.cell.clear()
        for layer in self.channels.values():
            layer.clear()
        self.channels.clear()

    def clear(self) -> None:
        """Take all maps away."""
        self.clear_cell()
        self.field.clear()
