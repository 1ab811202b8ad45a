"""Pictures of latents while sliders move: only the latest is drawn, and none comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, Signal

from napari_channelmix.viewer.tasks.one_thread import one_thread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.drl.nearest_cells import Drawer

__all__ = ["Drawing"]


class Drawing(QObject):
    """Decodes on the main thread, where it takes a millisecond, before the window is painted.

    There is one request at a time: of several only the last one is drawn, and what was asked for
    before `drop` is not drawn at all. A timer would come after the slider was painted: the window
    would be painted twice, which takes far longer than the decoder where OpenGL is done by the CPU.
    """

    drawn = Signal(object)
    _due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # How often the decoder was at work.
        self.decoded = 0
        self._pending: tuple[Drawer, npt.NDArray[np.float32]] | None = None
        # Posted: after the events at hand, before the window is painted.
        self._due.connect(self._draw, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def ask(self, of: Drawer, z: npt.NDArray[np.float32]) -> None:
        """Have latents (Z,) drawn soon; what was asked for before is not wanted any more."""
        self._pending = of, z
        self._due.emit()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._pending = None

    def _draw(self) -> None:
        if self._pending is None:
            return
        (of, z), self._pending = self._pending, None
        self.decoded += 1
        with one_thread():
            picture = of.decode(z[None])[0]
        self.drawn.emit(picture)
