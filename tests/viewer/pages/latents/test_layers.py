"""Grid, scores, colours and sights: what the room's door to the viewer does for latents."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_channelmix.data import Cells
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers import GridLayer, center_on, color_of, mosaic, show_scores
from napari_channelmix.viewer.session.session import Shown

from ...conftest import canvas_point
from ...latent_cases import COUNT, CROP, ODD, SIDE, blobs, cells, planes

PICTURES = np.random.default_rng(0).random((3, 5, 3, 64, 64), np.float32)


def field(viewer: Any, geometry: dict[str, Any] | None = None) -> tuple[Cells, Shown]:
    geometry = geometry or {}
    found = cells()
    images = {
        name: viewer.add_image(pixels, name=name, **geometry)
        for name, pixels in zip(found.channels, planes(), strict=True)
    }
    marked = viewer.add_labels(blobs(), name="cells", **geometry)
    return found, Shown(0, images, marked)


def test_the_mosaic_has_every_picture_in_its_place() -> None:
    whole = mosaic(PICTURES)
    assert whole.shape == (3 * 66 + 2, 5 * 66 + 2, 3)
    np.testing.assert_array_equal(whole[68:132, 134:198], PICTURES[1, 2].transpose(1, 2, 0))
    assert mosaic(PICTURES[:, :, :1]).shape == (200, 332)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("green", (0, 1, 0)), ("gray", (1, 1, 1)), ("gray_r", (1, 1, 1)), ("magenta", (1, 0, 1))],
)
def test_the_colour_of_a_layer_is_that_of_its_bright_pixels(name: str, expected: Any) -> None:
    layer = Image(np.zeros((4, 4), np.float32), colormap=name)
    np.testing.assert_allclose(color_of(layer), expected, atol=0.02)


def test_the_grid_lies_beside_the_field_at_the_scale_of_the_cells(viewer: Any) -> None:
    _, shown = field(viewer, ODD)
    grid, zoom = GridLayer(viewer, "grid", "grid"), 2.0
    layer = grid.show(shown, (SIDE, SIDE), PICTURES, list("abc"), zoom, "#FFFFFF", {})
    source = shown.reference
    # A step of two pixels of the grid is a step of one pixel of the field, along both axes.
    for step in ((2, 0), (0, 2)):
        here = np.asarray(layer.data_to_world(step)) - layer.data_to_world((0, 0))
        there = np.asarray(source.data_to_world(np.array(step) / 2)) - source.data_to_world((0, 0))
        np.testing.assert_allclose(here, there)
    y, x = source.world_to_data(layer.data_to_world((0, 0)))
    assert y == pytest.approx(-0.25) and x > SIDE
    assert layer.units == source.units and layer.axis_labels == source.axis_labels
    assert layer.rgb
    names = viewer.layers["grid: names"]
    assert names.text.values.tolist() == list("abc")
    y, x = layer.world_to_data(names.data_to_world(names.data[1]))
    assert 68 < y < 132 and -64 < x < 0


def test_a_grid_of_grey_pictures_is_a_grey_layer(viewer: Any) -> None:
    _, shown = field(viewer)
    grid = GridLayer(viewer, "grid", "grid")
    layer = grid.show(shown, (SIDE, SIDE), PICTURES[:, :, :1], list("abc"), 2.0, "white", {})
    assert not layer.rgb and layer.contrast_limits == [0, 1]


def test_a_grid_beside_a_stack_is_seen_in_every_slice(viewer: Any) -> None:
    stack = np.zeros((3, 2, SIDE, SIDE), np.float32)
    one = viewer.add_image(stack, scale=(2, 3, 0.5, 0.25), translate=(10, 0, 5, 7))
    grid = GridLayer(viewer, "grid", "grid")
    layer = grid.show(
        Shown(0, {"DNA": one}, None, {0: 1, 1: 1}),
        (SIDE, SIDE),
        PICTURES,
        list("abc"),
        2.0,
        "white",
        {},
    )
    assert layer.ndim == 2
    corner = one.world_to_data((12, 3, *layer.data_to_world((0, 0))))
    assert corner[2] == pytest.approx(-0.25) and corner[3] > SIDE


def test_removing_one_layer_of_the_grid_leaves_nothing(viewer: Any, qtbot: Any) -> None:
    _, shown = field(viewer)
    grid = GridLayer(viewer, "grid", "grid")
    for name in ("grid", "grid: names"):
        grid.show(shown, (SIDE, SIDE), PICTURES, list("abc"), 2.0, "white", {})
        assert len(grid.layers) == 2 and len(viewer.layers) == 5
        viewer.layers.remove(name)
        qtbot.waitUntil(lambda: not grid.layers)
    # Both at once, as the user or the next data set may.
    grid.show(shown, (SIDE, SIDE), PICTURES, list("abc"), 2.0, "white", {})
    viewer.layers.selection = set(grid.layers)
    viewer.layers.remove_selected()
    grid.show(shown, (SIDE, SIDE), PICTURES, list("abc"), 2.0, "white", {})
    layers.forget_ours(viewer)
    qtbot.wait(20)
    assert len(viewer.layers) == 3


def test_another_grid_takes_the_place_of_the_one_before(viewer: Any) -> None:
    _, shown = field(viewer)
    grid = GridLayer(viewer, "grid", "grid")
    for count in (3, 2):
        grid.show(shown, (SIDE, SIDE), PICTURES[:count], list("abc")[:count], 2.0, "white", {})
    assert len(viewer.layers) == 5 and grid.layers[0].data.shape[0] == 2 * 66 + 2


def test_pictures_of_the_grid_are_large_enough_to_be_seen(viewer: Any, qtbot: Any) -> None:
    wide = viewer.add_image(np.zeros((4000, 4000), np.float32))
    grid = GridLayer(viewer, "grid", "grid")
    layer = grid.show(
        Shown(0, {"DNA": wide}), (4000, 4000), PICTURES, list("abc"), 1.0, "white", {}
    )
    grid.bring_into_sight()
    assert viewer.scene.camera.zoom * 64 > 36
    size = np.asarray(viewer.canvas.size)
    for corner in ((0, 0), np.array(layer.data.shape[:2]) - 1):
        point = canvas_point(viewer, layer.data_to_world(corner))
        assert 0 <= point.y() <= size[0] and 0 <= point.x() <= size[1]


def test_the_names_follow_the_theme(viewer: Any) -> None:
    _, shown = field(viewer)
    grid = GridLayer(viewer, "grid", "grid")
    grid.show(shown, (SIDE, SIDE), PICTURES, list("abc"), 2.0, "#FFFFFF", {})
    grid.follow_theme("#000000")
    np.testing.assert_allclose(viewer.layers["grid: names"].text.color.constant, (0, 0, 0, 1))


def scores(viewer: Any, found: Cells, shown: Shown, values: Any, **how: Any) -> Any:
    settings = {"name": "score", "limits": (0.0, 11.0), "colormap": "viridis", **how}
    return show_scores(
        viewer, "score", found, shown.field, values, layers.like(shown.reference), **settings
    )


def test_cells_are_coloured_in_one_image_of_numbers(viewer: Any) -> None:
    found, shown = field(viewer, ODD)
    layer = scores(viewer, found, shown, np.arange(COUNT, dtype=float))
    labels = blobs()
    assert isinstance(layer, Image)
    assert np.isnan(layer.data[labels == 0]).all()
    for number in (1, 7, 12):
        assert (layer.data[labels == number] == number - 1).all()
    np.testing.assert_allclose(layer.data_to_world((3, 4)), shown.reference.data_to_world((3, 4)))
    assert layer.contrast_limits == [0, 11]


def test_a_cell_without_a_label_does_not_colour_the_ground(viewer: Any) -> None:
    found, shown = field(viewer)
    numbers = found.table["object"].to_numpy().copy()
    numbers[3] = 0
    found = dataclasses.replace(found, table=found.table.assign(object=numbers))
    layer = scores(viewer, found, shown, np.arange(COUNT, dtype=float))
    labels = blobs()
    assert np.isnan(layer.data[(labels == 0) | (labels == 4)]).all()


def test_the_ground_between_coloured_cells_is_seen_through(viewer: Any, qtbot: Any) -> None:
    found, shown = field(viewer)
    for one in shown.images.values():
        one.visible = False
    shown.objects.visible = False
    scores(viewer, found, shown, np.full(COUNT, 11.0))
    viewer.reset_view()
    qtbot.wait(100)
    picture = viewer.screenshot(flash=False)
    cell = canvas_point(viewer, (28, 22))
    ground = canvas_point(viewer, (3, 3))
    assert picture[cell.y(), cell.x(), :3].max() > 100
    assert picture[ground.y(), ground.x(), :3].max() == 0


def test_another_score_takes_the_same_layer_and_its_own_colours(viewer: Any) -> None:
    found, shown = field(viewer)
    first = scores(viewer, found, shown, np.arange(COUNT, dtype=float))
    second = scores(
        viewer,
        found,
        shown,
        np.ones(COUNT),
        name="angle",
        limits=(0.0, 6.3),
        colormap="twilight_shifted",
    )
    assert first is second and second.name == "angle"
    assert second.contrast_limits == [0, 6.3] and second.colormap.name == "twilight_shifted"


def test_cells_without_outlines_are_coloured_by_points(viewer: Any) -> None:
    image = viewer.add_image(planes()[0])
    found = Cells.from_points(planes(), ("DNA", "GFP"), [(28, 22), (78, 60)], crop=CROP)
    shown = Shown(0, {"DNA": image})
    layer = scores(viewer, found, shown, np.array([0.0, 11.0]))
    np.testing.assert_allclose(layer.data, [(27.5, 21.5), (77.5, 59.5)], atol=0.51)
    assert not np.allclose(layer.face_color[0], layer.face_color[1])
    again = scores(viewer, found, shown, np.array([11.0, 11.0]))
    assert again is layer
    np.testing.assert_allclose(layer.face_color[0], layer.face_color[1])


@pytest.mark.parametrize("points", [[(60, 60), (30, 60)], [(20, 20), (40, 40), (60, 60)]])
def test_points_go_to_the_cells_of_another_field_in_the_same_layer(
    viewer: Any, points: list[tuple[int, int]]
) -> None:
    image = viewer.add_image(planes()[0])
    first = Cells.from_points(planes(), ("DNA", "GFP"), [(28, 22), (78, 60)], crop=CROP)
    other = Cells.from_points(planes(), ("DNA", "GFP"), points, crop=CROP)
    both = Cells.together([first, other])
    numbers, removed = np.linspace(0.0, 11.0, len(both)), []
    layer = scores(viewer, both, Shown(0, {"DNA": image}), numbers)
    viewer.layers.events.removed.connect(removed.append)
    assert scores(viewer, both, Shown(1, {"DNA": image}), numbers) is layer
    assert not removed
    np.testing.assert_allclose(layer.data, np.array(points))
    assert len(layer.face_color) == len(layer.size) == len(points)


def test_the_view_goes_to_a_cell_however_the_layers_lie(viewer: Any, qtbot: Any) -> None:
    found, shown = field(viewer, ODD)
    viewer.reset_view()
    zoom = viewer.scene.camera.zoom
    center_on(viewer, shown, found, 6)
    middle = found.centres[6]
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], shown.reference.data_to_world(middle)
    )
    assert viewer.scene.camera.zoom == zoom


def test_the_view_goes_to_the_slice_of_the_cells(viewer: Any) -> None:
    stack = np.zeros((3, SIDE, SIDE), np.float32)
    one = viewer.add_image(stack, scale=(2, 0.5, 0.5), translate=(10, 5, 0))
    center_on(viewer, Shown(0, {"DNA": one}, None, {0: 2}), cells(), 0)
    assert viewer.dims.point[0] == 14


def test_a_cell_is_selected_unless_the_user_is_at_work(viewer: Any) -> None:
    found, shown = field(viewer)
    layers.select_object(shown, found, 6)
    assert shown.objects.selected_label == 7
    shown.objects.mode = "paint"
    layers.select_object(shown, found, 2)
    assert shown.objects.selected_label == 7
    points = viewer.add_points([(28, 22), (78, 60)])
    marked = Cells.from_points(planes(), ("DNA", "GFP"), points.data, crop=CROP)
    # As the dock 'Images and cells' numbers them.
    marked = dataclasses.replace(marked, table=marked.table.assign(object=[0, 1]))
    layers.select_object(Shown(0, shown.images, points), marked, 1)
    assert set(points.selected_data) == {1}
