"""Show one channel alone, and again what was shown before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["Solo"]


class Solo:
    """Hides the other image layers; labels and points stay as they are."""

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._before: list[tuple[Any, bool]] = []
        self.channel: str | None = None

    def toggle(self, channel: str) -> str | None:
        """Show a channel alone, or restore where it is alone; gives the channel now alone."""
        again = channel == self.channel
        self.restore()
        if again:
            return None
        shown = self._session.shown
        layer = None if shown is None else shown.images.get(channel)
        if shown is None or layer is None or layer not in self._viewer.layers:
            return None
        if sum(one is layer for one in shown.images.values()) > 1:
            self._along_axis(shown, layer, channel)
        images = [one for one in self._viewer.layers if isinstance(one, Image)]
        self._before = [(one, one.visible) for one in images]
        for one in images:
            one.visible = one is layer
        self.channel = channel
        return channel

    def _along_axis(self, shown: Any, layer: Any, channel: str) -> None:
        """Several channels are one layer: move the viewer's slider to the channel."""
        cells = self._session.cells
        if cells is None or shown.axes is None:
            return
        plane = cells.fields[shown.field].planes[cells.planes[cells.channels.index(channel)]]
        index = getattr(plane, "index", ())
        offset = self._viewer.dims.ndim - layer.ndim
        for axis, place in enumerate(index):
            if place is not None and axis not in shown.at and place >= 0:
                point = list(layer.world_to_data(self._viewer.dims.point))
                point[axis] = place
                world = layer.data_to_world(point)
                self._viewer.dims.set_point(axis + offset, float(world[axis]))

    def restore(self) -> None:
        """Show again what was shown before."""
        for layer, visible in self._before:
            if layer in self._viewer.layers:
                layer.visible = visible
        self.forget()

    def forget(self) -> None:
        """Nothing is alone: another field of view is shown: there is nothing to restore."""
        self._before, self.channel = [], None
