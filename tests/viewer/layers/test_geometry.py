from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_channelmix.viewer.layers import add_image, like, plane_of, plane_point

ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "rotate": 30.0,
    "shear": [0.2],
    "affine": np.array([[1.1, 0.1, 5.0], [-0.2, 0.9, -3.0], [0.0, 0.0, 1.0]]),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


def stacked(extra: int) -> dict[str, Any]:
    """The odd geometry with further axes in front."""
    size = extra + 2
    rotate, affine = np.eye(size), np.eye(size + 1)
    flat = Image(np.zeros((4, 4)), **ODD)
    rotate[extra:, extra:] = flat.rotate
    affine[extra:, extra:] = ODD["affine"]
    shear = np.eye(size)
    shear[-2, -1] = 0.2
    return {
        "scale": (*range(2, 2 + extra), 0.5, 0.25),
        "translate": (*range(3, 3 + extra), 10.0, -20.0),
        "rotate": rotate,
        "shear": shear,
        "affine": affine,
        "units": ("um",) * size,
        "axis_labels": (*"tzc"[:extra], "rows", "columns"),
    }


def same_world(one: Any, other: Any) -> None:
    for corner in ((0, 0), (0, 7), (9, 0), (9, 7)):
        far = (0,) * (one.ndim - 2)
        expected = np.asarray(one.data_to_world((*far, *corner)))[-2:]
        np.testing.assert_allclose(other.data_to_world(corner), expected)


def test_a_layer_like_a_2d_one_lies_on_it() -> None:
    source = Image(np.zeros((10, 8)), **ODD)
    result = Image(np.ones((10, 8)), **like(source))
    same_world(source, result)
    assert result.units == source.units
    assert result.axis_labels == ("rows", "columns")
    np.testing.assert_allclose(result.scale, (0.5, 0.25))


@pytest.mark.parametrize("extra", [1, 2])
def test_a_layer_like_a_stack_lies_on_its_slices(extra: int) -> None:
    source = Image(np.zeros((*(3, 4)[:extra], 10, 8)), **stacked(extra))
    result = Image(np.ones((10, 8)), **like(source))
    same_world(source, result)
    assert result.axis_labels == ("rows", "columns")
    assert {str(unit) for unit in result.units} == {"micrometer"}


def test_our_layer_is_moved_where_the_next_field_lies(viewer: Any) -> None:
    first = Image(np.zeros((10, 8)), scale=(2, 3))
    second = Image(np.zeros((10, 8)), **ODD)
    layer = add_image(viewer, "mixed", np.zeros((10, 8)), like(first), name="mixed")
    again = add_image(viewer, "mixed", np.ones((10, 8)), like(second), name="mixed")
    assert again is layer and len(viewer.layers) == 1
    same_world(second, layer)


def test_a_world_position_is_found_in_the_pixels_of_a_stack() -> None:
    source = Image(np.zeros((3, 4, 10, 8)), **stacked(2))
    world = source.data_to_world((1, 2, 6.0, 3.0))
    assert plane_point(source, world) == pytest.approx((6.0, 3.0))


def test_the_slice_at_a_world_position_is_taken() -> None:
    data = np.arange(3 * 4 * 10 * 8).reshape(3, 4, 10, 8)
    source = Image(data, **stacked(2))
    plane = plane_of(source, source.data_to_world((1, 2, 0, 0)))
    np.testing.assert_array_equal(plane[0:10, 0:8], data[1, 2])
    np.testing.assert_array_equal(plane[2:5, 1:3], data[1, 2, 2:5, 1:3])
