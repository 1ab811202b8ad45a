from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels, Points

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers import (
    axes_of,
    label_plane,
    planes_from_axis,
    planes_from_layers,
    points_plane,
    project_labels,
)

RNG = np.random.default_rng(0)


def test_an_rgb_picture_is_refused_with_the_reason() -> None:
    rgb = Image(np.zeros((8, 8, 3), np.uint8), rgb=True, name="stained")
    with pytest.raises(DataError, match=r"'stained' is an RGB image.*Unmix"):
        planes_from_layers([rgb], (0, 0))


def test_layers_of_different_sizes_are_refused() -> None:
    one, other = Image(np.zeros((8, 8)), name="DNA"), Image(np.zeros((8, 9)), name="GFP")
    with pytest.raises(DataError, match=r"'GFP' is 8 x 9 pixels, 'DNA' is 8 x 8"):
        planes_from_layers([one, other], (0, 0))


def test_layers_that_do_not_lie_on_each_other_are_refused() -> None:
    one = Image(np.zeros((8, 8)), name="DNA", scale=(0.5, 0.5))
    other = Image(np.zeros((8, 8)), name="GFP", scale=(0.25, 0.25))
    with pytest.raises(DataError, match="scale differs"):
        planes_from_layers([one, other], (0, 0))


