"""Giving classes by brush, click and key, in a real window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_channelmix.data import open_dataset
from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.pages.annotate.page import AnnotatePage
from napari_channelmix.viewer.pages.data.page import DataPage

from ...annotating import key, predicted, press, show_squares, squares
from ...conftest import canvas_of, canvas_point


@pytest.fixture
def annotate(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """The dock in front, with six cells of layers in odd places."""
    found = dock(AnnotatePage)
    show_squares(viewer, found.session)
    qtbot.wait(200)
    return found


def labels(annotate: Any) -> list[int]:
    return list(annotate.session.cells.labels.tolist())


def test_a_stroke_is_taken_back_and_made_again_by_keys_and_buttons(
    viewer: Any, annotate: Any, qtbot: Any, click: Any
) -> None:
    annotate.classes.table.selectRow(2)
    click(annotate.classes.paint)
    canvas = canvas_of(viewer)
    ends = [
        canvas_point(
            viewer, viewer.layers["cells"].data_to_world(np.argwhere(squares() == n).mean(axis=0))
        )
        for n in (1, 3)
    ]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=ends[0])
    for part in np.linspace(0, 1, 30):
        qtbot.mouseMove(canvas, ends[0] + (ends[1] - ends[0]) * float(part))
        qtbot.wait(5)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=ends[1])
    assert labels(annotate) == [1, 1, 1, -1, -1, -1]
    assert annotate.giving.undo.text() == "Undo: 3 cells to dead"
    press(qtbot, viewer, 5)
    assert annotate.giving.undo.text() == "Undo: 1 cell to dead"
    key(qtbot, canvas, "Z", "Control")
    assert labels(annotate) == [1, 1, 1, -1, -1, -1]
    key(qtbot, annotate, "Z", "Control")
    assert labels(annotate) == [-1] * 6 and not annotate.giving.undo.isEnabled()
    key(qtbot, canvas, "Z", "Control", "Shift")
    click(annotate.giving.redo)
    assert labels(annotate) == [1, 1, 1, -1, 1, -1] and not annotate.giving.redo.isEnabled()


def test_keys_give_the_selected_cells_a_class(viewer: Any, annotate: Any, qtbot: Any) -> None:
    # The layer that is active has keys 1 to 7 of its own, for its tools.
    viewer.layers.selection.active = viewer.layers["cells"]
    canvas = canvas_of(viewer)
    press(qtbot, viewer, 2)
    press(qtbot, viewer, 4, shift=True)
    # The one that was clicked last is looked at first, as on every page.
    assert annotate.session.selected == (3, 1)
    assert annotate.giving.selected.text() == "2 cells selected, 2 without a class"
    key(qtbot, canvas, "2")
    assert labels(annotate) == [-1, 1, -1, 1, -1, -1]
    assert annotate.giving.undo.text() == "Undo: 2 cells to dead"
    assert viewer.layers["cells"].mode == "pan_zoom"
    press(qtbot, viewer, 4, shift=True)
    assert annotate.session.selected == (1,)
    key(qtbot, annotate.classes.table, "1")
    key(qtbot, annotate.giving.undo, "0")
    assert labels(annotate) == [-1, -1, -1, 1, -1, -1]
    key(qtbot, canvas, "7")
    assert "No class has the key 7: there are 2 classes" in annotate.notice.text()
    assert labels(annotate) == [-1, -1, -1, 1, -1, -1]


def test_keys_choose_the_class_to_paint_while_painting(
    viewer: Any, annotate: Any, qtbot: Any, click: Any
) -> None:
    annotate.session.select(5)
    click(annotate.classes.paint)
    key(qtbot, canvas_of(viewer), "2")
    assert labels(annotate) == [-1] * 6 and annotate.classes.chosen == 1
    press(qtbot, viewer, 1)
    key(qtbot, canvas_of(viewer), "0")
    press(qtbot, viewer, 3)
    assert labels(annotate) == [1, -1, -1, -1, -1, -1]
    # A click paints, and selects nothing.
    assert annotate.session.selected == (5,)


def test_keys_are_left_to_a_layer_that_is_edited_and_to_fields_of_text(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    cells, canvas = viewer.layers["cells"], canvas_of(viewer)
    viewer.layers.selection.active = cells
    annotate.session.select(1)
    cells.mode = "fill"
    key(qtbot, canvas, "2")
    assert labels(annotate) == [-1] * 6 and cells.mode == "paint"
    cells.mode = "pan_zoom"
    annotate.classes.name.setFocus()
    qtbot.keyClicks(annotate.classes.name, "12")
    assert annotate.classes.name.text() == "12" and labels(annotate) == [-1] * 6


def test_keys_are_not_ours_behind_another_dock_nor_once_the_dock_is_gone(
    viewer: Any, annotate: Any, dock: Any, qtbot: Any
) -> None:
    cells, canvas = viewer.layers["cells"], canvas_of(viewer)
    viewer.layers.selection.active = cells
    annotate.session.select(1)
    images = dock(DataPage)
    images.parent().raise_()
    qtbot.waitUntil(lambda: not annotate.clicks.active)
    key(qtbot, canvas, "2")
    assert labels(annotate) == [-1] * 6 and cells.mode == "paint"
    cells.mode = "pan_zoom"
    annotate.parent().raise_()
    qtbot.waitUntil(lambda: annotate.clicks.active)
    key(qtbot, canvas, "2")
    assert labels(annotate)[1] == 1
    viewer.window.remove_dock_widget(annotate)
    key(qtbot, canvas, "1")
    assert annotate.session.cells.labels[1] == 1 and cells.mode == "erase"
    cells.mode = "pan_zoom"
    annotate.deleteLater()
    QApplication.sendPostedEvents(annotate, QEvent.Type.DeferredDelete.value)


def test_undo_in_the_canvas_is_for_what_was_done_last(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    cells, canvas = viewer.layers["cells"], canvas_of(viewer)
    viewer.layers.selection.active = cells
    annotate.session.assign([0], 1)
    cells.paint((60, 60), 9)
    assert (cells.data == 9).any()
    key(qtbot, canvas, "Z", "Control")
    assert not (cells.data == 9).any() and labels(annotate)[0] == 1
    annotate.session.assign([1], 1)
    key(qtbot, canvas, "Z", "Control")
    assert labels(annotate) == [1, -1, -1, -1, -1, -1]
    assert annotate.giving.redo.text() == "Redo: 1 cell to dead"


def test_the_next_uncertain_cell_is_gone_to_and_selected(
    viewer: Any, annotate: Any, qtbot: Any, click: Any
) -> None:
    found = annotate.going_on
    assert not found.uncertain.isEnabled()
    assert "once a classifier is applied" in found.line.text()
    annotate.session.classify([0, -1, -1, -1, 1, -1], ("alive", "dead"))
    likely = [0.5, 0.9, 0.55, 0.2, 0.51, 0.99]
    annotate.session.predictions = predicted([(p, 1 - p) for p in likely])
    seen = []
    for _ in range(7):
        click(found.uncertain)
        seen.append(annotate.session.selected[0])
    # Those without a class first, each once; then the round begins anew.
    assert seen == [2, 3, 1, 5, 0, 4, 2]
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:],
        viewer.layers["cells"].data_to_world(np.argwhere(squares() == 3).mean(axis=0)),
        atol=1,
    )
    assert "1 seen in this round" in found.line.text()
    key(qtbot, canvas_of(viewer), "1")
    assert labels(annotate)[2] == 0
    click(found.unlabelled)
    assert annotate.session.selected == (3,)
    annotate.session.classify([0] * 6, ("alive", "dead"))
    assert not found.unlabelled.isEnabled()
    assert "No cell is without a class" in found.unlabelled.toolTip()
    annotate.session.predictions = predicted([(1, 0)] * 5)
    assert not found.uncertain.isEnabled() and "of other cells" in found.line.text()


def test_the_next_cell_lies_in_another_field_of_view(
    open_plate: Any, dock: Any, qtbot: Any, click: Any
) -> None:
    open_plate()
    annotate = dock(AnnotatePage)
    session = annotate.session
    codes = session.cells.labels.copy()
    codes[[3, 45]] = -1
    session.classify(codes, session.cells.classes)
    click(annotate.going_on.unlabelled)
    assert session.selected == (3,)
    click(annotate.going_on.unlabelled)
    assert session.selected == (45,)
    field = int(session.cells.table["field"].iloc[45])
    qtbot.waitUntil(lambda: session.shown.field == field)


def test_a_palette_of_thirty_classes(viewer: Any, annotate: Any, qtbot: Any, click: Any) -> None:
    for number in range(3, 31):
        qtbot.keyClicks(annotate.classes.name, f"class {number}")
        qtbot.keyClick(annotate.classes.name, Qt.Key.Key_Return)
    session, table = annotate.session, annotate.classes.table
    assert len(session.cells.classes) == 30 and table.rowCount() == 31
    keys = [table.item(row, 1).text() for row in range(31)]
    with_alt = [f"Alt+{digit}" for digit in (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)]
    assert keys == [*map(str, range(10)), *with_alt, *[""] * 11]
    assert table.currentRow() == 30 and annotate.classes.chosen == 29
    assert len({class_hex(code) for code in range(30)}) == 30
    session.select(2)
    key(qtbot, canvas_of(viewer), "1", "Alt")
    assert labels(annotate)[2] == 9
    key(qtbot, canvas_of(viewer), "0", "Alt")
    assert labels(annotate)[2] == 18
    session.undo()
    session.undo()
    click(annotate.classes.paint)
    press(qtbot, viewer, 6)
    assert labels(annotate)[5] == 29
    assert table.item(30, 2).text() == "1" and table.item(30, 3).text() == "17 %"
    qtbot.waitUntil(lambda: "classes" in viewer.layers)
    qtbot.wait(150)
    assert viewer.layers["classes"].data.max() == 30
    click(annotate.classes.paint)


def test_the_swatch_of_the_selected_class_keeps_its_colour(annotate: Any) -> None:
    from qtpy.QtGui import QIcon

    table = annotate.classes.table
    assert table.currentRow() == 1
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        swatch = table.item(1, 0).icon().pixmap(QSize(12, 12), mode=mode).toImage()
        assert swatch.pixelColor(6, 6).name() == class_hex(0).lower()


def test_foreign_columns_of_the_cells_stay(viewer: Any, annotate: Any, qtbot: Any) -> None:
    import pandas as pd

    layer = viewer.layers["cells"]
    layer.features = pd.DataFrame({"index": range(1, 7), "area": [1.5] * 6, "class": ["old"] * 6})
    annotate.session.assign([2], 0)
    qtbot.wait(200)
    table = layer.features.set_index("index").loc[range(1, 7)]
    assert table["area"].tolist() == [1.5] * 6 and table["class"].tolist() == ["old"] * 6
    assert table["class (channelmix)"].tolist()[2] == "alive"


def test_all_that_is_disabled_says_why(dock: Any) -> None:
    annotate = dock(AnnotatePage)
    for button in (
        annotate.classes.paint,
        annotate.import_button,
        annotate.export_button,
        annotate.save_button,
        annotate.giving.undo,
    ):
        assert not button.isEnabled() and button.toolTip()
    assert "'Data'" in annotate.giving.selected.text()
    assert not any(one.toolTip() == "" for one in annotate.classes.findChildren(QLineEdit))


def test_cells_are_saved_as_a_data_set_with_their_classes(
    annotate: Any, qtbot: Any, tmp_path: Any
) -> None:
    annotate.session.assign([1, 2], 1)
    annotate.save_to(tmp_path / "set")
    qtbot.waitUntil(lambda: not annotate.task.busy)
    assert annotate.notice.kind == "good", annotate.notice.text()
    assert annotate.session.saved == (annotate.session.cells, tmp_path / "set" / "dataset.toml")
    back, cells = open_dataset(tmp_path / "set" / "dataset.toml"), annotate.session.cells
    assert back.labels.tolist() == [-1, 1, 1, -1, -1, -1] and back.classes == cells.classes
    np.testing.assert_array_equal(back.read(), cells.read())
    annotate.save_to(tmp_path / "set")
    assert "is not empty" in annotate.notice.text()


def test_keys_of_the_canvas_work_while_the_dock_floats(
    viewer: Any, annotate: Any, qtbot: Any
) -> None:
    annotate.parent().setFloating(True)
    qtbot.wait(100)
    annotate.session.select(2)
    key(qtbot, canvas_of(viewer), "1")
    assert labels(annotate) == [-1, -1, 0, -1, -1, -1]
    annotate.parent().setFloating(False)
    qtbot.wait(100)
    key(qtbot, canvas_of(viewer), "0")
    assert labels(annotate) == [-1] * 6
