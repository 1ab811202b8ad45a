"""The canvas shows the display channels, and the display channels follow the user's layers.

One for each viewer. Other layers are hidden, never removed. One layer is changed at a time: the
window stays alive between two of them.

- Layers of a display channel become visible, those of other channels hidden; where the user changed
  the visibility since, it stays as it is.
- Our layers get the colour and the contrast of the display channels, unless the user changed them.
- A channel that the user makes visible becomes a display channel, where there is room for it.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QTimer

from napari_channelmix.data.display_channels import MOST_TOGETHER
from napari_channelmix.data.display_limits import channel_sample_job
from napari_channelmix.viewer.layers.hidden_layers import (
    hidden_for_a_while,
    stay_hidden,
    to_be_seen,
)
from napari_channelmix.viewer.layers.own_layers import role_of
from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.session.session import Session, session_of
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_limits import ChannelSample

__all__ = ["DisplayLayers", "display_layers_of"]

# Milliseconds between two layers that are changed: the window draws meanwhile.
PAUSE = 5


class DisplayLayers:
    """Keeps the layers of the channels and the display channels together."""

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(viewer)
        self.session = session
        self.task = Task(session)
        # What was set here last; what differs from it was changed by the user.
        self._visible: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
        self._looks: weakref.WeakKeyDictionary[Any, tuple[str, tuple[float, ...]]] = (
            weakref.WeakKeyDictionary()
        )
        self._setting = False
        # The cells that are measured, or were last.
        self._measured: Cells | None = None
        # The data set, and its classes that the sample before had too few cells of: where cells
        # cannot be read, the next one has too few as well.
        self._lacking: tuple[int, tuple[str, ...]] = (0, ())
        self._heard: weakref.WeakSet[Any] = weakref.WeakSet()
        self._due: list[str] = []
        self._soon = QTimer()
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._step)
        session.shown_changed.connect(self._shown_changed)
        session.cells_changed.connect(self._measure)
        session.display.changed.connect(self._display_changed)
        self._shown_changed()

    @property
    def busy(self) -> bool:
        """Whether layers are about to be changed, or cells measured."""
        return bool(self._due) or self.task.busy

    # ---------------------------------------------------------------- layers

    def layers(self) -> dict[str, Any]:
        """The layers that show one channel each, by channel."""
        viewer, shown = self._viewer(), self.session.shown
        if viewer is None or shown is None:
            return {}
        images = list(shown.images.values())
        return {
            name: layer
            for name, layer in shown.images.items()
            if isinstance(layer, Image)
            and layer in viewer.layers
            and sum(other is layer for other in images) == 1
        }

    def _shown_changed(self, _: object = None) -> None:
        layers = self.layers()
        for layer in layers.values():
            if layer not in self._heard:
                self._heard.add(layer)
                self._note(layer)
                layer.events.visible.connect(self._user_changed)
        self._follow_users_layers(layers)
        self._measure()
        self._display_changed()

    def _follow_users_layers(self, layers: dict[str, Any]) -> None:
        """Layers of the user, few of them visible: those are what is shown."""
        visible = [name for name, layer in layers.items() if layer.visible]
        users = layers and not any(role_of(layer) for layer in layers.values())
        if users and len(visible) <= MOST_TOGETHER:
            self.session.display.propose(visible)

    def _note(self, layer: Any) -> None:
        self._visible[layer] = to_be_seen(layer)
        if role_of(layer):
            self._looks.setdefault(layer, _look(layer))

    def _display_changed(self) -> None:
        """Note which layers are not as they should be; they are changed one by one."""
        display = self.session.display.together
        colors = dict(zip(display.channels, display.colors, strict=True))
        self._due = [
            name
            for name, layer in self.layers().items()
            if self._is_due(layer, colors.get(name), display.contrast.get(name))
        ]
        # Those that go first: never are more than six lit at a time.
        self._due.sort(key=lambda name: name in colors)
        if self._due:
            self._soon.start(PAUSE)

    def _is_due(self, layer: Any, color: str | None, contrast: tuple[float, float] | None) -> bool:
        if self._visible.get(layer) == to_be_seen(layer) != (color is not None):
            return True
        if to_be_seen(layer) == (color is not None):
            # As it should be, whoever made it so: from now on it follows the display channels.
            self._visible[layer] = color is not None
        return color is not None and self._new_look(layer, color, contrast) is not None

    def _new_look(
        self, layer: Any, color: str, contrast: tuple[float, float] | None
    ) -> tuple[str, tuple[float, ...]] | None:
        """The look that a layer of ours is to get; None where it has it, or the user's own."""
        before = self._looks.get(layer)
        if before is None or before != _look(layer):
            return None
        new = color.lower(), before[1] if contrast is None else tuple(contrast)
        return new if new != before else None

    def _step(self) -> None:
        """Change one layer."""
        while self._due:
            name = self._due.pop(0)
            layer = self.layers().get(name)
            if layer is None:
                continue
            self._set(layer, name)
            break
        if self._due:
            self._soon.start(PAUSE)

    def _set(self, layer: Any, name: str) -> None:
        display = self.session.display
        color = display.color_of(name)
        self._setting = True
        try:
            look = None
            if color is not None:
                look = self._new_look(layer, color, display.contrast.get(name))
            if look is not None:
                layer.colormap = color
                layer.contrast_limits = look[1]
                self._looks[layer] = _look(layer)
            if self._visible.get(layer) == to_be_seen(layer) != (color is not None):
                if color is None:
                    stay_hidden(layer)
                else:
                    layer.visible = True
                self._visible[layer] = color is not None
        finally:
            self._setting = False

    def _user_changed(self, event: Any) -> None:
        """The user, or a page, made a layer visible: its channel is shown from now on."""
        layers = self.layers()
        if self._setting or not event.source.visible or hidden_for_a_while(layers.values()):
            return
        for name, layer in layers.items():
            if layer is event.source and name not in self.session.display.channels:
                self._visible[layer] = True
                self.session.display.add(name)

    # ---------------------------------------------------------------- measuring

    def _measure(self, _: object = None) -> None:
        """Look at a sample of the cells, where there are many channels to choose from.

        Again where classes were named since of which it has no cells, once for each of them.
        """
        cells, display = self.session.cells, self.session.display
        if cells is None or not len(cells) or len(cells.channels) <= MOST_TOGETHER:
            return
        lacking = self.session.data_set, display.lacking_classes
        if display.measured and (not lacking[1] or lacking == self._lacking):
            return
        before = self._measured
        if self.task.busy and before is not None and before.same_pixels(cells):
            return
        # Cells of another data set: what was begun for those before is of no use now.
        self._measured, self._lacking = cells, lacking

        def take(sample: ChannelSample, of: Cells = cells) -> None:
            now = self.session.cells
            if now is not None and now.same_pixels(of):
                display.take_sample(sample)

        # As layers show them.
        self.task.run("measuring the channels", channel_sample_job(cells.unscaled), take)

    def end(self) -> None:
        """Change and measure nothing any more: the viewer is closed."""
        self._due = []
        # When Python ends, Qt may have taken the timer away before.
        with suppress(RuntimeError):
            self._soon.stop()
        self.task.abandon()


def _look(layer: Any) -> tuple[str, tuple[float, ...]]:
    """The colour of the brightest pixels, and the limits of the contrast."""
    red, green, blue = (round(255 * float(part)) for part in layer.colormap.colors[-1][:3])
    limits = tuple(float(value) for value in layer.contrast_limits)
    return f"#{red:02x}{green:02x}{blue:02x}", limits


def _end(display: DisplayLayers) -> None:
    display.end()


_DISPLAYS = PerViewer(lambda viewer: DisplayLayers(viewer, session_of(viewer)), _end)


def display_layers_of(viewer: Any) -> DisplayLayers:
    """The one of a viewer; made with its first dock."""
    return _DISPLAYS(viewer)
