"""Layers renamed, edited and removed while work goes on: it ends as it was begun."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.selection.sync import RINGS

from .pages.data.test_page import blobs, tick


@pytest.fixture
def from_layers(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """Cells of layers, given classes by hand, and the dock 'Classifier'."""
    images = dock(DataPage)
    images.origin.setCurrentIndex(1)
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    mask = viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(mask)
    images.cells.crop.setValue(20)
    images.use_layers()
    qtbot.waitUntil(lambda: images.session.cells is not None)
    images.session.classify([0, 1] * 4 + [-1], ("a", "b"))
    classifier = dock(ClassifierPage)
    classifier.network.setCurrentText("tiny")
    classifier.epochs.setValue(3)
    classifier.held_out.setValue(0.4)
    classifier.device.setCurrentText("cpu")
    return classifier


def test_training_and_classifying_outlive_every_change_of_the_layers(
    viewer: Any, from_layers: Any, qtbot: Any
) -> None:
    session, task = from_layers.session, from_layers.task
    labels, crops = session.cells.fields[0].labels.copy(), session.cells.read()
    session.select(2)
    from_layers.start()
    qtbot.waitUntil(lambda: bool(session.history), timeout=60_000)
    assert task.busy
    viewer.layers["DNA"].name = "renamed"
    viewer.layers["mask"].data = np.zeros_like(labels)
    session.assign([8], 1)
    viewer.layers.remove("mask")
    viewer.layers.remove("renamed")
    qtbot.waitUntil(lambda: not task.busy, timeout=60_000)
    # Eight cells had a class when it was begun.
    assert session.trained.n_train + session.trained.n_test == 8
    from_layers.classify()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not task.busy, timeout=60_000)
    qtbot.wait(150)
    assert from_layers.notice.text().startswith("Predicted: "), from_layers.notice.text()
    assert len(session.predictions.probabilities) == 9
    np.testing.assert_array_equal(session.cells.fields[0].labels, labels)
    np.testing.assert_array_equal(session.cells.read(), crops)
    session.undo()
    assert session.cells.labels.tolist() == [0, 1] * 4 + [-1]
    assert RINGS not in viewer.layers and not len(viewer.layers)
