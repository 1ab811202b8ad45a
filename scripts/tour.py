"""A walk through a real window, from File > Open Sample to the report, by mouse and keys.

`scripts/tour.py FOLDER` takes it and keeps the pictures; a test takes it and keeps none. Steps
stand in `STEPS` in the order a newcomer goes. Each one does what a hand would do, and then claims
what is to be seen: a claim that does not hold stops the walk.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import numpy as np
from hand import LEFT, NO_KEY, PLUGIN, Hand, picture, see
from qtpy.QtCore import QPoint, Qt, QThreadPool
from qtpy.QtTest import QTest
from superqt import QCollapsible

from napari_channelmix.data.cell_names import cell_name

SIZE = (1600, 1000)
CHANNELS = ("DNA", "reporter", "look-alike", "stress")
# Those that docs/tour.md shows; others show less, or folders of this computer.
PICTURES = ("cells-chosen", "classifier", "importance", "explain", "phenotypes", "latents")


def open_sample(hand: Hand) -> None:
    """File > Open Sample > ChannelMix: two wells stand side by side in the picture."""
    hand.menu("File", "Open Sample", PLUGIN, f"{PLUGIN}: synthetic plate")
    hand.until(lambda: len(hand.viewer.layers) == 5, "the sample opens", 30)
    see({layer.name for layer in hand.viewer.layers} == {*CHANNELS, "cells"}, "all is there")
    hand.pause(0.3)
    see(hand.viewer.screenshot(flash=False)[..., :3].std() > 5, "there is something to see")
    hand.take("sample")


def use_the_cells(hand: Hand) -> None:
    """What a sample's layers are is chosen already; leave a channel out, and take it back in."""
    images = hand.open("Images and cells")
    see(images.use.isEnabled(), "the sample is ready to be used")
    see(images.cells.source.currentText() == "cells", "with what marks the cells")
    listed = images.channels.list
    for count in (3, 4):
        box = listed.visualItemRect(listed.item(0))
        hand.click(listed.viewport(), QPoint(box.left() + 10, box.center().y()))
        see(len(images.channels.choose().names) == count, f"{count} channels are chosen")
    hand.take("cells-chosen")
    hand.click(images.use)
    hand.rest("Images and cells")
    session = hand.kept["session"] = images.session
    see(session.cells is not None and session.cells.channels == CHANNELS, "the channels are taken")
    see("60 cells, 4 channels" in images.summary.text(), "the dock says what it took")
    see(set(session.cells.classes) == {"treated", "untreated"}, "the classes came with the cells")
    hand.until(lambda: not images.preview.task.busy, "the crops are shown")
    # The dock took room from the picture, which is cut off.
    hand.click(hand.viewer.window._qt_viewer.viewerButtons.resetViewButton)
    hand.pause(0.2)
    hand.take("cells")


def train(hand: Hand) -> None:
    """Train a small classifier and classify all cells with it."""
    page = hand.open("Classifier")
    hand.choose(page.network, "tiny")
    hand.number(page.epochs, 8)
    see(page.train.isEnabled(), "it may be trained")
    hand.click(page.train)
    hand.until(
        lambda: page.curves.isVisible() and page.session.history, "it learns before one's eyes"
    )
    hand.rest("Classifier")
    see("balanced accuracy" in page.result.text(), "it is said how good it is")
    hand.click(page.apply)
    hand.rest("Classifier")
    see(page.notice.text().startswith("Predicted: "), "it is said what was predicted")
    hand.until(lambda: "predicted" in hand.viewer.layers, "predictions are a layer", 10)
    hand.take("classifier")


def weigh_channels(hand: Hand) -> None:
    """Find which channels the classifier needs: bars, under the gate that says if they count."""
    page = hand.open("Channel importance")
    hand.number(page.seeds, 2)
    folds = page.findChildren(QCollapsible)
    fold = next(fold for fold in folds if fold.text() == "More settings")
    hand.click(fold.toggleButton())
    hand.pause(0.5)
    hand.choose(page.network, "tiny")
    hand.number(page.epochs, 4)
    hand.click(page.run_button)
    hand.until(lambda: page.session.importance is not None, "the first bars come")
    hand.rest("Channel importance")
    hand.until(lambda: not page.mixed_task.busy, "the mixed image is made")
    found = page.session.importance
    see(len(found.seeds) == 2 and found.channels == CHANNELS, "all seeds and channels are in it")
    see(page.gate.isVisible() and "balanced accuracy" in page.gate.text(), "the gate is told")
    see(set(page.chart.rows) == set(CHANNELS), "there is a bar for each channel")
    hand.scroll_to(page.gate)
    hand.take("importance")
    hand.scroll_to(page.chart)
    bar = page.chart.bar_center("reporter")
    hand.click(page.chart.viewport(), bar)
    seen = [name for name in CHANNELS if hand.viewer.layers[name].visible]
    see(seen == ["reporter"], "a bar that is clicked shows its channel alone")
    hand.click(page.chart.viewport(), bar)
    see(all(hand.viewer.layers[name].visible for name in CHANNELS), "and all of them again")


