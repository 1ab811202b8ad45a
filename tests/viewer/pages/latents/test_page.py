"""The dock in a real window: clicks, sliders, points, layers, and what may go wrong."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt, QThreadPool
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QSpinBox,
    QStyle,
)

from napari_channelmix.data import Cells
from napari_channelmix.drl.latents import UNDER_WAY
from napari_channelmix.drl.slider_check import SliderEffect
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.charts.latent_axes import signed
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.latents.cell_tab import MOVED
from napari_channelmix.viewer.pages.latents.page import LatentsPage
from napari_channelmix.viewer.selection.picking import ClassBrush
from napari_channelmix.viewer.session.session import Shown, session_of

from ...conftest import canvas_of, canvas_point
from ...latent_cases import (
    COUNT,
    CROP,
    ODD,
    SIDE,
    blobs,
    cells,
    latents,
    learnt_to_draw,
    planes,
    tiny,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def finished(dock: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not dock.task.busy and not dock.task.threads, timeout=120_000)


@pytest.fixture
def opened(viewer: Any, dock: Any, qtbot: Any) -> Callable[..., Any]:
    """The dock with cells of the viewer's layers, and their latents where they are given."""

    def made(
        given: Cells | None = None,
        geometry: dict[str, Any] | None = None,
        known: dict[str, Any] | None = None,
    ) -> Any:
        given, geometry = given or cells(), geometry or {}
        colors = ("blue", "green", "red", "magenta", "cyan", "yellow", "gray", "orange")
        images = {
            name: viewer.add_image(pixels, name=name, colormap=color, **geometry)
            for name, pixels, color in zip(
                given.channels, planes(len(given.channels)), colors, strict=False
            )
        }
        marked = viewer.add_labels(blobs(), name="cells", **geometry)
        marked.contour = 1
        found = dock(LatentsPage)
        found.session.open(given, "layers", Shown(0, images, marked))
        if known is not None:
            found.session.latents = latents(given, **known)
        viewer.reset_view()
        qtbot.wait(150)
        return found

    return made


@pytest.fixture
def weights(tmp_path: Path, quick_learners: None) -> Path:
    from napari_channelmix.drl import save_disentangler

    return save_disentangler(tiny(), tmp_path / "tiny.safetensors")


def press(qtbot: Any, viewer: Any, number: int) -> None:
    """Click a cell by its label."""
    layer = viewer.layers["cells"]
    middle = np.argwhere(blobs() == number).mean(axis=0)
    point = canvas_point(viewer, layer.data_to_world(middle))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)


def run(found: Any, qtbot: Any, click: Any, path: Path) -> None:
    found.settings.take_file(path)
    click(found.settings.run)
    finished(found, qtbot)
    # A line for each warning; what was said when the cells were opened is not said again.
    lines = found.warnings.text().split("\n") if found.warnings.text() else []
    assert all(line.startswith("• ") for line in lines)
    assert not any(line[2:] in found.session.cells.warnings for line in lines)


# -------------------------------------------------------------------- finding


def test_how_far_pictures_resemble_the_cells_is_said_with_its_figures(opened: Any) -> None:
    from napari_channelmix.drl.reconstruction import Reconstruction

    found = opened()
    measured = Reconstruction(0.41, 0.35, 0.47, 0.1, 0.31, 0.2, 200, 12)
    known = dataclasses.replace(latents(found.session.cells), reconstruction=measured)
    found.session.latents = known
    assert found.resemblance.kind == "warning"
    assert "explains 41 % (95 % interval 35 to 47, n = 200 cells" in found.resemblance.text()
    found.session.latents = dataclasses.replace(
        known,
        values=known.values.copy(),
        reconstruction=dataclasses.replace(measured, explained=0.8),
    )
    assert found.resemblance.kind == "good"
    # A learnt drawing is judged by its own figure, and by what its sliders do.
    learnt = learnt_to_draw(known)
    good = dataclasses.replace(
        learnt.drawing, reconstruction=dataclasses.replace(measured, explained=0.9)
    )
    rim = SliderEffect("Rim", "rim", 0.5, "granularity", 0.4, 1.0, 1.0, 48)
    for drawing, kind in (
        (good, "good"),
        (dataclasses.replace(good, sliders=(rim,)), "warning"),
    ):
        found.session.latents = dataclasses.replace(
            learnt, values=known.values.copy(), drawing=drawing
        )
        assert "The drawing explains 90 %" in found.resemblance.text()
        assert ("Rim moves granularity as well" in found.resemblance.text()) == bool(
            drawing.sliders
        )
        assert found.resemblance.kind == kind
    # Latents of an earlier version do not know it.
    found.session.latents = dataclasses.replace(
        known, values=known.values.copy(), reconstruction=None
    )
    assert found.resemblance.isHidden()


