"""What the list of channels does by itself, and what the user undoes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from qtpy.QtCore import Qt

from napari_channelmix.viewer.pages.data.page import DataPage

ODD = {
    "scale": (0.5, 0.25),
    "translate": (7.0, -3.0),
    "affine": [[1, 0.1, 4], [0, 1, 0], [0, 0, 1]],
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


@pytest.fixture
def page(dock: Any) -> Any:
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    return page


def ticked(page: Any) -> list[str]:
    items = [page.channels.list.item(row) for row in range(page.channels.list.count())]
    return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]


def test_what_is_ticked_is_said_and_the_user_undoes_it(viewer: Any, page: Any, qtbot: Any) -> None:
    for name in ("exp7_plate3_DAPI", "exp7_plate3_GFP"):
        viewer.add_image(np.zeros((31, 37)), name=name)
    qtbot.wait(50)
    assert ticked(page) == ["DAPI", "GFP"]
    assert page.channels.list.item(0).toolTip() == "exp7_plate3_DAPI"
    assert page.channels.proposed.isVisible()
    assert page.channels.choose().names == ("DAPI", "GFP")
    page.channels.list.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert not page.channels.proposed.isVisible()
    # What the user chose stays, whatever comes.
    viewer.add_image(np.zeros((31, 37)), name="exp7_plate3_actin")
    qtbot.wait(50)
    assert ticked(page) == ["DAPI"]
    viewer.layers.clear()
    qtbot.wait(50)
    viewer.add_image(np.zeros((31, 37)), name="other")
    qtbot.wait(50)
    assert ticked(page) == ["other"]


def test_channels_that_cells_were_made_of_keep_their_names(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    for name in ("exp7_DAPI", "exp7_GFP"):
        viewer.add_image(np.zeros((31, 37)), name=name)
    qtbot.wait(50)
    page.channels.accept()
    # It begins otherwise, so that all would be called by their whole names.
    viewer.add_image(np.zeros((31, 37)), name="actin")
    qtbot.wait(50)
    assert page.channels.choose().names == ("DAPI", "GFP")
    viewer.layers["exp7_GFP"].name = "tubulin"
    qtbot.wait(50)
    assert page.channels.choose().names == ("DAPI", "tubulin")


def test_a_later_layer_of_another_size_takes_the_ticks_back(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    viewer.add_image(np.zeros((31, 37)), name="DAPI")
    qtbot.wait(50)
    assert ticked(page) == ["DAPI"]
    viewer.add_image(np.zeros((62, 74)), name="GFP")
    qtbot.wait(50)
    assert ticked(page) == [] and "None is ticked" in page.channels.proposed.text()
    assert "tick at least one channel" in page.reason.text() or page.reason.text()
    assert not page.use.isEnabled()


def test_channels_of_a_file_have_its_names(
    viewer: Any, page: Any, qtbot: Any, tmp_path: Path
) -> None:
    path, names = tmp_path / "B03.ome.tif", ["exp7 DAPI", "exp7 GFP", "exp7 actin"]
    tifffile.imwrite(
        path,
        np.zeros((3, 31, 37), np.uint16),
        ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": names}},
    )
    viewer.open(path, plugin="napari")
    qtbot.wait(50)
    chosen = page.channels.choose()
    assert chosen.names == ("DAPI", "GFP", "actin") and chosen.channel == 0
    page.channels.list.item(2).setText("phalloidin")
    assert page.channels.choose().names == ("DAPI", "GFP", "phalloidin")


def test_an_unnamed_stack_is_asked_of_at_once_and_one_click_makes_channels(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    viewer.add_image(np.zeros((7, 31, 37)), name="stack")
    qtbot.wait(50)
    question = page.channels.question
    assert question.isVisible() and not page.use.isEnabled()
    click(question.yes)
    assert len(page.channels.choose().names) == 7 and not question.isVisible()


@pytest.mark.parametrize("multiscale", [False, True])
def test_an_rgb_picture_is_split_in_place(
    viewer: Any, page: Any, qtbot: Any, click: Any, multiscale: bool
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (32, 36, 4), np.uint8)
    data: Any = [picture, picture[::2, ::2]] if multiscale else picture
    # Another size, so that only the new layers can be the ones that are ticked.
    viewer.add_image(np.zeros((5, 6)), name="other")
    rgb = viewer.add_image(data, name="tissue", rgb=True, multiscale=multiscale, **ODD)
    qtbot.wait(50)
    assert page.channels.rgb.isVisible() and "'tissue' is an RGB" in page.channels.rgb.text.text()
    click(page.channels.rgb.split_button)
    qtbot.wait(50)
    assert ticked(page) == ["red", "green", "blue"]
    green = viewer.layers["tissue green"]
    plane = page.channels.choose().planes[1]
    np.testing.assert_array_equal(plane[0:32, 0:36], picture[..., 1])
    for corner in ((0, 0), (31, 5)):
        np.testing.assert_allclose(green.data_to_world(corner), rgb.data_to_world(corner))
    assert green.axis_labels == rgb.axis_labels and green.units == rgb.units
    assert not rgb.visible
    page.channels.choose()


def test_stains_are_unmixed_in_a_worker(viewer: Any, page: Any, qtbot: Any) -> None:
    picture = np.random.default_rng(0).integers(1, 255, (32, 36, 3), np.uint8)
    rgb = viewer.add_image(picture, name="tissue", rgb=True, **ODD)
    qtbot.wait(50)
    menu = page.channels.rgb.unmix_button.menu()
    # An ampersand alone would underline the next letter.
    assert menu.actions()[0].text() == "H&&E"
    next(action for action in menu.actions() if action.text() == "H-DAB").trigger()
    qtbot.waitUntil(lambda: not page.task.busy)
    qtbot.wait(50)
    assert ticked(page) == ["Hematoxylin", "DAB"]
    layer = viewer.layers["tissue DAB"]
    assert layer.data.dtype == np.float32 and layer.data.shape == (32, 36)
    np.testing.assert_allclose(layer.data_to_world((3, 5)), rgb.data_to_world((3, 5)))


def test_a_picture_that_cannot_be_unmixed_is_refused_in_a_line(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    data = np.full((32, 36, 3), 200.0)
    viewer.add_image(data, name="hdr", rgb=True)
    qtbot.wait(50)
    page.rgb.unmix(viewer.layers["hdr"], "H&E")
    qtbot.waitUntil(lambda: not page.task.busy)
    assert "'hdr': colours as floats must lie between 0" in page.notice.text()
    assert len(viewer.layers) == 1


def test_a_picture_whose_name_begins_alike_is_another_one(
    viewer: Any, page: Any, qtbot: Any, click: Any
) -> None:
    picture = np.zeros((31, 37, 3), np.uint8)
    viewer.add_image(picture, name="slide 12", rgb=True)
    qtbot.wait(50)
    click(page.channels.rgb.split_button)
    qtbot.wait(50)
    viewer.add_image(picture, name="slide 1", rgb=True)
    qtbot.wait(50)
    assert "'slide 1' is an RGB picture" in page.channels.rgb.text.text()
    click(page.channels.rgb.split_button)
    assert viewer.layers["slide 12 red"].visible


def test_a_scale_that_is_corrected_and_features_that_come_are_heard_of(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    viewer.add_image(np.zeros((31, 37)), name="DNA", scale=(2, 2))
    labels = viewer.add_labels(np.eye(31, 37, dtype=int) * 2, name="mask")
    qtbot.wait(50)
    page.cells.choose_source(labels)
    assert "scale differs" in page.reason.text() and not page.use.isEnabled()
    labels.scale = (2, 2)
    qtbot.waitUntil(page.use.isEnabled)
    page.hide()
    labels.features = pd.DataFrame({"index": [2, 3], "class": ["a", "b"]})
    page.show()
    qtbot.waitUntil(lambda: page.cells.column.currentData() == "class")


def test_layers_that_come_behind_another_page_are_compared_once_the_page_is_seen(
    viewer: Any, page: Any, qtbot: Any
) -> None:
    page.hide()
    for name in ("DAPI", "GFP"):
        viewer.add_image(np.zeros((31, 37)), name=name)
    qtbot.wait(50)
    # They are listed, and none that went is held; what they propose waits.
    assert page.channels.list.count() == 2 and ticked(page) == []
    page.show()
    qtbot.waitUntil(lambda: ticked(page) == ["DAPI", "GFP"])