def explain(hand: Hand) -> None:
    """Click a cell in the image: the pixels that speak for its class."""
    page = hand.open("Explain a cell")
    hand.until(lambda: not page.task.busy, "it gets ready")
    see(page.toggle.isChecked(), "clicks explain as soon as the dock is open")
    hand.press_cell(21)
    see(
        f"Cell {cell_name(page.session.cells, 21)}" in page.result.title.text(),
        "it is the cell that was clicked",
    )
    hand.rest("Explain a cell")
    found = page.session.explanation
    see(found.cell == 21 and found.map is not None and found.map.max() > 0, "there is a map")
    see(found.reliability is not None, "it was tested")
    see(page.reliability.words.isVisible() and page.reliability.words.text(), "and that is told")
    see("explanation" in hand.viewer.layers, "the map lies on the cell in the picture")
    see(page.session.selected == (21,), "the cell is selected")
    see(len(hand.viewer.layers["selected cells"].data) == 1, "and ringed")
    hand.take("explain")


def give_a_class(hand: Hand) -> None:
    """Select a cell by a click, give it a class by a key, and take that back by a button."""
    page = hand.open("Annotate")
    session = page.session
    # The view has stayed on the cell that was explained.
    hand.viewer.reset_view()
    hand.pause(0.2)
    hand.press_cell(8)
    before = int(session.cells.labels[8])
    name, called = session.cells.classes[before], cell_name(session.cells, 8)
    see(page.giving.selected.text() == f"Cell {called} selected: {name}", "it says what it is")
    other = 1 - before
    canvas = hand.viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_1 if other == 0 else Qt.Key.Key_2)
    hand.pause(0.2)
    see(session.cells.labels[8] == other, "a key gives it the class")
    see("1 cell to " in page.giving.undo.text(), "the button says what it would take back")
    hand.until(lambda: "classes" in hand.viewer.layers, "classes are a layer", 10)
    hand.take("annotate")
    hand.click(page.giving.undo)
    see(session.cells.labels[8] == before, "Undo takes it back")
    see(not page.giving.undo.isEnabled(), "and there is nothing more to take back")
    see(page.giving.selected.text() == f"Cell {called} selected: {name}", "it says so")


def question_phenotypes(hand: Hand) -> None:
    """Click a crop in the gallery: the view goes to the cell, and all docks speak of it."""
    page = hand.open("Phenotypes")
    hand.until(lambda: not page.gallery.reader.busy, "the crops are drawn", 30)
    box = page.form.order
    box.setFocus()
    # In the list of orders: the cells whose label and prediction differ most come first.
    while box.currentData() != "disagreement":
        at = box.currentIndex()
        QTest.keyClick(box, Qt.Key.Key_Down)
        see(box.currentIndex() > at, "there is an order by disagreement")
    hand.until(lambda: not page.gallery.reader.busy, "the crops are drawn", 30)
    gallery = page.gallery
    cell = int(gallery.order[3])
    hand.click(gallery.viewport(), gallery.rect_of(3).center())
    see(page.session.selected == (cell,), "the crop that is clicked is selected")
    layer, table = page.session.shown.reference, page.session.cells.table
    y, x = table.loc[cell, ["y0", "y1"]].mean() - 0.5, table.loc[cell, ["x0", "x1"]].mean() - 0.5
    there = np.asarray(layer.data_to_world((y, x)))[-2:]

    def arrived() -> bool:
        away = np.asarray(hand.viewer.scene.camera.center)[-2:] - there
        return bool(np.abs(away).max() < 1.0)

    hand.until(arrived, "the view goes to the cell", 10)
    ring = hand.viewer.layers["selected cells"].data
    see(len(ring) == 1 and np.abs(ring[0] - (y, x)).max() < 4, "it is ringed there")
    number = int(table.loc[cell, "object"])
    see(hand.viewer.layers["cells"].selected_label == number, "its label is selected in napari")
    called = cell_name(page.session.cells, cell)
    see(f"Cell {called} selected" in hand.page("Annotate").giving.selected.text(), "Annotate knows")
    see(hand.page("Explain a cell").number.value() == cell, "Explain a cell knows")
    hand.kept["cell"] = cell
    hand.take("phenotypes")
    hand.turn_to("Annotate")
    see(page.session.selected == (cell,), "to look at another dock selects nothing else")


