"""Edits while a slider moves: only the latest is made, and none comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, Signal

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.viewer.tasks.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_channelmix.viewer.pages.whatif.opened_cell import OpenedCell
    from napari_channelmix.whatif.crops import Scope

__all__ = ["LiveEdit"]

# Seconds that one question may take on the thread of the window; slower ones get a worker.
FAST = 0.02


class LiveEdit(QObject):
    """Edits and asks on the main thread, before the window is painted, where that is quick.

    There is one request at a time: of several only the last one is done, and what was asked for
    before `drop` is not done at all.

    Signals
    -------
    edited(CellCrops)
        The cell with the edit.
    answered((K,) array)
        What the classifier says of it.
    slow(OpenedCell, CellCrops)
        The classifier is too slow to be asked here.
    failed(str)
        Why the edit could not be made, or the classifier not be asked.
    """

    edited = Signal(object)
    answered = Signal(object)
    slow = Signal(object, object)
    failed = Signal(str)
    _due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # How often a cell was edited, and asked about here.
        self.edits = self.questions = 0
        self._pending: tuple[OpenedCell, dict[str, float], Scope] | None = None
        # Posted: after the events at hand, before the window is painted.
        self._due.connect(self._edit, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def ask(self, opened: OpenedCell, moves: Mapping[str, float], scope: Scope) -> None:
        """Have an edit made soon; what was asked for before is not wanted any more."""
        self._pending = opened, dict(moves), scope
        self._due.emit()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._pending = None

    def _edit(self) -> None:
        if self._pending is None:
            return
        (opened, moves, scope), self._pending = self._pending, None
        try:
            with one_thread():
                crops = opened.edited(moves, scope)
                self.edits += 1
                self.edited.emit(crops)
                if opened.seconds > FAST:
                    self.slow.emit(opened, crops)
                    return
                after = opened.asker(crops.pixels)[0]
        except ChannelMixError as error:
            self.failed.emit(str(error))
            return
        self.questions += 1
        self.answered.emit(after)
