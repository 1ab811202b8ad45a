"""Pictures of the real window for README and docs: `scripts/screenshots.py FOLDER [LAST]`.

LAST is the last one that is wanted, such as ``workspace``. `data_pictures.py` takes those of files
and layers of one's own, `tour.py` those of a newcomer's way.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hand import picture as keep_picture

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = (1600, 1000)


class Done(Exception):
    """The last picture that is wanted was taken."""


def main(folder: Path, last: str = "") -> None:
    """Take all of them, or those up to one of them."""
    import napari
    from napari.settings import get_settings

    get_settings().appearance.theme = "dark"
    viewer = napari.Viewer(title="ChannelMix", ndisplay=2)
    viewer.window.resize(*SIZE)
    try:
        sample_pictures(viewer, folder, last)
    except Done:
        viewer.window.dock_widgets["ChannelMix"].halt()
    viewer.close()


def sample_pictures(viewer: Any, folder: Path, last: str) -> None:
    """All pages, with the cells of the sample."""
    from qtpy.QtWidgets import QApplication, QScrollArea

    from napari_channelmix.data.samples import synthetic_plate
    from napari_channelmix.viewer.page_parts.open_page import DOCKS, open_workspace

    workspace = open_workspace(viewer)
    docks = {name: workspace.page(name) for name in DOCKS}
    images, annotate = docks["Images and cells"], docks["Annotate"]
    classifier, importance = docks["Classifier"], docks["Channel importance"]
    explain, latents = docks["Explain a cell"], docks["Latent traversals"]

    def wait(until: Callable[[], object], seconds: float = 1200) -> None:
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the window did not come to what was waited for")
            QApplication.processEvents()
            time.sleep(0.005)
        pause(0.6)

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def front(chosen: Any) -> None:
        workspace.show_page(next(name for name, page in docks.items() if page is chosen))
        pause(0.4)

    def picture(name: str) -> None:
        keep_picture(viewer, folder / f"{name}.png")
        if name == last:
            raise Done

    workspace.show_page("Explain a cell")
    picture("first-steps")
    front(images)
    images.open_cells(synthetic_plate().cells, "Synthetic plate (with known ground truth)")
    wait(lambda: images.session.shown is not None)
    pause(1.5)
    viewer.reset_view()
    front(images)
    picture("loaded")

    front(classifier)
    classifier.epochs.setValue(16)
    classifier.train.click()
    wait(lambda: len(classifier.session.history) >= 6)
    picture("training")
    wait(lambda: not classifier.task.busy)
    picture("workspace")
    front(classifier)
    classifier.apply.click()
    wait(lambda: not classifier.task.busy)
    picture("classified")

    front(annotate)
    session = annotate.session
    taken = [at for at in range(len(session.cells)) if at % 4 == 0]
    session.assign(taken, -1)
    annotate.going_on.go_to_uncertain()
    annotate.give(1)
    annotate.going_on.go_to_uncertain()
    pause(4)
    picture("annotate")
    while session.edits.undoable:
        session.undo()
    session.select()
    images.show_field(0)
    wait(lambda: session.shown.field == 0 and not images.task.busy)
    viewer.reset_view()

    front(importance)
    importance.network.setCurrentText("tiny")
    importance.epochs.setValue(12)
    importance.run_button.click()
    wait(lambda: importance.session.importance is not None)
    picture("importance-under-way")
    wait(lambda: not importance.task.busy)
    wait(lambda: not importance.mixed_task.busy)
    for name in ("classes", "predicted", "cells"):
        if name in viewer.layers:
            viewer.layers[name].visible = False
    picture("importance-dark")
    viewer.theme = "light"
    importance.chart.channel_chosen.emit(importance.chart.rows[0])
    picture("importance-light")
    importance.chart.channel_chosen.emit(importance.chart.rows[0])

    viewer.theme = "dark"
    front(explain)
    wait(lambda: not explain.task.busy)
    cells = explain.session.cells
    cell = 3
    explain.explain(cell)
    wait(lambda: not explain.task.busy)
    y0, x0, y1, x1 = (float(cells.table.loc[cell, edge]) for edge in ("y0", "x0", "y1", "x1"))
    reference = explain.session.shown.reference
    viewer.scene.camera.center = reference.data_to_world(((y0 + y1) / 2, (x0 + x1) / 2))
    viewer.scene.camera.zoom *= 3.5
    picture("explain")
    explain.compare()
    wait(lambda: not explain.task.busy)
    viewer.theme = "light"
    bar = explain.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())
    picture("explain-methods")
    viewer.theme = "dark"
    bar.setValue(0)
    viewer.reset_view()
    explain.many.explain_all()
    wait(lambda: not explain.task.busy)
    picture("explain-all")

    for name in ("explanations", "predicted", "blended image"):
        if name in viewer.layers:
            viewer.layers[name].visible = False
    front(latents)
    latents.settings.run.click()
    wait(lambda: not latents.task.busy)
    latents.go(cell)
    page = latents.pages.cell_tab
    page.strip.turn_to("Scale")
    for axis, share in (("Texture", 0.85), ("Scale", 0.25)):
        slider = page.sliders.of(axis)
        slider.setValue(round(slider.minimum() + share * slider.maximum()))
    page.grid.click()
    picture("latents")
    page.grid.click()
    phenotypes = docks["Phenotypes"]
    front(phenotypes)
    phenotypes.form.order.setCurrentIndex(phenotypes.form.order.findData("disagreement"))
    wait(lambda: not phenotypes.gallery.reader.busy)
    picture("phenotypes")
    front(docks["Report and script"])
    picture("report-and-script")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"), *sys.argv[2:3])
