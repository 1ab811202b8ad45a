"""Parts of the window's benchmark in which the plugin works: train, explain, fine-tune, importance.

The synthetic plate in a real window, opened and worked by the buttons of the docks, as a user
would; see `gui.py`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gui_beats import Heartbeat, Living, figures, ms

if TYPE_CHECKING:
    from collections.abc import Callable

WELLS, EACH, SIDE = 6, 90, 600
EPOCHS = 12
# Seconds after which a part is stopped, as by its button 'Cancel'.
LONGEST = 60.0


class Plate(Living):
    """A viewer with some hundred cells, and the docks that work on them."""

    def __init__(self, size: tuple[int, int]) -> None:
        import napari
        from qtpy.QtWidgets import QLabel

        from napari_channelmix.data.samples import synthetic_plate
        from napari_channelmix.viewer.pages.data.page import DataPage

        self.viewer = napari.Viewer()
        self.viewer.window.resize(*size)
        self._docks: dict[type, Any] = {}
        images = self.page(DataPage)
        images.open_cells(synthetic_plate(wells=WELLS, cells_per_well=EACH, side=SIDE).cells)
        self.session = images.session
        self.wait(lambda: self.session.shown is not None, 60)
        self.wait(lambda: not images.preview.task.busy, 60)
        self.paints: list[float] = []
        self.label = next(one for one in images.findChildren(QLabel) if one.isVisible())
        paint = self.canvas.paintGL

        def counted() -> None:
            begun = time.perf_counter()
            paint()
            self.paints.append(time.perf_counter() - begun)

        self.canvas.paintGL = counted
        self.wait(lambda: False, 1.0)

    def page(self, kind: type) -> Any:
        """A dock, in front of the others."""
        if kind not in self._docks:
            self._docks[kind] = kind(self.viewer)
            self.viewer.window.add_dock_widget(self._docks[kind], name=kind.__name__, tabify=True)
        self._docks[kind].parent().raise_()
        self.wait(lambda: False, 0.5)
        return self._docks[kind]

    def watch(self, page: Any, begin: Callable[[], object]) -> dict[str, Any]:
        """Blocks while a dock works, and how long its own code takes for an update."""
        slots: list[float] = []
        before = page.task._updated

        def timed(*given: Any) -> None:
            begun = time.perf_counter()
            before(*given)
            slots.append(time.perf_counter() - begun)

        page.task._updated = timed
        self.paints.clear()
        beats = Heartbeat()
        begun = time.perf_counter()
        begin()
        finished = self.wait(lambda: not page.task.busy, LONGEST)
        seconds = time.perf_counter() - begun
        blocks = beats.stop()
        page.task._updated = before
        if not finished:
            page.task.stop()
        self.wait(lambda: not page.task.threads, 60)
        return {
            "seconds": round(seconds, 1),
            "finished": finished,
            "updates": len(slots),
            "own_code_longest_ms": ms(max(slots, default=0.0)),
            "canvas_paints": len(self.paints),
            **figures(blocks),
        }

    def trained(self) -> None:
        """Have a classifier; a few epochs are enough for it to be explained."""
        from napari_channelmix.viewer.pages.classifier.page import ClassifierPage

        if self.session.trained is None:
            page = self.page(ClassifierPage)
            page.epochs.setValue(3)
            page.train.click()
            self.wait(lambda: not page.task.busy, 5 * LONGEST)

    def close(self) -> None:
        """Close the viewer."""
        for one in self._docks.values():
            one.halt()
        self.viewer.close()
        self.wait(lambda: False, 0.5)


def train(plate: Plate) -> dict[str, Any]:
    """Train the small network; the curves grow meanwhile."""
    from napari_channelmix.viewer.pages.classifier.page import ClassifierPage

    page = plate.page(ClassifierPage)
    page.network.setCurrentText("small")
    page.epochs.setValue(EPOCHS)
    return plate.watch(page, page.train.click)


def explain(plate: Plate) -> dict[str, Any]:
    """Explain all cells of the field of view, in a layer over all of it."""
    from napari_channelmix.viewer.pages.pixels.page import PixelsPage

    plate.trained()
    page = plate.page(PixelsPage)
    plate.wait(lambda: not page.task.busy and not page.task.threads, 60)
    found = plate.watch(page, page.many.all_button.click)
    done = 0 if page.many.maps is None else page.many.maps.done
    return {"cells": done, **found}


def finetune(plate: Plate) -> dict[str, Any]:
    """Find the latents, with a disentangler that gets used to the cells first."""
    from napari_channelmix.viewer.pages.latents.page import LatentsPage

    page = plate.page(LatentsPage)
    page.settings.finetune.setChecked(True)
    return plate.watch(page, page.settings.run.click)


def importance(plate: Plate) -> dict[str, Any]:
    """Learn which channels count; bars appear with each seed."""
    from napari_channelmix.viewer.pages.channels.page import ChannelsPage

    page = plate.page(ChannelsPage)
    page.seeds.setValue(2)
    page.epochs.setValue(EPOCHS // 2)
    page.network.setCurrentText("small")
    return plate.watch(page, page.run_button.click)
