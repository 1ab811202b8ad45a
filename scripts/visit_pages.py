"""A visit of every page of the workspace: what is cut off, and a picture of each.

`scripts/visit_pages.py [FOLDER]` makes a data set, a classifier, channel importance, a map and
latents, visits all pages in two sizes of the window and in both themes, before and after, takes
each page out and puts it back, keeps the pictures and prints what is cut off, scrolls sideways or
leaves the picture too little room. A test does the same with less in the pages.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTabBar,
    QWidget,
)
from superqt import QElidingLabel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SIZES = ((1280, 800), (1600, 1000))
# Of the width that napari's own panels leave, what the picture keeps at least.
LEAST_PICTURE = 0.6
LOOKS = tuple((size, theme) for size in SIZES for theme in ("dark", "light"))


def visit(
    workspace: Any,
    pause: Callable[[float], None],
    take: Callable[[str], object] = lambda _: None,
    looks: Sequence[tuple[tuple[int, int], str]] = LOOKS,
) -> list[str]:
    """Go to every page in each size and theme; what is wrong there, a line each."""
    viewer, wrong = workspace.viewer, []
    for (width, height), theme in looks:
        viewer.window.resize(width, height)
        viewer.theme = theme
        for key, frame in workspace.frames.items():
            workspace.rail.buttons[key].click()
            pause(0.05)
            where = f"{key} at {width} x {height}, {theme}"
            wrong += [f"{where}: {line}" for line in cut_off(workspace)]
            wrong += [f"{where}: {line}" for line in scrolls_sideways(frame)]
            take(f"{key}-{width}-{theme}")
    return wrong


def picture_share(workspace: Any) -> float:
    """How much of the width that napari's own panels leave the picture has."""
    window = workspace.window()
    picture = window.centralWidget()
    return float(picture.width() / (window.width() - picture.x()))


def cut_off(root: QWidget) -> list[str]:
    """Texts of labels, buttons and tabs that are not seen whole."""
    return [
        f"{type(widget).__name__} {text!r} is cut off"
        for widget in root.findChildren(QWidget)
        if widget.isVisible() and not _folded(widget, root)
        for text in _texts(widget)
        if text and not (_fits(widget, text) and _inside(widget, root))
    ]


def scrolls_sideways(root: QWidget) -> Iterator[str]:
    """Scroll areas that are narrower than what is in them."""
    for area in root.findChildren(QScrollArea):
        inner, view = area.widget(), area.viewport()
        if not area.isVisible() or inner is None or view is None:
            continue
        bar = area.horizontalScrollBar()
        if inner.minimumSizeHint().width() > view.width() or (bar is not None and bar.isVisible()):
            yield (
                f"needs {inner.minimumSizeHint().width()} pixels of width and has {view.width()}"
            )


def _texts(widget: QWidget) -> list[str]:
    # What is made to be cut has all of it in its tooltip.
    if isinstance(widget, QElidingLabel):
        return []
    if isinstance(widget, (QLabel, QAbstractButton)):
        return [widget.text()]
    if isinstance(widget, QLineEdit) and isinstance(widget.parentWidget(), QAbstractSpinBox):
        return [widget.text()]
    return []


def _folded(widget: QWidget, root: QWidget) -> bool:
    """Whether a widget is in a part that is folded away."""
    around = widget.parentWidget()
    while around is not None and around is not root:
        if around.height() == 0:
            return True
        around = around.parentWidget()
    return False