def test_run_finds_the_latents_and_says_how_far_it_is(
    viewer: Any, opened: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    found = opened()
    assert not found.results_box.isVisible() and not found.toggle.clicks.active
    found.settings.take_file(weights)
    click(found.settings.run)
    assert found.task_bar.isVisible() and not found.settings.run.isEnabled()
    finished(found, qtbot)
    session = found.session
    assert session.latents is not None, found.notice.text()
    assert session.latents.values.shape == (COUNT, 10) and found.results_box.isVisible()
    assert found.settings.run.isEnabled() and not found.task_bar.isVisible()
    # Colours of the layers, blue and green.
    assert session.latents.prepared.how.view.weights == ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    assert "Scale" in viewer.layers["cells"].features.columns
    assert "'cells'" in found.pages.cells_tab.table.text()


def test_cancel_stops_the_run_and_keeps_what_was_found(
    opened: Any, qtbot: Any, click: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(known={})
    before, ended = found.session.latents, threading.Event()

    def slow(*_: Any) -> Job[Any]:
        try:
            for step in range(1000):
                time.sleep(0.02)
                yield Progress(step, 1000, "cutting out the cells")
        finally:
            ended.set()

    monkeypatch.setattr("napari_channelmix.viewer.pages.latents.page.find_latents_job", slow)
    found.settings.take_file(weights)
    click(found.settings.run)
    qtbot.waitUntil(lambda: "cutting" in found.task_bar.stage.text())
    start = time.monotonic()
    click(found.task_bar.cancel)
    assert ended.wait(1.0) and time.monotonic() - start < 1.0
    assert found.session.latents is before
    assert found.notice.text() == "Stopped. The earlier result is kept."


def two_parts(of: Cells, gate: threading.Event) -> Any:
    """A job that knows the latents before the classes are compared, for which it waits."""
    whole = latents(of)
    early = dataclasses.replace(whole, separation=None, unseparated=UNDER_WAY)

    def job(*_: Any) -> Job[Any]:
        yield Progress(1, 3, "what separates the classes", partial=early)
        while not gate.is_set():
            time.sleep(0.02)
            yield Progress(2, 3, "what separates the classes")
        return whole

    return job


def test_cells_can_be_looked_at_while_their_classes_are_compared(
    viewer: Any, opened: Any, qtbot: Any, click: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, gate = opened(), threading.Event()
    monkeypatch.setattr(
        "napari_channelmix.viewer.pages.latents.page.find_latents_job",
        two_parts(found.session.cells, gate),
    )
    found.settings.take_file(weights)
    click(found.settings.run)
    qtbot.waitUntil(lambda: found.session.latents is not None)
    assert found.task.busy and found.results_box.isVisible()
    found.go(5)
    assert "computed last" in found.pages.classes_tab.line.text()
    gate.set()
    finished(found, qtbot)
    assert found.cell == 5 and "Cell 6" in found.pages.cell_tab.title.text()
    assert (
        found.pages.classes_tab.accuracy.rows and "3 folds" in found.pages.classes_tab.line.text()
    )


def test_cancel_while_classes_are_compared_keeps_the_latents(
    opened: Any, qtbot: Any, click: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened()
    monkeypatch.setattr(
        "napari_channelmix.viewer.pages.latents.page.find_latents_job",
        two_parts(found.session.cells, threading.Event()),
    )
    found.settings.take_file(weights)
    click(found.settings.run)
    qtbot.waitUntil(lambda: found.session.latents is not None)
    click(found.task_bar.cancel)
    assert found.session.latents is not None
    assert found.notice.text() == "Stopped. The latents are kept; the classes were not compared."


def test_a_second_run_that_is_stopped_leaves_the_first_result(
    opened: Any, qtbot: Any, click: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = opened(known={})
    before = found.session.latents
    monkeypatch.setattr(
        "napari_channelmix.viewer.pages.latents.page.find_latents_job",
        two_parts(found.session.cells, threading.Event()),
    )
    found.settings.take_file(weights)
    click(found.settings.run)
    qtbot.waitUntil(lambda: found.task_bar.bar.value() > 600)
    click(found.task_bar.cancel)
    assert found.session.latents is before


@pytest.mark.usefixtures("quick_learners")
def test_the_shipped_weights_name_the_size_of_the_cells_of_the_plate(
    viewer: Any, open_plate: Any, dock: Any, qtbot: Any, click: Any
) -> None:
    open_plate()
    found = dock(LatentsPage)
    assert found.settings.model.currentText() == "texture-sprites"
    click(found.settings.run)
    finished(found, qtbot)
    done = found.session.latents
    assert done is not None, found.notice.text()
    sizes = done.prepared.features["area"]
    assert abs(np.corrcoef(done.of_axis("Scale"), sizes)[0, 1]) > 0.5
    press_plate(qtbot, viewer, 3)
    assert found.cell == 3 and "Cell 4" in found.pages.cell_tab.title.text()
    assert done.separation is not None and found.pages.classes_tab.accuracy.rows
    slider = found.pages.cell_tab.sliders.of("Scale")
    seen = []
    for value in (slider.axis.low, slider.axis.high):
        before = found.pages.cell_tab.drawing.decoded
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=slider.place(value).toPoint())
        qtbot.waitUntil(lambda before=before: found.pages.cell_tab.drawing.decoded > before)
        seen.append(found.pages.cell_tab.pictures.tiles[MOVED].below)
    assert seen[0] != seen[1]


def press_plate(qtbot: Any, viewer: Any, cell: int) -> None:
    session = session_of(viewer)
    middle = session.cells.centres[cell]
    point = canvas_point(viewer, session.shown.reference.data_to_world(middle))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)


# -------------------------------------------------------------------- clicks


def test_a_click_shows_the_cell_whatever_layer_is_active(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened(geometry=ODD, known={})
    other = viewer.add_points(np.zeros((0, 2)), name="elsewhere", units=("um", "um"))
    for active, number in ((other, 5), (viewer.layers["DNA"], 6), (None, 7)):
        viewer.layers.selection.active = active
        press(qtbot, viewer, number)
        assert found.cell == number - 1, found.notice.text()
        assert f"Cell {number}" in found.pages.cell_tab.title.text()
        assert viewer.layers.selection.active is active
    ring = viewer.layers["selected cells"]
    middle = np.argwhere(blobs() == 7).mean(axis=0)
    np.testing.assert_allclose(ring.data[0], middle, atol=1)
    np.testing.assert_allclose(
        ring.data_to_world((3, 4)), viewer.layers["DNA"].data_to_world((3, 4))
    )


def test_a_click_beside_the_cells_says_so(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    press(qtbot, viewer, 2)
    point = canvas_point(viewer, (3.0, 150.0))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)
    assert "No cell there" in found.notice.text() and found.cell == 1


def test_cells_of_one_slice_of_a_stack(viewer: Any, dock: Any, qtbot: Any) -> None:
    stack = np.stack([np.zeros((SIDE, SIDE), np.float32), planes()[0]])
    one = viewer.add_image(stack, name="DNA", scale=(2, 0.5, 0.5), axis_labels=("t", "y", "x"))
    given = Cells.from_labels((stack[1],), ("DNA",), blobs(), crop=CROP)
    found = dock(LatentsPage)
    found.session.open(given, "layers", Shown(0, {"DNA": one}, None, {0: 1}))
    found.session.latents = latents(given)
    middle = np.argwhere(blobs() == 4).mean(axis=0)
    for step, said in ((0, "of the slice t = 1; go there to look at them"), (1, "")):
        viewer.dims.set_point(0, 2 * step)
        viewer.reset_view()
        qtbot.wait(100)
        point = canvas_point(viewer, one.data_to_world((step, *middle)))
        qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=point)
        assert said in found.notice.text()
        assert (found.cell == 3) == (step == 1)


def test_layers_that_are_being_edited_keep_their_clicks(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened(known={})
    viewer.layers.selection.active = viewer.layers["cells"]
    viewer.layers["cells"].mode = "pick"
    press(qtbot, viewer, 2)
    assert "to look at cells by a click" in found.notice.text() and found.cell is None
    viewer.layers["cells"].mode = "pan_zoom"


def test_clicks_are_listened_to_only_in_front_and_while_nothing_is_painted(
    viewer: Any, opened: Any, dock: Any, qtbot: Any
) -> None:
    found = opened(known={})
    images = dock(DataPage)
    images.parent().raise_()
    qtbot.waitUntil(lambda: not found.toggle.clicks.active)
    found.parent().raise_()
    qtbot.waitUntil(lambda: found.toggle.clicks.active)
    brush = ClassBrush(viewer, found.session, lambda: 0)
    brush.switch(True)
    assert not found.toggle.isChecked() and not found.toggle.clicks.active
    brush.switch(False)
    assert found.toggle.isChecked() and found.toggle.clicks.active


def test_a_cell_is_asked_for_by_its_number(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    found.number.setFocus()
    found.number.lineEdit().selectAll()
    # The id that the user knows: the label, of which the first is 1.
    qtbot.keyClicks(found.number, "10")
    qtbot.keyClick(found.number, Qt.Key.Key_Return)
    assert found.cell == 9
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], np.argwhere(blobs() == 10).mean(axis=0), atol=1
    )


# -------------------------------------------------------------------- sliders and layers


def test_a_slider_that_is_dragged_changes_what_is_seen(
    viewer: Any, opened: Any, qtbot: Any
) -> None:
    found = opened(known={})
    press(qtbot, viewer, 5)
    page = found.pages.cell_tab
    slider = page.sliders.of("Color")

    def pixels() -> Any:
        return page.pictures.grab(page.pictures.place(MOVED)).toImage()

    seen = [pixels()]
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=slider.place(slider.axis.low).toPoint())
    for share in (0.3, 0.6, 1.0):
        value = slider.axis.low + share * (slider.axis.high - slider.axis.low)
        before = page.drawing.decoded
        qtbot.mouseMove(slider, slider.place(value).toPoint())
        qtbot.waitUntil(lambda before=before: page.drawing.decoded > before)
        seen.append(pixels())
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)
    assert all(one != other for one, other in itertools.pairwise(seen))
    assert page.pictures.tiles[1].below != page.pictures.tiles[MOVED].below


def test_the_grid_comes_beside_the_field_and_leaves_nothing(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    found = opened(geometry=ODD, known={})
    press(qtbot, viewer, 5)
    before, button = list(viewer.layers), found.pages.cell_tab.grid
    click(button)
    layer = viewer.layers["latent traversals"]
    assert layer.units == viewer.layers["DNA"].units and button.text() == "Remove the layer"
    click(button)
    assert list(viewer.layers) == before and button.text() == "All axes as a layer"
    # Removed by the user, the button follows; another cell has another grid.
    click(button)
    viewer.layers.remove("latent traversals")
    qtbot.waitUntil(lambda: list(viewer.layers) == before)
    qtbot.waitUntil(lambda: not button.isChecked())
    click(button)
    found.look_at(7)
    assert list(viewer.layers) == before and not button.isChecked()


def test_without_the_grid_the_view_is_where_it_was(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    found, camera = opened(known={}), viewer.scene.camera
    found.go(3)
    camera.zoom *= 3
    before = (*camera.center, camera.zoom)
    for moved in (1.0, 0.5):
        click(found.pages.cell_tab.grid)
        assert camera.zoom != pytest.approx(before[-1])
        camera.zoom *= moved
        after = (*camera.center, camera.zoom)
        click(found.pages.cell_tab.grid)
        # Who went elsewhere meanwhile stays there.
        wanted = before if moved == 1 else after
        assert (*camera.center, camera.zoom) == pytest.approx(wanted)


def test_a_real_cell_that_is_clicked_is_gone_to(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    press(qtbot, viewer, 5)
    strip = found.pages.cell_tab.strip
    strip.turn_to("Scale")
    at = next(i for i, cell in enumerate(strip.cells) if cell != 4)
    wanted = strip.cells[at]
    qtbot.mouseClick(strip.real, Qt.MouseButton.LeftButton, pos=strip.real.place(at).center())
    assert found.cell == wanted
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], np.argwhere(blobs() == wanted + 1).mean(axis=0), atol=1
    )


def test_points_and_cells_are_linked_both_ways(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    found.pages.tabs.setCurrentIndex(1)
    qtbot.wait(100)
    scatter = found.pages.cells_tab.scatter
    press(qtbot, viewer, 5)
    assert scatter.marked == 4
    point = scatter.point_of(9)
    qtbot.mouseClick(
        scatter.viewport(),
        Qt.MouseButton.LeftButton,
        pos=QPoint(round(point.x()), round(point.y())),
    )
    assert found.cell == 9 and scatter.marked == 9
    assert viewer.layers["cells"].selected_label == 10
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], np.argwhere(blobs() == 10).mean(axis=0), atol=1
    )
    assert len(viewer.layers["selected cells"].data) == 1


def test_colours_come_and_go(viewer: Any, opened: Any, qtbot: Any, click: Any) -> None:
    found = opened(known={})
    page = found.pages.cells_tab
    found.pages.tabs.setCurrentIndex(1)
    page.color_axis.setCurrentIndex(page.color_axis.findData("Scale"))
    click(page.color)
    layer = viewer.layers["latent: Scale"]
    values = found.session.latents.of_axis("Scale")
    np.testing.assert_allclose(layer.data[blobs() == 9], values[8], atol=1e-6)
    low, high = layer.contrast_limits
    assert page.scale.text() == (
        f"Dark: {signed(low, 2)} and less. Bright: {signed(high, 2)} and more."
    )
    page.color_axis.setCurrentIndex(page.color_axis.findData("Shape"))
    assert [one.name for one in viewer.layers if "latent" in one.name] == ["latent: Shape"]
    viewer.layers.remove("latent: Shape")
    qtbot.waitUntil(lambda: not page.color.isChecked())
    assert page.color.text() == "Colour the cells"
    click(page.color)
    click(page.color)
    assert "latent: Shape" not in viewer.layers and not page.scale.text()


def test_another_field_of_view_is_coloured_and_ringed_anew(
    viewer: Any, open_plate: Any, dock: Any, qtbot: Any, click: Any, plate: Cells
) -> None:
    images = open_plate()
    found = dock(LatentsPage)
    found.session.latents = latents(plate)
    found.look_at(2)
    found.pages.tabs.setCurrentIndex(1)
    click(found.pages.cells_tab.color)
    name = f"latent: {found.pages.cells_tab.color_axis.currentText()}"
    before = viewer.layers[name].data.copy()
    images.show_field(4)
    qtbot.waitUntil(lambda: found.session.shown.field == 4)
    assert viewer.layers[name].data.shape == before.shape
    assert not np.array_equal(np.isnan(viewer.layers[name].data), np.isnan(before))
    assert "selected cells" not in viewer.layers
    found.go(int(np.flatnonzero(plate.table["field"] == 5)[0]))
    qtbot.waitUntil(lambda: found.session.shown.field == 5)
    assert len(viewer.layers["selected cells"].data) == 1


# -------------------------------------------------------------------- classes and other cells


def test_painted_classes_keep_the_latents_and_say_what_is_old(opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    found.look_at(4)
    values = found.session.latents.values
    found.session.classify([1] * COUNT, ("dim", "bright"))
    qtbot.waitUntil(lambda: found.session.latents.cells is found.session.cells)
    assert found.session.latents.values is values and found.cell == 4
    assert "labelled bright" in found.pages.cell_tab.title.text()
    assert "Classes were changed" in found.pages.classes_tab.line.text()


def test_a_second_run_shows_the_same_cell_again(
    viewer: Any, opened: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    found = opened(known={})
    press(qtbot, viewer, 5)
    run(found, qtbot, click, weights)
    assert found.cell == 4 and "Cell 5" in found.pages.cell_tab.title.text()
    assert len(viewer.layers["selected cells"].data) == 1
    assert found.pages.cell_tab.sliders.sliders or found.pages.cell_tab.sliders.inactive.text()


def test_a_cell_is_held_against_a_class(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    press(qtbot, viewer, 10)
    page = found.pages.classes_tab
    assert page.against.currentText() == "bright" and len(page.unusual.rows) == 6
    page.against.setCurrentText("dim")
    assert "for class 'dim'" in page.unusual_label.text()


def test_other_cells_leave_nothing_of_the_ones_before(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    found = opened(known={})
    press(qtbot, viewer, 5)
    click(found.pages.cell_tab.grid)
    found.pages.tabs.setCurrentIndex(1)
    click(found.pages.cells_tab.color)
    found.session.open(cells(), "others", found.session.shown)
    qtbot.wait(50)
    assert found.session.latents is None and found.cell is None
    assert not found.results_box.isVisible() and not found.toggle.clicks.active
    left = {layer.name for layer in viewer.layers}
    assert not {name for name in left if "latent" in name or "looked" in name}


# -------------------------------------------------------------------- what may go wrong


def test_cells_without_masks_are_taken_with_a_warning(
    viewer: Any, dock: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    found = dock(LatentsPage)
    images = {
        name: viewer.add_image(pixels, name=name)
        for name, pixels in zip(("DNA", "GFP"), planes(), strict=True)
    }
    middles = [np.argwhere(blobs() == number).mean(axis=0) for number in range(1, COUNT + 1)]
    given = Cells.from_points(planes(), ("DNA", "GFP"), middles, crop=CROP)
    found.session.open(given, "points", Shown(0, images))
    run(found, qtbot, click, weights)
    assert (
        "The cells have no label image: outlines were found by brightness" in found.warnings.text()
    )
    found.look_at(3)
    found.pages.tabs.setCurrentIndex(1)
    if found.pages.cells_tab.axes:
        click(found.pages.cells_tab.color)
        assert any(layer.name.startswith("latent: ") for layer in viewer.layers)


def test_a_grey_image_is_said_to_have_no_colour(
    viewer: Any, opened: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    found = opened(cells(1))
    run(found, qtbot, click, weights)
    assert "A grey image: the latent Color is of no use here" in found.warnings.text()


def test_one_cell_is_looked_at_and_nothing_is_said_of_others(
    viewer: Any, opened: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    found = opened(cells().subset([4]))
    run(found, qtbot, click, weights)
    assert "One cell: nothing can be said of what varies" in found.warnings.text()
    found.look_at(0)
    assert (
        found.pages.cell_tab.sliders.isEnabled() and len(found.pages.cells_tab.scatter.places) == 1
    )
    click(found.pages.cell_tab.grid)
    assert "latent traversals" in viewer.layers


def test_where_all_cells_are_alike_no_axis_is_moved(
    viewer: Any, opened: Any, qtbot: Any, click: Any
) -> None:
    every = tuple(name for name in latents().names if not name.startswith("Spare"))
    found = opened(known={"inactive": every})
    press(qtbot, viewer, 5)
    page = found.pages.cell_tab
    assert found.cell == 4 and not page.sliders.sliders
    assert page.sliders.inactive.text().startswith("Nothing to move")
    assert not page.grid.isEnabled() and not found.pages.cells_tab.color.isEnabled()
    found.pages.tabs.setCurrentIndex(1)
    found.pages.tabs.setCurrentIndex(2)


def test_broken_pixels_are_named(opened: Any, qtbot: Any, click: Any, weights: Path) -> None:
    broken = planes()
    broken[1][30, 24] = np.nan
    given = Cells.from_labels(broken, ("DNA", "GFP"), blobs(), crop=CROP)
    found = opened(given)
    run(found, qtbot, click, weights)
    assert "channel 'GFP' has NaN or infinite pixels in cell 1" in found.notice.text()
    assert found.notice.kind == "error" and found.session.latents is None
    assert found.settings.run.isEnabled()


def test_weights_that_were_altered_are_refused(
    opened: Any, qtbot: Any, click: Any, weights: Path
) -> None:
    content = bytearray(weights.read_bytes())
    content[-20] ^= 1
    weights.write_bytes(bytes(content))
    found = opened()
    run(found, qtbot, click, weights)
    assert "was altered after it was saved" in found.notice.text()
    assert found.session.latents is None


def test_fine_tuning_that_fails_is_a_calm_line(
    opened: Any, qtbot: Any, click: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_channelmix.errors import ModelError

    def diverging(*_: Any, **__: Any) -> Job[Any]:
        yield Progress(0, 1, "fine-tuning")
        raise ModelError("the loss is not finite")

    monkeypatch.setattr("napari_channelmix.drl.finetune.fit", diverging)
    found = opened()
    found.settings.finetune.setChecked(True)
    run(found, qtbot, click, weights)
    assert found.session.latents is not None, found.notice.text()
    assert "the source weights are kept" in found.warnings.text()
    assert found.warnings.kind == "warning" and not found.notice.text()


def test_more_channels_than_colours_is_a_reason(viewer: Any, dock: Any) -> None:
    found = dock(LatentsPage)
    many = cells(8)
    shared = viewer.add_image(np.stack(planes(8)), name="stack")
    found.session.open(many, "layers", Shown(0, dict.fromkeys(many.channels, shared)))
    found.settings.model.setCurrentIndex(found.settings.model.findData("texture-sprites"))
    found.settings.look.setCurrentIndex(found.settings.look.findData("colors"))
    assert "8 channels, but only 6 colours" in found.settings.reason.text()
    assert not found.settings.run.isEnabled()


def test_hiding_a_channel_changes_what_will_be_looked_at(viewer: Any, opened: Any) -> None:
    found = opened()
    assert found.settings.chosen_look.channels == ("DNA", "GFP")
    viewer.layers["DNA"].visible = False
    assert "DNA" not in found.settings.seen.text()
    viewer.layers["GFP"].colormap = "magenta"
    assert "#FF00FF" in found.settings.seen.text()


# -------------------------------------------------------------------- the dock itself


def test_closing_the_viewer_meanwhile_is_safe(
    make_napari_viewer: Any, qtbot: Any, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, ended = [0], threading.Event()

    def slow(*_: Any) -> Job[Any]:
        try:
            while True:
                time.sleep(0.02)
                steps[0] += 1
                yield Progress(1, 2, "working")
        finally:
            ended.set()

    monkeypatch.setattr("napari_channelmix.viewer.pages.latents.page.find_latents_job", slow)
    viewer = make_napari_viewer(show=True)
    image = viewer.add_image(planes()[0], name="DNA")
    found = LatentsPage(viewer)
    viewer.window.add_dock_widget(found, name="Latent traversals")
    session = session_of(viewer)
    session.open(cells(1), "layers", Shown(0, {"DNA": image}))
    session.latents = latents(cells(1))
    found.look_at(3)
    found.pages.cell_tab.sliders.of("Scale").setValue(900)
    found.start()
    qtbot.waitUntil(lambda: steps[0] > 3)
    viewer.close()
    # napari stops its workers too; whoever comes first, no further step is done.
    qtbot.waitUntil(ended.is_set)
    assert QThreadPool.globalInstance().waitForDone(2000)
    before = steps[0]
    qtbot.wait(50)
    assert steps[0] == before


def test_removing_the_dock_ends_listening(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened(known={})
    assert found.toggle.clicks.active
    viewer.window.remove_dock_widget(found)
    assert not found.toggle.clicks.active
    found.deleteLater()
    QApplication.sendPostedEvents(found, QEvent.Type.DeferredDelete.value)
    # Nobody is left who would hear of these.
    viewer.layers["DNA"].visible = False
    viewer.layers["DNA"].colormap = "red"
    session_of(viewer).latents = None
    viewer.theme = "light"
    viewer.layers.remove("GFP")


def test_nothing_is_cut_off_in_a_narrow_dock(opened: Any, qtbot: Any) -> None:
    found = opened(cells(3), known={})
    found.look_at(4)
    found.settings.look.setCurrentIndex(1)
    inner = found.column.parentWidget()
    room = found.minimumWidth() - found.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    for page in range(3):
        found.pages.tabs.setCurrentIndex(page)
        qtbot.wait(20)
        assert inner.minimumSizeHint().width() <= room


def test_the_theme_is_followed(viewer: Any, opened: Any, qtbot: Any, click: Any) -> None:
    found = opened(known={})
    press(qtbot, viewer, 5)
    click(found.pages.cell_tab.grid)
    names = viewer.layers["latent traversals: names"].text
    dark = np.array(names.color.constant)
    viewer.theme = "light"
    assert found.pages.cells_tab.scatter.backgroundBrush().color().lightness() > 128
    assert np.abs(np.array(names.color.constant) - dark).max() > 0.5
    viewer.theme = "dark"


def test_every_control_says_what_it_does(opened: Any) -> None:
    found = opened(known={})
    found.look_at(2)
    for kind in (QAbstractButton, QComboBox, QSpinBox, QAbstractSlider):
        for control in found.findChildren(kind):
            # Scroll bars and the arrows of tab bars are Qt's; the chart's own menu is switched off.
            qts = type(control).__name__ in ("QScrollBar", "QToolButton")
            if not qts and control.window() is found.window():
                assert control.toolTip(), control
