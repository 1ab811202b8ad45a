"""One selection: session, picture, layers and napari's own table, both ways, once each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari_builtins._qt.features_table import FeaturesTable
from qtpy.QtCore import QItemSelectionModel, Qt

from napari_channelmix.data import Cells
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.selection.class_overlays import overlays_of
from napari_channelmix.viewer.selection.sync import linking_of
from napari_channelmix.viewer.session.session import Session, Shown, session_of

from ..latent_cases import COUNT, ODD, blobs, planes
from ..latent_cases import cells as some_cells


@pytest.fixture
def linked(viewer: Any) -> tuple[Session, Any]:
    """The session, with a label image in a layer of odd geometry."""
    of = some_cells()
    images = {
        name: viewer.add_image(pixels, name=name, **ODD)
        for name, pixels in zip(of.channels, planes(), strict=True)
    }
    marked = viewer.add_labels(blobs(), name="cells", **ODD)
    linking_of(viewer)
    session = session_of(viewer)
    session.open(of, "test", Shown(0, images, marked))
    return session, marked


def heard(session: Session) -> list[Any]:
    """Every selection that is told of from now on."""
    told: list[Any] = []
    session.selected_changed.connect(told.append)
    return told


def test_a_selection_is_ringed_and_its_label_selected(viewer: Any, linked: Any) -> None:
    session, marked = linked
    told = heard(session)
    session.select(6, 2)
    rings = viewer.layers["selected cells"]
    middles = [np.argwhere(blobs() == number).mean(axis=0) for number in (7, 3)]
    np.testing.assert_allclose(rings.data, middles, atol=1)
    np.testing.assert_allclose(rings.data_to_world((3, 4)), marked.data_to_world((3, 4)))
    assert marked.selected_label == 7
    assert told == [(6, 2)]
    session.select()
    assert "selected cells" not in viewer.layers


def test_a_label_that_is_selected_selects_the_cell(linked: Any) -> None:
    session, marked = linked
    told = heard(session)
    marked.selected_label = 4
    marked.selected_label = 4
    assert told == [(3,)]
    # No cell has this label, nor has the background.
    marked.selected_label = 300
    marked.selected_label = 0
    assert session.selected == (3,)
    # A brush's label is a colour, not a cell.
    marked.mode = "paint"
    marked.selected_label = 5
    assert session.selected == (3,)
    session.select(8)
    assert marked.selected_label == 5


def test_rings_and_active_layer_leave_the_user_alone(viewer: Any, linked: Any) -> None:
    session, _ = linked
    viewer.layers.selection.active = viewer.layers["GFP"]
    session.select(1)
    assert viewer.layers.selection.active is viewer.layers["GFP"]
    viewer.layers.remove("selected cells")
    session.select(2)
    assert len(viewer.layers["selected cells"].data) == 1


def test_at_most_some_thousand_rings_are_drawn(viewer: Any, linked: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("napari_channelmix.viewer.selection.sync.MOST", 5)
    session, _ = linked
    session.select(*range(COUNT))
    assert len(viewer.layers["selected cells"].data) == 5


def test_points_select_and_are_selected(viewer: Any) -> None:
    pixels = planes(1)[0]
    where = [(30, 30), (60, 60), (90, 90), (120, 120)]
    of = Cells.from_points([pixels], ["DNA"], where, crop=24)
    table = of.table.assign(object=np.arange(4))
    from dataclasses import replace

    of = replace(of, table=table)
    image = viewer.add_image(pixels, name="DNA")
    points = viewer.add_points(where, name="spots")
    linking_of(viewer)
    session = session_of(viewer)
    session.open(of, "test", Shown(0, {"DNA": image}, points))
    told = heard(session)
    points.selected_data = {1, 3}
    assert set(session.selected) == {1, 3} and len(told) == 1
    session.select(2)
    assert set(points.selected_data) == {2} and len(told) == 2
    session.select(0, 1, 2)
    assert set(points.selected_data) == {0, 1, 2} and len(told) == 3


def test_cells_of_another_field_have_no_ring_here(
    viewer: Any, open_plate: Any, plate: Cells, qtbot: Any
) -> None:
    images = open_plate()
    session = images.session
    there = np.flatnonzero(plate.table["field"] == 3)[:2].tolist()
    here = int(np.flatnonzero(plate.table["field"] == session.shown.field)[0])
    session.select(*there, here)
    assert len(viewer.layers["selected cells"].data) == 1
    images.show_field(3)
    qtbot.waitUntil(lambda: session.shown.field == 3)
    assert len(viewer.layers["selected cells"].data) == 2
    assert viewer.layers["cells"].selected_label == plate.table["object"].iloc[there[0]]
    assert session.selected == (*there, here)


def test_layers_that_go_do_no_harm(viewer: Any, linked: Any) -> None:
    session, marked = linked
    marked.name = "renamed"
    session.select(1)
    assert marked.selected_label == 2
    viewer.layers.remove(marked)
    session.select(2)
    marked.selected_label = 9
    assert session.selected == (2,)
    for layer in list(viewer.layers):
        viewer.layers.remove(layer)
    session.select(3)
    session.open(None)


# -------------------------------------------------------------------- napari's table of features


@pytest.fixture
def table(viewer: Any, linked: Any, qtbot: Any) -> Any:
    """napari's own widget, with the features that this plugin writes."""
    overlays_of(viewer).draw()
    viewer.layers.selection.active = linked[1]
    widget = FeaturesTable(viewer)
    viewer.window.add_dock_widget(widget, name="features")
    qtbot.wait(300)
    return widget


