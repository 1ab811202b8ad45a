"""Clicks on cells in a real window, and what becomes of them."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QThreadPool
from qtpy.QtWidgets import QApplication, QPushButton, QSpinBox

from napari_channelmix.data import Cells
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.jobs import Progress
from napari_channelmix.pcim import model_adapter
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.pixels import batch_panel
from napari_channelmix.viewer.pages.pixels.comparison_job import Answer
from napari_channelmix.viewer.pages.pixels.page import PixelsPage
from napari_channelmix.viewer.selection.picking import ClassBrush
from napari_channelmix.viewer.session.session import Shown, Trained, session_of

from ...conftest import canvas_of, canvas_point

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, CROP = 120, 24
CLASSES = ("dim", "bright")
ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "rotate": 20.0,
    "affine": np.array([[1.0, 0.1, 5.0], [-0.1, 1.0, -3.0], [0.0, 0.0, 1.0]]),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}

# In a row, each while the one before is being explained.
CLICKS = 100 if os.environ.get("SLOW") else 40


def squares(side: int = SIDE) -> Any:
    """Six cells; the first one is cut by the left border."""
    labels = np.zeros((side, side), np.int32)
    for number in range(6):
        y, x = divmod(number, 3)
        left = max(0, -6 + 40 * x)
        labels[20 + 50 * y : 36 + 50 * y, left : -6 + 40 * x + 16] = number + 1
    return labels


def picture() -> Any:
    return np.random.default_rng(0).random((SIDE, SIDE), np.float32)


def classifier(channels: tuple[str, ...] = ("DNA", "GFP"), side: int = CROP) -> Any:
    """Untrained, but it answers, and can be differentiated."""
    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.networks import NetworkSpec

    spec = NetworkSpec("tiny", len(channels), len(CLASSES))
    ones = np.ones(len(channels))
    return Classifier(
        spec.build(seed=1).eval(), spec, channels, CLASSES, 0.5 * ones, 0.3 * ones, side
    )


def finished(dock: Any, qtbot: Any) -> None:
    tasks = [task for task, _ in dock.tasks]

    def rests() -> bool:
        return not dock.layers.busy and not any(task.busy or task.threads for task in tasks)

    qtbot.waitUntil(rests, timeout=60_000)


@pytest.fixture
def opened(viewer: Any, dock: Any, qtbot: Any) -> Callable[..., Any]:
    """The dock with six cells of two layers and a classifier that is ready."""

    def made(geometry: dict[str, Any] | None = None, model: Any = None) -> Any:
        labels, geometry = squares(), geometry or {}
        pixels = picture()
        one = viewer.add_image(pixels, name="DNA", **geometry)
        two = viewer.add_image(1 - pixels, name="GFP", **geometry)
        marked = viewer.add_labels(labels, name="cells", **geometry)
        cells = Cells.from_labels((one.data, two.data), ("DNA", "GFP"), labels, crop=CROP)
        session = session_of(viewer)
        session.trained = Trained(model or classifier(), "a test")
        found = dock(PixelsPage)
        session.open(cells, "layers", Shown(0, {"DNA": one, "GFP": two}, marked))
        viewer.reset_view()
        finished(found, qtbot)
        qtbot.wait(100)
        return found

    return made


def press(
    qtbot: Any, viewer: Any, number: int, modifier: Any = Qt.KeyboardModifier.NoModifier
) -> None:
    """Click a cell by its label."""
    layer = viewer.layers["cells"]
    middle = np.argwhere(squares() == number).mean(axis=0)
    point = canvas_point(viewer, layer.data_to_world(middle))
    # By position: PyQt and PySide call the modifier differently.
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, modifier, point)


def test_the_answer_and_its_reliability_stand_above_the_question(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    question, answer, reliability = found.boxes[:3]
    tops = lambda: [part.y() for part in (found.choice, question, answer, reliability)]  # noqa: E731
    qtbot.wait(20)
    assert tops() == sorted(tops())
    found.explain(4)
    finished(found, qtbot)
    qtbot.wait(20)
    assert found.choice.y() < answer.y() < reliability.y() < question.y()
    # The next cell moves nothing.
    before = tops()
    found.explain(3)
    assert tops()[0] == before[0] and answer.y() < question.y()
    found.session.trained = None
    found.session.trained = Trained(classifier(), "another")
    finished(found, qtbot)
    qtbot.wait(20)
    assert tops() == sorted(tops())


def center(layer: Any) -> Any:
    return layer.data_to_world((np.array(layer.data.shape) - 1) / 2)


def test_a_click_explains_the_cell_whatever_layer_is_active(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened(ODD)
    other = viewer.add_points(np.zeros((0, 2)), name="elsewhere", units=("um", "um"))
    for active in (other, viewer.layers["DNA"], None):
        viewer.layers.selection.active = active
        found.session.explanation = None
        press(qtbot, viewer, 5)
        finished(found, qtbot)
        done = found.session.explanation
        assert done is not None and done.cell == 4, found.notice.text()
        assert done.reliability is not None and done.map.max() > 0
        assert viewer.layers.selection.active is active
    # The label that was clicked, not the position in the data set.
    assert "Cell 5" in found.result.title.text() and found.number.text() == "5"
    # It stands above the words on the map's reliability.
    told, words = found.result.training, found.reliability.words
    assert "not known" in told.text() and words.text()
    assert told.mapTo(found, QPoint()).y() < words.mapTo(found, QPoint()).y()
    assert "gap between the curves" in found.reliability.figures.text()
    assert [tile.title for tile in found.result.strip.tiles] == ["DNA", "GFP"]


def test_the_map_lies_exactly_on_the_cell(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(ODD)
    press(qtbot, viewer, 5)
    finished(found, qtbot)
    layer, source = viewer.layers["explanation"], viewer.layers["DNA"]
    y0, x0, y1, _ = found.session.explanation.box
    for corner, pixel in (((0, 0), (y0, x0)), ((CROP - 1, 3), (y1 - 1, x0 + 3))):
        np.testing.assert_allclose(layer.data_to_world(corner), source.data_to_world(pixel))
    assert layer.units == source.units and layer.axis_labels == source.axis_labels
    assert layer.contrast_limits == [-1, 1] and np.abs(layer.data).max() == 1


def test_beyond_the_border_nothing_is_shown(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(ODD)
    press(qtbot, viewer, 1)
    finished(found, qtbot)
    done, layer = found.session.explanation, viewer.layers["explanation"]
    assert done.cell == 0 and done.box[1] < 0
    beyond = -done.box[1]
    assert (layer.data[:, :beyond] == 0).all() and layer.data[:, beyond:].any()
    source = viewer.layers["DNA"]
    np.testing.assert_allclose(
        layer.data_to_world((0, beyond)), source.data_to_world((done.box[0], 0))
    )


def test_a_click_beside_the_cells_says_so_and_changes_nothing(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    press(qtbot, viewer, 2)
    finished(found, qtbot)
    before = found.session.explanation
    point = canvas_point(viewer, (3.0, 100.0))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)
    assert "No cell there" in found.notice.text()
    assert found.session.explanation is before and not found.task.busy


def test_a_drag_moves_the_picture_and_explains_nothing(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    canvas, before = canvas_of(viewer), np.array(viewer.scene.camera.center)
    start = canvas_point(viewer, viewer.layers["cells"].data_to_world((28, 42)))
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 20):
        qtbot.mouseMove(canvas, start + start * 0.02 * step)
        qtbot.wait(5)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + start * 0.4)
    assert not np.allclose(viewer.scene.camera.center, before)
    assert found.session.explanation is None and not found.task.busy


def test_multiscale_layers(viewer: Any, dock: Any, qtbot: Any) -> None:
    labels, pixels = squares(), picture()
    geometry = {"scale": (0.5, 0.5), "translate": (3.0, 4.0)}
    levels = [pixels, pixels[::2, ::2]]
    one = viewer.add_image(levels, name="DNA", multiscale=True, **geometry)
    marked = viewer.add_labels([labels, labels[::2, ::2]], name="cells", **geometry)
    session = session_of(viewer)
    session.trained = Trained(classifier(("DNA",)), "a test")
    found = dock(PixelsPage)
    cells = Cells.from_labels((pixels,), ("DNA",), labels, crop=CROP)
    session.open(cells, "layers", Shown(0, {"DNA": one}, marked))
    viewer.reset_view()
    finished(found, qtbot)
    qtbot.wait(100)
    press(qtbot, viewer, 6)
    finished(found, qtbot)
    assert session.explanation.cell == 5
    y0, x0, *_ = session.explanation.box
    np.testing.assert_allclose(
        viewer.layers["explanation"].data_to_world((0, 0)), one.data_to_world((y0, x0))
    )


def test_cells_of_one_slice_of_a_stack(viewer: Any, dock: Any, qtbot: Any) -> None:
    labels = squares()
    stack = np.random.default_rng(0).random((3, 2, SIDE, SIDE), np.float32)
    how = {
        "axis_labels": ("t", "z", "y", "x"),
        "scale": (2, 3, 0.5, 0.5),
        "translate": (10, 0, 5, 0),
    }
    one, two = (viewer.add_image(stack, name=name, **how) for name in ("DNA", "GFP"))
    cells = Cells.from_labels((stack[1, 1], stack[1, 1]), ("DNA", "GFP"), labels, crop=CROP)
    session = session_of(viewer)
    session.trained = Trained(classifier(), "a test")
    found = dock(PixelsPage)
    session.open(cells, "layers", Shown(0, {"DNA": one, "GFP": two}, None, {0: 1, 1: 1}))
    middle = np.argwhere(labels == 4).mean(axis=0)
    viewer.dims.set_point(0, 14)
    viewer.reset_view()
    finished(found, qtbot)
    world = one.data_to_world((2, 1, *middle))
    qtbot.wait(100)
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=canvas_point(viewer, world))
    assert "of the slice t = 1" in found.notice.text() and session.explanation is None
    viewer.dims.set_point(0, 12)
    viewer.dims.set_point(1, 3)
    qtbot.wait(100)
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=canvas_point(viewer, world))
    finished(found, qtbot)
    assert session.explanation.cell == 3, found.notice.text()
    layer, box = viewer.layers["explanation"], session.explanation.box
    assert layer.data.shape == (1, 1, CROP, CROP)
    np.testing.assert_allclose(
        layer.data_to_world((0, 0, 0, 0)), one.data_to_world((1, 1, *box[:2]))
    )
    assert layer.axis_labels == one.axis_labels


class Slow:
    """A classifier's network that takes its time; knows which crops it was asked about."""

    def __init__(self, model: Any, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.05) -> None:
        # The network itself is asked, not its faster copy.
        monkeypatch.setattr(model_adapter, "for_inference", lambda network: network)
        self.seconds = seconds
        self.calls = 0
        network = model.network
        forward = network.forward

        def slowly(x: Any) -> Any:
            self.calls += 1
            time.sleep(self.seconds)
            return forward(x)

        network.forward = slowly


