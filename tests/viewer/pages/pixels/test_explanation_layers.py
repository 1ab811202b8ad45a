"""Maps of single channels: what the user showed or hid stays from cell to cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.viewer.pages.pixels.explanation_layers import ExplanationLayers
from napari_channelmix.viewer.session.explanation import Explanation, Question
from napari_channelmix.viewer.session.session import Shown

BOX, SIZE, SHAPE, NAMES = (10, 20, 18, 28), (8, 8), (40, 60), ("CD4", "CD8")


def explained(channel_maps: bool) -> Explanation:
    """A cell with its map, and with one of each channel where these are known, too."""
    maps = np.ones((len(NAMES), *SIZE), np.float32)
    explanation = Explanation(Question(), 0, 0, BOX, NAMES, ("x", "y"), maps, map=maps[0])
    return replace(explanation, channel_maps=maps) if channel_maps else explanation


@pytest.fixture
def laid() -> tuple[ExplanationLayers, Shown]:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros(SHAPE), scale=(0.5, 0.25))})
    maps = ExplanationLayers(viewer)
    maps.lay(shown, BOX, SIZE, SHAPE, NAMES)
    maps.show(explained(channel_maps=True))
    return maps, shown


def test_maps_of_channels_that_the_user_showed_stay_with_the_next_cell(
    laid: tuple[ExplanationLayers, Shown],
) -> None:
    maps, shown = laid
    assert maps.cell.layer.visible and not maps.stack.layer.visible
    maps.stack.layer.visible = True
    maps.lay(shown, (0, 0, 8, 8), SIZE, SHAPE, NAMES)
    assert maps.stack.layer.visible and maps.cell.layer.visible


def test_a_chosen_map_that_the_user_hid_stays_hidden_until_one_is_chosen_again(
    laid: tuple[ExplanationLayers, Shown],
) -> None:
    maps, shown = laid
    maps.show_channel("CD8")
    assert maps.stack.layer.visible and not maps.cell.layer.visible
    maps.lay(shown, (0, 0, 8, 8), SIZE, SHAPE, NAMES)
    assert maps.stack.layer.visible and not maps.cell.layer.visible
    maps.stack.layer.visible = False
    maps.lay(shown, BOX, SIZE, SHAPE, NAMES)
    assert not maps.stack.layer.visible and maps.cell.layer.visible
    maps.show_channel("CD4")
    assert maps.stack.layer.visible and not maps.cell.layer.visible


def test_the_layer_of_the_channels_is_added_with_their_first_maps_not_with_the_click() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros(SHAPE))})
    maps = ExplanationLayers(viewer)
    maps.lay(shown, BOX, SIZE, SHAPE, NAMES)
    maps.show_channel("CD8")
    maps.show(explained(channel_maps=False))
    assert not maps.stack.there and maps.cell.layer.visible
    maps.show(explained(channel_maps=True))
    assert maps.stack.there and maps.stack.channel == "CD8"
    assert maps.stack.layer.visible and not maps.cell.layer.visible
    assert maps.stack.layer.data[1].max() > 0


def test_maps_that_come_after_their_cell_was_cleared_add_no_layer() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros(SHAPE))})
    maps = ExplanationLayers(viewer)
    maps.lay(shown, BOX, SIZE, SHAPE, NAMES)
    maps.clear()
    maps.show(explained(channel_maps=True))
    assert list(viewer.layers) == [shown.reference]
