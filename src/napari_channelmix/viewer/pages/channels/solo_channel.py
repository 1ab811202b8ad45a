"""Show one channel alone, and again what was shown before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["Solo"]


class Solo:
    """Hides the other image layers; labels and points stay as they are.

    A result that comes meanwhile is seen: see `layers.reveal`.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._hidden: list[Any] = []
        # The channel's layer, where it was hidden before, and whether it was a display channel.
        self._unseen: Any = None
        self._displayed = False
        # Where sliders stood that were moved to the channel: axis of the viewer, counted from the
        # last one, since maps of channels come with an axis before all others; world position.
        self._sliders: dict[int, float] = {}
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
        if sum(image is layer for image in shown.images.values()) > 1:
            self._along_axis(shown, layer, channel)
        for image in self._viewer.layers:
            if isinstance(image, Image) and image is not layer and image.visible:
                layers.hide(image)
                self._hidden.append(image)
        if not layer.visible:
            self._unseen, self._displayed = layer, channel in self._session.display.channels
            layer.visible = True
        self.channel = channel
        return channel

    def _along_axis(self, shown: Any, layer: Any, channel: str) -> None:
        """Several channels are one layer: move the viewer's slider to the channel."""
        cells, dims = self._session.cells, self._viewer.dims
        if cells is None or shown.axes is None:
            return
        plane = cells.fields[shown.field].planes[cells.planes[cells.channels.index(channel)]]
        index = getattr(plane, "index", ())
        offset = dims.ndim - layer.ndim
        for axis, place in enumerate(index):
            if place is not None and axis not in shown.slice_position and place >= 0:
                point = list(layer.world_to_data(dims.point))
                point[axis] = place
                world = layer.data_to_world(point)
                self._sliders[axis - layer.ndim] = float(dims.point[axis + offset])
                dims.set_point(axis + offset, float(world[axis]))

    def restore(self) -> None:
        """Show again what was shown before; what came meanwhile stays as it is."""
        hidden, unseen, sliders = self._hidden, self._unseen, self._sliders
        # The user has meanwhile chosen it to be shown.
        joined = self.channel in self._session.display.channels and not self._displayed
        # First: a slider that moves may bring another field of view, which restores as well.
        self._hidden, self._unseen, self._sliders, self.channel = [], None, {}, None
        for layer in hidden:
            layers.reveal(layer)
        if unseen is not None and not joined:
            unseen.visible = False
        for axis, position in sliders.items():
            if -axis <= self._viewer.dims.ndim:
                self._viewer.dims.set_point(axis + self._viewer.dims.ndim, position)