def traverse(hand: Hand) -> None:
    """Find the latents of the cells, and move the selected one along them."""
    page = hand.open("Latent traversals")
    hand.click(page.settings.run)
    hand.rest("Latent traversals")
    cell, cell_tab = hand.kept["cell"], page.pages.cell_tab
    see(page.session.latents is not None, "the latents are found")
    see(len(page.session.latents.values) == 60, "of all cells")
    called = cell_name(page.session.cells, cell)
    see(f"Cell {called}" in cell_tab.title.text(), "the cell that is selected is looked at")
    first, *_ = cell_tab.sliders.sliders
    hand.scroll_to(first)
    start = first.amount
    redrawn = cell_tab.drawing.decoded
    here, there = first.place(start).toPoint(), first.place(first.axis.high).toPoint()
    QTest.mousePress(first, LEFT, NO_KEY, here)
    for share in np.linspace(0, 0.8, 9)[1:]:
        QTest.mouseMove(first, here + (there - here) * float(share))
        hand.pause(0.02)
    QTest.mouseRelease(first, LEFT, NO_KEY, here + (there - here) * 0.8)
    hand.pause(0.1)
    see(first.amount != start, "a slider follows the mouse")
    see(cell_tab.drawing.decoded > redrawn, "the cell is drawn anew")
    moved = first.value()
    QTest.keyClick(first, Qt.Key.Key_Left)
    see(first.value() == moved - first.singleStep(), "and the arrow keys")
    hand.pause(0.2)
    see(cell_tab.sliders.moves, "the moved cell differs")
    hand.scroll_to(cell_tab.pictures)
    hand.take("latents")
    hand.click(cell_tab.reset)
    see(first.amount == start and not cell_tab.sliders.moves, "it goes back to the cell")


def hand_on(hand: Hand) -> None:
    """Write the report, save the cells, and a script that does it all again."""
    page = hand.open("Report and script")
    hand.until(lambda: "latents" in page.contents.text(), "it says what the report holds", 10)
    hand.click(page.report)
    hand.rest("Report and script")
    report = hand.folder / "report.html"
    see(report.is_file() and str(report) in page.notice.text(), "the report is written, and where")
    html = report.read_text("utf-8")
    for part in ("importance", "classifier", "explanations", "latents", "provenance"):
        see(f'<section id="{part}">' in html, f"the report has a part on {part}")
    called = cell_name(page.session.cells, 21)
    for shown in ("Bars: share of each channel", f"Cell {called} with its map", "Traversals: what"):
        drawn = rf'src="data:image/[a-z+]+;base64,[^"]{{400,}}" alt="{re.escape(shown)}'
        see(re.search(drawn, html), f"it shows {shown!r}")
    see("data set, fingerprint" in html and "classifier, SHA-256" in html, "and where it is from")
    see(not re.search(r'(src|href)="https?:', html), "and needs nothing else")
    hand.click(page.save_data)
    hand.rest("Report and script")
    hand.until(page.save_script.isEnabled, "the script can be saved", 10)
    hand.click(page.save_script)
    hand.rest("Report and script")
    script = hand.folder / "again.py"
    see(script.is_file() and str(script) in page.notice.text(), "the script is written, and where")
    text = script.read_text("utf-8")
    ast.parse(text)
    for what in ("open_dataset", "train_classifier", "channel_importance", "explain"):
        see(what in text, f"the script has {what}")
    hand.take("report-and-script")


def look_back(hand: Hand) -> None:
    """Nothing is at work any more."""
    hand.until(lambda: not hand.kept["session"].running, "all work is done", 20)
    see(QThreadPool.globalInstance().waitForDone(5000), "no thread is left at work")


STEPS = (
    open_sample,
    use_the_cells,
    train,
    weigh_channels,
    explain,
    give_a_class,
    question_phenotypes,
    traverse,
    hand_on,
    look_back,
)


def tour(hand: Hand) -> None:
    """Take all steps; the file chooser always goes to the folder, and nothing else is replaced."""
    from napari_channelmix.viewer.widgets import file_dialogs as files

    asked = files.ask_save, files.ask_folder
    files.ask_save = lambda parent, title, proposal, kinds: hand.folder / proposal
    files.ask_folder = lambda parent, title: hand.folder / "data"
    try:
        hand.viewer.window.resize(*SIZE)
        hand.pause(0.3)
        for step in STEPS:
            step(hand)
    finally:
        files.ask_save, files.ask_folder = asked


def main(folder: Path) -> None:
    """Take the tour, and keep `tour-….png` in a folder."""
    import tempfile

    import napari
    import platformdirs
    from napari.settings import get_settings

    get_settings().appearance.theme = "dark"
    viewer = napari.Viewer(title=PLUGIN)
    with tempfile.TemporaryDirectory() as files:
        # A newcomer has kept nothing yet.
        platformdirs.user_cache_path = lambda *_, **__: Path(files) / "cache"
        platformdirs.user_data_path = lambda *_, **__: Path(files) / "user"

        def take(name: str) -> None:
            if name in PICTURES:
                picture(viewer, folder / f"tour-{name}.png")

        tour(Hand(viewer, Path(files), take))
        viewer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
