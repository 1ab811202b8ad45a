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


@pytest.mark.parametrize("before", [[], ["a"]])
def test_nobody_hears_of_a_selection_that_stays(before: list[str]) -> None:
    viewer, told = ViewerModel(), []
    for name in "ab":
        viewer.add_image(np.zeros((2, 2)), name=name)
    viewer.layers.selection = {viewer.layers[name] for name in before}
    events = viewer.layers.selection.events
    for event in (events.changed, events.active):
        event.connect(told.append)
    with keep_selection(viewer.layers):
        viewer.add_image(np.zeros((2, 2)), name="result")
    assert told == []
    assert {layer.name for layer in viewer.layers.selection} == set(before)
    assert viewer.layers.selection.active is (viewer.layers["a"] if before else None)


def test_that_the_selected_layer_went_meanwhile_is_told() -> None:
    viewer, told = ViewerModel(), []
    for name in "ab":
        viewer.add_image(np.zeros((2, 2)), name=name)
    gone = viewer.layers.selection.active
    events = viewer.layers.selection.events
    events.active.connect(lambda event: told.append(event.value))
    events.changed.connect(lambda event: told.append(event.removed))
    with keep_selection(viewer.layers):
        viewer.layers.remove("b")
        viewer.add_image(np.zeros((2, 2)), name="result")
    assert told == [{gone}, None] and viewer.layers.selection.active is None


def test_a_layer_that_cannot_be_added_leaves_the_selection_as_it_was() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no layer"), keep_selection(viewer.layers):
        viewer.add_image(np.zeros((2, 2)))
        raise ValueError("no layer")
    assert set(viewer.layers.selection) == {layer}
