"""The workspace: rail, what is in hand, and the page that is chosen.

1. A page is made when it is first shown, and is today's dock: `viewer.dock.Dock`.
2. How far each page is, is read off the session whenever it changes (`page_state`).
3. A page can be taken out into a dock of napari's and is put back when that is closed; it is the
   same widget all the time, so its work goes on.
4. What napari's menus open comes here (`entries`), and never hides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.frame.canvas_context import canvas_context_of
from napari_channelmix.viewer.session.session import Session, own_viewer, session_of
from napari_channelmix.viewer.widgets.accessible_names import name_controls
from napari_channelmix.viewer.workspace.header import Header, Running
from napari_channelmix.viewer.workspace.page_frame import PageFrame
from napari_channelmix.viewer.workspace.page_list import PAGES, page_info, page_of_widget
from napari_channelmix.viewer.workspace.page_state import next_page, page_states
from napari_channelmix.viewer.workspace.rail import WIDTH as RAIL_WIDTH
from napari_channelmix.viewer.workspace.rail import Rail
from napari_channelmix.viewer.workspace.steps import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.viewer.workspace.steps import Action

__all__ = ["FROM_PYTHON", "TITLE", "Workspace", "find_workspace", "made_by_menu", "workspace_of"]

TITLE = "ChannelMix"
# What napari puts behind the name of a dock that its menus open, and that Python opens.
FROM_MENU, FROM_PYTHON = f" ({TITLE})", " (napari-channelmix)"
# Of a page beside the rail: what the widest one needs.
PAGE_WIDTH = 332
# Qt's own word for no limit.
ANY_WIDTH = 16_777_215
# For the sample, whose classes are told apart easily: the smallest network, few passes.
QUICK_NETWORK, QUICK_EPOCHS = "tiny", 12
# Milliseconds in which changes are gathered: one data set brings many layers.
PAUSE = 20


class Workspace(QWidget):
    """All pages in one dock.

    Attributes
    ----------
    current : str
        Key of the page that is chosen.
    frames : dict of str to PageFrame
        Where each page stands, by its key.
    folded : bool
        Whether only the rail is shown.
    """

    page_changed = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = own_viewer(viewer)
        self.session: Session = session_of(viewer)
        self.setAccessibleName(TITLE)
        theme = self.viewer.theme
        self.folded = False
        # Whether the dock is in front of the others in its place.
        self._in_front = False
        self._fronts: dict[str, bool] = {}
        self._back: list[str] = []
        self.rail = Rail(PAGES, theme)
        self.header = Header(self.session, theme)
        self.stack = QStackedWidget()
        self.frames = {page.key: PageFrame(page, theme) for page in PAGES}
        self.current = PAGES[0].key
        self._ties: list[tuple[Any, Callable[..., object]]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self.refresh)
        self._build()
        self._connect()
        self._find_pages()
        self.refresh()

    def _build(self) -> None:
        line = QFrame()
        line.setFrameShape(QFrame.Shape.VLine)
        line.setFixedWidth(1)
        self._right = QWidget()
        column = QVBoxLayout(self._right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.stack, 1)
        self._right.setMinimumWidth(PAGE_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(line)
        row.addWidget(self._right, 1)
        for frame in self.frames.values():
            self.stack.addWidget(frame)

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.rail.mend_wanted.connect(self._mend)
        self.rail.fold.clicked.connect(lambda: self.fold(not self.folded))
        self.header.page_wanted.connect(self.show_page)
        self.header.cancel_wanted.connect(self._cancel)
        self.header.data_set_wanted.connect(lambda key: self.page("data").switch_to(key))
        for key, frame in self.frames.items():
            frame.take_out_wanted.connect(lambda key=key: self.take_out(key))
            frame.put_back_wanted.connect(lambda key=key: self.put_back(key))
            frame.front_wanted.connect(lambda key=key: self.show_page(key))
            frame.guide.page_wanted.connect(self.show_page)
            frame.guide.action_wanted.connect(self.do)
            frame.guide.anyway_wanted.connect(lambda key=key: self.show_page(key))
        session, events = self.session, self.viewer.layers.events
        for signal in (
            session.cells_changed,
            session.source_changed,
            session.shown_changed,
            session.trained_changed,
            session.history_changed,
            session.predictions_changed,
            session.importance_changed,
            session.explained_changed,
            session.latents_changed,
            session.painting_changed,
            session.running_changed,
            session.data_sets_changed,
            events.inserted,
            events.removed,
        ):
            self._follow(signal, self._changed)
        self._follow(self.viewer.events.theme, self._theme_changed)
        # Nothing of this object may be used once it is destroyed, so the ends are held apart.
        ties = self._ties
        self.destroyed.connect(lambda *_: _disconnect(ties))

    def _follow(self, signal: Any, slot: Callable[..., object]) -> None:
        signal.connect(slot)
        self._ties.append((signal, slot))

    # ---------------------------------------------------------------- pages

    def page(self, name: str) -> Any:
        """The widget of a page, made where it was not shown yet; ``name`` as for `page_info`."""
        info = page_info(name)
        frame = self.frames[info.key]
        if frame.page is None:
            self.adopt(info.key, info.widget_class()(self.viewer))
        return frame.page

    def adopt(self, key: str, page: Any) -> None:
        """Take in a page that was made elsewhere, or in a dock that is about to go."""
        frame = self.frames[key]
        new = frame.page is not page
        if new:
            self._watch(page)
        frame.hold(page)
        if new:
            name_controls(page)
        self._tell_fronts()

    def _watch(self, page: Any) -> None:
        """Hear where a page goes, and what it works on."""
        page.installEventFilter(self)
        task = page.task
        for signal in (task.started, task.updated, task.ended):
            signal.connect(self._changed)

    def show_page(self, name: str, *, at_once: bool = True) -> Any:
        """Bring a page to the front, wherever it is, and give its widget.

        Where something is missing, that is shown in its place, and the widget is None where it was
        not made yet. ``at_once`` False: what has to be made is made once the window was drawn.
        """
        key = page_info(name).key
        frame = self.frames[key]
        # What is missing may have come a moment ago.
        self._show_states()
        self.fold(False)
        if not at_once:
            self._changed()
        elif frame.wants_page and frame.page is None:
            self.page(key)
        self.current = key
        self.rail.choose(key)
        self.stack.setCurrentWidget(frame)
        if frame.dock is None:
            self.come_to_front()
        else:
            _to_front(frame.dock)
        self._tell_fronts()
        self._show_next()
        self._show_running()
        self.page_changed.emit(key)
        return frame.page

    def show_next(self) -> None:
        """Show the page that comes next on the way to an explanation, or the one that is chosen."""
        following = next_page(self.session, self.viewer.layers) or self.current
        self.show_page(following, at_once=False)

    def come_to_front(self) -> None:
        """Show the dock of the workspace before all others."""
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            _to_front(dock)

    def fold(self, folded: bool) -> None:
        """Show only the rail, or the page beside it again."""
        if folded == self.folded:
            return
        self.folded = folded
        self._right.setVisible(not folded)
        self.rail.fold.show_folded(folded)
        # A dock that may be narrower does not become so by itself.
        self.setMaximumWidth(self.sizeHint().width() if folded else ANY_WIDTH)
        QTimer.singleShot(0, self.resize_dock)
        self._tell_fronts()

    def resize_dock(self) -> None:
        """Make the dock as wide as it needs to be, and no wider."""
        dock = self.parent()
        window = dock.parent() if isinstance(dock, QDockWidget) else None
        if isinstance(dock, QDockWidget) and isinstance(window, QMainWindow):
            # Qt wrote down what it needed before it stood in the window, as a limit of its own.
            dock.setMinimumWidth(0)
            window.resizeDocks([dock], [self.sizeHint().width()], Qt.Orientation.Horizontal)

    def sizeHint(self) -> QSize:
        """As wide as the pages need: what is left is the picture's."""
        return QSize(RAIL_WIDTH + 1 + (0 if self.folded else PAGE_WIDTH), 640)

    # ---------------------------------------------------------------- out and back

    def take_out(self, name: str) -> None:
        """Put a page into a dock of its own, that floats before the window."""
        key = page_info(name).key
        frame = self.frames[key]
        page = self.page(key)
        if frame.dock is not None:
            self.show_page(key)
            return
        corner, size = self.mapToGlobal(self.rect().topLeft()), self.size()
        dock = self.viewer.window.add_dock_widget(page, name=f"{frame.info.dock}{FROM_PYTHON}")
        # Where it is docked again, it is a tab beside the workspace.
        self._join(dock)
        dock.setFloating(True)
        dock.resize(max(size.width(), page.minimumWidth()), size.height())
        dock.move(max(0, corner.x() - dock.width() - 40), corner.y())
        self._tell_fronts()

    def put_back(self, name: str) -> None:
        """Put a page back from its dock; the page stays as it is."""
        key = page_info(name).key
        frame = self.frames[key]
        dock, page = frame.dock, frame.page
        if page is None or dock is None:
            return
        dock.removeEventFilter(self)
        frame.hold(page)
        self._remove(dock)
        # What the dock said of being in front is no longer true.
        self._fronts.pop(key, None)
        self.show_page(key)

    def _find_pages(self) -> None:
        """Pages that Python opened as docks of their own are pages that are out."""
        for widget in list(self.viewer.window.dock_widgets.values()):
            info, dock = page_of_widget(widget), getattr(widget, "parent", lambda: None)()
            if info is None or not isinstance(dock, QDockWidget) or not made_by_python(dock):
                continue
            if self.frames[info.key].page is None:
                self._is_out(info.key, widget, dock)

    def _is_out(self, key: str, page: Any, dock: QDockWidget) -> None:
        frame = self.frames[key]
        if frame.page is not page:
            self._watch(page)
        dock.installEventFilter(self)
        frame.let_go(page, dock)
        self._fronts.pop(key, None)

    def _remove(self, dock: QDockWidget) -> None:
        """Remove a dock that is empty now."""
        dock.hide()
        self.viewer.window.remove_dock_widget(dock)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow pages that go into docks and come out of them."""
        kind = event.type()
        if kind == QEvent.Type.ParentChange:
            for key, frame in self.frames.items():
                if frame.page is watched:
                    return self._moved(key, frame)
        elif kind == QEvent.Type.Close:
            for key, frame in self.frames.items():
                if frame.dock is watched:
                    self._put_back_soon(key)
        return False

    def _moved(self, key: str, frame: PageFrame) -> bool:
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
        ours = self.parent()
        window = dock.parent()
        if not isinstance(ours, QDockWidget) or not isinstance(window, QMainWindow):
            return
        one_place = window.dockWidgetArea(dock) == window.dockWidgetArea(ours)
        if one_place and not dock.isFloating() and not ours.isFloating():
            window.tabifyDockWidget(ours, dock)
            _to_front(dock)

    def _return(self, key: str, dock: QDockWidget) -> None:
        """A menu asked for a page: it stands here, not in the dock that napari made for it."""
        page = self.frames[key].page
        if page is not None and page.parent() is dock:
            self.frames[key].hold(page)
        self._remove(dock)
        self.show_page(key)

    def _put_back_soon(self, key: str) -> None:
        """Once Qt is through with closing the dock."""
        self._back.append(key)
        QTimer.singleShot(0, self._put_all_back)

    def _put_all_back(self) -> None:
        keys, self._back = self._back, []
        for key in keys:
            frame = self.frames[key]
            if frame.page is not None and frame.page.parent() is None:
                frame.hold(frame.page)
                self._fronts.pop(key, None)
                self._tell_fronts()
            elif self.window().isVisible():
                self.put_back(key)

    # ---------------------------------------------------------------- what the buttons do

    def do(self, action: Action) -> None:
        """Do what a button of a guide offers, unless that cannot be done any more."""
        states = page_states(self.session, self.viewer.layers)
        if action not in states[page_info(action.dock).key].actions:
            # What is seen may be older than the session, as after the first of two quick clicks.
            return
        if action.kind == "sample":
            self.page(action.dock).open_sample(SAMPLE)
        elif action.kind == "train":
            classifier = self.page(action.dock)
            classifier.network.setCurrentText(QUICK_NETWORK)
            classifier.epochs.setValue(QUICK_EPOCHS)
            classifier.start()
        else:
            page = self.show_page(action.dock)
            if action.kind == "click" and page is not None:
                # In front it listens to clicks, unless the user switched that off before.
                page.toggle.setChecked(True)

    def _mend(self, key: str) -> None:
        """Go where that is found which a page waits for."""
        state = self.frames[key].state
        self.show_page(state.mended_on or key)

    def _cancel(self, key: str) -> None:
        page = self.frames[key].page
        if page is not None:
            page.task_bar.cancel.click()

    # ---------------------------------------------------------------- what is there

    def _changed(self, _: object = None) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def refresh(self) -> None:
        """Bring rail, header and empty states up to date with the session."""
        self._show_states()
        self.header.fill()
        frame = self.frames[self.current]
        if frame.wants_page and frame.page is None and self._in_front:
            # What was missing is there now.
            self.page(self.current)
        self._tell_fronts()
        self._show_next()
        self._show_running()

    def _show_states(self) -> None:
        states = page_states(self.session, self.viewer.layers)
        self.rail.show_states(states)
        for key, state in states.items():
            if state != self.frames[key].state:
                self.frames[key].show_state(state)

    def _show_next(self) -> None:
        following = next_page(self.session, self.viewer.layers)
        title = page_info(following).title if following else ""
        self.header.show_next("" if following == self.current else following, title)

    def _show_running(self) -> None:
        """Work on pages that are not in sight; a page that is has a bar of its own."""
        running = []
        for key, frame in self.frames.items():
            page = frame.page
            in_sight = frame.dock is not None or key == self.current
            if page is not None and page.task.busy and not in_sight:
                bar = page.task_bar
                running.append(
                    Running(key, frame.info.title, bar.stage.text(), bar.bar.value() / 1000)
                )
        self.header.show_running(running)

    def _tell_fronts(self) -> None:
        """Tell each page whether it is in front: there clicks in the picture are its own."""
        for key, frame in self.frames.items():
            if frame.page is None or frame.dock is not None:
                continue
            front = self._in_front and not self.folded and key == self.current and frame.shows_page
            if self._fronts.get(key) != front:
                self._fronts[key] = front
                frame.page.front_changed(front)

    def _front_changed(self, front: bool) -> None:
        self._in_front = front
        if front and self.frames[self.current].page is None:
            self._changed()
        self._tell_fronts()

    def _theme_changed(self, _: object = None) -> None:
        theme = self.viewer.theme
        self.rail.follow_theme(theme)
        self.header.follow_theme(theme)
        for frame in self.frames.values():
            frame.follow_theme(theme)

    def event(self, event: QEvent) -> bool:
        """Stop the work where napari takes the dock or the window away."""
        parent = self.parent()
        if event.type() == QEvent.Type.ParentChange and parent is None:
            self._closed()
        elif event.type() == QEvent.Type.ParentChange and isinstance(parent, QDockWidget):
            parent.visibilityChanged.connect(self._front_changed)
            # Once napari has put it into the window.
            QTimer.singleShot(0, self._docked)
        elif event.type() == QEvent.Type.Hide and not event.spontaneous():
            window = self.window()
            if isinstance(window, QMainWindow) and not window.isVisible():
                self.halt()
        return super().event(event)

    def _docked(self) -> None:
        canvas_context_of(self.viewer).watch(self)
        self._find_pages()
        self.resize_dock()

    def _closed(self) -> None:
        """The dock was closed: pages that are out live on by themselves, work here stops."""
        for frame in self.frames.values():
            if frame.dock is not None:
                frame.page.removeEventFilter(self)
                frame.dock.removeEventFilter(self)
                task = frame.page.task
                for signal in (task.started, task.updated, task.ended):
                    signal.disconnect(self._changed, missing_ok=True)
                frame.forget()
        self.halt()

    def halt(self) -> None:
        """Stop every work of every page."""
        for frame in self.frames.values():
            if frame.page is not None:
                frame.page.halt()


def find_workspace(viewer: Any) -> Workspace | None:
    """The workspace that is open in a viewer, also where its dock is hidden."""
    widgets = own_viewer(viewer).window.dock_widgets.values()
    return next((widget for widget in widgets if isinstance(widget, Workspace)), None)


def workspace_of(viewer: Any) -> Workspace:
    """The workspace of a viewer; opened where it is not."""
    workspace = find_workspace(viewer)
    if workspace is None:
        workspace = Workspace(viewer)
        own_viewer(viewer).window.add_dock_widget(workspace, name=TITLE)
    return workspace


def made_by_menu(dock: QDockWidget) -> bool:
    """Whether napari's menus or its command palette made a dock."""
    return dock.objectName().endswith(FROM_MENU)


def made_by_python(dock: QDockWidget) -> bool:
    """Whether `add_plugin_dock_widget` made a dock, or the workspace took a page out into it."""
    return dock.objectName().endswith(FROM_PYTHON)


def _to_front(dock: QDockWidget) -> None:
    dock.show()
    dock.raise_()
    if dock.isFloating():
        dock.activateWindow()


def _disconnect(ties: list[tuple[Any, Callable[..., object]]]) -> None:
    from psygnal import SignalInstance

    for signal, slot in ties:
        if isinstance(signal, SignalInstance):
            signal.disconnect(slot, missing_ok=True)
        else:
            signal.disconnect(slot)
    ties.clear()
