"""Pictures of a field of view lie in its slice of a stack, whatever its transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_channelmix.data import Cells
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.session import Shown

SIDE = 40
ODD4 = {
    "scale": (2.0, 3.0, 0.5, 0.25),
    "translate": (1.0, -7.0, 10.0, -20.0),
    "affine": np.array(
        [
            [1.0, 0.0, 0.0, 0.0, 4.0],
            [0.0, 1.0, 0.0, 0.0, -2.0],
            [0.0, 0.0, 1.0, 0.1, 5.0],
            [0.0, 0.0, -0.1, 1.0, -3.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    ),
    "units": ("um",) * 4,
}


def labelled() -> Any:
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[10:20, 10:20], labels[22:34, 20:30] = 3, 8
    return labels


def seen(viewer: ViewerModel, layer: Any, world: Any) -> Any:
    """What a layer shows at a position, when the sliders stand there."""
    viewer.dims.set_point(tuple(range(viewer.dims.ndim)), tuple(world))
    value = layer.get_value(tuple(world)[-layer.ndim :], world=True)
    return 0 if value is None or np.isnan(value) else value


def cells() -> Cells:
    made = Cells.from_labels([labelled()], ["DNA"], labelled(), crop=12)
    return made.with_labels([0, 1], ("a", "b"))


@pytest.mark.parametrize("at", [{0: 2, 1: 1}, {0: 2}, {1: 1}])
def test_a_class_overlay_lies_in_its_slice_and_in_no_other(at: dict[int, int]) -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 3, SIDE, SIDE)), name="film", **ODD4)
    shown = Shown(0, {"DNA": image}, None, at)
    some = cells()
    layer = layers.show_codes(
        viewer, "predicted", some, 0, some.labels, some.classes, layers.field_place(shown)
    )
    for place in np.ndindex(4, 3):
        world = image.data_to_world((*place, 15, 15))
        here = all(place[axis] == index for axis, index in at.items())
        # Trailing axes are enough where the stack is the same along those before.
        assert seen(viewer, layer, world) == (1 if here else 0), place
    np.testing.assert_array_equal(layers.result_images(viewer)[0].data > 0, labelled() > 0)


def test_the_overlay_moves_with_the_slice_and_keeps_its_look() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 3, SIDE, SIDE)), name="film", **ODD4)
    some = cells()
    for at in ({0: 2, 1: 1}, {0: 0, 1: 2}):
        shown = Shown(0, {"DNA": image}, None, at)
        layer = layers.show_codes(
            viewer, "classes", some, 0, some.labels, some.classes, layers.field_place(shown)
        )
        layer.opacity = 0.4
        world = image.data_to_world((*at.values(), 10, 15))
        assert seen(viewer, layer, world) == 1
    # A class given to one cell changes its ring only, in the slice as well.
    parts: list[Any] = []
    layer.events.labels_update.connect(lambda event: parts.append(event.data.shape))
    changed = some.with_labels([1, 1], some.classes)
    again = layers.show_codes(
        viewer, "classes", changed, 0, changed.labels, some.classes, layers.field_place(shown)
    )
    assert again is layer and seen(viewer, layer, world) == 2
    assert len(viewer.layers) == 2 and layer.opacity == 0.4
    # And to a picture that lies in all slices.
    flat = Shown(0, {"DNA": image}, None)
    layer = layers.show_codes(
        viewer, "classes", some, 0, some.labels, some.classes, layers.field_place(flat)
    )
    assert layer.ndim == 2 and layer.opacity == 0.4 and len(viewer.layers) == 2


def test_rings_marks_and_scores_lie_in_the_slice_too() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 3, SIDE, SIDE)), name="film", **ODD4)
    shown = Shown(0, {"DNA": image}, None, {0: 2, 1: 1})
    some = cells()
    layers.ring_cells(viewer, "rings", some, shown, [1])
    expected = image.data_to_world((2, 1, *some.centres[1]))
    np.testing.assert_allclose(
        viewer.layers["rings"].data_to_world(viewer.layers["rings"].data[0]), expected
    )
    pointed = Cells.from_points([labelled()], ["DNA"], some.centres, crop=12)
    pointed = pointed.with_labels([0, 1], ("a", "b"))
    marks = layers.show_codes(
        viewer, "classes", pointed, 0, pointed.labels, pointed.classes, layers.field_place(shown)
    )
    np.testing.assert_allclose(marks.data_to_world(marks.data[1]), expected)
    scores = layers.show_scores(
        viewer,
        "score",
        some,
        0,
        np.array([0.25, 0.75]),
        layers.field_place(shown),
        name="score",
        limits=(0, 1),
        colormap="viridis",
    )
    world = image.data_to_world((2, 1, 25, 25))
    assert seen(viewer, scores, world) == pytest.approx(0.75)
    assert seen(viewer, scores, image.data_to_world((3, 1, 25, 25))) == 0


def test_along_a_channel_axis_between_slices_and_rows_the_picture_is_repeated() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((4, 3, SIDE, SIDE)), name="film", **ODD4)
    shown = Shown(0, {"a": image, "b": image}, None, {0: 2})
    place = layers.field_place(shown)
    assert place.lengths == (1, 3, 1, 1)
    points = place.points(np.array([[5.0, 6.0], [7.0, 8.0]]))
    assert points.tolist() == [
        [0, 0, 5, 6],
        [0, 0, 7, 8],
        [0, 1, 5, 6],
        [0, 1, 7, 8],
        [0, 2, 5, 6],
        [0, 2, 7, 8],
    ]
    assert place.repeat(np.array([1, 2])).tolist() == [1, 2] * 3


def test_rows_and_columns_before_the_channels() -> None:
    viewer = ViewerModel()
    image = viewer.add_image(np.zeros((SIDE, SIDE, 3)), name="stack", rgb=False)
    some = cells()
    shown = Shown(0, {"DNA": image}, None, {}, (0, 1))
    layer = layers.show_codes(
        viewer, "predicted", some, 0, some.labels, some.classes, layers.field_place(shown)
    )
    assert seen(viewer, layer, (15, 15, 2)) == 1
    assert seen(viewer, layer, (15, 5, 2)) == 0
