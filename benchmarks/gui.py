"""Whether the window stays alive: the longest blocks of its event loop while it is worked with.

Each part works a real window while a timer beats every 5 ms; a block is the time between two beats
beyond that. With 100,000 cells on one picture: `gallery`: the gallery of the dock 'Phenotypes' is
scrolled from top to bottom by wheel events, with disagreement first, so that neighbours in the
gallery are far apart in the picture. `recolour`: the cells in the picture are coloured by something
else, up to the end of the paint that shows it; and a class is given to one cell, up to the end of
the paint of the layer of classes. With the synthetic plate (`gui_working.py`): `train`, `explain`
(all cells of the field of view), `finetune`, `importance`. A part is a function of the window that
it works in and gives its figures; add it to `PARTS`.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/gui.py --parts gallery --json FILE
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gui_beats import Heartbeat, Living, figures, ms
from gui_working import Plate, explain, finetune, importance, train

if TYPE_CHECKING:
    from collections.abc import Callable

CELLS, APART, CROP = 100_000, 12, 24
CHANNELS, CLASSES = ("DNA", "GFP"), ("rest", "divides", "dead")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--steps", type=int, default=400, help="wheel events over the gallery")
    parser.add_argument("--size", type=int, nargs=2, default=(1400, 900), help="of the window")
    given = parser.parse_args()
    found: dict[str, Any] = {
        "schema": 1,
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "cells": given.cells,
        "window": list(given.size),
        "load_before": os.getloadavg(),
    }
    # The plate first: its figures are those of a fresh program.
    for group, opened in (
        (WORKING, lambda: Plate(tuple(given.size))),
        (MANY, lambda: Bench(given.cells, given.steps, tuple(given.size))),
    ):
        chosen = [name for name in group if name in given.parts]
        if not chosen:
            continue
        window = opened()
        found |= measured(window, group, chosen)
        window.close()
    found["load_after"] = os.getloadavg()
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def measured(window: Any, group: dict[str, Any], chosen: list[str]) -> dict[str, Any]:
    """What the parts of a group give, and what its window does while nothing happens."""
    found: dict[str, Any] = {}
    name = "plate" if group is WORKING else "many"
    found[f"idle_{name}"] = {
        **window.idle(),
        "redraw_of_one_label_ms": window.redraw(window.label),
        "redraw_of_canvas_ms": window.redraw(window.canvas),
    }
    print(f"idle_{name}", json.dumps(found[f"idle_{name}"]), flush=True)
    for name in chosen:
        found[name] = group[name](window)
        print(name, json.dumps(found[name]), flush=True)
    return found


# -------------------------------------------------------------------- the parts


def gallery(bench: Bench) -> dict[str, Any]:
    """Scroll through all cells by the wheel."""
    page = bench.page
    view = page.gallery.viewport()
    begun = time.perf_counter()
    page.form.choose_order("disagreement")
    ordered = time.perf_counter() - begun
    bench.wait(lambda: not page.gallery.reader.busy, 30)
    bar = page.gallery.verticalScrollBar()
    # In eighths of a degree, as a wheel counts.
    before, turn = bar.value(), 120
    bench.wheel(view, turn)
    far = max(1, bar.value() - before)
    turn = max(1, round(bar.maximum() / (bench.steps * far))) * turn
    there, handled = 0, []
    paints = Paints(page.gallery)
    beats = Heartbeat()
    begun = time.perf_counter()
    while bar.value() < bar.maximum():
        at = time.perf_counter()
        bench.wheel(view, turn)
        handled.append(time.perf_counter() - at)
        # The next one comes when the window has answered this one, as windowing systems do it.
        count = beats.count
        bench.wait(lambda: False, 0.016)
        bench.wait(lambda count=count: beats.count > count, 5)
        sight = page.gallery.in_sight()
        there += all(
            int(cell) in page.gallery.cache for cell in page.gallery.order[sight.start : sight.stop]
        )
    seconds = time.perf_counter() - begun
    blocks = beats.stop()
    painted = paints.stop()
    at = time.perf_counter()
    sight = page.gallery.in_sight()
    came = bench.wait(
        lambda: all(
            int(cell) in page.gallery.cache for cell in page.gallery.order[sight.start : sight.stop]
        ),
        30,
    )
    return {
        "wheel_events": len(handled),
        "notches_each": turn // 120,
        "seconds": round(seconds, 2),
        "order_ms": ms(ordered),
        "tiles_in_sight": len(sight),
        "wheel_event_median_ms": ms(statistics.median(handled)),
        "own_paint_median_ms": ms(statistics.median(painted)),
        "own_paint_longest_ms": ms(max(painted)),
        "all_pictures_there_share": round(there / len(handled), 3),
        "last_page_after_ms": ms(time.perf_counter() - at) if came else None,
        "kept_mb": round(page.gallery.cache.size / 2**20, 1),
        **figures(blocks),
    }


def recolour(bench: Bench) -> dict[str, Any]:
    """Colour all cells of the picture by one thing after another; give one cell a class."""
    page, found = bench.page, {}
    page.tabs.setCurrentIndex(3)
    beats = Heartbeat()
    for what in ("labels", "predictions", "margin", "disagreement", "labels", "predictions"):
        bench.wait(lambda: False, 0.4)
        before = bench.layer_counter()
        begun = time.perf_counter()
        page.colors.choose(what)
        own = time.perf_counter() - begun
        bench.wait(lambda before=before: bench.painted > before, 30)
        name = what if what not in found else f"{what}, layer there"
        found[name] = {"own_ms": ms(own), "painted_ms": ms(time.perf_counter() - begun)}
    classes = len(page.session.cells.classes)
    times, drawing = [], []
    for step in range(5):
        bench.wait(lambda: False, 0.5)
        drawn = bench.drawn
        # Another class than it has.
        code = (int(page.session.cells.labels[step]) + 1) % classes
        begun = time.perf_counter()
        page.session.assign([step], code)
        bench.wait(lambda drawn=drawn: bench.drawn > drawn, 30)
        drawing.append(bench.draw_took)
        before = bench.layer_counter()
        bench.wait(lambda before=before: bench.painted > before, 30)
        times.append(time.perf_counter() - begun)
    return {
        "by": found,
        "one_class_given_s": [round(t, 3) for t in times],
        "one_class_drawn_ms": [ms(t) for t in drawing],
        **figures(beats.stop()),
    }


MANY: dict[str, Callable[[Bench], dict[str, Any]]] = {"gallery": gallery, "recolour": recolour}
WORKING: dict[str, Callable[[Plate], dict[str, Any]]] = {
    "train": train,
    "explain": explain,
    "finetune": finetune,
    "importance": importance,
}
PARTS = {**WORKING, **MANY}


# -------------------------------------------------------------------- the window


class Bench(Living):
    """A viewer with the dock 'Phenotypes' in front, a picture of many cells, and predictions."""

    def __init__(self, count: int, steps: int, size: tuple[int, int]) -> None:
        import napari

        from napari_channelmix.viewer.pages.phenotypes.page import PhenotypesPage
        from napari_channelmix.viewer.selection import class_overlays as overlays
        from napari_channelmix.viewer.session.session import Predictions, Shown

        self.steps = steps
        self.viewer = napari.Viewer()
        self.viewer.window.resize(*size)
        cells, planes, labels = many_cells(count)
        images = {
            name: self.viewer.add_image(plane, name=name, blending="additive", colormap=color)
            for name, plane, color in zip(CHANNELS, planes, ("blue", "green"), strict=True)
        }
        marked = self.viewer.add_labels(labels, name="cells", visible=False)
        self.page = PhenotypesPage(self.viewer)
        self.viewer.window.add_dock_widget(self.page, name="Phenotypes")
        session = self.page.session
        session.open(cells, "benchmark", Shown(0, images, marked))
        table = np.random.default_rng(1).dirichlet(np.full(len(CLASSES), 0.4), len(cells))
        session.predictions = Predictions(CLASSES, table.astype(np.float32), "benchmark")
        self.viewer.reset_view()
        self.label = self.page.count
        self.painted, self.drawn, self.draw_took = 0, 0, 0.0
        paint, draw = self.canvas.paintGL, overlays.overlays_of(self.viewer).draw

        def counted() -> None:
            paint()
            self.painted += 1

        def drawing() -> None:
            begun = time.perf_counter()
            draw()
            self.draw_took = time.perf_counter() - begun
            self.drawn += 1

        self.canvas.paintGL = counted
        overlays.overlays_of(self.viewer).draw = drawing
        self.wait(lambda: False, 2.0)
        self.wait(lambda: not self.page.gallery.reader.busy, 30)

    def wheel(self, view: Any, turn: int) -> None:
        """Turn the wheel over a widget, towards the user."""
        from qtpy.QtCore import QPoint, QPointF, Qt
        from qtpy.QtGui import QWheelEvent
        from qtpy.QtWidgets import QApplication

        middle = QPointF(view.rect().center())
        event = QWheelEvent(
            middle,
            QPointF(view.mapToGlobal(middle.toPoint())),
            QPoint(),
            QPoint(0, -turn),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)

    def layer_counter(self) -> int:
        """How often the canvas was painted so far."""
        return self.painted

    def close(self) -> None:
        """Close the viewer."""
        self.page.halt()
        self.viewer.close()
        self.wait(lambda: False, 0.5)


def many_cells(count: int) -> tuple[Any, list[Any], Any]:
    """Round cells on a grid, in one picture of two channels."""
    from napari_channelmix.data import Cells

    rng = np.random.default_rng(0)
    columns = int(np.ceil(np.sqrt(count)))
    side = columns * APART + CROP
    y, x = np.ogrid[:APART, :APART]
    disc = np.hypot(y - (APART - 1) / 2, x - (APART - 1) / 2) <= 4.5
    labels = np.zeros((side, side), np.int32)
    for number in range(count):
        row, column = divmod(number, columns)
        top, left = (CROP // 2 + at * APART for at in (row, column))
        labels[top : top + APART, left : left + APART][disc] = number + 1
    bright = np.concatenate([[0], rng.uniform(400, 4000, count)])
    noise = rng.normal(100, 20, (side, side))
    planes = [(noise + bright[labels] * share).clip(0).astype(np.uint16) for share in (1, 0.5)]
    cells = Cells.from_labels(planes, CHANNELS, labels, crop=CROP, name="benchmark")
    wells = [f"W{at % 96:02d}" for at in range(len(cells))]
    cells = cells.with_labels(rng.integers(0, len(CLASSES), len(cells)), CLASSES)
    from dataclasses import replace

    return replace(cells, table=cells.table.assign(group=wells)), planes, labels


class Paints:
    """How long the gallery's own painting takes, without that of the window around it."""

    def __init__(self, gallery: Any) -> None:
        self._gallery, self._times = gallery, []
        gallery.paintEvent = self._timed

    def _timed(self, event: Any) -> None:
        begun = time.perf_counter()
        type(self._gallery).paintEvent(self._gallery, event)
        self._times.append(time.perf_counter() - begun)

    def stop(self) -> list[float]:
        """End it; gives the times in seconds."""
        del self._gallery.paintEvent
        return self._times or [float("nan")]


if __name__ == "__main__":
    main()
