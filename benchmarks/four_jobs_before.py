"""The four jobs on the code before: to be run with PYTHONPATH on the commit eea8797."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from four_jobs_data import own_tiff, plate_folder, six_files, smear
from four_jobs_hand import CountingHand, see
from qtpy.QtCore import Qt

SIZE = (1280, 800)


def open_page(hand, name="Images and cells"):
    hand.menu("Plugins", "ChannelMix", f"{name} (ChannelMix)")
    hand.until(lambda: hand.workspace is not None, "the workspace opens", 20)
    hand.pause(0.5)


def train(hand):
    hand.click(hand.workspace.rail.buttons["classifier"], "rail: Classifier")
    page = hand.page("classifier")
    # To save time; not counted, since a user need not.
    page.network.setCurrentText("tiny")
    page.epochs.setValue(12)
    hand.click(page.train, "Train")
    hand.rest("classifier")
    see(hand.workspace.session.trained is not None, "there is a classifier")


def job_a(hand, folder, named):
    material = own_tiff(folder, named=named)
    hand.drop(material.paths, "drop the TIFF on the window")
    see([layer.ndim for layer in hand.viewer.layers] == [3], "one layer of 7 x 512 x 512")
    text = material.table.read_text()
    hand.decide("how a table must be written for napari: axis-0 is y, axis-1 is x")
    hand.outside("open cells.csv in an editor")
    edited = folder / "points.csv"
    edited.write_text(text.replace("Cell,X,Y,Phenotype", "Cell,axis-1,axis-0,Phenotype"))
    hand.trap("axis-0 for X: napari takes the columns in the order of the table")
    # napari takes axes in the order of columns: swap them.
    lines = [line.split(",") for line in text.splitlines()]
    rows = ["axis-0,axis-1,Cell,Phenotype", *(f"{y},{x},{c},{p}" for c, x, y, p in lines[1:])]
    edited.write_text("\n".join(rows) + "\n")
    hand.outside("move the column Y before X; type the new head of the table", 2)
    hand.outside("save it under another name: type the name")
    hand.drop([edited], "drop the edited table on the window")
    see([type(x).__name__ for x in hand.viewer.layers] == ["Image", "Points"], "points are there")
    open_page(hand)
    page = hand.page("data")
    hand.take("page data")
    hand.row(page.channels.list, 0, "tick the layer", box=True)
    hand.pause(0.2)
    hand.trap("without an answer to 'are these channels?' one plane of seven can be chosen")
    hand.decide("is the axis of 7 channels or slices")
    hand.click(page.channels.question.yes, "7 channels")
    hand.pause(0.2)
    if named:
        for place, name in enumerate(material.channels):
            listed = page.channels.list
            index = listed.model().index(place, 0)
            listed.scrollTo(index)
            rect = listed.visualRect(index)
            hand.double_click(listed.viewport(), f"double-click channel {place}", rect.center())
            from qtpy.QtWidgets import QLineEdit

            hand.text(listed.viewport().findChild(QLineEdit), name, f"type {name}")
    hand.decide("which layer marks the cells")
    hand.choose(page.cells.source, "points", "Cells from")
    hand.decide("which column holds the classes")
    hand.trap("'none yet' stands for the classes: cells would be cut without any")
    hand.choose(page.cells.column, "column 'Phenotype'", "Classes")
    hand.decide("the side of the crop: 48 pixels stand there, whatever the cells are")
    hand.click(page.use, "Create cell set")
    hand.rest("data")
    cells = hand.workspace.session.cells
    train(hand)
    hand.click(hand.workspace.rail.buttons["pixels"], "rail: Pixels")
    hand.pause(0.5)
    hand.rest("pixels")
    hand.cell(hand.viewer.layers[0], material.places[27][1], "click a cell")
    hand.rest("pixels")
    explanation = hand.workspace.session.explanation
    see(explanation is not None and explanation.map is not None, "a cell is explained")
    see(len(cells) == material.cells and len(cells.channels) == 7, "all cells and channels")
    if named:
        see(cells.channels == material.channels, f"names {cells.channels}")
    return summary(hand)


def summary(hand):
    session = hand.workspace.session
    cells, trained = session.cells, session.trained
    return {
        "cells": len(cells),
        "channels": list(cells.channels),
        "classes": {k: int(v) for k, v in cells.class_counts.items()},
        "crop": int(cells.crop),
        "accuracy": None if trained is None else trained.accuracy,
    }


def job_b(hand, folder, layout):
    material = plate_folder(folder, layout=layout)
    hand.decide("that a data-set file is needed, and what it must say (a page of documentation)")
    hand.outside("open a spreadsheet for the merged table")
    images = material.paths[0]
    wells = sorted({p.name[:3] for p in images.glob("*.tif")})
    rows = ["well,dapi,gfp,treatment"]
    rows += [f"{w},{w}_DAPI.tif,{w}_GFP.tif,{'treated' if w[0] == 'B' else 'control'}" for w in wells]
    (images / "merged.csv").write_text("\n".join(rows) + "\n")
    hand.outside(f"type the head and {len(wells)} rows (well, file of each channel, class)", 1 + len(wells))
    hand.outside("save the table: type its name")
    hand.outside("open an editor for the data-set file")
    toml = [
        'name = "plate"',
        'table = "merged.csv"',
        'label = "treatment"',
        'group = "well"',
        "[channels]",
        'DAPI = "dapi"',
        'GFP = "gfp"',
        "[cells]",
        'from = "segment"',
        'channel = "DAPI"',
        "crop = 48",
    ]
    (images / "dataset.toml").write_text("\n".join(toml) + "\n")
    hand.outside(f"type {len(toml)} lines of TOML", len(toml))
    hand.outside("save it: type its name")
    for what in (
        "which column is the class",
        "which column is the group (well): without it accuracy is too good",
        "what a cell is: from = segment, not the whole image",
        "in which channel nuclei are bright",
        "the side of the crop",
    ):
        hand.decide(what)
    hand.trap("without group = \"well\" every image is a group of its own: the same here, wrong with sites")
    hand.trap("without [cells] every image is one cell, and nothing says so")
    open_page(hand)
    page = hand.page("data")
    hand.file(
        lambda: hand.click(page.dataset.open, "Open data-set file…"),
        images / "dataset.toml",
        "the data-set file",
    )
    hand.rest("data")
    hand.until(lambda: hand.workspace.session.shown is not None, "it is shown")
    train(hand)
    result = summary(hand)
    see(result["cells"] == material.cells, result)
    return result


def job_c(hand, folder):
    material = six_files(folder)
    hand.drop(material.paths[:1], "drop the first file on the window")
    open_page(hand)
    page = hand.page("data")
    hand.row(page.channels.list, 0, "tick the layer", box=True)
    hand.pause(0.2)
    hand.decide("is the axis of 2 channels or slices")
    hand.take("question")
    hand.click(page.channels.question.yes, "2 channels")
    from qtpy.QtWidgets import QLineEdit

    def name_channels():
        for place, name in enumerate(material.channels):
            listed = page.channels.list
            index = listed.model().index(place, 0)
            rect = listed.visualRect(index)
            hand.double_click(listed.viewport(), f"double-click channel {place}", rect.center())
            hand.text(listed.viewport().findChild(QLineEdit), name, f"type {name}")

    name_channels()
    hand.decide("in which channel nuclei are bright (the first stands there)")
    hand.click(page.cells.find_button, "Segment nuclei")
    hand.rest("data")
    hand.decide("the side of the crop: 48 pixels stand there, whatever the cells are")
    hand.click(page.use, "Create cell set")
    hand.rest("data")
    for number, path in enumerate(material.paths[1:], 2):
        before = set(hand.viewer.layers)
        hand.drop([path], f"drop file {number}")
        new = next(layer for layer in hand.viewer.layers if layer not in before)
        hand.pause(0.3)
        hand.choose(page.channels.layer, new.name, f"layer of file {number}")
        hand.pause(0.2)
        if page.channels.axis.currentData() is None:
            hand.click(page.channels.question.yes, "2 channels")
        hand.pause(0.2)
        # Channels are taken in the order of the first file: their names need not be typed again.
        hand.click(page.cells.find_button, f"Segment nuclei of file {number}")
        hand.rest("data")
        hand.click(page.more, "Add image")
        hand.rest("data")
    hand.trap("a file dropped without 'Add image' is left out without a word")
    result = summary(hand)
    see(result["cells"] == material.cells, result)
    hand.click(hand.workspace.rail.buttons["annotate"], "rail: Annotate")
    annotate = hand.page("annotate")
    hand.click(annotate.classes.name, "into 'name of a new class'")
    for name in ("dim", "bright"):
        hand.text(annotate.classes.name, name, f"type {name}")
    shown = hand.workspace.session.shown
    layer = shown.reference
    hand.viewer.reset_view()
    places = [p for p in material.places if p[0] == shown.field]
    hand.take("before annotation")
    for code, key in ((0, Qt.Key.Key_1), (1, Qt.Key.Key_2)):
        three = [p for p in places if p[2] == code][:3]
        for number, (_, place, _) in enumerate(three):
            hand.cell(layer, place, f"{'Shift-' if number else ''}click cell", more=number > 0)
        hand.key(key, f"key {code + 1}")
    result = summary(hand)
    see(result["classes"] == {"dim": 3, "bright": 3}, result)
    return result


def job_d(hand, folder):
    material = smear(folder)
    hand.drop(material.paths, "drop the picture on the window")
    see(hand.viewer.layers[0].rgb, "an RGB layer")
    listed = hand.viewer.window._qt_viewer.layers
    index = listed.model().index(0, 0)
    from qtpy.QtCore import QPoint, QTimer
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    hand.decide("that the RGB layer has to be split, in napari's menu of the layer")
    done = []

    def in_menu():
        popup = QApplication.activePopupWidget()
        if popup is None or done:
            return
        action = next(a for a in popup.actions() if a.text().replace("&", "") == "Split RGB")
        done.append(True)
        timer.stop()
        QTest.mouseClick(popup, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, popup.actionGeometry(action).center())

    timer = QTimer()
    timer.timeout.connect(in_menu)
    timer.start(200)
    rect = listed.visualRect(index)
    # The list opens its menu at a release of the right button.
    from qtpy.QtGui import QContextMenuEvent

    at = rect.center()
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, at)
    hand.pause(1.0)
    hand._did("click", "right click on the layer")
    timer.stop()
    see(done, "napari's menu opens")
    hand._did("click", "Split RGB")
    hand.pause(0.3)
    open_page(hand)
    page = hand.page("data")
    names = [page.channels.list.item(i).text() for i in range(page.channels.list.count())]
    for place, name in enumerate(names):
        if "RGB" not in name:
            hand.row(page.channels.list, place, f"tick {name}", box=True)
    hand.trap("Segment nuclei takes the bright ground for nuclei; cells must be marked by hand")
    hand.decide("how cells are marked where they are dark: points by hand")
    viewer_buttons = hand.viewer.window._qt_viewer.layerButtons
    hand.click(viewer_buttons.newPointsButton, "napari: new points layer")
    hand.pause(0.3)
    controls = hand.viewer.window._qt_viewer.controls
    panel = controls.widgets[hand.viewer.layers[-1]]
    add = getattr(panel, "addition_button", None) or panel._add_button
    hand.click(add, "napari: add points")
    layer = hand.viewer.layers[0]
    for _, place, _ in material.places:
        hand.cell(layer, place, "click a cell")
    hand.pause(0.3)
    hand.decide("which layer marks the cells")
    hand.choose(page.cells.source, "Points", "Cells from")
    hand.decide("the side of the crop: 48 pixels stand there, whatever the cells are")
    hand.click(page.use, "Create cell set")
    hand.rest("data")
    hand.click(hand.workspace.rail.buttons["latents"], "rail: Latents")
    latents = hand.page("latents")
    hand.pause(0.3)
    hand.take("latents")
    hand.click(latents.settings.run, "Run")
    hand.rest("latents")
    see(hand.workspace.session.latents is not None, "there are latents")
    result = summary(hand)
    result["latents"] = list(hand.workspace.session.latents.values.shape)
    see(result["cells"] == material.cells, result)
    return result


JOBS = {
    "A": lambda h, f: job_a(h, f, False),
    "A-named": lambda h, f: job_a(h, f, True),
    "B": lambda h, f: job_b(h, f, True),
    "C": job_c,
    "D": job_d,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", default=list(JOBS))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    home = tempfile.mkdtemp()
    os.environ["NAPARI_CONFIG"] = str(Path(home) / "settings.yaml")
    import napari
    import platformdirs

    import napari_channelmix

    print(napari_channelmix.__file__)
    import torch

    torch.set_num_threads(1)
    platformdirs.user_cache_path = lambda *_, **__: Path(home) / "cache"
    platformdirs.user_data_path = lambda *_, **__: Path(home) / "user"
    results = {}
    for name in given.jobs:
        begun = time.time()
        folder = Path(tempfile.mkdtemp(dir=home))
        viewer = napari.Viewer()
        viewer.window.resize(*SIZE)
        hand = CountingHand(viewer, given.pictures, name)
        hand.pause(0.5)
        failed = ""
        answer = None
        try:
            answer = JOBS[name](hand, folder)
        except BaseException:
            failed = traceback.format_exc()
            hand.take("failed")
        print(f"== {name}: {hand.clicks} actions, {len(hand.decisions)} decisions, "
              f"{len(hand.traps)} traps, {time.time() - begun:.0f} s")
        for step in hand.steps:
            print("  ", step.kind, "-", step.words)
        print("  ", answer, failed)
        results[name] = {
            "clicks": hand.clicks, "outside": sum(s.kind == "outside" for s in hand.steps),
            "decisions": hand.decisions, "traps": hand.traps,
            "steps": [[s.kind, s.words] for s in hand.steps], "answer": answer, "failed": bool(failed),
        }
        if hand.workspace is not None:
            hand.workspace.halt()
        viewer.close()
        hand.pause(0.3)
        if given.json:
            given.json.write_text(json.dumps(results, indent=1, default=str))


if __name__ == "__main__":
    sys.exit(main())
