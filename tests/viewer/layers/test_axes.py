"""Axes are matched by name or length; what is not certain is refused with both shapes."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Points

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers import match_axes, match_points


def image(*shape: int, names: str = "") -> Image:
    return Image(np.zeros((*shape, 8, 9)), name="film", **labels_of(names))


def mask(*shape: int, names: str = "") -> Labels:
    return Labels(np.zeros((*shape, 8, 9), int), name="mask", **labels_of(names))


def labels_of(names: str) -> dict[str, tuple[str, ...]]:
    return {"axis_labels": tuple(names)} if names else {}


@pytest.mark.parametrize(
    ("channels", "marker", "channel", "expected"),
    [
        # Z of (C, Z) by its length, and T of (T, C), which does not lie under T.
        (image(3, 5), mask(5), 0, (1, 2, 3)),
        (image(5, 3), mask(5), 1, (0, 2, 3)),
        # By name, where lengths are equal.
        (image(5, 5, names="czyx"), mask(5, names="zyx"), 0, (1, 2, 3)),
        (image(4, 4, names="tzyx"), mask(4, names="zyx"), None, (1, 2, 3)),
        (image(4, 4, names="tzyx"), mask(4, names="tyx"), None, (0, 2, 3)),
        # The same axes in the same order, or in another one by their lengths.
        (image(4, 4), mask(4, 4), None, (0, 1, 2, 3)),
        (image(2, 5), mask(5, 2), None, (1, 0, 2, 3)),
        # None, one that says nothing, and a channel axis of their own.
        (image(3, 5), mask(), 0, (2, 3)),
        (image(3, 5), mask(1), 0, (None, 2, 3)),
        (image(3), mask(3), 0, (0, 1, 2)),
        # As many axes as the channels have: one slice, which lies under the first one.
        (image(5), mask(1), None, (0, 1, 2)),
        (image(3, 5), mask(1, 1), 0, (None, 1, 2, 3)),
        (image(4, 5), mask(1, 5), None, (0, 1, 2, 3)),
        (image(3, 5, names="czyx"), mask(3, names="cyx"), 0, (0, 2, 3)),
    ],
)
def test_axes_are_matched(
    channels: Image, marker: Labels, channel: int | None, expected: tuple[int | None, ...]
) -> None:
    plane = (channels.ndim - 2, channels.ndim - 1)
    assert match_axes(channels, marker, plane, channel) == expected


@pytest.mark.parametrize(
    ("channels", "marker", "channel", "message"),
    [
        # Channels and slices of one length: labels may be of either.
        (image(5, 5), mask(5), 0, "could be any of several axes"),
        (image(4, 4), mask(4), None, "could be any of several axes"),
        (image(5), mask(7), None, r"axis 0: 7 long of 'mask' is no axis of the channels"),
        (image(), mask(7), None, r"mask' is 7 x 8 x 9, channel layer 'film' is 8 x 9.*there: none"),
        (image(3), mask(4), 0, "none but the channels"),
        # Names contradict lengths, or each other.
        (image(5, names="zyx"), mask(4, names="zyx"), None, "'z' is 4 long in one and 5 in the"),
        (image(5, names="zyx"), mask(5, names="tyx"), None, "is no axis of the channels"),
    ],
)
def test_what_is_not_certain_is_refused(
    channels: Image, marker: Labels, channel: int | None, message: str
) -> None:
    plane = (channels.ndim - 2, channels.ndim - 1)
    with pytest.raises(DataError, match=message) as refused:
        match_axes(channels, marker, plane, channel)
    line = str(refused.value)
    assert "axis_labels" in line and "8" in line and "\n" not in line


def test_rows_and_columns_may_stand_before_the_channels() -> None:
    channels = Image(np.zeros((8, 9, 3)), rgb=False, name="film")
    assert match_axes(channels, mask(), (0, 1), 2) == (0, 1)


def seeds(ndim: int, names: str = "") -> Points:
    return Points(np.zeros((1, ndim)), name="seeds", **labels_of(names))


@pytest.mark.parametrize(
    ("channels", "points", "channel", "expected"),
    [
        (image(5), seeds(3), None, (0, 1, 2)),
        (image(5, 3), seeds(4), 1, (0, 1, 2, 3)),
        (image(5, 3), seeds(3), 1, (0, 2, 3)),
        (image(5, 3), seeds(2), 1, (2, 3)),
        (image(5, 4, names="tzyx"), seeds(3, "zyx"), None, (1, 2, 3)),
    ],
)
def test_points_are_matched(
    channels: Image, points: Points, channel: int | None, expected: tuple[int, ...]
) -> None:
    plane = (channels.ndim - 2, channels.ndim - 1)
    assert match_points(channels, points, plane, channel) == expected


def test_points_of_too_few_or_too_many_axes_are_refused() -> None:
    with pytest.raises(DataError, match=r"'seeds' has 3 axes, channel layer 'film' is 5 x 4 x 8"):
        match_points(image(5, 4), seeds(3), (2, 3))
    with pytest.raises(DataError, match="has 4 axes"):
        match_points(image(), seeds(4), (0, 1))
    with pytest.raises(DataError, match="other names"):
        match_points(image(5, 3, names="tcyx"), seeds(3, "zyx"), (2, 3), 1)
