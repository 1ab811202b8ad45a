"""One convention in layers: marks, maps and views of a cell lie on the pixel that was planted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.data import Cells
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers import MapLayer
from napari_channelmix.viewer.layers.camera import center_on
from napari_channelmix.viewer.layers.cell_rings import ring_cells
from napari_channelmix.viewer.layers.score_layer import show_scores
from napari_channelmix.viewer.selection.picking import cell_at
from napari_channelmix.viewer.session.session import Shown

Y, X = 37, 52
TURN = np.array([[1.0, 0.2, 5.0], [-0.1, 1.1, -3.0], [0.0, 0.0, 1.0]])
PLACES: dict[str, dict[str, Any]] = {
    "small": {"scale": (0.37, 0.37), "translate": (3.3, -7.7)},
    "unequal": {"scale": (2.1, 0.37), "translate": (11, 13)},
    "turned": {"scale": (2.1, 0.9), "translate": (1, 2), "rotate": 33.0, "affine": TURN},
}


def cells_of(kind: str, crop: int) -> Cells:
    plane = np.zeros((90, 110), np.float32)
    plane[Y, X] = 1
    if kind == "points":
        return Cells.from_points([plane], ["A"], [(Y, X)], crop=crop)
    labels = np.zeros(plane.shape, np.int64)
    labels[Y - 3 : Y + 4, X - 5 : X + 6] = 2**40
    return Cells.from_labels([plane], ["A"], labels, crop=crop)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("crop", [24, 25])
@pytest.mark.parametrize("kind", ["points", "labels"])
def test_a_planted_pixel_is_where_its_cell_is_shown(kind: str, crop: int, place: str) -> None:
    viewer, cells = ViewerModel(), cells_of(kind, crop)
    source = viewer.add_image(np.asarray(cells.fields[0].planes[0]), name="A", **PLACES[place])
    shown = Shown(0, {"A": source})
    wanted = np.asarray(source.data_to_world((Y, X)))

    box = cells.table[["y0", "x0", "y1", "x1"]].to_numpy()[0]
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, box, (crop, crop))
    one.show(cells.read()[0, 0])
    peak = np.unravel_index(one.layer.data.argmax(), one.layer.data.shape)
    np.testing.assert_allclose(one.layer.data_to_world(peak), wanted)

    ring_cells(viewer, "chosen", cells, shown, [0])
    ring = viewer.layers["chosen"]
    np.testing.assert_allclose(ring.data_to_world(ring.data[0]), wanted)

    scores = show_scores(
        viewer,
        "scores",
        cells,
        0,
        np.array([0.5]),
        layers.like(source),
        name="scores",
        limits=(0.0, 1.0),
        colormap="gray",
    )
    if kind == "points":
        np.testing.assert_allclose(scores.data_to_world(scores.data[0]), wanted)
    else:
        assert scores.get_value(wanted, world=True) == 0.5

    session: Any = SimpleNamespace(cells=cells, shown=shown)
    assert cell_at(session, viewer, wanted) == 0
    center_on(viewer, shown, cells, 0)
    np.testing.assert_allclose(np.asarray(viewer.scene.camera.center)[-2:], wanted)


@pytest.mark.parametrize("place", PLACES)
def test_points_of_another_layer_become_the_pixels_they_lie_on(place: str) -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((90, 110)), **PLACES[place])
    world = np.asarray(source.data_to_world((Y, X)))
    points = viewer.add_points([(world - (0.4, 0.6)) / 1.7], scale=(1.7, 1.7), translate=(0.4, 0.6))
    (plane,) = layers.planes_from_layers([source], viewer.dims.point)
    where, numbers = layers.points_plane(points, source, plane)
    np.testing.assert_allclose(where, [(Y, X)])
    assert numbers.tolist() == [0]
