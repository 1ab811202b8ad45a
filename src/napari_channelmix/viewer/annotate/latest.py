"""Whether the last change was of classes or of the pixels of a Labels layer: what Undo is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Labels

if TYPE_CHECKING:
    from napari_channelmix.viewer.dock import Dock

__all__ = ["Latest"]


class Latest:
    """Follows the session and every Labels layer, as long as its dock lives."""

    def __init__(self, dock: Dock) -> None:
        # Whether classes were changed after any painting in a layer.
        self.classes = False
        dock.follow(dock.session.edited, self._classed)
        dock.follow(dock.viewer.layers.events.inserted, self._inserted)
        dock.follow(dock.viewer.layers.events.removed, self._removed)
        for layer in dock.viewer.layers:
            self._watch(layer)

    def _classed(self) -> None:
        self.classes = True

    def _painted(self, event: Any = None) -> None:
        self.classes = False

    def _inserted(self, event: Any) -> None:
        self._watch(event.value)

    def _removed(self, event: Any) -> None:
        if isinstance(event.value, Labels):
            event.value.events.paint.disconnect(self._painted)

    def _watch(self, layer: Any) -> None:
        if isinstance(layer, Labels):
            layer.events.paint.connect(self._painted)
