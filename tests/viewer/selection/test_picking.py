from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.data import Cells
from napari_channelmix.viewer.layers import OURS
from napari_channelmix.viewer.pages.annotate.page import AnnotatePage
from napari_channelmix.viewer.selection.picking import cell_at, elsewhere
from napari_channelmix.viewer.session.session import Shown, session_of

from ..annotating import ODD, squares
from ..conftest import canvas_of, canvas_point


@pytest.fixture
def painted(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """A dock with six cells of layers that are scaled, moved, turned and sheared."""
    labels = squares()
    images = dock(AnnotatePage)
    rng = np.random.default_rng(0)
    one = viewer.add_image(rng.random(labels.shape), name="DNA", **ODD)
    two = viewer.add_image(rng.random(labels.shape), name="GFP", **ODD)
    marked = viewer.add_labels(labels, name="cells", **ODD)
    cells = Cells.from_labels((one.data, two.data), ("DNA", "GFP"), labels, crop=24)
    cells = cells.with_labels([-1] * 6, ("alive", "dead"))
    images.session.open(cells, "layers", Shown(0, {"DNA": one, "GFP": two}, marked))
    viewer.reset_view()
    qtbot.wait(200)
    return images


def where(viewer: Any, number: int) -> Any:
    layer = viewer.layers["cells"]
    return layer.data_to_world(np.argwhere(squares() == number).mean(axis=0))


def press(qtbot: Any, viewer: Any, number: int) -> None:
    point = canvas_point(viewer, where(viewer, number))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)
    qtbot.wait(30)


def test_a_click_gives_a_cell_the_chosen_class_whatever_layer_is_active(
    viewer: Any, painted: Any, qtbot: Any, click: Any
) -> None:
    other = viewer.add_points(np.zeros((0, 2)), name="elsewhere", units=("um", "um"))
    viewer.layers.selection.active = other
    painted.classes.table.selectRow(2)
    click(painted.classes.paint)
    press(qtbot, viewer, 5)
    assert painted.session.cells.labels.tolist() == [-1, -1, -1, -1, 1, -1]
    painted.classes.table.selectRow(0)
    press(qtbot, viewer, 5)
    assert painted.session.cells.labels.tolist() == [-1] * 6
    assert viewer.layers.selection.active is other


def test_a_drag_gives_all_cells_under_it_the_class(
    viewer: Any, painted: Any, qtbot: Any, click: Any
) -> None:
    painted.classes.table.selectRow(1)
    click(painted.classes.paint)
    center = np.array(viewer.scene.camera.center)
    canvas = canvas_of(viewer)
    start, end = (canvas_point(viewer, where(viewer, n)) for n in (1, 3))
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    for part in np.linspace(0, 1, 30):
        qtbot.mouseMove(canvas, start + (end - start) * float(part))
        qtbot.wait(5)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)
    assert painted.session.cells.labels.tolist()[:3] == [0, 0, 0]
    np.testing.assert_allclose(viewer.scene.camera.center, center)


def test_painted_classes_are_a_layer_and_a_features_column(
    viewer: Any, painted: Any, qtbot: Any, click: Any
) -> None:
    painted.classes.table.selectRow(2)
    click(painted.classes.paint)
    press(qtbot, viewer, 2)
    qtbot.waitUntil(lambda: "classes" in viewer.layers)
    qtbot.wait(150)
    shown, source = viewer.layers["classes"], viewer.layers["cells"]
    # A ring: its cell in the class's number, but for the inside.
    assert set(np.unique(shown.data[squares() == 2])) == {0, 2}
    assert set(np.unique(shown.data[squares() != 2])) == {0}
    for corner in ((0, 0), (0, 119), (119, 7)):
        np.testing.assert_allclose(shown.data_to_world(corner), source.data_to_world(corner))
    assert shown.units == source.units and shown.axis_labels == source.axis_labels
    table = source.features.set_index("index")
    assert table.loc[2, "class"] == "dead" and table.loc[1, "class"] == ""


def test_painting_ends_with_its_button(viewer: Any, painted: Any, qtbot: Any, click: Any) -> None:
    painted.classes.table.selectRow(1)
    click(painted.classes.paint)
    assert not viewer.scene.camera.mouse_pan
    click(painted.classes.paint)
    assert viewer.scene.camera.mouse_pan
    press(qtbot, viewer, 1)
    assert painted.session.cells.labels.tolist() == [-1] * 6


def test_painting_on_another_slice_says_where_the_cells_are(
    viewer: Any, dock: Any, qtbot: Any, click: Any
) -> None:
    labels = squares()
    images = dock(AnnotatePage)
    stack = np.random.default_rng(0).random((3, *labels.shape))
    names = {"axis_labels": ("z", "y", "x")}
    one, two = (viewer.add_image(stack, name=name, **names) for name in ("DNA", "GFP"))
    cells = Cells.from_labels((one.data[1], two.data[1]), ("DNA", "GFP"), labels, crop=24)
    cells = cells.with_labels([-1] * 6, ("alive", "dead"))
    images.session.open(cells, "layers", Shown(0, {"DNA": one, "GFP": two}, None, {0: 1}))
    viewer.dims.set_point(0, 2)
    viewer.reset_view()
    images.classes.table.selectRow(1)
    click(images.classes.paint)
    qtbot.wait(200)
    middle = np.argwhere(labels == 4).mean(axis=0)
    assert elsewhere(images.session, viewer, (2, *middle)) == "z = 1"
    for slice_shown, painted in ((2, []), (1, [3])):
        viewer.dims.set_point(0, slice_shown)
        qtbot.wait(100)
        point = canvas_point(viewer, (slice_shown, *middle))
        qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)
        qtbot.wait(50)
        assert np.flatnonzero(images.session.cells.labels >= 0).tolist() == painted
    assert "of the slice z = 1; go there" in images.notice.text()
    click(images.classes.paint)


def test_cells_are_met_under_a_hidden_layer_and_not_beside_them(viewer: Any, painted: Any) -> None:
    session = session_of(viewer)
    viewer.layers["cells"].visible = False
    assert cell_at(session, viewer, where(viewer, 4)) == 3
    assert cell_at(session, viewer, viewer.layers["cells"].data_to_world((0, 0))) is None


def test_palette_adds_renames_and_removes_classes(painted: Any, qtbot: Any, click: Any) -> None:
    panel = painted.classes
    qtbot.keyClicks(panel.name, "dividing")
    click(panel.add)
    assert painted.session.cells.classes == ("alive", "dead", "dividing")
    painted.session.classify([0, 1, 2, 2, 1, 0], painted.session.cells.classes)
    panel.table.item(1, 0).setText("living")
    assert painted.session.cells.classes == ("living", "dead", "dividing")
    panel.table.selectRow(2)
    click(panel.remove)
    assert painted.session.cells.classes == ("living", "dividing")
    assert painted.session.cells.labels.tolist() == [0, -1, 1, 1, -1, 0]


def test_a_users_layer_of_the_same_name_is_not_written_over(
    viewer: Any, painted: Any, qtbot: Any
) -> None:
    mine = viewer.add_labels(np.ones((5, 5), int), name="classes", units=("um", "um"))
    painted.session.classify([0] * 6, painted.session.cells.classes)
    qtbot.waitUntil(lambda: any(OURS in layer.metadata for layer in viewer.layers))
    assert mine.data.shape == (5, 5) and (mine.data == 1).all()
