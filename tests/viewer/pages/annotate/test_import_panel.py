"""Classes from tables: what would change is seen first, by value, by pixels, by world positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.viewer.pages.annotate.page import AnnotatePage

from ...annotating import rows_of, show_squares, squares

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def annotate(viewer: Any, dock: Any, qtbot: Any) -> Any:
    found = dock(AnnotatePage)
    show_squares(viewer, found.session)
    qtbot.wait(200)
    return found


def choose(annotate: Any, qtbot: Any, path: Path, how: int) -> Any:
    annotate.transfer.open_table(path)
    annotate.transfer.how.setCurrentIndex(how)
    qtbot.waitUntil(lambda: not annotate.task.busy)
    return annotate.transfer


def choose_column(panel: Any, annotate: Any, qtbot: Any, key: str, name: str) -> None:
    """Choose a column by the keyboard."""
    box = panel.mapping.boxes[key]
    box.setFocus()
    qtbot.keyClicks(box, name)
    box.activated.emit(box.currentIndex())
    assert box.currentText() == name
    qtbot.waitUntil(lambda: not annotate.task.busy)


def test_columns_of_any_name_are_chosen(
    viewer: Any, annotate: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Nucleus;Area;What I see\n3;20;dead\n5;31;alive\n77;12;dead\n")
    panel = choose(annotate, qtbot, path, 0)
    assert "Choose the column of the class" in panel.preview.text()
    boxes = (panel.how, *panel.mapping.boxes.values())
    # Once they are laid out.
    qtbot.waitUntil(lambda: len({box.mapTo(panel, box.rect().topLeft()).x() for box in boxes}) == 1)
    assert not panel.apply_button.isEnabled()
    first = [panel.mapping.table.item(0, column).text() for column in range(3)]
    assert first == ["3", "20", "dead"]
    choose_column(panel, annotate, qtbot, "class", "What I see")
    assert "no column 'object'" in panel.preview.text()
    choose_column(panel, annotate, qtbot, "id", "Nucleus")
    assert "3 rows: 2 match cells, 1 match none (first: line 4, object 77)" in panel.preview.text()
    assert annotate.session.cells.labels.tolist() == [-1] * 6
    click(panel.apply_button)
    assert annotate.session.cells.labels.tolist() == [-1, -1, 1, -1, 0, -1]


def test_world_positions_meet_the_cells_of_layers_in_odd_places(
    viewer: Any, annotate: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    rows = []
    for number, name in ((2, "alive"), (5, "dead"), (6, "debris")):
        pixels = np.argwhere(squares() == number)
        for corner in (pixels.min(axis=0) - 0.4, pixels.max(axis=0) + 0.4):
            y, x = viewer.layers["cells"].data_to_world(corner)
            rows.append({"y": y, "x": x, "class": name, "area": 3})
    y, x = viewer.layers["cells"].data_to_world((1.0, 118.0))
    rows.append({"y": y, "x": x, "class": "dead", "area": 3})
    path = tmp_path / "points <b>.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    panel = choose(annotate, qtbot, path, 2)
    assert "um" in panel.how.currentText() or "micrometer" in panel.how.currentText()
    assert panel.preview.text() == (
        f"7 rows: 6 match cells, 1 match none (first: line 8, y={y:g}, x={x:g}); "
        "3 say the same of a cell again. New classes: debris."
    )
    # Nothing has changed before it is asked for.
    assert annotate.session.cells.labels.tolist() == [-1] * 6
    click(panel.apply_button)
    assert annotate.session.cells.labels.tolist() == [-1, 0, -1, -1, 1, 2]
    assert annotate.session.cells.classes == ("alive", "dead", "debris")
    assert "3 cells were given a class by points <b>.csv" in annotate.notice.text()
    click(annotate.giving.undo)
    assert annotate.session.cells.labels.tolist() == [-1] * 6
    assert annotate.session.cells.classes == ("alive", "dead")


def test_pixels_values_and_a_table_that_is_wrong(
    viewer: Any, annotate: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("object,y,x,class\n3,30,20,dead\n4,30,58,alive\n")
    panel = choose(annotate, qtbot, path, 1)
    click(panel.apply_button)
    assert annotate.session.cells.labels.tolist() == [1, 0, -1, -1, -1, -1]
    panel = choose(annotate, qtbot, path, 0)
    click(panel.apply_button)
    assert annotate.session.cells.labels.tolist() == [1, 0, 1, 0, -1, -1]
    path.write_text("object,class\n3,dead\nthree,dead\n")
    panel = choose(annotate, qtbot, path, 0)
    assert "line 3, column 'object': 'three' is not a whole number" in panel.preview.text()
    assert not panel.apply_button.isEnabled() and panel.apply_button.toolTip()
    click(panel.cancel)
    assert not panel.isVisible()


def test_the_column_of_ids_may_be_named(
    viewer: Any, annotate: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    # The row numbers of pandas, and the label values.
    path.write_text("index,label,class\n0,3,dead\n1,5,alive\n")
    panel = choose(annotate, qtbot, path, 0)
    assert "columns 'index', 'label' may all hold the ids" in panel.preview.text()
    assert not panel.apply_button.isEnabled()
    assert panel.mapping.boxes["id"].currentText() == ""
    choose_column(panel, annotate, qtbot, "id", "label")
    assert "2 match cells; ids are read from column 'label'" in panel.preview.text()
    click(panel.apply_button)
    assert annotate.session.cells.labels.tolist() == [-1, -1, 1, -1, 0, -1]
    panel = choose(annotate, qtbot, path, 1)
    assert set(panel.mapping.boxes) == {"y", "x", "class", "field"}
    assert "Choose the column of the y" in panel.preview.text()


def test_what_is_exported_comes_back(
    viewer: Any, annotate: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    annotate.session.classify([0, 1, -1, -1, 1, 0], ("alive", "dead"))
    annotate.export_to(tmp_path / "out")
    qtbot.waitUntil(lambda: not annotate.task.busy)
    path = tmp_path / "out.csv"
    assert "4 cells exported" in annotate.notice.text() and len(rows_of(path)) == 4
    annotate.session.classify([-1] * 6, ("alive", "dead"))
    for how in (0, 1):
        click(choose(annotate, qtbot, path, how).apply_button)
        assert annotate.session.cells.labels.tolist() == [0, 1, -1, -1, 1, 0]
        click(annotate.giving.undo)


def test_other_cells_meanwhile_are_looked_at_again(
    viewer: Any, annotate: Any, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("object,class\n1,dead\n")
    panel = choose(annotate, qtbot, path, 0)
    session = annotate.session
    session.open(session.cells.subset([2, 3]), "others", session.shown)
    assert not panel.isVisible()
