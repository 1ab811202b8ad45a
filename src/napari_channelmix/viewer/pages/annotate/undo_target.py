"""What Undo and Redo are about: the last change of classes, or the last stroke in a Labels layer.

Changes of classes and strokes are numbered by one clock (`edits.tick`), so that the later one is
known. Strokes of the user count; what this plugin draws, as the layer 'classes', does not.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Labels

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.edits import tick

if TYPE_CHECKING:
    from napari_channelmix.viewer.page_parts.base_page import Page

__all__ = ["Latest"]


class Latest:
    """Follows the session and every Labels layer, as long as its dock lives."""

    def __init__(self, page: Page) -> None:
        self._session, self._layers = page.session, page.viewer.layers
        # Numbers of the strokes in each layer, and of those that were taken back, as in napari.
        self._strokes: weakref.WeakKeyDictionary[Any, tuple[list[int], list[int]]] = (
            weakref.WeakKeyDictionary()
        )
        page.follow(self._layers.events.inserted, self._inserted)
        page.follow(self._layers.events.removed, self._removed)
        for layer in self._layers:
            self._watch(layer)

    # ---------------------------------------------------------------- what is done

    def _inserted(self, event: Any) -> None:
        self._watch(event.value)

    def _watch(self, layer: Any) -> None:
        if isinstance(layer, Labels):
            layer.events.paint.connect(self._painted)
            layer.events.data.connect(self._replaced)

    def _removed(self, event: Any) -> None:
        if isinstance(event.value, Labels):
            event.value.events.paint.disconnect(self._painted)
            event.value.events.data.disconnect(self._replaced)
            self._strokes.pop(event.value, None)

    def _painted(self, event: Any) -> None:
        if not layers.is_own(event.source):
            done, _ = self._strokes.get(event.source, ([], []))
            # What was taken back before cannot be made again, in napari neither.
            self._strokes[event.source] = [*done, tick()], []

    def _replaced(self, event: Any) -> None:
        # Other pixels: napari forgets its strokes.
        self._strokes.pop(event.source, None)

    # ---------------------------------------------------------------- Undo and Redo

    def undo(self) -> bool:
        """Take back what was done last; False where nothing is known that could be."""
        layer, edit = self._latest(0), self._session.edits.last
        if layer is not None and (edit is None or self._strokes[layer][0][-1] > edit.time):
            return self._move(layer, 0) or self.undo()
        if edit is None:
            return False
        self._session.undo()
        return True

    def redo(self) -> bool:
        """Make again what was taken back last; False where nothing is known that could be."""
        layer, edit = self._latest(1), self._session.edits.next
        # What was taken back last was done first.
        if layer is not None and (edit is None or self._strokes[layer][1][-1] < edit.time):
            return self._move(layer, 1) or self.redo()
        if edit is None:
            return False
        self._session.redo()
        return True

    @property
    def undoable(self) -> bool:
        """Whether `undo` has anything to take back."""
        return self._latest(0) is not None or self._session.edits.last is not None

    @property
    def redoable(self) -> bool:
        """Whether `redo` has anything to make again."""
        return self._latest(1) is not None or self._session.edits.next is not None

    def _latest(self, side: int) -> Any:
        """The layer whose stroke is next, done (0) or taken back (1): the active one before others.

        Strokes of the active layer are what napari's own keys are about.
        """
        able = [layer for layer in self._layers if self._strokes.get(layer, ([], []))[side]]
        active = self._layers.selection.active
        if any(layer is active for layer in able):
            return active
        pick = (max, min)[side]
        return pick(able, key=lambda layer: self._strokes[layer][side][-1], default=None)

    def _move(self, layer: Any, side: int) -> bool:
        """Take the last stroke back, or make it again; False: napari has done so before."""
        changed: list[bool] = []

        def drawn(_: Any = None) -> None:
            changed.append(True)

        layer.events.set_data.connect(drawn)
        try:
            (layer.undo, layer.redo)[side]()
        finally:
            layer.events.set_data.disconnect(drawn)
        if not changed:
            # By napari's key, while another dock was in front.
            self._strokes[layer][side].clear()
            return False
        self._strokes[layer][1 - side].append(self._strokes[layer][side].pop())
        return True
