"""Predicted colours are not mixed with the random ones of the cells' own outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.selection.class_overlays import overlays_of
from napari_channelmix.viewer.session.session import Predictions

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


def test_outlines_of_cells_without_classes_give_way_to_predictions_once(
    viewer: Any, dock: Any, qtbot: Any, plate: Cells
) -> None:
    images = dock(DataPage)
    session = images.session
    images.open_cells(plate.with_labels(np.full(len(plate), -1), ()))
    qtbot.waitUntil(lambda: session.shown is not None)
    outlines = layers.find_ours(viewer, "cells")
    assert outlines.visible
    shares = np.full((len(plate), 2), 0.5, np.float32)
    session.predictions = Predictions(("a", "b"), shares, "trained on the plate")
    overlays_of(viewer).draw()
    assert layers.find_ours(viewer, "predicted") is not None and not outlines.visible
    # Who shows them again keeps them.
    outlines.visible = True
    session.predictions = Predictions(("a", "b"), shares, "trained again")
    overlays_of(viewer).draw()
    assert outlines.visible


def test_a_class_has_one_colour_whatever_the_order_of_the_classifier(
    viewer: Any, dock: Any, qtbot: Any, plate: Cells
) -> None:
    images = dock(DataPage)
    session = images.session
    images.open_cells(plate)
    qtbot.waitUntil(lambda: session.shown is not None)
    names = (*reversed(plate.classes), "debris")
    shares = np.zeros((len(plate), 3), np.float32)
    shares[:, 1] = 1.0
    session.predictions = Predictions(names, shares, "trained elsewhere")
    overlays_of(viewer).draw()
    layer = layers.find_ours(viewer, "predicted")
    # All cells are called the second of its classes, the first of the cells': value 1.
    assert set(np.unique(layer.data)) == {0, 1}
    assert layer.features["class"].tolist() == ["", *plate.classes, "debris"]