def _fits(widget: QWidget, text: str) -> bool:
    """Whether a widget is large enough for its text; rich text knows its own size."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.heightForWidth(widget.width()) <= widget.height() + 1
    if isinstance(widget, QLabel) and "<" in text:
        return widget.sizeHint().width() <= widget.width() + 1
    lines = text.replace("&&", "&").splitlines()
    widest = max(widget.fontMetrics().horizontalAdvance(line) for line in lines)
    return widest <= widget.width() + 1


def _inside(widget: QWidget, root: QWidget) -> bool:
    """Whether a widget is not cut at the sides by what it stands in."""
    around = widget.parentWidget()
    while around is not None:
        left = widget.mapTo(around, QPoint()).x()
        if left < -1 or left + widget.width() > around.width() + 1:
            # What scrolls sideways by itself, such as tabs and tables, is whole elsewhere.
            return isinstance(around, QTabBar) or "viewport" in around.objectName()
        if around is root:
            break
        around = around.parentWidget()
    return True


def main(folder: Path) -> int:
    import napari
    from napari.settings import get_settings

    from napari_channelmix.data.samples import synthetic_plate
    from napari_channelmix.viewer.page_parts.open_page import open_workspace

    folder.mkdir(parents=True, exist_ok=True)
    get_settings().appearance.theme = "dark"
    viewer = napari.Viewer(title="ChannelMix")
    viewer.window.resize(*SIZES[0])

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def wait(until: Callable[[], object], seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come to what was waited for")
            pause(0.02)
        pause(0.3)

    def take(name: str) -> None:
        pause(0.4)
        viewer.screenshot(folder / f"{stage}-{name}.png", canvas_only=False, flash=False)

    stage = "empty"
    workspace = open_workspace(viewer)
    pause(0.5)
    shares = [picture_share(workspace)]
    wrong = [f"{stage}: {line}" for line in visit(workspace, pause, take)]

    session = workspace.session
    data = workspace.page("data")
    data.open_cells(synthetic_plate().cells, "Synthetic plate (with known ground truth)")
    wait(lambda: session.shown is not None and not data.preview.task.busy)
    viewer.reset_view()
    classifier = workspace.show_page("classifier")
    classifier.network.setCurrentText("tiny")
    classifier.epochs.setValue(12)
    classifier.start()
    wait(lambda: session.trained is not None)
    classifier.apply.click()
    wait(lambda: session.predictions is not None)
    channels = workspace.show_page("channels")
    channels.network.setCurrentText("tiny")
    channels.epochs.setValue(8)
    channels.seeds.setValue(2)
    channels.start()
    pause(1.0)
    stage = "working"
    workspace.show_page("phenotypes")
    take("header")
    wait(lambda: not channels.task.busy and not channels.mixed_task.busy)
    pixels = workspace.show_page("pixels")
    wait(lambda: not pixels.task.busy)
    pixels.explain(3)
    wait(lambda: not pixels.task.busy)
    whatif = workspace.show_page("whatif")
    wait(lambda: not whatif.task.busy)
    whatif.open(3)
    wait(lambda: not whatif.task.busy)
    whatif.find_smallest()
    wait(lambda: not whatif.task.busy)
    latents = workspace.show_page("latents")
    latents.start()
    wait(lambda: not latents.task.busy)
    latents.go(3)
    stage = "filled"
    wrong += [f"{stage}: {line}" for line in visit(workspace, pause, take)]
    viewer.theme = "dark"
    viewer.window.resize(*SIZES[0])
    for key, frame in workspace.frames.items():
        workspace.take_out(key)
        pause(0.5)
        wrong += [f"{key}, taken out: {line}" for line in cut_off(frame.page)]
        frame.dock.grab().save(str(folder / f"out-{key}.png"))
        workspace.put_back(key)
        take(f"back-{key}")
    pause(0.3)
    shares.append(picture_share(workspace))
    workspace.fold(True)
    pause(0.3)
    shares.append(picture_share(workspace))
    viewer.close()
    wrong += [
        f"the picture has {share:.1%} of what napari's panels leave, less than {LEAST_PICTURE:.0%}"
        for share in shares
        if share < LEAST_PICTURE
    ]
    print(
        "the picture's share of what napari's panels leave, empty, filled, page folded: "
        + ", ".join(f"{share:.1%}" for share in shares)
    )
    print(*(wrong or ["nothing is cut off, nothing scrolls sideways"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("pages"), help="for pictures")
    sys.exit(main(parser.parse_args().folder))
