"""How fast a click is answered in a real window, and whether the window stays alive meanwhile.

Real mouse events on the canvas; a network of ResNet-18's size with random weights, 6 channels,
128 x 128 pixels. Measured: from the mouse event to the end of the paint that shows the first map;
the longest time between two beats of a timer of 5 ms while the map is refined, beside the time
that an idle window takes to redraw its canvas (80 ms where OpenGL is done by the CPU) and the time
of the dock's own code for an update; and what 100 clicks leave behind.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/explain_window.py --json FILE
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import resource
import statistics
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS, SIDE, GRID = 6, 128, 4
CLASSES = ("A", "B", "C")
BEAT = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--clicks", type=int, default=100, help="random clicks for the leak test")
    parser.add_argument("--cells", type=int, default=6, help="cells that are timed")
    parser.add_argument("--threads", type=int, default=0, help="PyTorch's threads; 0 leaves them")
    parser.add_argument("--size", type=int, nargs=2, default=(1400, 900), help="of the window")
    parser.add_argument("--network", choices=("both", "stem1", "stem2"), default="both")
    given = parser.parse_args()
    import torch

    if given.threads:
        torch.set_num_threads(given.threads)
    window = Window(tuple(given.size))
    found: dict[str, Any] = {
        "schema": 1,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "load_before": os.getloadavg(),
        "canvas": list(window.viewer.canvas.size),
        "idle_redraw_ms": window.paint_alone(),
    }
    kinds = ("stem2", "stem1") if given.network == "both" else (given.network,)
    for kind in kinds:
        window.use(classifier(kind))
        found[kind] = window.timed(given.cells)
        print(kind, json.dumps(found[kind]), flush=True)
    found["many_clicks"] = window.many(given.clicks)
    # As the dock leaves them: one core is for the window.
    found["threads"] = torch.get_num_threads()
    found["load_after"] = os.getloadavg()
    window.close()
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def classifier(kind: str) -> Any:
    """ResNet-18 with the stem of stride 1 that the project's `NetworkSpec` builds, or of 2."""
    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.networks import NetworkSpec

    spec = NetworkSpec("resnet18", CHANNELS, len(CLASSES))
    if kind == "stem1":
        network = spec.build().eval()
    else:
        import torch
        from monai.networks import nets

        torch.manual_seed(0)
        network = nets.resnet18(
            spatial_dims=2, n_input_channels=CHANNELS, num_classes=len(CLASSES), conv1_t_stride=2
        ).eval()
    names = tuple(f"channel {i}" for i in range(CHANNELS))
    return Classifier(
        network, spec, names, CLASSES, np.full(CHANNELS, 0.5), np.full(CHANNELS, 0.3), SIDE
    )


