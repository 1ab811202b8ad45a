"""Maps of single channels: what the user showed or hid stays from cell to cell."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.viewer.pages.pixels.explanation_layers import ExplanationLayers
from napari_channelmix.viewer.session.session import Shown

BOX, SIZE, SHAPE, NAMES = (10, 20, 18, 28), (8, 8), (40, 60), ("CD4", "CD8")


@pytest.fixture
def laid() -> tuple[ExplanationLayers, Shown]:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros(SHAPE), scale=(0.5, 0.25))})
    maps = ExplanationLayers(viewer)
    maps.lay(shown, BOX, SIZE, SHAPE, NAMES)
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
