"""The way of each job through the window: the shortest that gives the right answer."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from four_jobs_data import CLASSES, Material, own_tiff, plate_folder, six_files, smear
from four_jobs_hand import PLUGIN, CountingHand, see
from qtpy.QtCore import Qt

from napari_channelmix.data.nuclear_channel import nuclear_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["WAYS", "Way"]

# A set of real images; its job is left out where the folder is absent.
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = Path(os.environ.get("CHANNELMIX_DATA", SHARED)) / "bccd_blood"


@dataclass(frozen=True)
class Way:
    """A job and how it is done now.

    Attributes
    ----------
    title : str
    before : str
        The job of `four_jobs_before.json` it is compared with.
    go : callable
        Does it with a hand, with files in a folder; gives what came of it.
    """

    title: str
    before: str
    go: Callable[[CountingHand, Path], dict[str, Any]]


# -------------------------------------------------------------------- what jobs share


def open_workspace(hand: CountingHand) -> None:
    """Open the page Data by the menus."""
    hand.menu("Plugins", PLUGIN, f"Images and cells ({PLUGIN})")
    hand.until(lambda: hand.workspace is not None, "the workspace opens", 20)
    hand.pause(0.5)


def create(hand: CountingHand, material: Material, *, names: bool = True) -> None:
    """Cut out the cells as everything stands; all cells and channels must be there."""
    page = hand.page("data")
    see(page.use.isEnabled(), f"nothing is left to be chosen: {page.reason.text()}")
    hand.click(page.use, "Create cell set")
    hand.rest("data")
    whole(hand, material, names=names)


def whole(hand: CountingHand, material: Material, *, names: bool = True) -> None:
    """See that all cells and all channels, with their names, are in hand."""
    cells = hand.workspace.session.cells
    see(cells is not None and len(cells) == material.cells, f"all cells are taken: {cells}")
    see(len(cells.channels) == len(material.channels), f"all channels are taken: {cells.channels}")
    see(not names or cells.channels == material.channels, f"channels are named: {cells.channels}")


def go_to(hand: CountingHand, key: str) -> None:
    button = hand.workspace.rail.buttons[key]
    hand.click(button, f"rail: {button.page.title}")
    hand.pause(0.3)


def train(hand: CountingHand) -> None:
    """Train a classifier on the page 'Classifier'; it must tell the classes apart."""
    go_to(hand, "classifier")
    page = hand.page("classifier")
    # To save time; a user need not.
    page.network.setCurrentText("tiny")
    page.epochs.setValue(6)
    hand.click(page.train, "Train")
    hand.rest("classifier")
    trained = hand.workspace.session.trained
    see(trained is not None and trained.accuracy > 0.8, "the classifier tells the classes apart")


def explain(hand: CountingHand, layer: Any, place: tuple[float, float]) -> None:
    """Click a cell on the page 'Pixels'."""
    go_to(hand, "pixels")
    hand.rest("pixels")
    hand.cell(layer, place, "click a cell")
    session = hand.workspace.session
    hand.until(
        lambda: session.explanation is not None and session.explanation.map is not None,
        "the cell is explained",
    )


def summary(hand: CountingHand) -> dict[str, Any]:
    """What is in hand at the end."""
    session = hand.workspace.session
    cells, trained = session.cells, session.trained
    return {
        "cells": len(cells),
        "channels": list(cells.channels),
        "classes": {name: int(count) for name, count in cells.class_counts.items()},
        "groups": len(set(cells.groups)),
        "crop": int(cells.crop),
        "accuracy": None if trained is None else trained.accuracy,
    }


# -------------------------------------------------------------------- the jobs


def own_image(hand: CountingHand, folder: Path, *, named: bool) -> dict[str, Any]:
    """A: seven channels and a table of points and classes -> an explained cell."""
    material = own_tiff(folder, named=named)
    hand.drop(material.paths, "drop the TIFF on the window")
    open_workspace(hand)
    hand.drop([material.table], "drop the table on the window")
    page = hand.page("data")
    hand.rest("data")
    if not named:
        hand.decide("are the 7 planes channels or slices: the file does not say")
        hand.click(page.channels.question.yes, "7 channels")
    create(hand, material, names=named)
    classes = hand.workspace.session.cells.class_counts
    see(set(classes) == set(CLASSES), f"classes come with the table: {classes}")
    train(hand)
    explain(hand, hand.workspace.session.shown.reference, material.places[21][1])
    return summary(hand)


def plate(
    hand: CountingHand, folder: Path, *, layout: bool = True, numbered: bool = False
) -> dict[str, Any]:
    """B: a folder of single-channel files named by well -> a trained classifier."""
    channels = ("s1_w1", "s1_w2") if numbered else ("DAPI", "GFP")
    material = plate_folder(folder, layout=layout, channels=channels)
    open_workspace(hand)
    window = dropped(hand, material.paths, "drop the folder on the page")
    if numbered:
        material = replace(material, channels=("w1", "w2"))
        hand.decide("what a cell is, and which channel shows nuclei: w1 and w2 do not say")
        hand.choose(window.questions.boxes["cells"], "segment nuclei in w1", "What is a cell?")
        hand.until(lambda: not window.task.busy, "the answer is taken")
    if not layout:
        chart, edit = window.wells.map, window.wells.edit
        first, last = (chart.well_rect(well).center() for well in ("A01", "A04"))
        hand.drag(chart, first, last, "drag over the wells of row A")
        for name in CLASSES:
            # After the first, the wells that have no class yet are selected.
            hand.text(edit, name, f"type '{name}'")
            hand.until(lambda: not window.task.busy, "the classes are taken")
    open_scan(hand, window, material)
    classes = hand.workspace.session.cells.class_counts
    see(set(classes) == set(CLASSES), f"wells have classes: {classes}")
    groups = set(hand.workspace.session.cells.groups)
    see(len(groups) == 8, f"wells are groups: {groups}")
    train(hand)
    return summary(hand)


def unlabelled(hand: CountingHand, folder: Path) -> dict[str, Any]:
    """C: six files without labels -> two classes given by hand, three cells of each."""
    material = six_files(folder)
    open_workspace(hand)
    window = dropped(hand, material.paths, "drop the six files on the page")
    open_scan(hand, window, material)
    annotate(hand, material)
    return summary(hand)


def dropped(hand: CountingHand, paths: Sequence[Path], words: str) -> Any:
    """Drop files on the page Data; gives the window that shows what was understood."""
    page = hand.page("data")
    hand.drop(paths, words, page)
    hand.until(lambda: page.files.window is not None, "what was understood is shown")
    window = page.files.window
    hand.until(lambda: window.isVisible() and not window.task.busy, "it is read")
    hand.take("what was understood")
    return window


def open_scan(hand: CountingHand, window: Any, material: Material) -> None:
    """Open what was understood: all of it is proposed, none is open."""
    see(window.open.isEnabled(), f"nothing is left to be answered: {window.notice.text()}")
    hand.click(window.open, "Open")
    session = hand.workspace.session
    hand.until(lambda: session.shown is not None, "the data set is shown")
    hand.rest("data")
    whole(hand, material)


def annotate(hand: CountingHand, material: Material) -> None:
    """Give three cells each of two new classes, on the field of view that is shown."""
    go_to(hand, "annotate")
    page, session = hand.page("annotate"), hand.workspace.session
    hand.click(page.classes.name, "into the name of a new class")
    for name in ("dim", "bright"):
        hand.text(page.classes.name, name, f"type '{name}'")
    shown = session.shown
    here = [cell for cell in material.places if cell[0] == shown.field]
    for code, key in enumerate((Qt.Key.Key_1, Qt.Key.Key_2)):
        chosen = [cell for cell in here if cell[2] == code][:3]
        for number, (_, place, _) in enumerate(chosen):
            words = "Shift-click a cell" if number else "click a cell"
            hand.cell(shown.reference, place, words, more=number > 0)
        hand.key(key, f"key {code + 1}")
    see(session.cells.class_counts == {"dim": 3, "bright": 3}, "three cells of each class")


def picture(hand: CountingHand, folder: Path) -> dict[str, Any]:
    """D: an RGB picture of stained cells -> latents."""
    material = smear(folder)
    unmix(hand, material.paths[0], "H&E")
    segmentation = hand.page("data").cells.segmentation
    if nuclear_channel(material.channels) is None:
        hand.decide("in which channel objects are bright: the first stands there")
    hand.click(segmentation.use, "Segment nuclei")
    hand.rest("data")
    create(hand, material)
    return find_latents(hand)


def blood(hand: CountingHand, folder: Path) -> dict[str, Any]:
    """D: the same with a photograph of blood, of which 20 cells were boxed by others."""
    path = Path(shutil.copy(REAL / "images" / "BloodImage_00000.jpg", folder))
    unmix(hand, path, "Giemsa")
    page = hand.page("data")
    hand.decide("in which channel cells are bright: the first stands there, and is not it")
    hand.choose(page.cells.segmentation.channel, "Eosin", "in channel")
    hand.click(page.cells.segmentation.use, "Segment nuclei")
    hand.rest("data")
    hand.click(page.use, "Create cell set")
    hand.rest("data")
    with (REAL / "labels.csv").open(encoding="utf-8") as file:
        boxes = [row for row in csv.DictReader(file) if row["path"].endswith(path.name)]
    labels = hand.workspace.session.cells.fields[0].labels
    middles = [
        ((int(box["ymin"]) + int(box["ymax"])) // 2, (int(box["xmin"]) + int(box["xmax"])) // 2)
        for box in boxes
    ]
    hit = len({int(labels[middle]) for middle in middles} - {0})
    # What is segmented with nothing set; the page 'Data' shows it before it is used.
    see(hit >= 15, f"most cells are objects of their own: {hit} of {len(boxes)}")
    return {**find_latents(hand), "boxes": len(boxes), "boxes hit": hit}


def unmix(hand: CountingHand, path: Path, stains: str) -> None:
    """Drop a picture on the window and unmix its stains."""
    hand.drop([path], "drop the picture on the window")
    open_workspace(hand)
    button = hand.page("data").channels.rgb.unmix_button
    hand.decide("which stains the picture was made with")
    hand.click(button, "Unmix stains")
    hand.until(button.menu().isVisible, "the menu of stains opens", 10)
    hand.action(button.menu(), stains)
    hand.until(lambda: len(hand.viewer.layers) == 3, "there is a layer for each stain")
    hand.rest("data")


def find_latents(hand: CountingHand) -> dict[str, Any]:
    """Find the latents of all cells on the page 'Latents'."""
    go_to(hand, "latents")
    hand.click(hand.page("latents").settings.run, "Run")
    hand.rest("latents")
    session = hand.workspace.session
    see(len(session.latents.values) == len(session.cells), "all cells have latents")
    return {**summary(hand), "latents": list(session.latents.values.shape)}


WAYS = {
    "A": Way(
        "A: seven-channel TIFF without names, table of points and classes: an explained cell",
        "A",
        lambda hand, folder: own_image(hand, folder, named=False),
    ),
    "A-named": Way(
        "A: the same, channels named in the file",
        "A-named",
        lambda hand, folder: own_image(hand, folder, named=True),
    ),
    "B": Way(
        "B: folder of single-channel files named by well, with a table of wells: a classifier",
        "B",
        plate,
    ),
    "B-numbered": Way(
        "B: the same, channels numbered (`A01_s1_w1.tif`)",
        "B",
        lambda hand, folder: plate(hand, folder, numbered=True),
    ),
    "B-map": Way(
        "B: the same, classes marked on the plate map",
        "B",
        lambda hand, folder: plate(hand, folder, layout=False),
    ),
    "C": Way("C: six files without labels: two classes given by hand", "C", unlabelled),
    "D": Way("D: an RGB picture: latents", "D", picture),
}
if REAL.is_dir():
    title = "D: the same with a photograph of a blood smear"
    WAYS["D-blood"] = Way(title, "D", blood)