def test_a_stale_map_never_appears(
    viewer: Any, opened: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifier()
    Slow(model, monkeypatch, 0.01)
    found = opened(model=model)
    seen: list[int] = []
    found.session.explanation_changed.connect(
        lambda one: seen.append(-1 if one is None else one.cell)
    )
    press(qtbot, viewer, 2)
    qtbot.waitUntil(lambda: 1 in seen)
    press(qtbot, viewer, 6)
    at = len(seen)
    finished(found, qtbot)
    assert set(seen[at:]) <= {5} and seen[-1] == 5
    box = found.session.explanation.box
    np.testing.assert_allclose(
        viewer.layers["explanation"].data_to_world((0, 0)), [float(box[0]), float(box[1])]
    )


def test_many_clicks_leave_one_worker_and_one_layer(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    rng = np.random.default_rng(0)
    press(qtbot, viewer, 1)
    finished(found, qtbot)
    layers, objects = len(viewer.layers), len(viewer.window._qt_window.findChildren(QObject))
    most = 0
    for number in rng.integers(1, 7, CLICKS):
        press(qtbot, viewer, int(number))
        QApplication.processEvents()
        most = max(most, found.task.threads)
    finished(found, qtbot)
    assert most == 1 and QThreadPool.globalInstance().activeThreadCount() == 0
    assert len(viewer.layers) == layers
    assert [one.name for one in viewer.layers].count("explanation") == 1
    assert abs(len(viewer.window._qt_window.findChildren(QObject)) - objects) <= 5
    assert found.session.running == ()
    assert found.session.explanation.cell == number - 1
    assert found.session.explanation.reliability is not None


def test_a_second_click_is_answered_at_once(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    for number in (2, 3):
        press(qtbot, viewer, number)
        finished(found, qtbot)
    press(qtbot, viewer, 2)
    assert found.session.explanation.cell == 1 and not found.task.busy
    assert found.session.explanation.reliability is not None
    assert viewer.layers["explanation"].data.max() == 1
    # Classes that are painted change no map; another classifier does.
    found.session.classify([0] * 6, ("one",))
    assert len(found.cache) == 2 and found.session.explanation is not None
    found.session.trained = Trained(classifier(), "another")
    assert len(found.cache) == 0 and found.session.explanation is None
    assert "explanation" not in viewer.layers


def test_cancel_leaves_the_map_as_it_is(
    viewer: Any, opened: Any, qtbot: Any, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifier()
    slow = Slow(model, monkeypatch, 0.02)
    found = opened(model=model)
    slow.seconds = 0.2
    press(qtbot, viewer, 2)
    qtbot.waitUntil(
        lambda: found.session.explanation is not None and found.session.explanation.map is not None,
    )
    start = time.monotonic()
    click(found.task_bar.cancel)
    assert not found.task.busy
    qtbot.waitUntil(lambda: not found.task.threads)
    assert time.monotonic() - start < 1.0
    calls = slow.calls
    qtbot.wait(300)
    assert slow.calls == calls
    assert "Stopped" in found.notice.text() and viewer.layers["explanation"].data.any()


def test_closing_the_viewer_meanwhile_is_safe(
    make_napari_viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = make_napari_viewer(show=True)
    labels, pixels = squares(), picture()
    one = viewer.add_image(pixels, name="DNA")
    model = classifier(("DNA",))
    slow = Slow(model, monkeypatch, 0.02)
    session = session_of(viewer)
    session.trained = Trained(model, "a test")
    found = PixelsPage(viewer)
    viewer.window.add_dock_widget(found, name="Explain a cell")
    session.open(
        Cells.from_labels((pixels,), ("DNA",), labels, crop=CROP), "layers", Shown(0, {"DNA": one})
    )
    finished(found, qtbot)
    found.explain(2)
    qtbot.waitUntil(lambda: session.explanation is not None)
    viewer.close()
    assert QThreadPool.globalInstance().waitForDone(2000)
    calls = slow.calls
    qtbot.wait(100)
    assert slow.calls == calls


def test_removing_the_dock_ends_listening(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    assert found.toggle.clicks.active
    found.explain(2)
    viewer.window.remove_dock_widget(found)
    assert not found.toggle.clicks.active
    assert all("zoom" in one.__name__ for one in viewer.mouse_drag_callbacks)
    assert QThreadPool.globalInstance().waitForDone(2000)
    found.deleteLater()
    QApplication.sendPostedEvents(found, QEvent.Type.DeferredDelete.value)


def test_clicks_are_listened_to_only_while_the_dock_is_in_front(
    viewer: Any, opened: Any, dock: Any, qtbot: Any
) -> None:
    found = opened()
    images = dock(DataPage)
    images.parent().raise_()
    qtbot.waitUntil(lambda: not found.toggle.clicks.active)
    found.parent().raise_()
    qtbot.waitUntil(lambda: found.toggle.clicks.active)
    images.session.classify([-1] * 6, ("alive", "dead"))
    brush = ClassBrush(viewer, found.session, lambda: 0)
    brush.switch(True)
    assert not found.toggle.isChecked() and not found.toggle.clicks.active
    brush.switch(False)
    assert found.toggle.isChecked() and found.toggle.clicks.active


def test_layers_that_are_being_edited_keep_their_clicks(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    viewer.layers.selection.active = viewer.layers["cells"]
    viewer.layers["cells"].mode = "pick"
    press(qtbot, viewer, 2)
    assert "is being edited (mode pick)" in found.notice.text()
    assert found.session.explanation is None
    viewer.layers["cells"].mode = "pan_zoom"


def test_a_class_against_another_and_a_map_for_each_channel(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    assert not found.question.versus.isEnabled()
    press(qtbot, viewer, 3)
    finished(found, qtbot)
    found.question.target.setCurrentText("bright")
    found.question.versus.setCurrentText("dim")
    finished(found, qtbot)
    done = found.session.explanation
    assert (done.cell, done.target, done.question.versus) == (2, 1, "dim")
    assert "explaining class <b>bright</b>, compared with dim" in found.result.title.text()
    found.question.target.setCurrentText("dim")
    assert found.question.versus.currentData() is None
    camera = viewer.scene.camera
    before = camera.zoom, camera.center
    found.question.separate.setChecked(True)
    finished(found, qtbot)
    assert (camera.zoom, camera.center) == before
    assert found.session.explanation.channel_maps.shape == (2, CROP, CROP)
    assert viewer.layers["explanation by channel"].data.shape == (2, CROP, CROP)
    assert not viewer.layers["explanation by channel"].visible
    tiles = found.result.strip.tiles
    assert tiles[0].over != tiles[1].over
    found.question.separate.setChecked(False)
    finished(found, qtbot)
    assert "explanation by channel" not in viewer.layers and viewer.dims.ndim == 2
    assert (camera.zoom, camera.center) == before
    # An answer that is known comes without a run; its layers have turns of their own.
    found.question.separate.setChecked(True)
    assert "explanation by channel" not in viewer.layers
    finished(found, qtbot)
    assert viewer.layers["explanation by channel"].data.max() == 1


def test_a_click_on_an_image_brings_the_map_of_its_channel_in_sight(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()

    def mapped() -> bool:
        done = found.session.explanation
        known = done is not None and done.channel_maps is not None and done.contributions_known
        return bool(known) and not found.layers.busy

    found.question.separate.setChecked(True)
    press(qtbot, viewer, 3)
    qtbot.waitUntil(mapped)
    strip, stack = found.result.strip, viewer.layers["explanation by channel"]
    of_all = viewer.layers["explanation"]
    assert found.result.tiles.shown == (0, 1) and of_all.visible
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.place(1).center())
    assert stack.visible and not of_all.visible
    assert viewer.dims.point[0] == 1 and strip.framed == 1
    # The next cell is shown in the same channel.
    press(qtbot, viewer, 4)
    qtbot.waitUntil(mapped)
    assert stack.visible and not of_all.visible and strip.framed == 1
    viewer.dims.set_point(0, 0)
    assert strip.framed == 0 and found.layers.channel == "DNA"
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.place(0).center())
    assert not stack.visible and of_all.visible and strip.framed is None
    found.task.stop()
    finished(found, qtbot)


def test_methods_side_by_side(viewer: Any, opened: Any, qtbot: Any, click: Any) -> None:
    pytest.importorskip("captum")
    found = opened()
    assert not found.comparison.button.isEnabled()
    press(qtbot, viewer, 3)
    finished(found, qtbot)
    click(found.comparison.button)
    finished(found, qtbot)
    tiles = found.comparison.tiles.tiles
    assert [tile.title for tile in tiles[:3]] == ["PCIM", "PCIM (high fid.)", "Saliency"]
    assert all(tile.note.startswith("gap ") and tile.over is not None for tile in tiles)
    assert sum("★" in tile.note for tile in tiles) == 1
    # Of maps that all show nothing none is the best, and none is below nothing.
    nothing = np.zeros((CROP, CROP))
    names = found.comparison._methods
    flat = [Answer(name, nothing, -0.001 * place, 0.1) for place, name in enumerate(names)]
    found.comparison.show_answers(flat)
    tiles = found.comparison.tiles.tiles
    assert {tile.note for tile in tiles[:4]} == {"gap 0.00"}
    assert not any("★" in tile.note for tile in tiles)
    press(qtbot, viewer, 4)
    assert not found.comparison.tiles.isVisible()
    finished(found, qtbot)


def test_all_cells_into_one_layer(viewer: Any, opened: Any, qtbot: Any, click: Any) -> None:
    found = opened(ODD)
    click(found.many.all_button)
    finished(found, qtbot)
    layer, source = viewer.layers["explanations"], viewer.layers["DNA"]
    assert "6 cells are explained" in found.notice.text()
    assert layer.data.shape == source.data.shape
    np.testing.assert_allclose(layer.data_to_world((7, 9)), source.data_to_world((7, 9)))
    boxes = found.session.cells.table
    covered = np.zeros(layer.data.shape, bool)
    for y0, x0, y1, x1 in boxes[["y0", "x0", "y1", "x1"]].to_numpy():
        part = layer.data[max(y0, 0) : y1, max(x0, 0) : x1]
        # Of the cell at the border, the highest value may lie beyond it.
        assert part.max() > 0.9 or x0 < 0
        covered[max(y0, 0) : y1, max(x0, 0) : x1] = True
    assert (layer.data[~covered] == 0).all()


def test_chosen_cells_and_an_honest_cancel(
    viewer: Any, opened: Any, qtbot: Any, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifier()
    slow = Slow(model, monkeypatch, 0.0)
    found = opened(model=model)
    click(found.many.chosen_button)
    assert "No cell is selected" in found.notice.text()
    for number in (2, 5, 6, 2):
        press(qtbot, viewer, number, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert found.many.chosen == (4, 5) and found.session.explanation is None
    assert len(viewer.layers["cells to explain"].data) == 2
    click(found.many.chosen_button)
    finished(found, qtbot)
    assert "2 cells are explained" in found.notice.text()
    slow.seconds = 0.1
    click(found.many.all_button)
    qtbot.wait(300)
    assert found.many.task.busy and found.many.task_bar.isVisible()
    click(found.many.task_bar.cancel)
    assert "Stopped" in found.notice.text() and not found.many.task.busy
    found.many.choose_none()
    assert "cells to explain" not in viewer.layers


def test_a_clicked_cell_is_explained_while_many_are(
    viewer: Any, opened: Any, qtbot: Any, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[bool] = []

    def endless(*_: Any) -> Any:
        while True:
            steps.append(found.session.explanation is None)
            time.sleep(0.01)
            yield Progress(1, 6, "explaining cells 1-6 of 6")

    monkeypatch.setattr(batch_panel, "field_maps_job", endless)
    found = opened()
    finished(found, qtbot)
    click(found.many.all_button)
    qtbot.waitUntil(lambda: len(steps) > 3)
    press(qtbot, viewer, 3)
    qtbot.waitUntil(lambda: not found.task.busy and not found.task.threads, timeout=60_000)
    assert found.session.explanation.reliability is not None and found.cell == 2
    # The other one goes on.
    count = len(steps)
    qtbot.waitUntil(lambda: len(steps) > count)
    assert found.many.task.busy
    click(found.many.task_bar.cancel)
    finished(found, qtbot)


def test_channels_that_are_missing_are_named(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(model=classifier(("DNA", "actin")))
    press(qtbot, viewer, 3)
    finished(found, qtbot)
    assert "missing: actin" in found.notice.text() and found.notice.kind == "error"
    assert found.session.explanation is None


def test_a_model_that_only_answers_is_a_black_box_and_says_so(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    from napari_channelmix.classify import ForeignClassifier

    def answers(x: Any) -> Any:
        level = x.mean(axis=(1, 2, 3)) * 5
        return np.stack([-level, level], axis=1)

    names = ("DNA", "GFP")
    model = ForeignClassifier(answers, names, CLASSES, np.zeros(2), np.ones(2), "scores", "mine")
    found = opened(model=model)
    assert found.question.method.currentData() == "blackbox"
    press(qtbot, viewer, 3)
    finished(found, qtbot)
    done = found.session.explanation
    assert done is not None, found.notice.text()
    assert "black box" in found.result.warnings.text() and found.result.warnings.isVisible()
    assert "no weights to test" in found.reliability.figures.text()
    assert "output: logits (declared)" in found.result.title.text()


def test_a_constant_cell_has_an_empty_map_and_says_so(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    cells = found.session.cells
    flat = tuple(np.zeros((SIDE, SIDE), np.float32) for _ in cells.channels)
    field = dataclasses.replace(cells.fields[0], planes=flat)
    found.session.cells = dataclasses.replace(cells, fields=(field,))
    found.explain(3)
    finished(found, qtbot)
    # Called by its id, as in the title.
    said = f"cell {cell_name(cells, 3)} is constant: its map is empty"
    assert said in found.result.warnings.text()


def test_what_is_missing_is_said_in_words(viewer: Any, dock: Any, qtbot: Any, plate: Any) -> None:
    found = dock(PixelsPage)
    assert "No cells yet" in found.needs.line.text() and not found.toggle.isVisible()
    found.session.open(plate, "", Shown(0))
    assert "No classifier yet" in found.needs.line.text()
    assert found.needs.button.text() == "Go to 'Classifier'"
    found.session.trained = Trained(classifier(), "a test")
    assert "missing: GFP" in found.needs.line.text() and not found.toggle.isVisible()
    found.session.trained = Trained(classifier(plate.channels, plate.crop), "a test")
    assert not found.needs.isVisible() and found.toggle.isVisible()
    finished(found, qtbot)


def test_a_cell_is_asked_for_by_its_number(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    found.number.setFocus()
    found.number.lineEdit().selectAll()
    # The id that the user knows: the label, of which the first is 1.
    qtbot.keyClicks(found.number, "5")
    qtbot.keyClick(found.number, Qt.Key.Key_Return)
    finished(found, qtbot)
    assert found.session.explanation.cell == 4


def test_the_theme_is_followed(viewer: Any, opened: Any) -> None:
    found = opened()
    before = found.result.bars.colors
    viewer.theme = "light"
    assert found.result.bars.colors != before
    assert found.reliability.plot.backgroundBrush().color().lightness() > 128


def test_every_control_says_what_it_does(opened: Any) -> None:
    found = opened()
    for kind in (QPushButton, QSpinBox):
        for control in found.findChildren(kind):
            assert control.toolTip(), control
    for box in (found.question.target, found.question.versus, found.question.method):
        assert box.toolTip()


def test_each_channel_has_its_own_map_and_its_part_in_the_decision(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    seen: list[tuple[bool, bool]] = []

    def note(_: object = None) -> None:
        explanation = found.session.explanation
        if explanation is not None and explanation.map is not None:
            seen.append((explanation.channel_maps is not None, explanation.contributions_known))

    found.session.explanation_changed.connect(note)
    found.explain(4)
    finished(found, qtbot)
    done = found.session.explanation
    # The maps first, then what each channel contributes; where the job is faster than the window
    # (20 updates a second), early states are passed over.
    assert seen == sorted(seen) and seen[-1] == (True, True)
    assert (False, True) not in seen
    assert done.channel_maps.shape == (2, CROP, CROP)
    assert not np.allclose(done.channel_maps.sum(axis=0), done.map)
    panel = found.result.contributions
    assert [bar.name for bar in panel.bars.rows] == ["DNA", "GFP"]
    if done.contributions is not None:
        assert not panel.isHidden() and "6 groups" not in panel.line.text()
        assert panel.bars.rows[0].value == done.contributions.fall[0]
        assert "cells predicted otherwise" in panel.bars.rows[0].tip
    assert viewer.layers["explanation by channel"].data.shape == (2, CROP, CROP)


def test_a_button_and_a_click_on_a_small_cell_zoom_to_it(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened(ODD)
    camera = viewer.scene.camera
    press(qtbot, viewer, 5)
    finished(found, qtbot)
    near = camera.zoom
    found.zoom.button.click()
    assert camera.zoom > near
    box = found.session.cells.boxes[4]
    middle = viewer.layers["DNA"].data_to_world((box[:2] + box[2:] - 1) / 2)
    np.testing.assert_allclose(camera.center[-2:], middle, atol=1)
    # Far away a crop has a few pixels of the screen; a click goes near it.
    camera.zoom = near / 40
    press(qtbot, viewer, 5)
    assert camera.zoom > near / 10
    camera.zoom = near / 40
    found.zoom.small.setChecked(False)
    press(qtbot, viewer, 5)
    assert camera.zoom == pytest.approx(near / 40)
    finished(found, qtbot)


def test_the_mean_map_of_each_class_is_shown_in_each_channel(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened()
    found.means.button.click()
    finished(found, qtbot)
    result = found.means.result
    assert result is not None and result.mean.n.sum() == 6
    tiles = found.means.gallery.tiles
    assert [tile.title for tile in tiles] == ["DNA", "GFP"] * len(result.mean.classes)
    assert [tile.note for tile in tiles[::2]] == [
        f"{name}, n = {n}" for name, n in zip(result.mean.classes, result.mean.n, strict=True)
    ]
    assert "cells were aligned: 6 by their labels" in found.means.line.text()
    assert "cannot be told apart" in found.means.line.text()
    found.means.align.setCurrentIndex(found.means.align.findData("none"))
    finished(found, qtbot)
    assert found.means.result.mean.align == "none"
    found.session.trained = Trained(classifier(), "another")
    assert found.means.result is None and not found.means.gallery.tiles
    finished(found, qtbot)


def test_evidence_for_and_against_and_the_magnitude_are_one_click_apart(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    found = opened(ODD)
    press(qtbot, viewer, 5)
    finished(found, qtbot)
    done, layer = found.session.explanation, viewer.layers["explanation"]
    switch, strip = found.result.switch, found.result.strip
    target = done.classes[done.target]
    assert switch.view == "signed" and f"speaks against {target}" in switch.legend.text()
    # What speaks against is below 0, in the layer and in another colour.
    assert (np.sign(layer.data) == np.sign(done.map)).mean() > 0.99
    assert (layer.data < 0).any() and (layer.data > 0).any()
    clear = [layer.colormap.map(value)[0, 3] for value in (-1.0, 0.0, 0.5, 1.0)]
    assert clear[0] > 0.8 and clear[2] < 0.01 and clear[3] > 0.8
    signed, tile = layer.data.copy(), strip.tiles[0].over
    click(switch.buttons["for"])
    np.testing.assert_array_equal(layer.data, signed)
    clear = [layer.colormap.map(value)[0, 3] for value in (0.0, 0.49, 1.0)]
    assert clear[:2] == [0, 0] and clear[2] > 0.8
    assert "against" not in switch.legend.text() and strip.tiles[0].over != tile
    click(switch.buttons["magnitude"])
    inside = layer.data != 0
    assert layer.data.min() >= 0 and inside.any()
    order = np.argsort(done.magnitude[inside])
    assert (np.diff(layer.data[inside][order]) >= -1e-6).all()
    assert layer.colormap.name == "evidence at all"
    click(switch.buttons["signed"])
    np.testing.assert_array_equal(layer.data, signed)
    # The next cell is shown in the view that was chosen, and so are all cells.
    click(switch.buttons["magnitude"])
    press(qtbot, viewer, 4)
    finished(found, qtbot)
    assert viewer.layers["explanation"].data.min() >= 0
    click(found.many.all_button)
    finished(found, qtbot)
    field = viewer.layers["explanations"]
    assert field.data.min() == 0 and field.data.max() == 1
    click(switch.buttons["signed"])
    assert field.data.min() == -1


def test_where_the_evidence_lies_stands_beside_the_map(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    found = opened()
    press(qtbot, viewer, 5)
    finished(found, qtbot)
    shares = found.session.explanation.shares
    assert shares.outline.tolist() == ["label"]
    assert shares.evidence.sum() == pytest.approx(1) and shares.areas.sum() == pytest.approx(1)
    line = found.result.shares.text()
    assert line.startswith(
        f"Evidence for or against: {100 * shares.evidence[0, 0]:.0f} % in the cell"
    )
    assert "in neighbours" in line and "of the crop" in line
    click(found.result.switch.buttons["magnitude"])
    assert (
        f"Magnitude: {100 * shares.magnitude[0, 0]:.0f} % in the cell" in found.result.shares.text()
    )
