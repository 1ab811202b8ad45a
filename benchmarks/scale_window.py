"""The window and a slide: when its first picture is there, and how long the window stands still.

A slide with a pyramid, 20,000 cells and a classifier, and beside it a small picture of the same
channels with as many cells, which shows what napari and the machine take for any picture. A timer
beats every 5 ms; a block is what a beat comes late. The first window of a process loads shaders and
icons, so a small data set is opened before anything is measured.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/scale_window.py [--small]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui_beats import Heartbeat, Living
from slide_files import CHANNELS, CLASSES, CROP, write_slide

if TYPE_CHECKING:
    from collections.abc import Callable

SCALE_WINDOW_AIM = (
    "a slide of 10 GB: first picture within 2 s after its table is read, or 1.3 x a small picture",
    "no block of the event loop above .2 s, or 1.3 x that of a small picture in the same window",
    "a cell that is clicked while all others are classified has a map, and so has the field",
)

Row = dict[str, Any]


def measure(folder: Path, *, small: bool) -> list[Row]:
    """Rows of figures, measured in a process of its own: a window has to be the first of it."""
    command = [sys.executable, __file__, "--in", str(folder), "--rows"]
    if small:
        command.append("--small")
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            return [_row("window: no screen", 0, None, "", None, {})]
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("ROWS "):
            rows: list[Row] = json.loads(line[5:])
            return rows
    raise RuntimeError(f"the window ended: {done.stderr[-2000:]}")


def _row(
    name: str, value: float, aim: float | None, unit: str, met: bool | None, details: dict[str, Any]
) -> Row:
    return {
        "name": name,
        "value": round(value, 3),
        "aim": aim,
        "unit": unit,
        "met": met,
        "details": details,
    }


class Window(Living):
    """A viewer with the workspace, at 1280 x 800 pixels."""

    def __init__(self) -> None:
        import napari

        from napari_channelmix.viewer.page_parts.open_page import open_workspace
        from napari_channelmix.viewer.session.session import session_of

        self.viewer = napari.Viewer()
        self.viewer.window.resize(1280, 800)
        self.workspace = open_workspace(self.viewer)
        self.session = session_of(self.viewer)
        self.data = self.workspace.show_page("Images and cells")
        self.wait(lambda: False, 0.3)

    def timed(
        self, do: Callable[[], object], until: Callable[[], object], rest: float = 0.5
    ) -> tuple[float, float, bool]:
        """Seconds until something holds, the longest block up to a while after, whether it held."""
        beats, begun = Heartbeat(), time.perf_counter()
        do()
        held = self.wait(until, 120)
        took = time.perf_counter() - begun
        self.wait(lambda: False, rest)
        return took, float(beats.stop().max()), held

    def opened(self, path: Path) -> tuple[float, float, bool]:
        """A data set that is read already is shown; see `timed`."""
        from napari_channelmix import open_dataset

        cells, before = open_dataset(path), len(self.session.data_sets)
        return self.timed(
            lambda: self.data.open_cells(cells, str(path)),
            lambda: len(self.session.data_sets) > before,
        )


def rows_of(folder: Path, *, small: bool) -> list[Row]:
    """Work the window."""
    side, count = (6_144, 600) if small else (32_768, 20_000)
    peer_side = 2_048 if small else 9_216
    slides = {
        "peer": write_slide(folder / "peer", peer_side, count, levels=1),
        "tiff": write_slide(folder / "tiff", side, count),
    }
    if not small:
        slides["zarr"] = write_slide(folder / "zarr", side, count, kind="zarr")
        slides["many"] = write_slide(folder / "many", side, 200_000, kind="zarr")
    window = Window()
    window.opened(write_slide(folder / "first", 1_024, 100, levels=1))
    rows: list[Row] = []
    blocks: dict[str, float] = {}
    peer = float("nan")
    for kind, path in slides.items():
        seconds, blocks[kind], held = window.opened(path)
        gigabytes = len(CHANNELS) * 2 * (peer_side if kind == "peer" else side) ** 2 / 1e9
        details = {"gigabytes": round(gigabytes, 2), "shown": held, "kind": kind}
        if kind == "peer":
            peer = seconds
            rows.append(_row("a small picture: shown", seconds, None, "s", None, details))
            continue
        details |= {"peer_s": round(peer, 3)}
        met = seconds <= 2 or seconds <= 1.3 * peer
        rows.append(_row(f"slide ({kind}): first picture", seconds, 2, "s", met, details))
        ratio = blocks[kind] / blocks["peer"]
        met = ratio <= 1.3 or blocks[kind] <= 0.2
        details = {"block_s": round(blocks[kind], 3), "peer_s": round(blocks["peer"], 3)}
        rows.append(_row(f"slide ({kind}): block, of the peer's", ratio, 1.3, "x", met, details))
    rows += _working(window)
    window.workspace.halt()
    window.viewer.close()
    window.wait(lambda: False, 0.5)
    return rows


def _working(window: Window) -> list[Row]:
    """The gallery, a click while all cells are classified, and a field of view explained."""
    rows = []
    window.session.trained = _classifier(window.session.cells)
    phenotypes = window.workspace.show_page("Phenotypes")
    gallery = phenotypes.gallery
    window.wait(lambda: not gallery.reader.busy, 60)
    bar = gallery.verticalScrollBar()

    def scroll() -> None:
        for step in range(1, 6):
            bar.setValue(bar.maximum() * step // 5)
            window.wait(lambda: False, 0.05)

    def in_sight() -> bool:
        sight = gallery.in_sight()
        return all(int(cell) in gallery.cache for cell in gallery.order[sight.start : sight.stop])

    seconds, block, _ = window.timed(scroll, in_sight)
    rows.append(_row("gallery scrolled: block", block, 0.2, "s", block <= 0.2, {"all_s": seconds}))
    classifier = window.workspace.show_page("Classifier")
    pixels = window.workspace.show_page("Explain a cell")
    window.wait(lambda: not pixels.task.busy, 60)
    cell = len(window.session.cells) // 2
    classifier.classify()

    def mapped() -> bool:
        explanation = window.session.explanation
        return explanation is not None and explanation.map is not None

    seconds, block, held = window.timed(lambda: pixels.explain(cell), mapped, 0.2)
    details = {"block_s": round(block, 3), "classifying": classifier.task.busy}
    rows.append(_row("click while all are classified: map", seconds, 5, "s", held, details))
    classifier.halt()
    pixels.task.stop()
    seconds, block, held = window.timed(
        pixels.many.explain_all,
        lambda: pixels.many.maps is not None and pixels.many.maps.done > 0,
        0.5,
    )
    details = {"block_s": round(block, 3)}
    rows.append(_row("field explained: first maps", seconds, 10, "s", held, details))
    return rows


def _classifier(cells: Any) -> Any:
    """A small network that was not trained: what it says is of no matter here."""
    import numpy as np
    import torch

    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.networks import NetworkSpec
    from napari_channelmix.viewer.session.session import Trained

    torch.manual_seed(0)
    spec, count = NetworkSpec("tiny", len(CHANNELS), len(CLASSES)), len(CHANNELS)
    mean, std = np.full(count, 500.0), np.full(count, 400.0)
    network = spec.build().eval()
    return Trained(Classifier(network, spec, CHANNELS, CLASSES, mean, std, CROP), "not trained")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a slide of .4 GB; under 40 s")
    parser.add_argument("--in", dest="folder", type=Path, help="for the files; default: temporary")
    parser.add_argument("--rows", action="store_true", help="the rows in one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = rows_of(given.folder or Path(temporary), small=given.small)
    if given.rows:
        print("ROWS", json.dumps(rows), flush=True)
        return
    for row in rows:
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
