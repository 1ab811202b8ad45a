"""What all docks share: the session, one task at a time, a line for messages, and a clean end."""

from __future__ import annotations

import atexit
import weakref
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QDockWidget,
    QFormLayout,
    QFrame,
    QGroupBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.layers.display_layers import display_layers_of
from napari_channelmix.viewer.page_parts.canvas_context import canvas_context_of
from napari_channelmix.viewer.page_parts.docked_widget import DockedWidget
from napari_channelmix.viewer.selection.class_overlays import overlays_of
from napari_channelmix.viewer.selection.sync import linking_of
from napari_channelmix.viewer.session.preferences import PREFERENCES
from napari_channelmix.viewer.session.slice_follower import follower_of
from napari_channelmix.viewer.tasks.task import Task
from napari_channelmix.viewer.tasks.task_bar import TaskBar
from napari_channelmix.viewer.widgets.accessible_names import name_controls
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.tab_titles import shorten, spell_out
from napari_channelmix.viewer.widgets.tabs import join

__all__ = ["Page", "form", "group", "no_wider"]


class Page(DockedWidget):
    """A dock: controls that scroll where the window is low; messages and progress below them.

    Work also stops when Qt destroys the widget, and when the application quits.
    """

    # Whether a new job waits for the thread of the one before; see `Task`.
    one_thread = False
    # Whether its lines may be about the classifier in use, and not the data set alone.
    about_classifier = True

    def __init__(self, viewer: Any) -> None:
        super().__init__(viewer)
        overlays_of(viewer)
        canvas_context_of(viewer)
        # Jobs follow the preferences from the first dock on.
        _ = PREFERENCES.now
        linking_of(viewer)
        follower_of(viewer)
        display_layers_of(viewer)
        _DOCKS.add(self)
        # Every task of the page, and the bar that shows it.
        self.tasks: tuple[tuple[Task, TaskBar], ...] = ()
        self.task, self.task_bar = self.add_task(one_thread=self.one_thread)
        self.follow(self.session.closed, self._data_set_closed)
        self.notice = Notice()
        # A line about what was there before would be taken for one about what is there now.
        self.follow(self.session.replaced, self.notice.clear_line)
        if self.about_classifier:
            self.follow(self.session.trained_changed, self._line_is_old)
            self.follow(self.session.prior_changed, self._line_is_old)
        inner = QWidget()
        self.column = QVBoxLayout(inner)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(8)
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A bar that comes and goes changes the width, so the height of folded text, and with it
        # the need for a bar: Qt then lays out until its stack overflows.
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        scroll.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 4)
        outer.setSpacing(4)
        outer.addWidget(scroll, 1)
        below = QVBoxLayout()
        below.setContentsMargins(8, 0, 8, 0)
        below.addWidget(self.notice)
        below.addWidget(self.task_bar)
        outer.addLayout(below)
        # Narrower than this, controls are cut off beside the scroll bar.
        self.setMinimumWidth(376)
        # Qt makes the tabs a little later than it shows or hides a dock.
        self._tabs_soon = QTimer(self)
        self._tabs_soon.setSingleShot(True)
        self._tabs_soon.timeout.connect(self._spell_out)

    def add_task(self, *, one_thread: bool = False) -> tuple[Task, TaskBar]:
        """A task of this page, for work that goes on beside its others, and its bar.

        ``one_thread``: see `Task`.
        """
        task = Task(self.session, one_thread=one_thread)
        bar = TaskBar(task)
        self.tasks += ((task, bar),)
        task.started.connect(self._begun)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(task.stop)
        # Nothing of this object may be used once it is destroyed, so the ends are held apart.
        self.destroyed.connect(lambda *_: task.abandon())
        return task, bar

    def arrange(self, *parts: QWidget) -> None:
        """Put parts of the column into this order, as the result before the settings.

        Where that moves anything, the beginning is scrolled into sight.
        """
        places = sorted(self.column.indexOf(part) for part in parts)
        if places == [self.column.indexOf(part) for part in parts]:
            return
        for part in parts:
            self.column.removeWidget(part)
        for place, part in zip(places, parts, strict=True):
            self.column.insertWidget(place, part)
        bar = self._scroll.verticalScrollBar()
        if bar is not None:
            bar.setValue(0)

    def fail(self, line: str) -> None:
        """Show an error where the user looks."""
        self.notice.say(line, "error")

    def _data_set_closed(self, key: int) -> None:
        """Stop the job whose result would belong to a data set that is gone."""
        of_these = [task for task, _ in self.tasks if task.data_set == key]
        for task in of_these:
            task.stop()
        if of_these:
            self.notice.say("The run was stopped: its cells were closed.", "warning")

    def _begun(self, name: str) -> None:
        self.notice.clear_line()

    def _line_is_old(self, _: object = None) -> None:
        self.notice.clear_line()

    def docked(self, dock: QDockWidget) -> None:
        """Keep the titles of tabs short, where docks share a place."""
        shorten(dock)
        # Of two docks that come together in tabs, one is hidden by that.
        dock.visibilityChanged.connect(self._tabs_changed)

    def arrived(self) -> None:
        """Join the other pages that are docks."""
        join(self, Page)

    def _tabs_changed(self, _: bool) -> None:
        self._tabs_soon.start(0)
        name_controls(self)

    def _spell_out(self) -> None:
        dock = self.parent()
        if isinstance(dock, QDockWidget):
            spell_out(dock)

    def halt(self) -> None:
        """Stop every work of this dock."""
        for task, _ in self.tasks:
            task.stop()


# Docks whose window may still be open when Python ends.
_DOCKS: weakref.WeakSet[Page] = weakref.WeakSet()


def close_windows() -> None:
    """Close the windows of all docks, where a script ends and leaves them open.

    Else PyQt takes them apart piece by piece, while what one piece takes with it is still on its
    list: that ends in a segmentation fault.
    """
    for dock in list(_DOCKS):
        # Most are closed already, and there is nobody left to tell of an error.
        with suppress(Exception):
            dock.viewer.close()
    if QApplication.instance() is not None:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


atexit.register(close_windows)


def group(title: str, tip: str = "") -> tuple[QGroupBox, QVBoxLayout]:
    """A titled box and its layout."""
    box = QGroupBox(title)
    if tip:
        box.setToolTip(tip)
    column = QVBoxLayout(box)
    column.setContentsMargins(6, 8, 6, 8)
    column.setSpacing(6)
    return box, column


def form() -> QFormLayout:
    """Rows of a name and a control."""
    rows = QFormLayout()
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    # In a narrow page a control that is wide stands below its name.
    rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setVerticalSpacing(5)
    return rows


def no_wider(*boxes: QComboBox) -> None:
    """Names of any length, as those of layers, must not make a dock wider than it is."""
    for box in boxes:
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(10)