class Window:
    """A viewer with the dock, six channels, and a grid of cells."""

    def __init__(self, size: tuple[int, int]) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        from napari_channelmix.data import Cells
        from napari_channelmix.viewer.pages.pixels.page import PixelsPage
        from napari_channelmix.viewer.session.session import Shown

        self.pump = QApplication.processEvents
        self.viewer = napari.Viewer()
        self.viewer.window.resize(*size)
        rng = np.random.default_rng(0)
        side = GRID * SIDE
        names = tuple(f"channel {i}" for i in range(CHANNELS))
        planes = [rng.random((side, side), np.float32) for _ in names]
        images = {
            name: self.viewer.add_image(plane, name=name, blending="additive")
            for name, plane in zip(names, planes, strict=True)
        }
        labels = np.zeros((side, side), np.int32)
        for number in range(GRID * GRID):
            y, x = divmod(number, GRID)
            labels[SIDE * y + 40 : SIDE * y + 88, SIDE * x + 40 : SIDE * x + 88] = number + 1
        marked = self.viewer.add_labels(labels, name="cells", opacity=0.2)
        self.cells = Cells.from_labels(planes, names, labels, crop=SIDE)
        self.page = PixelsPage(self.viewer)
        self.viewer.window.add_dock_widget(self.page, name="Explain a cell")
        self.page.session.open(self.cells, "benchmark", Shown(0, images, marked))
        self.viewer.reset_view()
        self.wait(lambda: False, 1.0)
        self.canvas = self.viewer.window._qt_viewer.canvas.native  # no public way to it

    def wait(self, until: Callable[[], object], seconds: float = 120.0) -> bool:
        """Let the window live until something holds; whether it came to hold."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if until():
                return True
            self.pump()
            time.sleep(0.001)
        return False

    def paint_alone(self) -> float:
        """Milliseconds of one redraw of the canvas with nothing else at work, median."""
        times = []
        for _ in range(15):
            self.canvas.update()
            start = time.perf_counter()
            self.pump()
            times.append(time.perf_counter() - start)
            self.wait(lambda: False, 0.03)
        return round(1000 * statistics.median(times), 1)

    def use(self, model: Any) -> None:
        """Take a classifier and let the dock get ready for it."""
        from napari_channelmix.viewer.session.session import Trained

        self.page.session.trained = Trained(model, "benchmark")
        self.wait(lambda: not self.page.task.busy and not self.page.task.threads)

    def click(self, cell: int) -> None:
        """A real click in the middle of a cell."""
        from qtpy.QtCore import QPointF, Qt
        from qtpy.QtTest import QTest

        row = self.cells.table.iloc[cell]
        world = np.array([(row["y0"] + row["y1"]) / 2, (row["x0"] + row["x1"]) / 2]) - 0.5
        camera, size = self.viewer.scene.camera, np.asarray(self.viewer.canvas.size)
        y, x = (world - np.asarray(camera.center)[-2:]) * camera.zoom + size / 2
        point = QPointF(float(x), float(y)).toPoint()
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=point)

    def timed(self, count: int) -> dict[str, Any]:
        """First pixels and longest block, over some cells; the very first click by itself."""
        first, whole, blocks, before, own = [], [], [], [], []
        for cell in range(count):
            beats = Heartbeat()
            shown = Painted(self.canvas, lambda: self.page.layers.cell)
            # The click's own handling counts, from the event on.
            shown.begin = time.perf_counter()
            self.click(cell)
            assert self.wait(shown.seen), self.page.notice.text()
            first.append(shown.at - shown.begin)
            before.append(beats.longest())
            slots = Slots(self.page)
            self.wait(self._finished)
            whole.append(time.perf_counter() - shown.begin)
            blocks.append(beats.longest())
            own.append(slots.stop())
            shown.stop()
            beats.stop()
            self.page.task.stop()
            self.wait(lambda: not self.page.task.threads)
            self.wait(lambda: False, 0.2)
        return {
            "first_click_s": round(first[0], 3),
            "first_pixels_s": [round(t, 3) for t in first[1:]],
            "first_pixels_median_s": round(statistics.median(first[1:]), 3),
            "map_finished_median_s": round(statistics.median(whole[1:]), 3),
            "block_until_first_pixels_ms": [round(1000 * t, 1) for t in before],
            "block_while_refined_ms": [round(1000 * t, 1) for t in blocks],
            "own_code_per_update_ms": [round(1000 * t, 1) for t in own],
            "block_while_refined_median_ms": round(1000 * statistics.median(blocks), 1),
        }

    def _finished(self) -> bool:
        found = self.page.session.explanation
        return found is not None and found.attribution is not None

    def many(self, clicks: int) -> dict[str, Any]:
        """Click random cells one after another, and count what is left."""
        rng = np.random.default_rng(1)
        for _ in range(10):
            self.click(int(rng.integers(len(self.cells))))
            self.wait(lambda: False, 0.05)
        before = self._counted()
        most = 0
        for _ in range(clicks):
            self.click(int(rng.integers(len(self.cells))))
            for _ in range(4):
                self.wait(lambda: False, 0.01)
                most = max(most, self.page.task.threads)
        during = self._counted()
        self.page.task.stop()
        self.wait(lambda: not self.page.task.threads)
        after = self._counted()
        return {
            "clicks": clicks,
            "most_threads_at_once": most,
            "before": before,
            "during": during,
            "after": after,
        }

    def _counted(self) -> dict[str, Any]:
        from qtpy.QtCore import QObject
        from qtpy.QtWidgets import QApplication

        gc.collect()
        self.wait(lambda: False, 0.2)
        objects = sum(len(top.findChildren(QObject)) for top in QApplication.topLevelWidgets())
        pages = int(Path("/proc/self/statm").read_text().split()[1]) if os.name == "posix" else 0
        return {
            "workers": self.page.task.threads,
            "python_threads": threading.active_count(),
            "layers": len(self.viewer.layers),
            "explanation_layers": sum("explanation" in one.name for one in self.viewer.layers),
            "qt_objects": objects,
            "memory_mb": round(pages * resource.getpagesize() / 2**20, 1),
            "cached": len(self.page.cache),
        }

    def close(self) -> None:
        """Close the viewer."""
        self.viewer.close()
        self.wait(lambda: False, 0.3)


class Heartbeat:
    """Times between the beats of a timer: while the event loop is blocked, none comes."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self._beats = [time.perf_counter()]
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._beats.append(time.perf_counter()))
        self._timer.start(BEAT)

    def longest(self) -> float:
        """Longest gap since it was asked last, beyond the beat itself."""
        beats, self._beats = [*self._beats, time.perf_counter()], self._beats[-1:]
        return max(0.0, max(np.diff(beats)) - BEAT / 1000)

    def stop(self) -> None:
        """End it."""
        self._timer.stop()


class Slots:
    """The longest time that the dock's own code takes for an update, redraws not counted."""

    def __init__(self, page: Any) -> None:
        self._task, self._longest = page.task, 0.0
        self._before = self._task._updated
        self._task._updated = self._timed

    def _timed(self, now: Any, update: Any) -> None:
        start = time.perf_counter()
        self._before(now, update)
        self._longest = max(self._longest, time.perf_counter() - start)

    def stop(self) -> float:
        """End it; gives the longest time in seconds."""
        self._task._updated = self._before
        return self._longest


class Painted:
    """When the canvas was painted with a map that is not empty."""

    def __init__(self, canvas: Any, layer: Callable[[], Any]) -> None:
        self.at: float | None = None
        self.begin = 0.0
        self._layer, self._native = layer, canvas
        self._paint = canvas.paintGL
        canvas.paintGL = self._painted

    def seen(self) -> bool:
        """Whether a map was painted."""
        return self.at is not None

    def _painted(self) -> None:
        self._paint()
        shown = self._layer().layer
        if self.at is None and shown is not None and np.asarray(shown.data).any():
            self.at = time.perf_counter()

    def stop(self) -> None:
        """Leave the canvas as it was."""
        self._native.paintGL = self._paint


if __name__ == "__main__":
    main()
