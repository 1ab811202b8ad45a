"""Layers that are added leave the user's selection of layers alone."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.viewer.layers import keep_selection


@pytest.mark.parametrize("before", [[], ["a"], ["a", "b"]])
def test_a_layer_that_is_added_is_not_selected(before: list[str]) -> None:
    viewer = ViewerModel()
    for name in "ab":
        viewer.add_image(np.zeros((2, 2)), name=name)
    viewer.layers.selection = {viewer.layers[name] for name in before}
    with keep_selection(viewer.layers):
        viewer.add_image(np.zeros((2, 2)), name="result")
    assert {layer.name for layer in viewer.layers.selection} == set(before)


def test_a_layer_that_was_removed_meanwhile_is_left_out() -> None:
    viewer = ViewerModel()
    for name in "ab":
        viewer.add_image(np.zeros((2, 2)), name=name)
    viewer.layers.selection = set(viewer.layers)
    with keep_selection(viewer.layers):
        viewer.layers.remove("b")
        viewer.add_image(np.zeros((2, 2)), name="b")
    assert {layer.name for layer in viewer.layers.selection} == {"a"}
