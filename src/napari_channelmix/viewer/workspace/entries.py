"""What napari's menus, its command palette and `add_plugin_dock_widget` call.

All three call the same class and dock what it gives. What Python asks for stays in that dock. What
a menu asks for is shown in the workspace instead: the dock that napari makes for it is hidden
before it is seen, and removed. So a menu entry never finds a dock of its own that it would hide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_channelmix.viewer.session.session import own_viewer
from napari_channelmix.viewer.workspace.page_list import page_info
from napari_channelmix.viewer.workspace.workspace import (
    FROM_PYTHON,
    TITLE,
    Workspace,
    find_workspace,
    made_by_menu,
    workspace_of,
)

if TYPE_CHECKING:
    import napari

__all__ = [
    "AnnotateEntry",
    "ChannelsEntry",
    "ClassifierEntry",
    "DataEntry",
    "Entry",
    "FirstStepsEntry",
    "LatentsEntry",
    "PhenotypesEntry",
    "PixelsEntry",
    "ReportEntry",
    "WhatIfEntry",
    "WorkspaceEntry",
]


class Entry(QWidget):
    """A page of the workspace; called by napari as a widget class, it gives the page itself."""

    # Key of the page.
    page = ""

    def __new__(cls, viewer: napari.viewer.Viewer) -> Any:
        """The page, if there is one already; of one that is out, something that leads there."""
        workspace = find_workspace(viewer)
        if workspace is not None:
            out = workspace.frames[cls.page].dock is not None
            return Messenger(viewer, cls) if out else workspace.page(cls.page)
        info = page_info(cls.page)
        if f"{info.dock}{FROM_PYTHON}" in own_viewer(viewer).window.dock_widgets:
            return Messenger(viewer, cls)
        widget = info.widget_class()(viewer)
        Arrival(widget, viewer, cls)
        return widget

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        # Never called, since no instance is made; napari reads here that it takes a viewer.
        raise NotImplementedError

    @classmethod
    def open(cls, viewer: Any, *, front: bool = True) -> Any:
        """Show the page in the workspace, and give its widget; ``front`` False: only make it."""
        workspace = workspace_of(viewer)
        if front:
            workspace.show_page(cls.page)
        return workspace.page(cls.page)

    @classmethod
    def arrived(cls, viewer: Any, widget: Any, dock: QDockWidget) -> None:
        """Move what napari docked for a menu into the workspace."""
        workspace = workspace_of(viewer)
        workspace.adopt(cls.page, widget)
        own_viewer(viewer).window.remove_dock_widget(dock)
        workspace.show_page(cls.page)


class DataEntry(Entry):
    """Images and cells."""

    page = "data"


class AnnotateEntry(Entry):
    """Classes given by hand."""

    page = "annotate"


class ClassifierEntry(Entry):
    """Training, and what came of it."""

    page = "classifier"


class ChannelsEntry(Entry):
    """Channel importance."""

    page = "channels"


class PixelsEntry(Entry):
    """Maps of single cells."""

    page = "pixels"


class WhatIfEntry(Entry):
    """Edits of real cells."""

    page = "whatif"


class LatentsEntry(Entry):
    """Latent traversals."""

    page = "latents"


class PhenotypesEntry(Entry):
    """The gallery."""

    page = "phenotypes"


class ReportEntry(Entry):
    """Report, script, exports."""

    page = "report"


class WorkspaceEntry(Entry):
    """The workspace as it is."""

    def __new__(cls, viewer: napari.viewer.Viewer) -> Any:
        """A workspace; where it is open already, something that brings it to the front."""
        if find_workspace(viewer) is not None:
            return Messenger(viewer, cls)
        workspace = Workspace(viewer)
        Arrival(workspace, viewer, cls)
        return workspace

    @classmethod
    def open(cls, viewer: Any, *, front: bool = True) -> Workspace:
        """Show the workspace, at the page that is chosen."""
        workspace = workspace_of(viewer)
        if front:
            workspace.show_page(workspace.current, at_once=False)
        return workspace

    @classmethod
    def arrived(cls, viewer: Any, widget: Any, dock: QDockWidget) -> None:
        """Put the workspace into a dock whose name no menu entry has."""
        window = own_viewer(viewer).window
        window.remove_dock_widget(dock)
        window.add_dock_widget(widget, name=TITLE)
        cls.open(viewer)


class FirstStepsEntry(WorkspaceEntry):
    """The workspace, at the page that comes next."""

    @classmethod
    def open(cls, viewer: Any, *, front: bool = True) -> Workspace:
        """Show the page that comes next on the way to an explanation."""
        workspace = workspace_of(viewer)
        if front:
            workspace.show_next()
        return workspace


class Arrival(QObject):
    """Waits until napari docks a widget, and moves it where that was for a menu."""

    def __init__(self, widget: QWidget, viewer: Any, entry: type[Entry]) -> None:
        super().__init__(widget)
        self._widget, self._viewer, self._entry = widget, viewer, entry
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Of its first dock; later ones are the workspace's matter."""
        parent = self._widget.parent()
        if event.type() == QEvent.Type.ParentChange and isinstance(parent, QDockWidget):
            self._widget.removeEventFilter(self)
            if made_by_menu(parent):
                parent.hide()
                # Once napari is through with docking it.
                QTimer.singleShot(
                    0, lambda: self._entry.arrived(self._viewer, self._widget, parent)
                )
        return False


class Messenger(QWidget):
    """Docked by napari, it shows what is open already and goes."""

    def __init__(self, viewer: Any, entry: type[Entry]) -> None:
        super().__init__()
        self._viewer, self._entry = viewer, entry

    def event(self, event: QEvent) -> bool:
        """Hide the dock before it is seen."""
        parent = self.parent()
        if event.type() == QEvent.Type.ParentChange and isinstance(parent, QDockWidget):
            parent.hide()
            QTimer.singleShot(0, lambda: self._deliver(parent))
        return super().event(event)

    def _deliver(self, dock: QDockWidget) -> None:
        own_viewer(self._viewer).window.remove_dock_widget(dock)
        self.deleteLater()
        self._entry.open(self._viewer)
