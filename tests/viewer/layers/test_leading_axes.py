"""Axes before those of a layer: as long and as fine as those that other layers have there."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_channelmix.viewer.layers.leading_axes import LeadingAxes, with_leading_axes


def test_beside_flat_layers_there_is_the_axis_of_channels_alone() -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((8, 9)))
    leading = LeadingAxes.before(viewer, 2, 5)
    assert leading.lengths == (5,) and leading.labels == ("channel",) and leading.ndim == 1


def test_axes_between_are_those_of_the_longest_layer() -> None:
    viewer = ViewerModel()
    viewer.add_image(
        np.zeros((4, 3, 8, 9)),
        scale=(0.5, 2.0, 0.3, 0.3),
        translate=(7.0, -1.0, 0.0, 0.0),
        axis_labels=("t", "z", "y", "x"),
    )
    leading = LeadingAxes.before(viewer, 2, 5)
    assert leading.lengths == (5, 4, 3)
    assert leading.scale == (1.0, 0.5, 2.0) and leading.translate == (0.0, 7.0, -1.0)
    assert leading.labels == ("channel", "t", "z")
    # A layer that has such an axis itself is of no account.
    own = viewer.add_image(np.zeros((2, 2, 2, 2, 2, 2)))
    assert LeadingAxes.before(viewer, 2, 5, (own,)) == leading


def test_an_axis_that_is_called_channel_already_keeps_its_name() -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((3, 8, 9)), axis_labels=("channel", "y", "x"))
    assert LeadingAxes.before(viewer, 3, 5).labels == ("map channel",)


def test_the_geometry_of_the_layer_stays_behind_them() -> None:
    leading = LeadingAxes((5, 4), (1.0, 0.5), (0.0, 7.0), ("pixel", "second"), ("channel", "t"))
    affine = np.array([[1.0, 0.2, 3.0], [0.0, 1.0, -4.0], [0.0, 0.0, 1.0]])
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    geometry = with_leading_axes(
        {
            "scale": (0.3, 0.7),
            "translate": (11.0, 13.0),
            "rotate": turn,
            "shear": [0.25],
            "affine": affine,
            "units": ("micrometer", "micrometer"),
            "axis_labels": ("y", "x"),
        },
        leading,
    )
    assert geometry["scale"].tolist() == [1.0, 0.5, 0.3, 0.7]
    assert geometry["translate"].tolist() == [0.0, 7.0, 11.0, 13.0]
    np.testing.assert_array_equal(geometry["rotate"][2:, 2:], turn)
    np.testing.assert_array_equal(geometry["rotate"][:2, :2], np.eye(2))
    # Above the diagonal, row by row: only rows to columns are sheared.
    assert geometry["shear"].tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 0.25]
    np.testing.assert_array_equal(geometry["affine"][2:, 2:], affine)
    assert geometry["units"] == ("pixel", "second", "micrometer", "micrometer")
    assert geometry["axis_labels"] == ("channel", "t", "y", "x")
