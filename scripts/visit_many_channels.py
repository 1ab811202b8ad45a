"""A visit of the window with a planted tissue of many channels: what is cut off, and pictures.

`scripts/visit_many_channels.py [FOLDER] --channels 40 104` opens a planted tissue of seven cell
types (`multiplex_sample`) in a window of 1280 x 800 pixels, trains a classifier, runs what the
pages offer, scrolls through each page, keeps the pictures and prints what is cut off or scrolls
sideways.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication, QScrollArea, QTabBar
from visit_pages import SIZES, cut_off, scrolls_sideways

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.classify import Classifier
    from napari_channelmix.data import Cells

SECONDS = 600.0
# A class of few cells whose rule asks for markers, and for the absence of one.
RARE = "Treg"


class Visit:
    """One window; every picture is numbered in the order in which it was taken."""

    def __init__(self, folder: Path, theme: str) -> None:
        import napari
        from napari.settings import get_settings

        from napari_channelmix.viewer.page_parts.open_page import open_workspace

        folder.mkdir(parents=True, exist_ok=True)
        get_settings().appearance.theme = theme
        self.folder, self.count = folder, 0
        self.wrong: list[str] = []
        self.viewer = napari.Viewer(title="ChannelMix")
        self.viewer.window.resize(*SIZES[0])
        self.workspace = open_workspace(self.viewer)
        self.session = self.workspace.session

    def pause(self, seconds: float) -> None:
        """Let the window live."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def wait(self, until: Callable[[], object]) -> None:
        """Let it live until something holds."""
        end = time.monotonic() + SECONDS
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come to what was waited for")
            self.pause(0.02)
        self.pause(0.3)

    def page(self, key: str) -> Any:
        """Bring a page in sight."""
        page = self.workspace.show_page(key)
        self.pause(0.3)
        return page

    def look(self, name: str) -> None:
        """Scroll through the page in sight: a picture of each part, and what is wrong there."""
        for part, area in enumerate(self._parts()):
            if area is not None:
                area[0].verticalScrollBar().setValue(area[1])
            self.pause(0.6)
            self.count += 1
            title = f"{self.count:02d}-{name}-{part + 1}"
            path = str(self.folder / f"{title}.png")
            self.viewer.screenshot(path, canvas_only=False, flash=False)
            wrong = cut_off(self.workspace)
            for frame in self.workspace.frames.values():
                if frame.isVisible():
                    wrong += list(scrolls_sideways(frame))
            self.wrong += [f"{title}: {line}" for line in dict.fromkeys(wrong)]

    def _parts(self) -> list[tuple[QScrollArea, int] | None]:
        """Where the large scroll area of the page in sight is stopped; None: nothing scrolls."""
        areas = [area for area in self.workspace.findChildren(QScrollArea) if area.isVisible()]
        tall = max(areas, key=lambda area: area.height(), default=None)
        bar = None if tall is None else tall.verticalScrollBar()
        if tall is None or bar is None or not bar.maximum():
            return [None]
        step = max(1, bar.pageStep() - 40)
        return [(tall, min(top, bar.maximum())) for top in range(0, bar.maximum() + step, step)]

    def tabs(self, tabs: QTabBar, name: str) -> None:
        """Look at what stands behind each tab."""
        for index in range(tabs.count()):
            tabs.setCurrentIndex(index)
            self.look(f"{name}-{tabs.tabText(index).lower().replace(' ', '-')}")
        tabs.setCurrentIndex(0)


def tissue(channels: int, cells: int) -> tuple[Cells, Classifier]:
    """Planted cells, and a classifier of them."""
    import napari_channelmix as cm
    from napari_channelmix.data.multiplex_sample import multiplex_tissue

    planted = multiplex_tissue(cells=cells, channels=channels).cells.without_channels(["Blank"])
    return planted, cm.train_classifier(planted, network="small", epochs=10, device="cpu")


def visit(visit: Visit, cells: Cells, model: Classifier) -> None:
    """Go through what the pages offer, in the order in which they stand."""
    from napari_channelmix.viewer.session.session import Trained

    session = visit.session
    data = visit.page("data")
    data.open_cells(cells, "Planted tissue")
    visit.wait(lambda: session.shown is not None and not data.preview.task.busy)
    visit.look("data")
    data.data_set_channels.expand(animate=False)
    visit.look("data-channels")
    data.data_set_channels.collapse(animate=False)

    session.trained = Trained(model, "trained by the script")
    classifier = visit.page("classifier")
    classifier.apply.click()
    visit.wait(lambda: session.predictions is not None)
    visit.look("classifier")

    channels = visit.page("channels")
    channels.of_classifier.start()
    visit.wait(lambda: channels.of_classifier.result is not None)
    visit.wait(lambda: not channels.of_classifier.task.busy)
    visit.look("channels")

    phenotypes = visit.page("phenotypes")
    visit.wait(lambda: not phenotypes.gallery.reader.busy)
    visit.tabs(phenotypes.tabs, "phenotypes")

    pixels = visit.page("pixels")
    visit.wait(lambda: not pixels.task.busy and not pixels.task.threads)
    pixels.question.separate.setChecked(True)
    rare = cells.classes.index(RARE) if RARE in cells.classes else 0
    pixels.explain(int((cells.labels == rare).nonzero()[0][0]))
    visit.wait(lambda: not pixels.task.busy and session.explanation is not None)
    visit.look("pixels")

    what_if = visit.page("whatif")
    visit.wait(lambda: not session.running)
    visit.tabs(what_if.tabs, "whatif")

    latents = visit.page("latents")
    visit.wait(lambda: latents.settings.run.isEnabled())
    latents.settings.run.click()
    visit.wait(lambda: not latents.task.busy and session.latents is not None)
    latents.go(int((cells.labels == rare).nonzero()[0][0]))
    visit.tabs(latents.pages.tabs, "latents")

    for key in ("annotate", "report"):
        visit.page(key)
        visit.look(key)


def main(folder: Path, channels: list[int], cells: int, theme: str) -> int:
    """Visit the window with each number of channels; 1 where something is wrong."""
    import torch

    torch.set_num_threads(1)
    wrong: list[str] = []
    for count in channels:
        planted, model = tissue(count, cells)
        window = Visit(folder / f"{count}-channels", theme)
        visit(window, planted, model)
        print(f"{count} channels: {window.count} pictures in {window.folder}", flush=True)
        wrong += [f"{count} channels, {line}" for line in window.wrong]
        window.workspace.halt()
        window.viewer.close()
    print(*(wrong or ["nothing is cut off, nothing scrolls sideways"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("pages"), help="for pictures")
    parser.add_argument("--channels", type=int, nargs="+", default=[40, 104])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    args = parser.parse_args()
    sys.exit(main(args.folder, args.channels, args.cells, args.theme))
