"""Layers of a tiny data set deleted in random orders, in a window of its own: a script.

Run by `test_canvas_context`, which takes a segmentation fault for a failure: it would end pytest.
"""

from __future__ import annotations

import faulthandler
import gc
import sys
import time
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.session.session import Predictions


def pump(seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        QApplication.processEvents()
        if time.monotonic() >= end:
            return
        time.sleep(0.003)


def until(done: Any) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end, "waited for 20 s"
        pump(0.01)


def tiny(outlines: bool) -> Cells:
    """Nine cells of two classes on two channels, marked by labels or by points."""
    planes = tuple(np.random.default_rng(0).integers(0, 4000, (2, 48, 48)).astype(np.uint16))
    if outlines:
        labels = np.zeros((48, 48), int)
        for number in range(9):
            y, x = divmod(number, 3)
            labels[3 + 15 * y : 13 + 15 * y, 3 + 15 * x : 13 + 15 * x] = number + 1
        cells = Cells.from_labels(planes, ("A", "B"), labels, crop=12)
    else:
        points = np.stack(np.divmod(np.arange(9), 3), axis=1) * 15.0 + 8
        cells = Cells.from_points(planes, ("A", "B"), points, crop=12)
    return cells.with_labels([0, 1, 0, 1, 0, 1, 0, 1, 0], ("p", "q"))


def fill(viewer: Any, images: Any, rng: Any) -> None:
    """Open the data set, with results on it, layers of the user's beside it, and a job at work."""
    session = images.session
    images.open_cells(tiny(outlines=rng.random() < 0.5))
    until(lambda: not images.task.busy and session.shown is not None)
    pump(rng.uniform(0, 0.1))
    if rng.random() < 0.5:
        session.predictions = Predictions(("p", "q"), np.full((9, 2), 0.5, np.float32), "made up")
    if rng.random() < 0.5:
        session.select(1, 4)
    if rng.random() < 0.3:
        viewer.add_points(rng.uniform(0, 48, (5, 2)), name="mine")
    if rng.random() < 0.3:
        viewer.add_shapes([[[2, 2], [20, 30]]], shape_type="line")
    if rng.random() < 0.3:
        viewer.add_image(rng.random((48, 48)))


def delete(viewer: Any, rng: Any) -> None:
    """Take some of the layers, or all, away in one of the ways napari has."""
    way = rng.integers(5)
    if way == 0:
        viewer.layers.clear()
        return
    names = [str(name) for name in rng.permutation([layer.name for layer in viewer.layers])]
    names = names if way == 1 else names[: rng.integers(1, len(names) + 1)]
    if way == 2:
        viewer.layers.selection = {viewer.layers[name] for name in names}
        viewer.layers.remove_selected()
        return
    for name in names:
        # One of ours may have gone with another.
        if name in viewer.layers:
            viewer.layers.remove(name)
        if rng.random() < 0.8:
            pump(rng.uniform(0, 0.1))


def main(seed: int, orders: int) -> None:
    faulthandler.enable()
    begun = time.monotonic()
    rng = np.random.default_rng(seed)
    viewer = napari.Viewer()
    docks = [kind(viewer) for kind in (DataPage, ClassifierPage)]
    for widget in docks:
        viewer.window.add_dock_widget(widget, name=type(widget).__name__, tabify=True)
    images, classifier = docks
    classifier.network.setCurrentText("tiny")
    classifier.epochs.setValue(200)
    classifier.device.setCurrentText("cpu")
    # Small: what takes the time is drawing without a graphics card.
    viewer.window.resize(700, 400)
    pump(0.3)
    # napari collects garbage with each removal: what is there for good need not be looked at.
    gc.freeze()
    for _ in range(orders):
        fill(viewer, images, rng)
        if rng.random() < 0.3:
            classifier.start()
        while len(viewer.layers):
            delete(viewer, rng)
            pump(rng.uniform(0, 0.1))
            if rng.random() < 0.3:
                break
        classifier.task.stop()
    viewer.close()
    pump(0.2)
    print("survived", orders)
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
