"""A hand that counts: real mouse and key events in a window, each written down as it is made."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit, QScrollArea, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["CountingHand", "Step", "see"]

PLUGIN = "ChannelMix"
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
# Qt takes a release on a list that has just opened for the end of the click that opened it.
LIST_OPENS = 0.5


@dataclass(frozen=True)
class Step:
    """Something the user does, decides or is misled by.

    Attributes
    ----------
    kind : str
        ``"click"``, ``"drag"``, ``"drop"``, ``"text"``, ``"key"``: one action each. ``"outside"``:
        an action outside the window. ``"decision"``, ``"trap"``: no action.
    words : str
    """

    kind: str
    words: str

    @property
    def counts(self) -> bool:
        """Whether it is an action."""
        return self.kind not in ("decision", "trap")


@dataclass
class CountingHand:
    """What a hand does in the window of a viewer.

    Attributes
    ----------
    viewer : napari viewer
    pictures : Path or None
        Folder for a picture of the screen after every action.
    job : str
        Begins the names of the pictures.
    """

    viewer: Any
    pictures: Path | None = None
    job: str = ""
    steps: list[Step] = field(default_factory=list)

    # ---------------------------------------------------------------- what was counted

    @property
    def clicks(self) -> int:
        """Actions so far."""
        return sum(step.counts for step in self.steps)

    @property
    def decisions(self) -> tuple[str, ...]:
        return tuple(step.words for step in self.steps if step.kind == "decision")

    @property
    def traps(self) -> tuple[str, ...]:
        return tuple(step.words for step in self.steps if step.kind == "trap")

    def decide(self, words: str) -> None:
        """Here the user has to choose, and nothing was proposed."""
        self.steps.append(Step("decision", words))

    def trap(self, words: str) -> None:
        """Here another way would have gone wrong without a word."""
        self.steps.append(Step("trap", words))

    def outside(self, words: str, times: int = 1) -> None:
        """Actions in another program."""
        self.steps += [Step("outside", words)] * times

    def _did(self, kind: str, words: str) -> None:
        self.pause(0.05)
        self.steps.append(Step(kind, words))
        self.take(words)

    def take(self, words: str) -> None:
        """Keep a picture of the screen."""
        if self.pictures is None:
            return
        self.pause(0.5)
        self.pictures.mkdir(parents=True, exist_ok=True)
        letters = "".join(c if c.isalnum() else "-" for c in words)[:48].strip("-")
        screen = QApplication.primaryScreen()
        size = self.window.frameGeometry()
        shot = screen.grabWindow(0, size.x(), size.y(), size.width(), size.height())
        shot.save(str(self.pictures / f"{self.job}-{self.clicks:02d}-{letters}.png"))

    # ---------------------------------------------------------------- the eye

    @property
    def window(self) -> Any:
        """The main window; napari has no public way to it."""
        return self.viewer.window._qt_window

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas.native

    @property
    def workspace(self) -> Any:
        return self.viewer.window.dock_widgets.get(PLUGIN)

    def page(self, key: str) -> Any:
        return self.workspace.page(key)

    @staticmethod
    def pause(seconds: float) -> None:
        """Let the window do what it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, claim: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait for something to be seen."""
        end = time.monotonic() + seconds
        while not claim():
            see(time.monotonic() < end, f"{what} within {seconds:.0f} s")
            QApplication.processEvents()
            time.sleep(0.005)
        self.pause(0.1)

    def rest(self, key: str) -> None:
        """Wait until a page's work is done, and see that it did not fail."""
        page = self.page(key)
        self.until(lambda: not page.task.busy, f"{key} comes to its end", 120)
        text = page.notice.text() if page.notice.isVisible() else ""
        see(page.notice.kind != "error" or not text, f"{key} does not fail: {text}")

    # ---------------------------------------------------------------- the mouse

    def click(
        self,
        widget: QWidget,
        words: str,
        at: QPoint | None = None,
        keys: Qt.KeyboardModifier = NO_KEY,
    ) -> None:
        """Click a widget where it can be seen: it is on, and nothing covers it."""
        at = self._ready(widget, words, at)
        QTest.mouseClick(widget, LEFT, keys, at)
        self._did("click", words)

    def double_click(self, widget: QWidget, words: str, at: QPoint | None = None) -> None:
        at = self._ready(widget, words, at)
        QTest.mouseClick(widget, LEFT, NO_KEY, at)
        QTest.mouseDClick(widget, LEFT, NO_KEY, at)
        self._did("click", words)

    def _ready(self, widget: QWidget, words: str, at: QPoint | None) -> QPoint:
        self.until(widget.isEnabled, f"{words!r} is on ({widget.toolTip()})", 10)
        self.scroll_to(widget)
        at = widget.rect().center() if at is None else at
        hit = QApplication.widgetAt(widget.mapToGlobal(at))
        see(
            hit is widget or (hit is not None and widget.isAncestorOf(hit)),
            f"{words!r} is in sight, not behind {hit}",
        )
        return at

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll so far that the widget is in sight; turning the wheel is not counted."""
        above = widget.parentWidget()
        while above is not None and not (
            isinstance(above, QScrollArea) and above.isAncestorOf(widget)
        ):
            above = above.parentWidget()
        before = None
        while above is not None and before != (here := widget.mapTo(widget.window(), QPoint())):
            before = here
            above.ensureWidgetVisible(widget)
            self.pause(0.1)
        see(not widget.visibleRegion().isEmpty(), f"{widget.toolTip()!r} can be seen")

    def row(self, listed: Any, place: int, words: str, *, box: bool = False) -> None:
        """Click a row of a list; ``box``: its check box."""
        index = listed.model().index(place, 0)
        listed.scrollTo(index)
        rect = listed.visualRect(index)
        at = QPoint(rect.left() + 10, rect.center().y()) if box else rect.center()
        self.click(listed.viewport(), words, at)

    def choose(self, box: Any, text: str, words: str) -> None:
        """Open a combo box and click the line that begins with a text: two actions."""
        at = self._ready(box, words, QPoint(box.width() - 12, box.height() // 2))
        QTest.mouseClick(box, LEFT, NO_KEY, at)
        self.pause(LIST_OPENS)
        self._did("click", f"{words}: open the list")
        place = next((i for i in range(box.count()) if box.itemText(i).startswith(text)), None)
        offered = [box.itemText(i) for i in range(box.count())]
        see(place is not None, f"{text!r} is offered, not only {offered}")
        view = box.view()
        index = view.model().index(place, box.modelColumn(), view.rootIndex())
        view.scrollTo(index)
        at = view.visualRect(index).center()
        # Asked of the signal: an answer may make its list anew.
        taken: list[str] = []
        box.textActivated.connect(taken.append)
        QTest.mouseMove(view.viewport(), at)
        QTest.mouseClick(view.viewport(), LEFT, NO_KEY, at)
        self.pause(0.1)
        see(taken == [offered[place]], f"{text!r} is chosen, not {taken}")
        self._did("click", f"{words}: {offered[place]}")

    def menu(self, *names: str) -> None:
        """Click through the menus of the window; one action each."""
        holder = self.window.menuBar()
        for name in names:
            holder = self.action(holder, name)
        self.pause(0.2)

    def action(self, holder: Any, name: str) -> Any:
        """Click an entry of a menu that is open; gives the menu that opens with it, or None."""
        # One '&' marks a key, two are one that is shown.
        texts = {re.sub("&(.)", r"\1", action.text()): action for action in holder.actions()}
        see(name in texts, f"{name!r} is in the menu, which has {list(texts)}")
        action = texts[name]
        below = action.menu()
        QTest.mouseClick(holder, LEFT, NO_KEY, holder.actionGeometry(action).center())
        if below is not None:
            self.until(below.isVisible, f"the menu {name!r} opens", 10)
        self._did("click", f"menu: {name}")
        return below

    def drag(self, widget: QWidget, start: QPoint, end: QPoint, words: str) -> None:
        """Press, move and release: one action."""
        start = self._ready(widget, words, start)
        QTest.mousePress(widget, LEFT, NO_KEY, start)
        for share in np.linspace(0, 1, 8)[1:]:
            QTest.mouseMove(widget, start + (end - start) * float(share))
            self.pause(0.02)
        QTest.mouseRelease(widget, LEFT, NO_KEY, end)
        self._did("drag", words)

    def drop(self, paths: Sequence[Path], words: str, onto: QWidget | None = None) -> None:
        """Drop files from outside: onto the picture, or another widget."""
        onto = self.canvas if onto is None else onto
        place = onto.mapToGlobal(onto.rect().center())
        target = QApplication.widgetAt(place) or onto
        while target is not None and not target.acceptDrops():
            target = target.parentWidget()
        see(target is not None, f"something takes a drop on {onto}")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        at = target.mapFromGlobal(place)
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        entering = QDragEnterEvent(at, actions, data, LEFT, NO_KEY)
        entering.ignore()
        QApplication.sendEvent(target, entering)
        see(entering.isAccepted(), f"{target} takes the files")
        dropping = QDropEvent(QPointF(at), actions, data, LEFT, NO_KEY)
        QApplication.sendEvent(target, dropping)
        self.pause(0.3)
        self._did("drop", words)

    def cell(self, layer: Any, place: Any, words: str, *, more: bool = False) -> None:
        """Click a place (y, x), in pixels of a layer, in the picture; ``more``: with Shift."""
        ndim = layer.ndim - (1 if getattr(layer, "rgb", False) else 0)
        position = [0.0] * (ndim - 2) + [float(place[0]), float(place[1])]
        world = np.asarray(layer.data_to_world(position))[-2:]
        camera, size = self.viewer.scene.camera, self.viewer.canvas.size
        y, x = (world - np.asarray(camera.center)[-2:]) * camera.zoom + np.asarray(size) / 2
        at = QPointF(float(x), float(y)).toPoint()
        see(self.canvas.rect().contains(at), f"{words!r}: the place is in sight")
        QTest.mouseMove(self.canvas, at)
        QTest.mouseClick(self.canvas, LEFT, SHIFT if more else NO_KEY, at)
        self._did("click", words)

    # ---------------------------------------------------------------- the keys

    def text(self, widget: Any, text: str, words: str) -> None:
        """Type a text and Enter where the keyboard is: one action."""
        focused = widget.window().focusWidget()
        # A list that can be edited has it for its line.
        at_hand = focused is widget or (focused is not None and focused is widget.focusProxy())
        see(at_hand, f"{words!r}: the keyboard is in {widget}, not in {focused}")
        QTest.keyClicks(widget, text)
        QTest.keyClick(widget, Qt.Key.Key_Return)
        self._did("text", words)

    def number(self, box: Any, value: int, words: str) -> None:
        """Double-click into a box and type a number with its Enter: two actions."""
        line = box.lineEdit()
        self.double_click(line, f"{words}: into the box", QPoint(8, line.height() // 2))
        line.selectAll()
        self.text(line, str(value), f"{words}: {value}")
        see(box.value() == value, f"{value} stands in the box, not {box.value()}")

    def key(self, key: Any, words: str) -> None:
        """Press a key where the keyboard is in the main window."""
        QTest.keyClick(self.window.focusWidget() or self.window, key)
        self._did("key", words)

    def file(self, opens: Callable[[], None], path: Path, words: str) -> None:
        """Choose a file or folder in the dialog that an action opens: two actions more.

        Parameters
        ----------
        opens : callable
            The action that opens the dialog, counted by itself; it returns when that is closed.
        path : Path
        words : str
        """
        typed: list[str] = []
        timer = QTimer()
        timer.setInterval(50)

        def type_path() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QFileDialog) or typed:
                return
            timer.stop()
            typed.append("path")
            # A dialog that still reads its folder forgets what is typed.
            self.pause(0.8)
            line = dialog.findChild(QLineEdit, "fileNameEdit")
            # It would complete what is typed, in a list that takes the Enter.
            line.setCompleter(None)
            line.selectAll()
            QTest.keyClicks(line, str(path))
            self.pause(0.2)
            QTest.keyClick(line, Qt.Key.Key_Return)
            self.pause(0.5)
            if dialog.isVisible():
                self.take("dialog that stays")
                dialog.reject()

        timer.timeout.connect(type_path)
        timer.start()
        opens()
        timer.stop()
        see(typed, f"a file dialog opens for {words!r}")
        self._did("text", f"{words}: type the path")
        self._did("key", f"{words}: Enter")


def see(claim: object, what: str) -> None:
    """Stop where something is not as it should be."""
    if not claim:
        raise AssertionError(f"expected that {what}")
