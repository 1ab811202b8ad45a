"""Undo and Redo are for what was done last: classes, or strokes of the user in a Labels layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.annotate.page import AnnotatePage
from napari_channelmix.viewer.session.session import Shown

from ...annotating import key, show_squares
from ...conftest import canvas_of


def codes(annotate: Any) -> list[int]:
    return list(annotate.session.cells.labels.tolist())


def undo(viewer: Any, qtbot: Any) -> None:
    key(qtbot, canvas_of(viewer), "Z", "Control")
    qtbot.wait(100)


def redo(viewer: Any, qtbot: Any) -> None:
    key(qtbot, canvas_of(viewer), "Z", "Control", "Shift")
    qtbot.wait(100)


@pytest.fixture
def annotate(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """The dock in front, with six cells from a Labels layer."""
    widget = dock(AnnotatePage)
    show_squares(viewer, widget.session)
    qtbot.wait(200)
    return widget


def test_an_annotation_of_cells_from_labels_is_taken_back_and_made_again(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    annotate.session.assign([0], 1)
    # Until the class overlay is painted.
    qtbot.wait(200)
    annotate.session.assign([1], 0)
    qtbot.wait(200)
    assert viewer.layers["classes"].data.max() == 2
    for layer in ("cells", "classes", "DNA"):
        viewer.layers.selection.active = viewer.layers[layer]
        undo(viewer, qtbot)
        assert codes(annotate)[:2] == [1, -1]
        redo(viewer, qtbot)
        assert codes(annotate)[:2] == [1, 0]
    undo(viewer, qtbot)
    undo(viewer, qtbot)
    assert codes(annotate) == [-1] * 6


def test_an_annotation_of_cells_from_points_is_taken_back(
    viewer: Any, dock: Any, qtbot: Any
) -> None:
    widget = dock(AnnotatePage)
    pixels = np.random.default_rng(0).random((60, 60))
    image = viewer.add_image(pixels, name="DNA", scale=(0.5, 0.25))
    points = viewer.add_points([[20.0, 20.0], [40.0, 40.0]], scale=(0.5, 0.25))
    cells = Cells.from_points((pixels,), ("DNA",), points.data, crop=12)
    cells = cells.with_labels([-1, -1], ("alive", "dead"))
    widget.session.open(cells, "layers of the viewer", Shown(0, {"DNA": image}, points))
    widget.session.assign([1], 1)
    qtbot.wait(200)
    undo(viewer, qtbot)
    assert codes(widget) == [-1, -1]
    redo(viewer, qtbot)
    assert codes(widget) == [-1, 1]


def test_an_annotation_of_a_data_set_is_taken_back(
    viewer: Any, open_plate: Any, dock: Any, qtbot: Any
) -> None:
    open_plate()
    widget = dock(AnnotatePage)
    before = codes(widget)
    widget.session.assign([0], 1 - before[0])
    qtbot.wait(200)
    undo(viewer, qtbot)
    assert codes(widget) == before


@pytest.mark.parametrize("mode", ["pan_zoom", "paint"])
def test_strokes_and_annotations_are_taken_back_the_later_one_first(
    viewer: Any, annotate: Any, qtbot: Any, mode: str
) -> None:
    mine = viewer.add_labels(np.zeros((60, 60), int), name="mine")
    viewer.layers.selection.active = mine
    mine.mode = mode
    canvas_of(viewer).setFocus()
    mine.paint((10, 10), 3)
    annotate.session.assign([0], 1)
    qtbot.wait(200)
    mine.paint((40, 40), 7)
    annotate.session.assign([1], 1)
    qtbot.wait(200)
    state = lambda: (mine.data[10, 10], mine.data[40, 40], *codes(annotate)[:2])  # noqa: E731
    steps = [(3, 7, 1, 1), (3, 7, 1, -1), (3, 0, 1, -1), (3, 0, -1, -1), (0, 0, -1, -1)]
    assert state() == steps[0]
    for step in steps[1:]:
        undo(viewer, qtbot)
        assert state() == step
    for step in steps[-2::-1]:
        redo(viewer, qtbot)
        assert state() == step


def test_a_stroke_that_napari_took_back_before_is_no_lost_key(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    cells = viewer.layers["cells"]
    annotate.session.assign([0], 1)
    cells.paint((60, 60), 9)
    cells.undo()
    undo(viewer, qtbot)
    assert codes(annotate)[0] == -1


def test_strokes_of_a_layer_that_is_gone_or_filled_anew_are_forgotten(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    mine = viewer.add_labels(np.zeros((60, 60), int), name="mine")
    annotate.session.assign([0], 1)
    mine.paint((10, 10), 3)
    mine.data = np.ones((60, 60), int)
    undo(viewer, qtbot)
    assert codes(annotate)[0] == -1 and (mine.data == 1).all()
    mine.paint((10, 10), 3)
    viewer.layers.remove(mine)
    redo(viewer, qtbot)
    assert codes(annotate)[0] == 1
