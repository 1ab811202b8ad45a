"""One layer with a slider for the maps of many channels; it moves nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from napari_channelmix.viewer.layers import ChannelStack, Patches, result_images
from napari_channelmix.viewer.layers.own_layers import CHANNELS
from napari_channelmix.viewer.session.session import Shown

from .test_map_layer import PLACES, edges

NAMES = ("CD3", "CD4", "CD8")


def laid(viewer: Any, shown: Shown, box: Any = (4, 6, 12, 14), size: Any = (8, 8)) -> ChannelStack:
    stack = ChannelStack(viewer, "explanation channels", "explanation by channel")
    stack.lay_channels(shown, box, size, NAMES)
    maps = np.arange(3, dtype=np.float32)[:, None, None] / 2 * np.ones(size, np.float32)
    stack.show(maps)
    # napari makes no slice of a hidden layer.
    stack.layer.visible = True
    return stack


def seen(viewer: Any, layer: Any) -> float:
    """What a layer shows at its first pixel, where the sliders stand."""
    point = [*viewer.dims.point[:-2], *layer.data_to_world([0] * layer.ndim)[-2:]]
    return float(layer.get_value(point, world=True))


@pytest.mark.parametrize("place", PLACES)
def test_maps_lie_on_their_box_whatever_the_place_of_the_source(place: str) -> None:
    viewer, box = ViewerModel(), (-5, 30, 19, 54)
    source = viewer.add_image(np.zeros((60, 80)), name="DNA", **PLACES[place])
    stack = ChannelStack(viewer, "explanation channels", "explanation by channel")
    stack.lay_channels(Shown(0, {"DNA": source}), box, (10, 7), NAMES)
    layer = stack.layer
    assert layer.data.shape == (3, 10, 7) and len(viewer.layers) == 2
    corners = [(0, 0), (0, 7), (10, 0), (10, 7)]
    mine = np.array([layer.data_to_world((1, y - 0.5, x - 0.5)) for y, x in corners])
    np.testing.assert_allclose(mine[:, 1:], edges(source, box), atol=1e-9)
    np.testing.assert_allclose(mine[:, 0], 1)
    assert layer.units[1:] == source.units
    assert tuple(layer.axis_labels) == ("channel", *source.axis_labels)
    assert not layer.visible and layer.metadata[CHANNELS] == NAMES


def test_the_slider_chooses_the_map_and_tells_when_it_was_moved() -> None:
    viewer = ViewerModel()
    stack = laid(viewer, Shown(0, {"DNA": viewer.add_image(np.zeros((60, 80)))}))
    told: list[str] = []
    stack.moved.connect(told.append)
    assert viewer.dims.ndim == 3 and viewer.dims.axis_labels[0] == "channel"
    assert stack.channel == "CD3" and seen(viewer, stack.layer) == 0.0
    stack.move_to("CD8")
    assert viewer.dims.point[0] == 2 and seen(viewer, stack.layer) == 1.0
    # Who moves it himself need not be told.
    assert told == []
    viewer.dims.set_point(0, 1)
    assert told == ["CD4"] and stack.channel == "CD4"
    stack.clear()
    assert viewer.dims.ndim == 2 and len(viewer.layers) == 1
    viewer.add_image(np.zeros((4, 9, 9)))
    viewer.dims.set_point(0, 2)
    assert told == ["CD4"]


def test_a_layer_with_a_channel_axis_stays_where_its_slider_stands() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(
        np.arange(5)[:, None, None] * np.ones((5, 60, 80)),
        scale=(1, 0.5, 0.25),
        axis_labels=("channel", "y", "x"),
    )
    viewer.dims.set_point(0, 3)
    shown = Shown(0, dict.fromkeys(NAMES, source), None, {}, (1, 2))
    stack = laid(viewer, shown)
    assert stack.layer.data.shape == (3, 5, 8, 8) and viewer.dims.ndim == 4
    assert tuple(viewer.dims.axis_labels) == ("map channel", "channel", "y", "x")
    for name, value in zip(NAMES, (0.0, 0.5, 1.0), strict=True):
        stack.move_to(name)
        assert seen(viewer, source) == 3.0 and seen(viewer, stack.layer) == value
    # And its own slider leaves the map in sight.
    viewer.dims.set_point(1, 0)
    assert seen(viewer, source) == 0.0 and seen(viewer, stack.layer) == 1.0
    stack.clear()
    assert viewer.dims.ndim == 3 and viewer.dims.point[0] == 0


def test_maps_of_a_slice_of_a_stack_are_in_sight_in_that_slice_alone() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(
        np.zeros((4, 3, 5, 40, 50), np.float32),
        scale=(2, 1, 3, 0.5, 0.5),
        translate=(1, 0, 2, 3, 4),
    )
    shown = Shown(0, {"a": source, "b": source}, None, {0: 2, 2: 1}, (3, 4))
    stack = laid(viewer, shown, (10, 20, 18, 28), (16, 16))
    layer = stack.layer
    assert layer.data.shape == (3, 1, 3, 1, 16, 16)
    np.testing.assert_allclose(
        layer.data_to_world((2, 0, 2, 0, -0.5, -0.5))[1:],
        source.data_to_world((2, 2, 1, 9.5, 19.5)),
    )


def test_another_layer_with_more_axes_is_not_moved_whenever_it_comes(qapp: QApplication) -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((60, 80)), name="DNA", units=("um", "um"))
    stack = laid(viewer, Shown(0, {"DNA": source}))
    stack.move_to("CD8")
    other = viewer.add_image(
        np.arange(7)[:, None, None] * np.ones((7, 60, 80)), scale=(2, 1, 1), name="timelapse"
    )
    QApplication.processEvents()
    assert stack.layer.data.shape == (3, 7, 8, 8) and stack.layer.visible
    viewer.dims.set_point(1, 8)
    assert seen(viewer, other) == 4.0 and seen(viewer, stack.layer) == 1.0
    stack.move_to("CD4")
    assert seen(viewer, other) == 4.0 and seen(viewer, stack.layer) == 0.5


def test_maps_of_many_cells_are_drawn_where_they_are_looked_at() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((300, 400)), scale=(0.5, 0.25))
    patches = [Patches((300, 400)) for _ in NAMES]
    patches[2].add(np.ones((4, 4), np.float32), (10, 20, 14, 24))
    stack = ChannelStack(viewer, "explanations channels", "explanations by channel")
    stack.lay_patches_of(Shown(0, {"DNA": source}), patches, NAMES)
    layer = stack.layer
    assert layer.multiscale and layer.data[0].shape == (3, 300, 400)
    np.testing.assert_allclose(layer.data_to_world((0, 10, 20))[1:], source.data_to_world((10, 20)))
    assert layer.data[0][2, 10:14, 20:24].min() == 1 and not layer.data[0][0].any()
    stack.move_to("CD8")
    assert len(viewer.layers) == 2


def test_a_picture_of_each_channel_is_exported_under_its_name() -> None:
    viewer = ViewerModel()
    source = viewer.add_image(np.zeros((60, 80)), scale=(0.5, 0.25), units=("um", "um"))
    laid(viewer, Shown(0, {"DNA": source}))
    images = {image.name: image for image in result_images(viewer)}
    assert set(images) == {f"explanation {name}" for name in NAMES}
    assert np.asarray(images["explanation CD8"].data).tolist() == np.ones((8, 8)).tolist()


def test_what_is_in_view_stays_there_while_the_slider_comes_and_goes() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros((60, 80)), scale=(0.5, 0.25))})
    camera = viewer.scene.camera
    camera.zoom, camera.center = 9.0, (0.0, 3.0, 4.0)
    stack = laid(viewer, shown)
    assert viewer.dims.ndim == 3
    assert camera.zoom == 9.0 and camera.center == (0.0, 3.0, 4.0)
    stack.clear()
    assert viewer.dims.ndim == 2
    assert camera.zoom == 9.0 and camera.center == (0.0, 3.0, 4.0)
    patches = [Patches((60, 80)) for _ in NAMES]
    stack.lay_patches_of(shown, patches, NAMES)
    assert camera.zoom == 9.0 and camera.center == (0.0, 3.0, 4.0)


def test_room_that_was_made_for_maps_that_never_came_is_given_back() -> None:
    viewer = ViewerModel()
    shown = Shown(0, {"DNA": viewer.add_image(np.zeros((60, 80)))})
    stack = ChannelStack(viewer, "explanation channels", "explanation by channel")
    stack.make_room(shown, (8, 8), NAMES)
    assert viewer.dims.ndim == 3 and len(viewer.layers) == 1
    stack.clear()
    assert viewer.dims.ndim == 2
    stack.make_room(shown, (8, 8), NAMES)
    stack.lay_channels(shown, (4, 6, 12, 14), (8, 8), NAMES)
    assert viewer.dims.ndim == 3 and stack.channel == "CD3"
    # Of the layer, not of the room.
    stack.make_room(shown, (8, 8), NAMES)
    viewer.layers.remove(stack.layer)
    assert viewer.dims.ndim == 2
