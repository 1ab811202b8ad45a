"""The workspace: rail, what is in hand, and the page that is chosen.

1. A page is made when it is first shown, and is a `page_parts.base_page.Page`.
2. How far each page is, is read off the session whenever it changes (`page_state`).
3. A page can be taken out into a dock of napari's and is put back when that is closed
   (`pages_out`).
4. What napari's menus open comes here (`entries`), and never hides anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.page_parts.docked_widget import DockedWidget
from napari_channelmix.viewer.session.per_viewer import own_viewer
from napari_channelmix.viewer.widgets.accessible_names import name_controls
from napari_channelmix.viewer.workspace.canvas_drops import CanvasDrops
from napari_channelmix.viewer.workspace.header import Header, Running
from napari_channelmix.viewer.workspace.page_docks import (
    FROM_PYTHON,
    TITLE,
    made_by_menu,
    to_front,
)
from napari_channelmix.viewer.workspace.page_frame import PageFrame
from napari_channelmix.viewer.workspace.page_list import PAGES, page_info
from napari_channelmix.viewer.workspace.page_state import next_page, page_states
from napari_channelmix.viewer.workspace.pages_out import PagesOut
from napari_channelmix.viewer.workspace.rail import WIDTH as RAIL_WIDTH
from napari_channelmix.viewer.workspace.rail import Rail
from napari_channelmix.viewer.workspace.steps import SAMPLE

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.viewer.workspace.steps import Action

__all__ = ["FROM_PYTHON", "TITLE", "Workspace", "find_workspace", "made_by_menu", "workspace_of"]

# Of a page beside the rail: what the widest one needs.
PAGE_WIDTH = 332
# Qt's own word for no limit.
ANY_WIDTH = 16_777_215
# For the sample, whose classes are told apart easily: the smallest network, few passes.
QUICK_NETWORK, QUICK_EPOCHS = "tiny", 12
# Milliseconds in which changes are gathered: one data set brings many layers.
PAUSE = 20


class Workspace(DockedWidget):
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
        super().__init__(viewer)
        self.setAccessibleName(TITLE)
        theme = self.viewer.theme
        self.folded = False
        # Whether the dock is in front of the others in its place.
        self._in_front = False
        self._fronts: dict[str, bool] = {}
        self.rail = Rail(PAGES, theme)
        self.header = Header(self.session, theme)
        self.stack = QStackedWidget()
        self.frames = {page.key: PageFrame(page, theme) for page in PAGES}
        self.current = PAGES[0].key
        self._out = PagesOut(
            self,
            self.viewer,
            self.frames,
            came=self._watch,
            moved=self._page_moved,
            show_page=self.show_page,
        )
        self._drops = CanvasDrops(self, self.open_file)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self.refresh)
        self._build()
        self._connect()
        self._out.find()
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
        self.rail.fix_requested.connect(self._mend)
        self.rail.fold.clicked.connect(lambda: self.fold(not self.folded))
        self.header.page_requested.connect(self.show_page)
        self.header.cancel_requested.connect(self._cancel)
        self.header.legend.refused.connect(show_info)
        self.header.data_set_requested.connect(lambda key: self.page("data").switch_to(key))
        for key, frame in self.frames.items():
            frame.take_out_requested.connect(lambda key=key: self.take_out(key))
            frame.put_back_requested.connect(lambda key=key: self.put_back(key))
            frame.front_requested.connect(lambda key=key: self.show_page(key))
            frame.guide.page_requested.connect(self.show_page)
            frame.guide.action_requested.connect(self.do)
            frame.guide.anyway_requested.connect(lambda key=key: self.show_page(key))
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
            session.what_if_changed,
            session.painting_changed,
            session.running_changed,
            session.data_sets_changed,
            session.display.changed,
            events.inserted,
            events.removed,
        ):
            self.follow(signal, self._changed)
        self.follow(self.viewer.events.theme, self._theme_changed)

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
        page.installEventFilter(self._out)
        for task, _ in page.tasks:
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
            to_front(frame.dock)
        self._tell_fronts()
        self._show_next()
        self._show_running()
        self.page_changed.emit(key)
        return frame.page

    def open_file(self, path: Path) -> None:
        """Open a folder, a table or a data-set file on the page 'Data'."""
        self.show_page("data").files.open((path,))

    def show_next(self) -> None:
        """Show the page that comes next on the way to an explanation, or the one that is chosen."""
        following = next_page(self.session, self.viewer.layers) or self.current
        self.show_page(following, at_once=False)

    def come_to_front(self) -> None:
        """Show the dock of the workspace before all others."""
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            to_front(dock)

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
        page = self.page(key)
        if self.frames[key].dock is not None:
            self.show_page(key)
            return
        self._out.take_out(key, page)
        self._tell_fronts()

    def put_back(self, name: str) -> None:
        """Put a page back from its dock; the page stays as it is."""
        self._out.put_back(page_info(name).key)

    def _page_moved(self, key: str) -> None:
        # What it was told last of being in front no longer holds.
        self._fronts.pop(key, None)
        self._tell_fronts()

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
            next((bar for task, bar in page.tasks if task.busy), page.task_bar).cancel.click()

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
            if page is None or in_sight:
                continue
            running += [
                Running(key, frame.info.title, bar.stage.text(), bar.bar.value() / 1000)
                for task, bar in page.tasks
                if task.busy
            ]
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

    def front_changed(self, front: bool) -> None:
        """The dock came in front of the others in its place, or is behind one."""
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

    def arrived(self) -> None:
        """Take no more room than is needed."""
        self._out.find()
        self.resize_dock()
        window = self.window()
        if isinstance(window, QMainWindow):
            self._drops.watch(window)

    def undocked(self) -> None:
        """The dock was closed: pages that are out live on by themselves, work here stops."""
        for frame in self.frames.values():
            if frame.dock is not None:
                self._out.let_go(frame)
                for task, _ in frame.page.tasks:
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
