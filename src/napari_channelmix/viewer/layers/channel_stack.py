"""A map of each channel in one layer, with a slider for the channel: not a layer for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_channelmix.viewer.layers.keep_view import keep_view
from napari_channelmix.viewer.layers.leading_axes import LeadingAxes, with_leading_axes
from napari_channelmix.viewer.layers.map_layer import (
    MapLayer,
    box_geometry,
    box_shape,
    plane_of_box,
)
from napari_channelmix.viewer.layers.own_layers import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.layers.patches import Patches
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["ChannelStack"]


class ChannelStack(MapLayer):
    """One image layer; its first axis is the channel, before every axis of the other layers.

    So its slider is one of its own: the slider of a user's stack, or of a layer with a channel
    axis, moves what it moved before. Where a layer with more axes is added, it is laid anew.

    Signals
    -------
    moved(str)
        The slider came to the map of another channel, by whomever.
    """

    moved = Signal(str)

    def __init__(self, viewer: Any, role: str, name: str) -> None:
        super().__init__(viewer, role, name, visible=False)
        self.channels: tuple[str, ...] = ()
        self._again: Any = None
        self._index = 0
        self._connected = False
        # Whether the viewer got an axis for a layer that is not there yet.
        self._room = False

    def make_room(self, shown: Shown, size: tuple[int, int], channels: tuple[str, ...]) -> None:
        """Give the viewer the axis that maps of these channels need, before their layer is added.

        napari then lays out the slider in this turn of the event loop, and adds the layer in the
        next one. `clear` takes the axis away again.
        """
        if self.there:
            return
        shape = box_shape(shown, size)
        self.channels = channels
        ndim = self._leading(len(shape)).ndim + len(shape)
        if self._viewer.dims.ndim < ndim:
            self._room = True
            with keep_view(self._viewer):
                self._viewer.dims.ndim = ndim

    def lay_channels(
        self, shown: Shown, box: Sequence[int], size: tuple[int, int], channels: tuple[str, ...]
    ) -> None:
        """Put empty maps of these channels over a box of the field of view."""
        self._again = lambda: self.lay_channels(shown, box, size, channels)
        self._room = False
        before = self.channel
        self.channels = channels
        shape = box_shape(shown, size)
        leading = self._leading(len(shape))
        plane = plane_of_box(shown, len(shape))
        with keep_view(self._viewer):
            self._lay(
                with_leading_axes(box_geometry(shown, box, size), leading),
                (*leading.lengths, *shape),
                (0, *(axis + leading.ndim for axis in plane)),
                (len(channels), *size),
            )
        self._laid(before)

    def lay_patches_of(
        self, shown: Shown, patches: Sequence[Patches], channels: tuple[str, ...]
    ) -> None:
        """Put maps by their places, those of each channel, over the whole field of view."""
        from napari_channelmix.viewer.layers.stacked_patches import stacked_levels

        self._again = lambda: self.lay_patches_of(shown, patches, channels)
        self._room = False
        before = self.channel
        visible = self.layer is not None and self.layer.visible
        self.clear()
        self.channels = channels
        size = patches[0].shape
        shape = box_shape(shown, size)
        leading = self._leading(len(shape))
        rows, columns = plane_of_box(shown, len(shape))
        plane = (rows + leading.ndim, columns + leading.ndim)
        levels = stacked_levels(patches, (*leading.lengths, *shape), plane)
        geometry = with_leading_axes(box_geometry(shown, (0, 0, *size), size), leading)
        self._pixels = np.zeros((1, 1), np.float32)
        with keep_view(self._viewer):
            self.layer = self._added(levels, geometry, plane, multiscale=True)
        self.layer.visible = visible
        self._laid(before)

    def _leading(self, ndim: int) -> LeadingAxes:
        ours = tuple(layer for layer in self._viewer.layers if CHANNELS in layer.metadata)
        return LeadingAxes.before(self._viewer, ndim, len(self.channels), ours)

    def _laid(self, before: str) -> None:
        self.layer.metadata[CHANNELS] = self.channels
        self._index = min(self._index, len(self.channels) - 1)
        if not self._connected:
            self._connected = True
            self._viewer.dims.events.current_step.connect(self._slider_moved)
            self._viewer.layers.events.inserted.connect(self._inserted)
        self.move_to(before if before in self.channels else self.channels[self._index])

    # ---------------------------------------------------------------- the slider

    @property
    def there(self) -> bool:
        """Whether the layer is in the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    @property
    def channel(self) -> str:
        """Whose map the slider is at; empty where there is none."""
        return self.channels[self._index] if self._index < len(self.channels) else ""

    @property
    def _axis(self) -> int:
        """The first axis of the layer among those of the viewer."""
        return int(self._viewer.dims.ndim - self.layer.ndim)

    def move_to(self, channel: str) -> None:
        """Move the slider to the map of a channel."""
        self._index = self.channels.index(channel)
        if self.there:
            self._viewer.dims.set_point(self._axis, float(self._index))

    def _slider_moved(self, _: object = None) -> None:
        if not self.there or self._axis < 0:
            return
        index = round(float(self._viewer.dims.point[self._axis]))
        if index != self._index and 0 <= index < len(self.channels):
            self._index = index
            self.moved.emit(self.channels[index])

    def _inserted(self, event: Any) -> None:
        """A layer with as many axes would have one of them on ours: ours moves ahead of it."""
        layer = event.value
        if self.there and CHANNELS not in layer.metadata and layer.ndim >= self.layer.ndim:
            # napari is not done with that layer yet.
            QTimer.singleShot(0, self._lay_again)

    def _lay_again(self) -> None:
        if not self.there or self._again is None:
            return
        pixels, visible = self._pixels.copy(), self.layer.visible
        self._again()
        self.layer.visible = visible
        if pixels.ndim == 3:
            self.show(pixels)

    def clear(self) -> None:
        """Take the layer away, and the slider with it."""
        self.channels = ()
        with keep_view(self._viewer):
            super().clear()
            if self._room:
                self._room = False
                self._viewer.dims.ndim = max(2, self._viewer.layers.ndim)
        if self._connected:
            self._connected = False
            self._viewer.dims.events.current_step.disconnect(self._slider_moved)
            self._viewer.layers.events.inserted.disconnect(self._inserted)
