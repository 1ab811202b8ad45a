"""Scaling the pixels of an open data set: classes and layers stay, results are kept apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data.pixel_scaling import RAW
from napari_channelmix.viewer.pages.data.page import DataPage

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("DAPI", "CD3", "CD8")


@pytest.fixture
def cells() -> cm.Cells:
    """Two fields of view of three channels, twelve cells of two classes."""
    fields = []
    for number in range(2):
        rng = np.random.default_rng(number)
        planes = list(rng.integers(0, 4000, (len(NAMES), 48, 56)).astype("uint16"))
        points = [(y, x) for y in (12, 34) for x in (10, 28, 46)]
        fields.append(cm.Cells.from_points(planes, NAMES, points, crop=8, name=f"field {number}"))
    return cm.Cells.together(fields, "panel").with_labels([0, 1] * 6, ("B", "T"))


@pytest.fixture
def file(cells: cm.Cells, tmp_path: Path) -> Path:
    return cells.save(tmp_path / "panel")


@pytest.fixture
def opened(dock: Any, qtbot: Any) -> Any:
    """The page with a data-set file, the steps of the scaling unfolded."""

    def of_file(path: Path) -> Any:
        page = dock(DataPage)
        page.open_file(path)
        qtbot.waitUntil(lambda: page.session.shown is not None and not page.task.busy)
        page.data_set_scaling.expand(animate=False)
        qtbot.wait(20)
        return page

    return of_file


def press(page: Any, button: Any, click: Any, qtbot: Any) -> Any:
    click(button)
    qtbot.waitUntil(lambda: not page.task.busy)
    return page.session.cells


def test_cells_scaled_otherwise_take_the_place_of_those_before(
    opened: Any, file: Path, click: Any, qtbot: Any, viewer: Any
) -> None:
    page = opened(file)
    panel, session = page.data_set_scaling, page.session
    whole = session.cells
    assert panel.text() == "Scaling of pixels: no" and not panel.use.isEnabled()
    assert panel.now.text().replace("\u200b", "") == "Pixels are as in the files."
    assert not panel.as_opened.isVisible()
    labels = 1 - whole.labels
    session.classify(labels, whole.classes)
    layer, limits = viewer.layers["CD3"], (17.0, 1234.0)
    layer.contrast_limits = limits
    panel.arcsinh.setChecked(True)
    panel.cofactor.setValue(50)
    assert panel.use.isEnabled()
    scaled = press(page, panel.use, click, qtbot)
    np.testing.assert_allclose(scaled.read(), np.arcsinh(whole.read() / 50), rtol=1e-6)
    # Classes stay, as a change that can be taken back; so do the very layers.
    np.testing.assert_array_equal(scaled.labels, labels)
    assert session.edits.undoable and len(session.data_sets) == 1
    assert viewer.layers["CD3"] is layer and tuple(layer.contrast_limits) == limits
    assert session.shown.images["CD3"] is layer
    assert panel.text() == "Scaling of pixels: yes" and not panel.use.isEnabled()
    says = page.notice.text()
    assert "Pixels are scaled: arcsinh with the cofactor 50, measured on 12 cells" in says
    assert session.of(session.data_set).saved_in == file
    # Back to what the data set was opened with.
    raw = press(page, panel.as_opened, click, qtbot)
    assert not raw.scaling and np.array_equal(raw.read(), whole.read())
    np.testing.assert_array_equal(raw.labels, labels)
    assert not panel.as_opened.isVisible() and not panel.arcsinh.isChecked()


def test_a_choice_of_channels_keeps_the_scaling_and_the_other_way_round(
    opened: Any, file: Path, click: Any, qtbot: Any
) -> None:
    page = opened(file)
    scaling, channels = page.data_set_scaling, page.data_set_channels
    scaling.clip.setChecked(True)
    scaling.clip_at.setValue(90)
    press(page, scaling.use, click, qtbot)
    assert channels.text() == "Channels: 3 in use"
    channels.expand(animate=False)
    channels.list.tick(lambda item: item.text() != "CD3")
    fewer = press(page, channels.use, click, qtbot)
    assert fewer.channels == ("DAPI", "CD8") and tuple(fewer.scaling.channels) == fewer.channels
    assert scaling.text() == "Scaling of pixels: yes"
    scaling.arcsinh.setChecked(True)
    both = press(page, scaling.use, click, qtbot)
    assert both.channels == ("DAPI", "CD8")
    assert both.scaling.text == "clipped at the percentile 90, arcsinh with the cofactor 5"
    assert channels.text() == "Channels: 2 of 3 in use"
    # All channels are still there.
    channels.tools.all.click()
    every = press(page, channels.use, click, qtbot)
    assert every.channels == NAMES and tuple(every.scaling.channels) == NAMES


def test_results_stay_with_the_pixels_they_are_of(
    opened: Any, file: Path, click: Any, qtbot: Any
) -> None:
    page = opened(file)
    session = page.session
    whole = session.cells
    classifier = SimpleNamespace(channels=NAMES, classes=whole.classes, scaling=RAW)
    session.trained = SimpleNamespace(classifier=classifier, accuracy=None, source="model")
    session.update(latents=SimpleNamespace())
    page.data_set_scaling.percentiles.setChecked(True)
    press(page, page.data_set_scaling.use, click, qtbot)
    first, second = session.data_sets
    assert first.cells is whole and first.latents is not None
    assert second.cells is session.cells and session.latents is None
    text = page.notice.text()
    assert f"{first.name} stays open with" in text and "latents" in text
    assert "The classifier in use was trained on pixels scaled otherwise" in text


def test_a_scaling_of_the_file_can_be_left_and_taken_again(
    opened: Any, cells: cm.Cells, tmp_path: Path, click: Any, qtbot: Any
) -> None:
    file = cells.scaled(clip=90).save(tmp_path / "scaled")
    page = opened(file)
    panel = page.data_set_scaling
    of_file = page.session.cells
    assert panel.text() == "Scaling of pixels: yes" and panel.use.isEnabled()
    # Nothing is ticked: pixels as they are in the files.
    raw = press(page, panel.use, click, qtbot)
    assert not raw.scaling and panel.as_opened.isVisible()
    again = press(page, panel.as_opened, click, qtbot)
    assert again.scaling.same(of_file.scaling, NAMES)
    assert again.warnings == of_file.warnings


def test_percentiles_in_the_wrong_order_are_one_line(
    opened: Any, file: Path, click: Any, qtbot: Any
) -> None:
    page = opened(file)
    panel = page.data_set_scaling
    panel.percentiles.setChecked(True)
    panel.low.setValue(50)
    panel.high.setValue(50)
    before = page.session.cells
    assert press(page, panel.use, click, qtbot) is before
    assert "the percentile that becomes 0 must be below that of 1" in page.notice.text()


def test_a_config_and_a_script_of_the_choice_scale_alike(
    opened: Any, file: Path, click: Any, qtbot: Any
) -> None:
    from napari_channelmix.config import Config, script_of
    from napari_channelmix.config.from_results import data_part

    page = opened(file)
    panel = page.data_set_scaling
    panel.percentiles.setChecked(True)
    scaled = press(page, panel.use, click, qtbot)
    state = page.session.of(page.session.data_set)
    data = data_part(scaled, state.saved_in)
    assert data.scaled_as == "low=1,high=99.8"
    space: dict[str, Any] = {}
    exec(script_of(Config(data=data)), space)
    np.testing.assert_array_equal(space["cells"].read(), scaled.read())


def test_a_scaling_of_channels_that_are_left_out_counts_for_nothing(
    opened: Any, cells: cm.Cells, tmp_path: Path, click: Any, qtbot: Any
) -> None:
    page = opened(cells.scaled(arcsinh=5, channels=["CD3"]).save(tmp_path / "scaled"))
    scaling, channels = page.data_set_scaling, page.data_set_channels
    assert scaling.text() == "Scaling of pixels: yes"
    channels.expand(animate=False)
    channels.list.tick(lambda item: item.text() != "CD3")
    fewer = press(page, channels.use, click, qtbot)
    assert fewer.channels == ("DAPI", "CD8")
    assert scaling.text() == "Scaling of pixels: no" and not scaling.use.isEnabled()
    assert scaling.now.text().replace("\u200b", "") == "Pixels are as in the files."
