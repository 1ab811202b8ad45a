"""A widget that napari puts into a dock: it hears where it goes, and lets go of all at its end."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_channelmix.viewer.page_parts.canvas_context import canvas_context_of
from napari_channelmix.viewer.session.per_viewer import own_viewer
from napari_channelmix.viewer.session.session import Session, session_of

__all__ = ["DockedWidget"]

Connection = tuple[Any, Callable[..., object]]


class DockedWidget(QWidget):
    """A page, or the workspace of all pages.

    napari never calls ``closeEvent`` of a docked widget. Work therefore stops when the widget
    loses its parent (the dock was removed), and when the main window vanishes.

    Attributes
    ----------
    viewer : napari viewer
    session : Session
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = own_viewer(viewer)
        self.session: Session = session_of(viewer)
        self._connections: list[Connection] = []
        self._connections_to_layers: list[Connection] = []
        # Nothing of this object may be used once it is destroyed, so the ends are held apart.
        lists = (self._connections, self._connections_to_layers)
        self.destroyed.connect(lambda *_: _disconnect(*lists))

    def follow(self, signal: Any, slot: Callable[..., object]) -> None:
        """Call ``slot`` on a signal of session, viewer or layers, as long as this widget lives."""
        signal.connect(slot)
        self._connections.append((signal, slot))

    def follow_images(self, names: Collection[str], slot: Callable[..., object]) -> None:
        """Call ``slot`` on events of the image layers that are shown, in place of those before.

        Parameters
        ----------
        names : collection of str
            Of events of a layer, as ``visible``.
        slot : callable
        """
        _disconnect(self._connections_to_layers)
        shown = self.session.shown
        # Several channels share a layer that has a channel axis.
        images = {} if shown is None else {id(image): image for image in shown.images.values()}
        for image in images.values():
            for name in names:
                signal = getattr(image.events, name)
                signal.connect(slot)
                self._connections_to_layers.append((signal, slot))

    def event(self, event: QEvent) -> bool:
        """Stop the work where napari takes the dock or the window away; hear of other docks."""
        parent = self.parent()
        if event.type() == QEvent.Type.ParentChange and parent is None:
            self.undocked()
        elif event.type() == QEvent.Type.ParentChange and isinstance(parent, QDockWidget):
            # Qt does not hide a dock that another one comes in front of.
            parent.visibilityChanged.connect(self.front_changed)
            self.docked(parent)
            # Once napari has put it into the window.
            QTimer.singleShot(0, self._arrived)
        elif event.type() == QEvent.Type.Hide and not event.spontaneous():
            window = self.window()
            if isinstance(window, QMainWindow) and not window.isVisible():
                self.halt()
        return super().event(event)

    def _arrived(self) -> None:
        canvas_context_of(self.viewer).watch(self)
        self.arrived()

    def front_changed(self, front: bool) -> None:
        """The dock came in front of the others, or is behind one."""

    def docked(self, dock: QDockWidget) -> None:
        """It stands in a dock, which is not in the window yet."""

    def arrived(self) -> None:
        """Its dock is in the window."""

    def undocked(self) -> None:
        """Its dock was removed."""
        self.halt()

    def halt(self) -> None:
        """Stop every work of this widget."""


def _disconnect(*lists: list[Connection]) -> None:
    for connections in lists:
        for signal, slot in connections:
            if isinstance(signal, SignalInstance):
                signal.disconnect(slot, missing_ok=True)
            else:
                signal.disconnect(slot)
        connections.clear()
