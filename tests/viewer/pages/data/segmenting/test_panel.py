"""Objects are previewed in the place of the channel, steered, and used."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.data.segmentation import segment
from napari_channelmix.settings import SegmentationSettings
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.jobs import objects_job
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.data.segmenting import preview
from napari_channelmix.viewer.pages.data.segmenting.preview import ROLE, SIDE

ODD = {
    "scale": (3.0, 0.5, 0.25),
    "translate": (7.0, 11.0, -13.0),
    "affine": [[1, 0, 0, 2], [0, 0.8, -0.6, 5], [0, 0.6, 0.8, 3], [0, 0, 0, 1]],
    "units": ("um", "um", "um"),
    "axis_labels": ("z", "rows", "columns"),
}


@pytest.fixture
def page(dock: Any) -> Any:
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    return page


def blobs(height: int = 96, width: int = 128, radius: float = 8) -> Any:
    """Discs 32 pixels apart, with a little noise."""
    y, x = np.mgrid[0:height, 0:width] % 32 - 16
    image = 100 + 100.0 * (np.hypot(y, x) < radius)
    return image + np.random.default_rng(0).normal(0, 2, image.shape)


def ticked(page: Any, qtbot: Any) -> Any:
    """The panel, with all layers ticked."""
    qtbot.wait(50)
    for row in range(page.channels.list.count()):
        page.channels.list.item(row).setCheckState(Qt.CheckState.Checked)
    return page.cells.segmentation


def previewed(panel: Any, qtbot: Any) -> Any:
    """The layer of outlines, once nothing is to come."""
    qtbot.waitUntil(lambda: not panel.preview.waiting)
    return panel.preview.layer


def test_outlines_lie_in_the_place_of_the_channel_and_in_no_one_elses_way(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    image = blobs()
    source = viewer.add_image(np.stack([image * 0, image, image * 0]), name="DNA", **ODD)
    viewer.dims.set_point(0, 7.0 + 2.0 + 3.0)
    panel = ticked(page, qtbot)
    panel_layers, selected = set(viewer.layers), set(viewer.layers.selection)
    click(panel.previewing)
    layer = previewed(panel, qtbot)
    for corner in ((0, 0), (95, 3)):
        expected = source.data_to_world((1, *corner))
        np.testing.assert_allclose(layer.data_to_world((0, *corner)), expected)
    assert layer.axis_labels == source.axis_labels
    assert layer.units == source.units
    np.testing.assert_array_equal(layer.data[0], segment(image.astype("f4")).labels)
    assert panel.count.text().startswith("12 objects, median diameter 16 px")
    assert "auto (1" in panel.form.diameter.text()
    # It is neither offered for the cells nor selected nor to be painted in.
    assert set(viewer.layers.selection) == selected
    assert page.cells.source.count() == 1
    assert not layer.editable
    assert not page.session.edits.undoable
    click(panel.previewing)
    assert set(viewer.layers) == panel_layers
    assert panel.count.text() == ""


def test_settings_change_the_same_layer_and_what_is_used_is_what_was_seen(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    image = blobs()
    viewer.add_image(1000 - image, name="bright field")
    viewer.add_image(blobs(radius=13), name="body")
    panel = ticked(page, qtbot)
    panel.channel.setCurrentText("bright field")
    click(panel.previewing)
    first = previewed(panel, qtbot)
    assert "dark objects" in panel.doubts.text()
    panel.form.dark.setChecked(True)
    panel.form.body.setCurrentText("body")
    # Gathered: as many changes, one answer.
    answers: list[Any] = []
    panel.preview.segmented.connect(lambda result, _: answers.append(result))
    for value in (0.5, 0.8, 1.1, 0.9):
        panel.form.threshold.setValue(value)
    layer = previewed(panel, qtbot)
    assert layer is first
    assert len(answers) == 1
    assert panel.doubts.text() == ""
    settings = SegmentationSettings(dark=True, body_channel="body", threshold=0.9)
    assert panel.settings == settings
    seen = layer.data.copy()
    click(panel.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    used = viewer.layers["objects in bright field"]
    np.testing.assert_array_equal(used.data, seen)
    assert page.cells.source.currentData() is used
    assert not layers.is_own(used)
    assert layers.find_ours(viewer, ROLE) is None
    assert not panel.previewing.isChecked()
    # The settings stay for the next image.
    assert panel.settings == settings


def test_of_a_large_plane_the_part_in_view_is_previewed_and_all_of_it_used(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    image = blobs(1408, 1312).astype(np.float32)
    odd = {name: value[1:] for name, value in ODD.items() if name != "affine"}
    source = viewer.add_image(
        image, name="DNA", affine=[[0.8, -0.6, 5], [0.6, 0.8, 3], [0, 0, 1]], **odd
    )
    panel = ticked(page, qtbot)
    viewer.scene.camera.center = source.data_to_world((10, 20))
    click(panel.previewing)
    layer = previewed(panel, qtbot)
    assert layer.data.shape == (SIDE, SIDE)
    assert "in 1,024 x 1,024 pixels around the middle of the view" in panel.count.text()
    np.testing.assert_allclose(layer.data_to_world((5, 6)), source.data_to_world((5, 6)))
    viewer.scene.camera.center = source.data_to_world((1400, 1300))
    assert previewed(panel, qtbot) is layer
    corner = (1408 - SIDE, 1312 - SIDE)
    np.testing.assert_allclose(layer.data_to_world((0, 0)), source.data_to_world(corner))
    click(panel.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    used = viewer.layers["nuclei in DNA"]
    assert used.data.shape == image.shape
    assert used.data.max() == 44 * 41


def test_the_channel_is_proposed_by_its_name_until_one_is_chosen(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    for name in ("actin", "Hoechst 33342", "GFP"):
        viewer.add_image(blobs(), name=name)
    panel = ticked(page, qtbot)
    assert panel.channel.currentText() == "Hoechst 33342"
    panel.channel.setCurrentText("GFP")
    panel.channel.activated.emit(panel.channel.currentIndex())
    page.channels.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert panel.channel.currentText() == "GFP"


def test_a_preview_is_gone_with_its_layer_with_its_channel_and_with_the_page(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    viewer.add_image(blobs(), name="DNA")
    panel = ticked(page, qtbot)
    click(panel.previewing)
    viewer.layers.remove(previewed(panel, qtbot))
    qtbot.waitUntil(lambda: not panel.previewing.isChecked())
    for end in (
        lambda: page.channels.list.item(0).setCheckState(Qt.CheckState.Unchecked),
        lambda: page.origin.setCurrentIndex(0),
    ):
        page.origin.setCurrentIndex(1)
        page.channels.list.item(0).setCheckState(Qt.CheckState.Checked)
        click(panel.previewing)
        assert previewed(panel, qtbot) is not None
        end()
        assert panel.preview.layer is None
        assert not panel.previewing.isChecked()


def test_an_answer_that_comes_after_the_preview_was_left_is_dropped(
    viewer: Any, page: Any, qtbot: Any, click: Any, monkeypatch: Any
) -> None:
    left = threading.Event()

    def after_leaving(*args: Any) -> Any:
        result = yield from objects_job(*args)
        left.wait(20)
        return result

    monkeypatch.setattr(preview, "objects_job", after_leaving)
    viewer.add_image(blobs(), name="DNA")
    panel = ticked(page, qtbot)
    click(panel.previewing)
    qtbot.waitUntil(lambda: panel.preview.task.busy)
    panel.leave()
    left.set()
    qtbot.waitUntil(lambda: panel.preview.task.threads == 0)
    qtbot.wait(50)
    assert panel.preview.layer is None


def test_stacks_of_fields_are_refused_and_noise_is_said(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    noise = np.random.default_rng(0).normal(100, 10, (128, 128))
    viewer.add_image(np.stack([noise, noise]), name="DNA", axis_labels=("z", "y", "x"))
    panel = ticked(page, qtbot)
    click(panel.previewing)
    previewed(panel, qtbot)
    assert "threshold lies in the noise" in panel.doubts.text()
    page.channels.slice_choices[0].setCurrentText("every slice a field")
    panel.form.threshold.setValue(2)
    assert "one plane" in panel.doubts.text()
    assert panel.preview.layer is None


def test_what_looks_wrong_is_said_without_a_preview_too_and_the_settings_come_in_sight(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    viewer.add_image(1000 - blobs(), name="red")
    panel = ticked(page, qtbot)
    assert not panel.form.isVisible()
    click(panel.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    assert "dark objects" in page.notice.text()
    assert page.notice.kind == "warning"
    assert panel.form.isVisible()
    assert panel.preview.layer is None
    panel.form.dark.setChecked(True)
    click(panel.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    assert page.notice.text() == "12 objects found in red"
    assert not panel.form.isVisible()


def test_sliders_move_the_boxes_and_boxes_the_sliders(page: Any) -> None:
    form = page.cells.segmentation.form
    form.sizes.setValue(100)
    # Half way between 4 and 400 in multiples.
    assert form.diameter.value() == 40
    form.diameter.setValue(400)
    assert form.sizes.value() == form.sizes.maximum()
    form.diameter.setValue(form.diameter.minimum())
    assert form.value.diameter is None
    form.show_diameter(40)
    assert form.diameter.text() == "auto (40 px)"
    assert form.sizes.value() == 100
    assert form.value.diameter is None
    form.levels.setValue(0)
    assert form.value.threshold == pytest.approx(0.1)