def test_the_channel_axis_is_not_guessed() -> None:
    layer = Image(np.zeros((3, 8, 8)), name="stack")
    assert not any(axis.is_channel for axis in axes_of(layer))
    with pytest.raises(DataError, match="choose which axis"):
        planes_from_axis(layer, None, (0, 0, 0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_channel_axis_may_stand_anywhere(axis: int) -> None:
    channels = RNG.random((3, 8, 9))
    layer = Image(np.moveaxis(channels, 0, axis), rgb=False)
    planes = planes_from_axis(layer, axis, (0, 0, 0))
    for plane, expected in zip(planes, channels, strict=True):
        np.testing.assert_array_equal(plane[0:8, 0:9], expected)


def test_the_maximum_over_z_is_taken_in_the_shown_time_point() -> None:
    data = RNG.random((2, 4, 3, 8, 9))
    layer = Image(data, axis_labels=tuple("tzcyx"))
    planes = planes_from_axis(layer, 2, (1, 0, 0, 0, 0), frozenset({1}))
    np.testing.assert_array_equal(planes[2][1:5, 2:9], data[1].max(axis=0)[2, 1:5, 2:9])


def test_a_lazy_stack_is_read_by_region() -> None:
    asked = []

    def block(block_info: dict) -> np.ndarray:  # type: ignore[type-arg]
        asked.append(block_info[None]["chunk-location"])
        return np.zeros((1, 64, 64))

    lazy = da.map_blocks(
        block, chunks=((1,) * 4, (64,) * 4, (64,) * 4), dtype=float, meta=np.empty((0, 0, 0))
    )
    layer = Image(lazy, contrast_limits=(0, 1))
    planes = planes_from_layers([layer], (2, 0, 0))
    asked.clear()
    planes[0][0:10, 0:10]
    assert asked == [(2, 0, 0)]


def test_a_multiscale_layer_gives_its_full_resolution() -> None:
    data = RNG.random((64, 64))
    layer = Image([data, data[::2, ::2]], multiscale=True)
    (plane,) = planes_from_layers([layer], (0, 0))
    assert plane.shape == (64, 64)


def test_labels_of_another_size_are_refused() -> None:
    image, labels = Image(np.zeros((8, 8))), Labels(np.zeros((4, 4), int), name="mask")
    (plane,) = planes_from_layers([image], (0, 0))
    with pytest.raises(DataError, match=r"'mask' is 4 x 4 pixels, the channels are 8 x 8"):
        label_plane(labels, image, plane)


def test_points_are_found_in_the_pixels_of_the_image() -> None:
    image = Image(np.zeros((3, 20, 30)), scale=(1, 0.5, 0.25), translate=(0, 10, 20))
    world = [image.data_to_world((1, 4, 7)), image.data_to_world((2, 5, 8))]
    points = Points(world)
    (plane,) = planes_from_layers([image], (1, 10, 20))
    where, numbers = points_plane(points, image, plane)
    np.testing.assert_allclose(where, [(4, 7)])
    assert numbers.tolist() == [0]


def test_points_outside_and_none_at_all_are_refused() -> None:
    image = Image(np.zeros((20, 30)))
    (plane,) = planes_from_layers([image], (0, 0))
    with pytest.raises(DataError, match="1 of 2 points lie outside"):
        points_plane(Points([(3, 3), (50, 3)], name="cells"), image, plane)
    with pytest.raises(DataError, match="is empty"):
        points_plane(Points(ndim=2), image, plane)


# -------------------------------------------------------------------- stacks

STACK = {"scale": (2.0, 3.0, 0.5, 0.25), "translate": (1.0, -7.0, 10.0, 20.0)}


def part(*axes: int) -> dict[str, object]:
    return {what: [values[axis] for axis in axes] for what, values in STACK.items()}


def test_labels_are_read_in_the_slice_of_the_channels_not_of_the_slider() -> None:
    # T, C, Y, X: napari shows labels (T, Y, X) along the channels.
    image = Image(np.zeros((5, 3, 8, 9)), name="film", **STACK)
    marks = np.arange(5)[:, None, None] * np.ones((5, 8, 9), int)
    labels = Labels(marks, name="mask", **part(0, 2, 3))
    world = image.data_to_world((4, 1, 0, 0))
    planes = planes_from_axis(image, 1, world)
    assert label_plane(labels, image, planes[0], 1)[0:1, 0:1].tolist() == [[4]]


def test_labels_of_another_place_along_the_slices_are_refused() -> None:
    image = Image(np.zeros((5, 3, 8, 9)), name="film", **STACK)
    moved = part(0, 2, 3)
    moved["translate"] = (3.0, 10.0, 20.0)
    labels = Labels(np.ones((5, 8, 9), int), name="mask", **moved)
    plane = planes_from_axis(image, 1, image.data_to_world((4, 1, 0, 0)))[0]
    with pytest.raises(DataError, match=r"'film' and 'mask' do not lie on each other: .*translate"):
        label_plane(labels, image, plane, 1)


def test_two_axes_mark_every_slice() -> None:
    image = Image(np.zeros((5, 8, 9)), name="film")
    labels = Labels(np.full((8, 9), 7), name="mask")
    (plane,) = planes_from_layers([image], (3, 0, 0))
    assert label_plane(labels, image, plane)[0:1, 0:1].tolist() == [[7]]


def test_labels_with_a_channel_axis_are_taken_from_all_channels() -> None:
    # As napari makes a new Labels layer over a stack of channels.
    image = Image(np.zeros((3, 8, 9)), name="stack")
    marks = np.zeros((3, 8, 9), int)
    marks[1, 2, 2], marks[2, 5, 5] = 4, 6
    plane = planes_from_axis(image, 0, (0, 0, 0))[0]
    labels = project_labels(label_plane(Labels(marks, name="mask"), image, plane, 0)).labels
    assert labels[2, 2] == 4 and labels[5, 5] == 6 and np.count_nonzero(labels) == 2


def test_channels_of_other_lengths_or_places_along_the_slices_are_refused() -> None:
    one, other = Image(np.zeros((5, 8, 9)), name="a"), Image(np.zeros((4, 8, 9)), name="b")
    with pytest.raises(DataError, match="'b' is 4 x 8 x 9, 'a' is 5 x 8 x 9"):
        planes_from_layers([one, other], (0, 0, 0))
    other = Image(np.zeros((5, 8, 9)), name="b", translate=(2, 0, 0))
    with pytest.raises(DataError, match="translate differs"):
        planes_from_layers([one, other], (3, 0, 0))


def test_a_slider_beside_the_layer_is_said() -> None:
    image = Image(np.zeros((5, 8, 9)), name="film")
    for position in (-1, 5):
        with pytest.raises(DataError, match=f"no slice where the viewer stands.*{position}"):
            planes_from_layers([image], (position, 0, 0))


def test_points_of_a_film_are_matched_without_its_channel_axis() -> None:
    image = Image(np.zeros((5, 3, 8, 9)), name="film", **STACK)
    points = Points([(4, 1, 1), (2, 3, 5), (4, 6, 8)], name="seeds", **part(0, 2, 3))
    plane = planes_from_axis(image, 1, image.data_to_world((4, 1, 0, 0)))[0]
    where, rows = points_plane(points, image, plane, 1)
    np.testing.assert_allclose(where, [(1, 1), (6, 8)])
    assert rows.tolist() == [0, 2]
    # Points with all axes: where they lie along the channels is of no account.
    full = Points([(4, 2, 1, 1), (4, 0, 6, 8)], name="seeds", **STACK)
    where, rows = points_plane(full, image, plane, 1)
    assert rows.tolist() == [0, 1]


def test_all_points_are_taken_where_the_slices_are_projected() -> None:
    image = Image(np.zeros((5, 8, 9)), name="film")
    (plane,) = planes_from_layers([image], (0, 0, 0), frozenset({0}))
    where, rows = points_plane(Points([(0, 1, 1), (4, 2, 3)]), image, plane)
    assert rows.tolist() == [0, 1] and where.tolist() == [[1, 1], [2, 3]]
    with pytest.raises(DataError, match="1 of 2 points lie outside the image"):
        points_plane(Points([(0, 1, 1), (7, 2, 3)], name="seeds"), image, plane)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_points_without_a_position_are_refused() -> None:
    image = Image(np.zeros((8, 9)), name="DNA")
    (plane,) = planes_from_layers([image], (0, 0))
    with pytest.raises(DataError, match=r"1 of 2 points have no position \(first: row 1\)"):
        points_plane(Points([(1, 1), (np.nan, 2)], name="seeds"), image, plane)


def test_labels_of_one_slice_mark_no_other() -> None:
    image = Image(np.zeros((5, 8, 9)), name="film", axis_labels=tuple("zyx"), **part(0, 2, 3))
    place = part(0, 2, 3)
    place["translate"] = image.data_to_world((3, 0, 0))
    labels = Labels(np.full((1, 8, 9), 4), name="mask", axis_labels=tuple("zyx"), **place)
    for index in (3, 2):
        (plane,) = planes_from_layers([image], image.data_to_world((index, 0, 0)))
        if index == 3:
            assert label_plane(labels, image, plane)[0:1, 0:1].tolist() == [[4]]
            continue
        with pytest.raises(DataError, match=r"one slice \(z = 3\), the channels .* slice 2"):
            label_plane(labels, image, plane)
