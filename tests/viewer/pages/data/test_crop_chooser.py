"""The crop is proposed from the cells, drawn around real ones, and the user's from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.layers import Shapes

from napari_channelmix.jobs import drain
from napari_channelmix.viewer.layers import find_ours
from napari_channelmix.viewer.pages.data.layer_cells import cells_job
from napari_channelmix.viewer.pages.data.page import DataPage


def discs(sizes: list[int]) -> np.ndarray:
    """A label image with a square of each size, in a row."""
    side = max(sizes) + 10
    labels = np.zeros((side, side * len(sizes)), np.int32)
    for number, size in enumerate(sizes):
        labels[4 : 4 + size, side * number + 4 : side * number + 4 + size] = number + 1
    return labels


@pytest.fixture
def page(dock: Any) -> Any:
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    return page


def settle(page: Any, qtbot: Any) -> None:
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not page.cells.crop_size.task.busy)
    qtbot.wait(30)


def show(viewer: Any, page: Any, qtbot: Any, sizes: list[int]) -> Any:
    labels = discs(sizes)
    viewer.add_image(np.random.default_rng(0).random(labels.shape), name="DNA")
    layer = viewer.add_labels(labels, name="mask")
    settle(page, qtbot)
    return layer


def test_the_crop_fits_the_cells_and_is_drawn_around_one(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    show(viewer, page, qtbot, [20, 21, 33])
    size = page.cells.crop_size
    # 33 in steps of 8.
    assert (size.spin.value(), size.spin.text()) == (40, "auto (40 pixels)")
    assert size.text.text() == "all 3 cells fit"
    box = find_ours(viewer, "crop")
    assert isinstance(box, Shapes) and box.nshapes == 1
    corners = box.data[0]
    np.testing.assert_allclose(corners.max(axis=0) - corners.min(axis=0), 40)
    size.spin.setValue(24)
    assert size.spin.text() == "24 pixels"
    assert size.text.text() == "1 of 3 cells (33 %) does not fit"
    # Moved at once; the largest cell has a box of its own.
    box = find_ours(viewer, "crop")
    assert box.nshapes == 2
    np.testing.assert_allclose(np.ptp(box.data[1], axis=0), 24)
    # Rows 4 to 36: around pixel 20 a crop of 24 holds rows 8 to 31.
    assert box.data[1].mean(axis=0)[0] == 19.5
    click(size.auto)
    assert size.spin.value() == 40 and not size.auto.isVisible()


def test_cells_have_the_crop_that_is_shown(viewer: Any, page: Any, qtbot: Any, click: Any) -> None:
    show(viewer, page, qtbot, [12, 13, 14])
    click(page.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    assert page.session.cells.crop == 16
    # The boxes go with the question.
    assert find_ours(viewer, "crop") is None


def test_cells_that_are_not_measured_yet_get_the_crop_that_fits(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    show(viewer, page, qtbot, [12, 13, 20])
    plan = replace(page.cells.plan(page.channels.choose()), crop=None)
    assert drain(cells_job(plan)).crop == 24


def test_cells_of_another_layer_never_get_the_crop_of_the_one_before(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    show(viewer, page, qtbot, [12, 13, 44])
    before = page.cells.crop_size.measured
    small = viewer.add_labels(np.minimum(discs([12, 13, 44]), 1), name="small")
    settle(page, qtbot)
    page.cells.choose_source(small)
    # Nothing is measured of them yet: their own crop is found with the cells.
    assert page.cells.crop_size.measured is before
    assert page.cells.plan(page.channels.choose()).crop is None
    settle(page, qtbot)
    assert page.cells.crop_size.measured is not before


def test_what_is_painted_is_measured_again(viewer: Any, page: Any, qtbot: Any) -> None:
    layer = show(viewer, page, qtbot, [12, 13, 44])
    assert page.cells.crop_size.spin.value() == 48
    layer.data_setitem(np.nonzero(layer.data == 3), 0)
    layer.events.paint(value=[])
    qtbot.wait(500)
    settle(page, qtbot)
    assert page.cells.crop_size.spin.value() == 16
    # Set by hand it stays.
    page.cells.crop_size.spin.setValue(20)
    layer.data = discs([12, 13, 44])
    qtbot.wait(500)
    settle(page, qtbot)
    assert page.cells.crop_size.spin.value() == 20
    assert "1 of 3 cells" in page.cells.crop_size.text.text()


def test_boxes_go_when_the_page_is_left_and_come_back(viewer: Any, page: Any, qtbot: Any) -> None:
    show(viewer, page, qtbot, [12, 13, 14])
    assert find_ours(viewer, "crop") is not None
    page.origin.setCurrentIndex(0)
    qtbot.wait(30)
    assert find_ours(viewer, "crop") is None
    page.origin.setCurrentIndex(1)
    settle(page, qtbot)
    assert find_ours(viewer, "crop") is not None


def test_of_points_it_is_a_guess_and_says_so(viewer: Any, page: Any, qtbot: Any) -> None:
    viewer.add_image(np.zeros((200, 210)), name="DNA")
    points = [(y, x) for y in range(20, 200, 20) for x in range(20, 200, 20)]
    viewer.add_points(points, name="spots")
    settle(page, qtbot)
    # 1.5 times 20 in steps of 8.
    assert page.cells.crop_size.spin.value() == 32
    assert "guessed" in page.cells.crop_size.text.text()
    assert not page.cells.hide_neighbours.isVisible()
    # Nothing of a number of one's own is a guess.
    page.cells.crop.setValue(40)
    settle(page, qtbot)
    assert "guessed" not in page.cells.crop_size.text.text()


def test_the_only_layer_that_fits_marks_the_cells(viewer: Any, page: Any, qtbot: Any) -> None:
    labels = discs([12, 13])
    viewer.add_labels(np.zeros((7, 9), int), name="other size")
    show(viewer, page, qtbot, [12, 13])
    assert page.cells.source.currentData() is viewer.layers["mask"]
    assert page.cells.source_note.text() == "chosen: the only one that fits"
    viewer.add_points([[5, 5]], name="points")
    settle(page, qtbot)
    assert page.cells.source.currentData() is viewer.layers["mask"]
    assert page.cells.source_note.text() == "proposed; 2 layers fit the channels"
    viewer.layers.remove("points")
    page.cells.source.setCurrentIndex(0)
    settle(page, qtbot)
    assert page.cells.source.currentData() is None and "choose the layer" in page.reason.text()
    # What fits as well is a question.
    viewer.layers.remove("mask")
    for name in ("nuclei", "bodies"):
        viewer.add_labels(labels, name=name)
    page.cells._source_by_hand = False
    settle(page, qtbot)
    assert page.cells.source.currentData() is None
    assert page.cells.source_note.text() == "2 layers fit the channels: choose one"


def test_a_column_of_classes_is_proposed_and_can_be_left_out(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    layer = show(viewer, page, qtbot, [12, 13, 14, 15])
    viewer.layers.remove(layer)
    table = pd.DataFrame(
        {"index": [1, 2, 3, 4], "cell_type": ["a", "b", "a", "c"], "well": ["A1", "A1", "B2", "B2"]}
    )
    viewer.add_labels(discs([12, 13, 14, 15]), name="typed", features=table)
    settle(page, qtbot)
    assert page.cells.column.currentData() == "cell_type"
    assert page.cells.column_note.text().startswith("3 classes: a, b, c (proposed")
    page.cells.column.setCurrentIndex(0)
    settle(page, qtbot)
    viewer.add_points([(1, 1)], name="later")
    settle(page, qtbot)
    assert page.cells.column.currentData() is None and not page.cells.column_note.isVisible()


def test_hidden_neighbours_are_shown_before_and_after(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    labels = np.zeros((60, 64), np.int32)
    labels[20:30, 10:20], labels[20:30, 20:30], labels[20:30, 40:50] = 1, 2, 3
    pixels = np.where(labels > 0, 100.0 * labels, 10.0)
    viewer.add_image(pixels, name="DNA")
    viewer.add_labels(labels, name="mask")
    settle(page, qtbot)
    preview = page.cells.neighbours
    assert not preview.isVisible()
    page.cells.hide_neighbours.setChecked(True)
    qtbot.waitUntil(lambda: "cells have others" in preview.text.text())
    assert preview.isVisible() and preview.text.text() == "2 of 3 cells have others in their crop"
    before, after = preview.before[0].pixmap().toImage(), preview.after[0].pixmap().toImage()
    assert before != after
    # What is painted has other neighbours, though the crop is the same.
    layer = viewer.layers["mask"]
    layer.data = np.where(labels == 2, 0, labels)
    qtbot.waitUntil(lambda: preview.text.text() == "0 of 2 cells have others in their crop")
    layer.data = labels
    qtbot.wait(500)
    settle(page, qtbot)
    click(page.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    cells = page.session.cells
    assert cells.neighbours == "hide"
    assert cells.read([0]).max() == 100 and cells.crop == 16
