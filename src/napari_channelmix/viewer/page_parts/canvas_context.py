"""Layers are removed with the canvas's own OpenGL context in use, not with that of the window.

When a layer is removed, napari (0.9) sends what it has queued for the canvas to OpenGL at once, in
whatever context is in use. Outside of a paint event that is the one Qt puts the window together
with. Buffers are deleted there that the canvas's context still has bound, and the next picture
reads memory that is gone: a segmentation fault, always where points are left when the image layers
below them are removed.
"""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_channelmix.viewer.session.per_viewer import PerViewer

__all__ = ["CanvasContext", "canvas_context_of"]


class CanvasContext:
    """One per viewer: takes the canvas's context in use before napari removes layers."""

    def __init__(self, viewer: Any) -> None:
        self._canvases: weakref.WeakSet[QOpenGLWidget] = weakref.WeakSet()
        events = viewer.layers.events
        # Of several layers at once, napari sends what it has at the end of the batch.
        for name in ("removing", "end_batch"):
            if name in events.emitters:
                # Before napari's own canvas hears of it.
                events[name].connect(self.use, position="first")

    def watch(self, dock: QWidget) -> None:
        """Look for the canvas in the window of a dock."""
        window: QWidget | None = dock
        while window is not None and not isinstance(window, QMainWindow):
            window = window.parentWidget()
        center = window.centralWidget() if isinstance(window, QMainWindow) else None
        if center is not None:
            self._canvases.update(center.findChildren(QOpenGLWidget))

    def use(self, _: object = None) -> None:
        """Take the canvas's context in use."""
        for canvas in list(self._canvases):
            try:
                if canvas.isValid():
                    canvas.makeCurrent()
            except RuntimeError:
                # Its window is gone.
                self._canvases.discard(canvas)


_CONTEXTS = PerViewer(CanvasContext)


def canvas_context_of(viewer: Any) -> CanvasContext:
    """The keeper of a viewer; made with its first dock."""
    return _CONTEXTS(viewer)
