"""Layers that show results of the plugin are never offered as inputs, under whatever name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers.geometry import like
from napari_channelmix.viewer.layers.own_layers import OURS
from napari_channelmix.viewer.pages.data.page import DataPage

from ..annotating import predicted, show_squares


def offered(images: Any) -> tuple[set[str], set[str]]:
    """Names of the layers offered as channels and as cells."""
    images.channels.fill()
    images.cells.fill()
    rows = range(images.channels.list.count())
    channels = {images.channels.list.item(row).text() for row in rows}
    sources = range(1, images.cells.source.count())
    return channels, {images.cells.source.itemData(row).name for row in sources}


@pytest.fixture
def images(viewer: Any, dock: Any, qtbot: Any) -> Any:
    """Cells of layers, and every kind of result on them."""
    widget = dock(DataPage)
    widget.origin.setCurrentIndex(1)
    cells = show_squares(viewer, widget.session)
    session, shown = widget.session, widget.session.shown
    session.classify([0, 1, 0, 1, 0, 1], ("alive", "dead"))
    session.predictions = predicted([(0.5, 0.5)] * 6)
    session.select(1, 2)
    layers.MapLayer(viewer, "explanation", "explanation").lay(shown, (0, 0, 20, 20), (20, 20))
    layers.show_scores(
        viewer,
        "phenotype scores",
        cells,
        0,
        np.arange(6.0),
        like(shown.reference, shown.axes),
        name="margin",
        limits=(0.0, 1.0),
        colormap="viridis",
    )
    grid = layers.GridLayer(viewer, "latent traversals", "latents")
    grid.show(
        shown, (120, 120), np.zeros((2, 3, 1, 8, 8), np.float32), ["a", "b"], 1.0, "white", {}
    )
    layers.add_image(viewer, "mixed", np.zeros((120, 120)), {}, name="mixed")
    qtbot.wait(200)
    return widget


def test_results_are_offered_neither_as_channels_nor_as_cells(viewer: Any, images: Any) -> None:
    assert len(viewer.layers) == 3 + 8
    assert offered(images) == ({"DNA", "GFP"}, {"cells"})
    for layer in viewer.layers:
        layer.name = f"{layer.name} of mine"
    assert offered(images) == ({"DNA of mine", "GFP of mine"}, {"cells of mine"})


def test_a_duplicate_of_a_result_is_no_input_and_is_never_written_over(
    viewer: Any, images: Any, qtbot: Any
) -> None:
    from napari.layers._layer_actions import _duplicate_layer

    for name in ("explanation", "classes", "DNA"):
        viewer.layers.selection = {viewer.layers[name]}
        _duplicate_layer(viewer.layers)
    assert offered(images) == ({"DNA", "GFP", "DNA copy"}, {"cells"})
    before = viewer.layers["classes copy"].data.copy()
    viewer.layers.remove("classes")
    images.session.classify([1] * 6, ("alive", "dead"))
    qtbot.wait(150)
    np.testing.assert_array_equal(viewer.layers["classes copy"].data, before)
    assert viewer.layers["classes"].data.max() == 2
    layers.forget_ours(viewer)
    kept = {"DNA", "GFP", "DNA copy", "cells", "explanation copy", "classes copy"}
    assert {layer.name for layer in viewer.layers} == kept


def test_channels_and_cells_of_a_data_set_may_be_chosen(open_plate: Any, plate: Any) -> None:
    images = open_plate()
    assert offered(images) == (set(plate.channels), {"cells"})


def test_columns_of_results_name_no_classes(viewer: Any, images: Any) -> None:
    cells = viewer.layers["cells"]
    assert {"class", "predicted", "probability"} <= set(cells.features.columns)
    assert layers.columns_of(cells) == ("class",)


def test_only_a_mark_makes_a_layer_own(viewer: Any) -> None:
    mine = viewer.add_image(np.zeros((4, 4)), name="explanation")
    assert not layers.is_own(mine) and layers.role_of(mine) == ""
    copy = viewer.add_image(np.zeros((4, 4)), metadata={OURS: "explanation"})
    assert layers.is_own(copy) and layers.find_ours(viewer, "explanation") is None
