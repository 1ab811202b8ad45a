"""The layers that explanations are shown in: one for the cell, one for a whole field of view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_channelmix.evidence_colors import map_limit
from napari_channelmix.viewer.layers import ChannelStack, MapLayer, Patches, hide, reveal, view_of
from napari_channelmix.viewer.layers.layer_steps import LayerSteps
from napari_channelmix.viewer.layers.map_layer import is_planar
from napari_channelmix.viewer.layers.own_layers import PLANE
from napari_channelmix.viewer.pages.pixels.map_scaling import inside, scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.viewer.pages.pixels.batch_job import FieldMaps
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Shown

__all__ = ["ExplanationLayers"]

FloatArray = npt.NDArray[np.float32]

# Bytes of a picture of maps above which only parts of it are ever made.
LARGE = 256 * 2**20


class ExplanationLayers:
    """Keeps 'explanation' on the cell that is looked at, and 'explanations' on all of them.

    Beside each there is one layer with the map of each channel and a slider for the channel. It is
    in sight while a channel is chosen, and the map of all channels, which it would cover, is not.

    Signals
    -------
    channel_changed(str)
        The slider was moved to the map of another channel.
    """

    channel_changed = Signal(str)

    def __init__(self, viewer: Any, *, in_turns: bool = False) -> None:
        self._viewer = viewer
        self._steps = LayerSteps(self._show_waiting, in_turns=in_turns)
        # What came while steps were waiting, to be shown after the last of them.
        self._waiting: Explanation | None = None
        self._waiting_field: FieldMaps | None = None
        self.cell = MapLayer(viewer, "explanation", "explanation")
        self.field = MapLayer(viewer, "explanations", "explanations")
        self.stack = ChannelStack(viewer, "explanation channels", "explanation by channel")
        self.field_stack = ChannelStack(viewer, "explanations channels", "explanations by channel")
        #: Whose map is in sight; empty: that of all channels.
        self.channel = ""
        for stack in (self.stack, self.field_stack):
            stack.moved.connect(self._slider_moved)
        # Pixels of the box that are in the picture at all; a cell may be cut by the border.
        self._inside: Any = None
        # Steps that lay the stack of the cell, which is not there yet.
        self._lay_stack: tuple[Callable[[], None], ...] = ()
        self._view: EvidenceView = "signed"
        # What lies on the whole field of view.
        self._maps: FieldMaps | None = None
        self._shown: Shown | None = None

    @property
    def view(self) -> EvidenceView:
        """Which evidence is shown; see `evidence_colors`."""
        return self._view

    def show_view(self, view: EvidenceView, explanation: Explanation | None) -> None:
        """Show the other evidence of what lies there: of a cell that was laid, and of many."""
        self._steps.finish()
        self._view = view
        for layer in (self.cell, self.field):
            layer.view = view
        for stack in (self.stack, self.field_stack):
            stack.view = self._channel_view
        if explanation is not None and self._inside is not None:
            self.show(explanation)
        there = self.field.layer in self._viewer.layers
        if there and self._maps is not None and self._shown is not None:
            image = self._maps.of_view(view)
            if isinstance(image, Patches):
                self.field.lay_patches(self._shown, image)
            else:
                self.field.show(image)

    @property
    def _channel_view(self) -> EvidenceView:
        """The magnitude is one of all channels: the maps of each stay as they are."""
        return "signed" if self._view == "magnitude" else self._view

    def lay(
        self,
        shown: Shown,
        box: Any,
        size: tuple[int, int],
        shape: tuple[int, int],
        channels: tuple[str, ...],
    ) -> None:
        """Put empty maps on a cell: one, and one for each of the channels that are named.

        A layer that is there is moved at once, one that is not is added in a turn of the event
        loop of its own; that of the channels with the first of their maps.
        """
        self._inside = inside(box, size, shape)
        self._waiting, self._lay_stack = None, ()
        # What is left of the cell before, or of all of them.
        self._steps.finish()
        before = self.stack.layer
        if channels and self.stack.there:
            self.stack.lay_channels(shown, box, size, channels)
        elif channels:
            self._lay_stack = (
                lambda: self.stack.make_room(shown, size, channels),
                lambda: self._add_stack(shown, box, size, channels),
            )
        # Whether a layer that was there is seen is the user's choice from then on.
        stays = self.stack.layer is before

        def lay_map() -> None:
            self.cell.lay(shown, box, size)
            self._in_sight(self.cell, self.stack, stays=stays)

        if self.cell.layer is not None and self.cell.layer in self._viewer.layers:
            lay_map()
        else:
            self._steps.then(lay_map)
        if not channels:
            self._steps.then(self._clear_stack)

    def _add_stack(
        self, shown: Shown, box: Any, size: tuple[int, int], channels: tuple[str, ...]
    ) -> None:
        self.stack.lay_channels(shown, box, size, channels)
        self._in_sight(self.cell, self.stack)

    def _clear_stack(self) -> None:
        """Take the maps of the cell's channels away; the map of all comes in sight again."""
        self.stack.clear()
        self._in_sight(self.cell, self.stack)

    @property
    def busy(self) -> bool:
        """Whether layers are still to be added or taken away."""
        return self._steps.busy

    def finish(self) -> None:
        """Add and take away at once what is still to be."""
        self._steps.finish()

    def drop(self) -> None:
        """Add and take away nothing more: the viewer is being closed."""
        self._steps.drop()

    def show_channel(self, channel: str) -> None:
        """Bring the map of a channel in sight; empty: that of all channels."""
        self.channel = channel
        self._in_sight(self.cell, self.stack)
        self._in_sight(self.field, self.field_stack)

    def _in_sight(self, of_all: MapLayer, stack: ChannelStack, *, stays: bool = False) -> None:
        """Show the map of all channels, or that of the chosen one where there is any.

        ``stays``: the layer of the chosen one is as visible as it was.
        """
        chosen = self.channel if self.channel in stack.channels and stack.there else ""
        if stack.there:
            if chosen:
                stack.move_to(chosen)
            if not stays:
                stack.layer.visible = bool(chosen)
        if of_all.layer is not None:
            if chosen and stack.layer.visible:
                hide(of_all.layer)
            else:
                reveal(of_all.layer)

    def _slider_moved(self, channel: str) -> None:
        self.show_channel(channel)
        self.channel_changed.emit(channel)

    def show(self, explanation: Explanation) -> None:
        """Show the maps of a cell that was laid; once its layers are there."""
        self._waiting = explanation
        if not self._steps.busy:
            self._show_waiting()

    def _show_waiting(self) -> None:
        explanation, self._waiting = self._waiting, None
        if explanation is not None:
            self._show_cell(explanation)
        maps, self._waiting_field = self._waiting_field, None
        if maps is not None and not self._steps.busy:
            self._show_field(maps)
        elif maps is not None:
            self._waiting_field = maps

    def _show_cell(self, explanation: Explanation) -> None:
        if explanation.map is None or explanation.map.shape != self._inside.shape:
            return
        values = explanation.map
        if self._view == "magnitude" and explanation.magnitude is not None:
            values = explanation.magnitude
        self.cell.show(np.where(self._inside, scaled(values), 0))
        if explanation.channel_maps is None:
            return
        steps, self._lay_stack = self._lay_stack, ()
        for step in steps:
            self._steps.then(step)
        if self._steps.busy:
            self._waiting = explanation
            return
        # One scale for all: a channel that says little has a pale map.
        limit = map_limit(explanation.channel_maps)
        self.stack.show(np.where(self._inside, scaled(explanation.channel_maps, limit), 0))

    def lay_field(
        self, shown: Shown, shape: tuple[int, int]
    ) -> tuple[FloatArray | Patches, FloatArray | Patches]:
        """Put an empty map over the whole field of view.

        Gives what is to be painted into: maps, and their magnitudes.
        """
        self._steps.finish()
        self._maps, self._shown = None, shown
        if 4 * shape[0] * shape[1] > LARGE and is_planar(shown):
            patches = Patches(shape), Patches(shape)
            self._steps.then(
                lambda: self.field.lay_patches(shown, patches[self._view == "magnitude"])
            )
            return patches
        self._steps.then(lambda: self.field.lay(shown, (0, 0, *shape), shape))
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def lay_field_channels(
        self, shown: Shown, shape: tuple[int, int], channels: tuple[str, ...]
    ) -> tuple[Patches, ...]:
        """Put empty maps of each channel over the whole field of view; gives what is painted."""
        patches = tuple(Patches(shape) for _ in channels)

        def lay() -> None:
            if channels:
                self.field_stack.lay_patches_of(shown, patches, channels)
            else:
                self.field_stack.clear()
            self._in_sight(self.field, self.field_stack)

        if channels and not self.field_stack.there:
            self._steps.then(lambda: self.field_stack.make_room(shown, shape, channels))
        self._steps.then(lay)
        return patches

    def in_sight(self) -> Any:
        """The part of the field of view that is in sight; it may be asked in any thread."""
        layer = self.field.layer
        return None if layer is None else view_of(layer, layer.metadata[PLANE])

    def show_field(self, maps: FieldMaps) -> None:
        """Show the maps of many cells; once their layers are there."""
        self._waiting_field = maps
        if not self._steps.busy:
            self._show_waiting()

    def _show_field(self, maps: FieldMaps) -> None:
        self._maps = maps
        image = maps.of_view(self._view)
        if isinstance(image, Patches):
            self.field.draw()
        else:
            self.field.show(image)
        self.field_stack.draw()

    def clear_cell(self) -> None:
        """Take the maps of the cell away."""
        self._waiting, self._lay_stack = None, ()
        self._steps.then(self.stack.clear)
        self._steps.then(self.cell.clear)

    def clear(self) -> None:
        """Take all maps away, at once."""
        self._steps.drop()
        self._waiting, self._waiting_field, self._lay_stack = None, None, ()
        self.cell.clear()
        self.stack.clear()
        self._maps = self._shown = None
        self.field.clear()
        self.field_stack.clear()
