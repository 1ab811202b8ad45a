"""A hand and an eye for the window: what `tour.py` does and sees, by real mouse and key events."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QScrollArea, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGIN = "ChannelMix"
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
# Colours of a picture that are kept as they are: the most frequent ones.
FLAT = 96


def nothing(name: str) -> None:
    """Take no picture."""


@dataclass
class Hand:
    """What a hand and an eye can do with the window.

    Attributes
    ----------
    viewer : napari viewer
    folder : Path
        Where the file chooser goes: report, script and data set are written there.
    take : callable
        Takes a picture of the window; gets its name.
    """

    viewer: Any
    folder: Path
    take: Callable[[str], object] = nothing
    # What steps leave for those after them.
    kept: dict[str, Any] = field(default_factory=dict)

    # ---------------------------------------------------------------- the eye

    @property
    def window(self) -> Any:
        """The main window; napari has no public way to it."""
        return self.viewer.window._qt_window

    @property
    def workspace(self) -> Any:
        """The dock with all pages."""
        return self.viewer.window.dock_widgets[PLUGIN]

    def page(self, name: str) -> Any:
        """A page, by its name in the menus."""
        return self.workspace.page(name)

    def pause(self, seconds: float) -> None:
        """Let the window do what it does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, claim: Callable[[], object], what: str, seconds: float = 120) -> None:
        """Wait for something to be seen."""
        end = time.monotonic() + seconds
        while not claim():
            see(time.monotonic() < end, f"{what} within {seconds:.0f} s")
            QApplication.processEvents()
            time.sleep(0.005)
        self.pause(0.1)

    def rest(self, name: str) -> None:
        """Wait until a page's work is done, and see that it did not fail."""
        page = self.page(name)
        self.until(lambda: not page.task.busy, f"{name} comes to its end")
        said = page.notice.text() if page.notice.isVisible() else ""
        see(page.notice.kind != "error" or not said, f"{name} does not fail: {said}")

    # ---------------------------------------------------------------- the mouse

    def menu(self, *names: str) -> None:
        """Click through the menus of the window."""
        holder = self.window.menuBar()
        for name in names:
            texts = {action.text().replace("&", ""): action for action in holder.actions()}
            see(name in texts, f"{name!r} is in the menu, which has {list(texts)}")
            action = texts[name]
            at = holder.actionGeometry(action).center()
            QTest.mouseClick(holder, LEFT, NO_KEY, at)
            holder = action.menu()
            if holder is not None:
                self.until(holder.isVisible, f"the menu {name!r} opens", 10)
        self.pause(0.2)

    def open(self, name: str) -> Any:
        """Go to a page by the menus."""
        self.menu("Layers", "Classify", f"{name} ({PLUGIN})")
        self.until(lambda: PLUGIN in self.viewer.window.dock_widgets, "the workspace opens", 10)
        page = self.page(name)
        self.until(lambda: in_front(page), f"{name} stands in front of the other pages", 10)
        return page

    def turn_to(self, name: str) -> Any:
        """Go to a page by the rail; by the word that stands there."""
        buttons = {button.page.title: button for button in self.workspace.rail.buttons.values()}
        self.click(buttons[name])
        page = self.page(name)
        see(in_front(page), f"{name} comes to the front")
        self.pause(0.2)
        return page

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a widget where it can be seen: it is on, and nothing covers it."""
        name = getattr(widget, "text", lambda: "")() or widget.accessibleName() or str(widget)
        self.until(widget.isEnabled, f"{name!r} is on ({widget.toolTip()})", 5)
        self.scroll_to(widget)
        at = widget.rect().center() if at is None else at
        met = QApplication.widgetAt(widget.mapToGlobal(at))
        see(
            met is widget or widget.isAncestorOf(met) if met else False,
            f"{name!r} is in sight, not behind {met}",
        )
        QTest.mouseClick(widget, LEFT, NO_KEY, at)
        self.pause(0.05)

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll the page so far that the widget is in sight."""
        above = widget.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        before = None
        # What unfolds goes on moving for a moment.
        while above is not None and before != (here := widget.mapTo(self.window, QPoint())):
            before = here
            above.ensureWidgetVisible(widget)
            self.pause(0.1)
        see(not widget.visibleRegion().isEmpty(), f"{widget.toolTip()!r} can be seen")

    def press_cell(self, cell: int) -> None:
        """Click a cell in the image."""
        session = self.kept["session"]
        row, layer = session.cells.table.iloc[cell], session.shown.reference
        inside = session.cells.fields[session.shown.field].labels == int(row["object"])
        middle = np.argwhere(inside).mean(axis=0)
        see(inside[tuple(np.round(middle).astype(int))], "the middle of a cell is in the cell")
        canvas = self.viewer.window._qt_viewer.canvas.native
        at = self.on_canvas(layer.data_to_world(middle))
        see(canvas.rect().contains(at), f"cell {cell} is in sight")
        QTest.mouseClick(canvas, LEFT, NO_KEY, at)
        self.pause(0.05)

    def on_canvas(self, world: Any) -> QPoint:
        """Where a world position (y, x) lies on the canvas, in pixels."""
        camera, size = self.viewer.scene.camera, self.viewer.canvas.size
        away = (np.asarray(world, float)[-2:] - np.asarray(camera.center)[-2:]) * camera.zoom
        y, x = away + np.asarray(size) / 2
        return QPointF(x, y).toPoint()

    # ---------------------------------------------------------------- the keys

    def number(self, box: Any, value: int) -> None:
        """Type a number into a box."""
        self.scroll_to(box)
        QTest.mouseDClick(box, LEFT, NO_KEY, QPoint(box.width() // 3, box.height() // 2))
        line = box.lineEdit()
        line.setFocus()
        QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(line, str(value))
        QTest.keyClick(line, Qt.Key.Key_Return)
        see(box.value() == value, f"{value} stands in the box")

    def choose(self, box: Any, words: str) -> None:
        """Choose a line of a list by typing how it begins; a space would unfold the list."""
        self.scroll_to(box)
        box.setFocus()
        QTest.keyClicks(box, words)
        self.pause(0.05)
        see(box.currentText().startswith(words), f"{words!r} is chosen, not {box.currentText()!r}")


def see(claim: object, what: str) -> None:
    """Stop the walk where something is not as it should be."""
    if not claim:
        raise AssertionError(f"expected that {what}")


def in_front(page: QWidget) -> bool:
    """Whether a page is the one that is seen, not behind another."""
    return page.isVisible() and not page.visibleRegion().isEmpty()


def picture(viewer: Any, path: Path) -> None:
    """Keep a picture of the whole window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        QApplication.processEvents()
    viewer.screenshot(path, canvas_only=False, flash=False)
    keep(path)


def keep(path: Path) -> None:
    """Make a picture small, by a palette of 256 colours; flat ones, as of a legend, stay exact."""
    from PIL import Image

    with Image.open(path) as opened:
        shot = opened.convert("RGB")
    colors, counts = np.unique(np.asarray(shot).reshape(-1, 3), axis=0, return_counts=True)
    flat = colors[np.argsort(counts)[::-1][:FLAT]]
    others = shot.quantize(256 - FLAT, Image.Quantize.FASTOCTREE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*flat.ravel().tolist(), *others][:768])
    shot.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
