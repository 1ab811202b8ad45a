"""Layers we have added become pictures for files, with their place and what their values mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers.own_layers import OURS

ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


def test_classes_and_maps_keep_place_names_and_colours(viewer: Any, plate: Any) -> None:
    cells = plate
    geometry = layers.like(viewer.add_image(np.zeros((128, 128)), **ODD))
    layer = layers.show_codes(viewer, "classes", cells, 0, cells.labels, cells.classes, geometry)
    layers.add_image(
        viewer, "explanations", np.eye(128, dtype=np.float32), geometry, name="explanations"
    )
    layers.add_image(viewer, "channel DNA", np.zeros((128, 128)), geometry, name="DNA")
    layers.add_labels(viewer, "cells", cells.fields[0].labels, geometry, name="cells")
    classes, maps = layers.result_images(viewer)
    assert (classes.name, maps.name) == ("classes", "explanations")
    # The layer shows rings; in the file the cells are filled.
    one, marked = cells.table[cells.table["field"] == 0], cells.fields[0].labels
    filled = np.zeros(marked.shape, int)
    for label, code in zip(one["object"], cells.labels, strict=False):
        filled[marked == label] = code + 1
    np.testing.assert_array_equal(classes.data, filled)
    assert np.count_nonzero(layer.data) < np.count_nonzero(classes.data)
    assert dict(classes.classes) == dict(enumerate(cells.classes, start=1))
    for value in classes.classes:
        np.testing.assert_allclose(classes.colors[value], 255 * layer.get_color(value), atol=1)
    for image in (classes, maps):
        assert (image.scale, image.translate, image.unit) == (
            (0.5, 0.25),
            (10.0, -20.0),
            "micrometer",
        )
        assert not image.has_rotation
    assert not maps.classes


def test_points_and_layers_of_the_user_are_left_out_and_turns_are_told(viewer: Any) -> None:
    viewer.add_image(np.zeros((8, 8)), name="mine")
    viewer.add_points(np.zeros((1, 2)), metadata={OURS: "classes"})
    assert layers.result_images(viewer) == ()
    viewer.add_image(np.zeros((8, 8)), metadata={OURS: "mixed"}, rotate=30)
    (image,) = layers.result_images(viewer)
    assert image.has_rotation
