"""Pages that are taken out of the workspace into docks of their own, and put back.

A page is the same widget all the time, so its work goes on. napari says nothing to a page whose
dock it closes, and opens docks of its own for its menus; an event filter sees both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_channelmix.viewer.workspace.page_docks import (
    FROM_PYTHON,
    made_by_menu,
    made_by_python,
    to_front,
)
from napari_channelmix.viewer.workspace.page_list import page_of_widget

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_channelmix.viewer.workspace.page_frame import PageFrame

__all__ = ["PagesOut"]


class PagesOut(QObject):
    """Follows pages that go into docks and come out of them.

    Parameters
    ----------
    workspace : QWidget
        Lies in a dock, beside which pages that are docked become tabs.
    viewer : napari viewer
    frames : dict of str to PageFrame
        Where each page stands, by its key.
    came : callable
        Gets a page that was not in its frame before.
    moved : callable
        Gets the key of a page that went out or came back.
    show_page : callable
        Brings a page to the front, by its key.
    """

    def __init__(
        self,
        workspace: QWidget,
        viewer: Any,
        frames: dict[str, PageFrame],
        *,
        came: Callable[[Any], object],
        moved: Callable[[str], object],
        show_page: Callable[[str], object],
    ) -> None:
        super().__init__(workspace)
        self._workspace, self._viewer, self._frames = workspace, viewer, frames
        self._came, self._moved, self._show_page = came, moved, show_page
        # Pages whose docks are being closed.
        self._closing: list[str] = []

    def take_out(self, key: str, page: Any) -> None:
        """Put a page into a dock of its own, that floats before the window."""
        frame, workspace = self._frames[key], self._workspace
        corner, size = workspace.mapToGlobal(workspace.rect().topLeft()), workspace.size()
        dock = self._viewer.window.add_dock_widget(page, name=f"{frame.info.dock}{FROM_PYTHON}")
        # Where it is docked again, it is a tab beside the workspace.
        self._join(dock)
        dock.setFloating(True)
        dock.resize(max(size.width(), page.minimumWidth()), size.height())
        dock.move(max(0, corner.x() - dock.width() - 40), corner.y())

    def put_back(self, key: str) -> None:
        """Put a page back from its dock; the page stays as it is."""
        frame = self._frames[key]
        dock, page = frame.dock, frame.page
        if page is None or dock is None:
            return
        dock.removeEventFilter(self)
        frame.hold(page)
        self._remove(dock)
        # What the dock said of being in front is no longer true.
        self._moved(key)
        self._show_page(key)

    def find(self) -> None:
        """Pages that Python opened as docks of their own are pages that are out."""
        for widget in list(self._viewer.window.dock_widgets.values()):
            info, dock = page_of_widget(widget), getattr(widget, "parent", lambda: None)()
            if info is None or not isinstance(dock, QDockWidget) or not made_by_python(dock):
                continue
            if self._frames[info.key].page is None:
                self._is_out(info.key, widget, dock)

    def let_go(self, frame: PageFrame) -> None:
        """No longer follow a page that is out, as the workspace is closed."""
        if frame.page is not None:
            frame.page.removeEventFilter(self)
        if frame.dock is not None:
            frame.dock.removeEventFilter(self)

    def _is_out(self, key: str, page: Any, dock: QDockWidget) -> None:
        frame = self._frames[key]
        if frame.page is not page:
            self._came(page)
        dock.installEventFilter(self)
        frame.let_go(page, dock)
        self._moved(key)

    def _remove(self, dock: QDockWidget) -> None:
        """Remove a dock that is empty now."""
        dock.hide()
        self._viewer.window.remove_dock_widget(dock)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow pages that go into docks and come out of them."""
        kind = event.type()
        if kind == QEvent.Type.ParentChange:
            for key, frame in self._frames.items():
                if frame.page is watched:
                    return self._parent_changed(key, frame)
        elif kind == QEvent.Type.Close:
            for key, frame in self._frames.items():
                if frame.dock is watched:
                    self._put_back_soon(key)
        return False

    def _parent_changed(self, key: str, frame: PageFrame) -> bool:
        """A page has another parent; whether the page itself is not to hear of it."""
        parent = frame.page.parent()
        if parent is None:
            # napari closed its dock: the page comes back, and its work goes on.
            self._put_back_soon(key)
            return True
        if isinstance(parent, QDockWidget):
            if made_by_menu(parent):
                parent.hide()
                QTimer.singleShot(0, lambda: self._return(key, parent))
            else:
                self._is_out(key, frame.page, parent)
                # Once napari has put it into the window.
                QTimer.singleShot(0, lambda: self._join(parent))
        return False

    def _join(self, dock: QDockWidget) -> None:
        """Make a page that is out a tab beside the workspace, where both are in one place."""
        ours = self._workspace.parent()
        window = dock.parent()
        if not isinstance(ours, QDockWidget) or not isinstance(window, QMainWindow):
            return
        same_area = window.dockWidgetArea(dock) == window.dockWidgetArea(ours)
        if same_area and not dock.isFloating() and not ours.isFloating():
            window.tabifyDockWidget(ours, dock)
            to_front(dock)

    def _return(self, key: str, dock: QDockWidget) -> None:
        """A menu asked for a page: it stands here, not in the dock that napari made for it."""
        page = self._frames[key].page
        if page is not None and page.parent() is dock:
            self._frames[key].hold(page)
        self._remove(dock)
        self._show_page(key)

    def _put_back_soon(self, key: str) -> None:
        """Once Qt is through with closing the dock."""
        self._closing.append(key)
        QTimer.singleShot(0, self._put_all_back)

    def _put_all_back(self) -> None:
        keys, self._closing = self._closing, []
        for key in keys:
            frame = self._frames[key]
            if frame.page is not None and frame.page.parent() is None:
                frame.hold(frame.page)
                self._moved(key)
            elif self._workspace.window().isVisible():
                self.put_back(key)
