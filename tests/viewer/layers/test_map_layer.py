"""Geometry of map layers; none of it needs a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.viewer.layers import MapLayer, box_geometry, box_shape
from napari_channelmix.viewer.session.session import Shown

TURN = np.array([[1.0, 0.2, 5.0], [-0.1, 1.1, -3.0], [0.0, 0.0, 1.0]])
PLACES: dict[str, dict[str, Any]] = {
    "plain": {},
    "scaled": {"scale": (0.5, 0.25), "translate": (7, -9), "units": ("um", "um")},
    "turned": {"scale": (2, 3), "rotate": 33.0, "translate": (1, 2)},
    "sheared": {"scale": (2, 3), "shear": [0.4], "translate": (5, 6)},
    "affine": {"scale": (0.5, 2), "translate": (3, 4), "rotate": 10.0, "affine": TURN},
}


def edges(layer: Any, box: Any) -> Any:
    """World positions of the corners of a box, from edge to edge of its pixels."""
    y0, x0, y1, x1 = box
    corners = [(y0, x0), (y0, x1), (y1, x0), (y1, x1)]
    return np.array([layer.data_to_world(np.array(corner) - 0.5) for corner in corners])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(24, 24), (48, 48), (10, 7)])
def test_a_map_fills_its_box_from_edge_to_edge(place: str, size: tuple[int, int]) -> None:
    viewer, box = ViewerModel(), (-5, 30, 19, 54)
    source = viewer.add_image(np.zeros((60, 80)), name="DNA", **PLACES[place])
    shown = Shown(0, {"DNA": source})
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, box, size)
    assert one.layer.data.shape == box_shape(shown, size) == size
    whole = (0, 0, *size)
    np.testing.assert_allclose(edges(one.layer, whole), edges(source, box), atol=1e-9)
    assert one.layer.units == source.units


def test_a_map_of_one_slice_is_seen_there_and_along_the_channels() -> None:
    viewer = ViewerModel()
    scale, translate = (2, 1, 3, 0.5, 0.5), (1, 0, 2, 3, 4)
    source = viewer.add_image(
        np.zeros((4, 3, 5, 40, 50), np.float32), scale=scale, translate=translate
    )
    shown = Shown(0, {"a": source, "b": source}, None, {0: 2, 2: 1}, (3, 4))
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, (10, 20, 18, 28), (16, 16))
    assert one.layer.data.shape == (1, 3, 1, 16, 16)
    np.testing.assert_allclose(
        one.layer.data_to_world((0, 2, 0, -0.5, -0.5)), source.data_to_world((2, 2, 1, 9.5, 19.5))
    )
    one.show(np.ones((16, 16), np.float32))
    assert one.layer.data.min() == 1


def test_a_map_is_changed_in_place_and_moved_without_another_layer() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((60, 80)))
    shown = Shown(0, {"DNA": source})
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, (0, 0, 8, 8), (8, 8))
    layer, data = one.layer, one.layer.data
    layer.contrast_limits = (0, 0.5)
    one.show(np.ones((8, 8), np.float32))
    one.lay(shown, (20, 20, 28, 28), (8, 8))
    assert one.layer is layer and layer.data is data and not data.any()
    assert layer.contrast_limits == [0, 0.5] and layer.colormap.name == "evidence for and against"
    one.lay(shown, (20, 20, 28, 28), (12, 12))
    assert one.layer is layer and layer.data.shape == (12, 12) and len(viewer.layers) == 2


def test_a_layer_that_was_removed_comes_back_with_the_next_cell_only() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros((60, 80)))})
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, (0, 0, 8, 8), (8, 8))
    viewer.layers.remove(one.layer)
    one.show(np.ones((8, 8), np.float32))
    assert len(viewer.layers) == 1
    one.lay(shown, (0, 0, 8, 8), (8, 8))
    assert len(viewer.layers) == 2
    one.clear()
    assert len(viewer.layers) == 1


def test_geometry_has_all_that_napari_would_lose() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros((9, 9)))})
    assert set(box_geometry(shown, (0, 0, 9, 9), (9, 9))) == {
        "scale",
        "translate",
        "rotate",
        "shear",
        "affine",
        "units",
        "axis_labels",
    }