def press_row(widget: Any, label: int, qtbot: Any) -> None:
    """Click the row of a label, wherever it stands."""
    view = widget.table
    model = view.model()
    source = model.sourceModel().df
    at = int(np.flatnonzero(source["index"] == label)[0])
    index = model.mapFromSource(model.sourceModel().index(at, 1))
    view.scrollTo(index)
    qtbot.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center()
    )


def test_a_row_of_the_features_table_selects_its_cell(linked: Any, table: Any, qtbot: Any) -> None:
    session, _ = linked
    for number in (3, 12, 1):
        press_row(table, number, qtbot)
        assert session.selected == (number - 1,)


def test_the_features_table_follows(linked: Any, table: Any, qtbot: Any) -> None:
    session, _ = linked
    session.select(8)
    qtbot.wait(100)
    chosen = {index.row() for index in table.table.selectionModel().selectedRows()}
    source = table.table.model().sourceModel().df
    rows = {
        table.table.model().mapToSource(table.table.model().index(row, 0)).row() for row in chosen
    }
    assert [int(source["index"].iloc[row]) for row in rows] == [9]


def test_foreign_columns_stay_and_a_replaced_table_does_no_harm(
    viewer: Any, linked: Any, table: Any, qtbot: Any
) -> None:
    session, marked = linked
    foreign = pd.DataFrame({"index": np.arange(1, 13), "area": np.arange(12) * 1.5})
    marked.features = foreign
    overlays_of(viewer).draw()
    # Its rows stay as they are: none is added for the background.
    assert marked.features["index"].tolist() == foreign["index"].tolist()
    assert marked.features["area"].tolist() == foreign["area"].tolist()
    expected = [session.cells.classes[code] for code in session.cells.labels]
    assert marked.features["class"].tolist() == expected
    # None for 'no column says which cell a row is about'.
    for strange, classes in (
        (pd.DataFrame({"area": [1.0, 2.0]}), None),
        (pd.DataFrame({"index": ["a", "b"], "area": [1.0, 2.0]}), None),
        (pd.DataFrame({"index": [4, 4, 90_000], "area": [1.0, 2.0, 3.0]}), [expected[3]] * 2),
        (pd.DataFrame({"index": [np.nan, 2.0], "area": [1.0, 2.0]}), [expected[1]]),
    ):
        marked.features = strange
        session.select(2)
        overlays_of(viewer).draw()
        table = marked.features
        pd.testing.assert_frame_equal(table[list(strange.columns)], strange)
        assert ("class" in table) == (classes is not None)
        assert classes is None or table["class"].dropna().tolist() == classes
        assert bool(overlays_of(viewer).refused) == (classes is None)
        session.select(4)
        marked.selected_label = 1
        assert session.selected == (0,)


def test_rows_of_the_table_are_numbered_like_the_labels(linked: Any) -> None:
    _, marked = linked
    layers.write_features(marked, np.array([2, 5, 9]), {"said": ["b", "e", "i"]})
    assert marked.features["index"].tolist() == list(range(10))
    assert marked.features["said"].iloc[5] == "e"
    layers.write_features(marked, np.array([100_000_000]), {"said": ["far"]})
    assert len(marked.features) < 100


def select_rows(widget: Any, row: int) -> None:
    """As the keyboard does."""
    index = widget.table.model().index(row, 0)
    widget.table.selectionModel().select(
        index,
        QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
    )


def test_selecting_by_key_tells_once(linked: Any, table: Any) -> None:
    session, _ = linked
    told = heard(session)
    select_rows(table, 4)
    assert len(told) == 1


def test_a_column_of_the_users_that_is_called_like_ours_stays(viewer: Any, linked: Any) -> None:
    session, marked = linked
    said = [f"mine {at}" for at in range(COUNT)]
    numbers = session.cells.table["object"].to_numpy()
    marked.features = pd.DataFrame({"index": numbers, "class": said})
    codes = np.arange(COUNT) % 2
    session.cells = session.cells.with_labels(codes, ["a", "b"])
    for _ in range(2):
        overlays_of(viewer).draw()
        table = marked.features.set_index("index").loc[numbers]
        assert table["class"].tolist() == said
        assert table["class (channelmix)"].tolist() == [["a", "b"][code] for code in codes]
