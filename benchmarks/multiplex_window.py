"""A window with 40 and with 104 channels: what blocks it as data sets and maps come and go.

One image of noise and a label image, a small network with random weights: what is measured is the
window, not the answers. Two data sets are opened, one of so many channels and one of four; then
each is taken in use again; a cell is explained, with a map of each channel; these are looked
through, switched off and on again; another cell is explained; all cells are. A timer beats every
5 ms; a block is what a beat comes late. Printed for each action: the longest block, the most that
the window's own thread worked between two beats (less where other programs have the cores), how
long all took, and how many layers there are afterwards.

napari's own part: as many image layers are added to a viewer without this plugin and removed
again, one in each turn of the event loop, as the plugin does it. Where one layer takes napari
longer than the aim, no plugin can do it in less.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/multiplex_window.py --channels 40 104
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gui_beats import Heartbeat, Living, figures

if TYPE_CHECKING:
    from collections.abc import Callable

AIM_MS = 200
SIDE, CROP, GRID = 512, 24, 12
CLASSES = tuple(f"type {n}" for n in range(1, 8))

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[40, 104])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--no-napari", action="store_true", help="leave out napari's own part")
    parser.add_argument(
        "--maps", action="store_true", help="only open, explain a cell, switch its maps off and on"
    )
    given = parser.parse_args()
    rows: list[Row] = []
    for count in given.channels:
        if not given.no_napari:
            rows += napari_alone(count)
    window = Window()
    for count in given.channels:
        rows += window.rows(count, maps_only=given.maps)
    window.close()
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    missed = [row for row in rows if row["block_longest_ms"] > AIM_MS]
    print(f"{len(rows) - len(missed)} of {len(rows)} actions without a block of {AIM_MS} ms")


def image_of(count: int) -> Any:
    """Cells in a grid, in so many channels of noise."""
    from napari_channelmix.data import Cells

    rng = np.random.default_rng(count)
    labels = np.zeros((SIDE, SIDE), np.int32)
    step = SIDE // GRID
    for number in range(GRID * GRID):
        y, x = divmod(number, GRID)
        labels[step * y + 12 : step * y + 30, step * x + 12 : step * x + 30] = number + 1
    light = rng.random((count, GRID * GRID + 1), np.float32)
    planes = [light[c][labels] + rng.random((SIDE, SIDE), np.float32) for c in range(count)]
    names = tuple(f"marker {n:03d}" for n in range(1, count + 1))
    classes = {n + 1: CLASSES[n % len(CLASSES)] for n in range(GRID * GRID)}
    return Cells.from_labels(
        planes, names, labels, crop=CROP, classes_of=classes, name=f"{count} channels"
    )


def classifier(channels: tuple[str, ...]) -> Any:
    """Untrained; it answers, and can be differentiated."""
    import torch

    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.networks import NetworkSpec

    torch.manual_seed(0)
    spec = NetworkSpec("small", len(channels), len(CLASSES))
    ones = np.ones(len(channels))
    return Classifier(spec.build().eval(), spec, channels, CLASSES, ones, 0.3 * ones, CROP)


def napari_alone(count: int) -> list[Row]:
    """As many layers in a viewer without this plugin, one in each turn of the event loop."""
    import napari

    window = Living()
    window.viewer = napari.Viewer()
    window.viewer.window.resize(1280, 800)
    window.wait(lambda: False, 1.0)
    planes = np.random.default_rng(0).random((count, SIDE, SIDE), np.float32)
    # The first image of a process loads shaders.
    window.viewer.add_image(planes[0])
    window.wait(lambda: False, 0.5)
    window.viewer.layers.clear()
    window.wait(lambda: False, 0.5)

    def in_turns(do: Callable[[int], object]) -> None:
        for index in range(count):
            do(index)
            window.pump()

    rows = []
    for name, do in (
        ("add", lambda n: window.viewer.add_image(planes[n], blending="additive", visible=n < 4)),
        ("remove", lambda n: window.viewer.layers.pop()),
    ):
        beats, begun = Heartbeat(), time.perf_counter()
        in_turns(do)
        took = time.perf_counter() - begun
        window.wait(lambda: False, 0.5)
        rows.append(reported(f"napari alone: {name}", count, beats, took, window.viewer))
    window.viewer.close()
    window.wait(lambda: False, 0.3)
    return rows


def reported(action: str, count: int, beats: Heartbeat, took: float, viewer: Any) -> Row:
    """A row of figures, printed as well."""
    work = round(1000 * beats.most_work, 1)
    row = {
        "channels": count,
        "action": action,
        "work_longest_ms": work,
        **figures(beats.stop()),
        "seconds": round(took, 2),
        "layers": len(viewer.layers),
    }
    print(
        f"{count:4d} channels  {action:44s} longest block {row['block_longest_ms']:8.1f} ms  "
        f"(own work {work:7.1f} ms)  in {row['seconds']:6.2f} s  {row['layers']:4d} layers",
        flush=True,
    )
    return row


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
        self.workspace.show_page("data")
        self.data = self.workspace.page("data")
        self.wait(lambda: False, 0.3)
        self.few = image_of(4)
        # The first one loads shaders and icons.
        self.data.open_cells(self.few, "few")
        self.wait(lambda: not self.data.task.busy, 60)
        self.wait(lambda: False, 1.0)

    def rows(self, count: int, *, maps_only: bool = False) -> list[Row]:
        """Every action with so many channels, or those with the maps of one cell."""
        from napari_channelmix.viewer.session.session import Trained

        rows: list[Row] = []

        def measured(
            action: str, do: Callable[[], object], until: Callable[[], object], rest: float = 0.5
        ) -> None:
            gc.collect()
            self.wait(lambda: False, 0.2)
            beats, begun = Heartbeat(), time.perf_counter()
            do()
            held = self.wait(until, 300)
            took = time.perf_counter() - begun
            self.wait(lambda: False, rest)
            name = action if held else f"{action} (not finished)"
            rows.append(reported(name, count, beats, took, self.viewer))

        session, few = self.session, self.session.data_set
        cells = image_of(count)
        self.workspace.show_page("data")

        def opened() -> bool:
            return not self.data.task.busy and session.cells is not None

        measured(
            "open the data set",
            lambda: self.data.open_cells(cells, f"image {count}"),
            lambda: opened() and len(session.cells.channels) == count,
        )
        many = session.data_set
        if not maps_only:
            measured(
                "take the other data set in use",
                lambda: self.data.switch_to(few),
                lambda: opened() and session.data_set == few,
            )
            measured(
                "open it again",
                lambda: self.data.switch_to(many),
                lambda: opened() and session.data_set == many,
            )
        session.trained = Trained(classifier(cells.channels), "benchmark")
        self.workspace.show_page("pixels")
        page = self.workspace.page("pixels")
        self.wait(lambda: not page.task.busy and not page.task.threads, 60)

        def explained() -> bool:
            # Layers come in turns of their own, also after the answer.
            rests = not page.task.busy and not page.layers.busy
            return rests and page.session.explanation is not None

        measured("explain a cell, a map of each channel", lambda: page.explain(30), explained)
        separate = page.question.separate
        measured(
            "switch the maps of each channel off", lambda: separate.setChecked(False), explained
        )
        measured("switch them on", lambda: separate.setChecked(True), explained)
        if maps_only:
            return rows
        if hasattr(page.layers, "stack"):
            self._look_through(page, measured, cells.channels)
        measured("explain another cell", lambda: page.explain(31), explained)
        measured(
            "explain all cells",
            page.many.explain_all,
            lambda: not page.many.task.busy and page.many.maps is not None,
        )
        measured(
            "show evidence for only",
            lambda: page.result.switch.buttons["for"].click(),
            lambda: True,
        )
        page.result.switch.buttons["signed"].click()
        measured(
            "take the other data set in use, with maps",
            lambda: self.data.switch_to(few),
            lambda: opened() and session.data_set == few,
        )
        measured(
            "close the data set",
            lambda: session.close(many),
            lambda: session.of(many) is None,
        )
        return rows

    def _look_through(
        self, page: Any, measured: Callable[..., None], channels: tuple[str, ...]
    ) -> None:
        """Maps of some channels are looked at, one after another."""

        def looked() -> None:
            for name in channels[:: max(1, len(channels) // 10)]:
                page.show_channel(name)
                self.wait(lambda: False, 0.1)

        measured("look at the maps of ten channels", looked, lambda: True)

    def close(self) -> None:
        """Close the viewer."""
        self.workspace.halt()
        self.viewer.close()
        self.wait(lambda: False, 0.3)


if __name__ == "__main__":
    main()
