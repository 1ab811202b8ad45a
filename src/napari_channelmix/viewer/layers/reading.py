"""Channels and cells out of the viewer's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.axes import match_axes, match_points
from napari_channelmix.viewer.layers.geometry import same_place
from napari_channelmix.viewer.layers.planes import (
    PROJECT,
    LayerPlane,
    axes_of,
    full_resolution,
    plane_of,
    refuse_rgb,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "label_plane",
    "planes_from_axis",
    "planes_from_layers",
    "points_plane",
]


def planes_from_layers(
    layers: Sequence[Any], position: Any, project: frozenset[int] = frozenset()
) -> tuple[LayerPlane, ...]:
    """A channel from each layer.

    Raises
    ------
    DataError
        RGB, sizes or places that differ, other numbers of axes.
    """
    if not layers:
        raise DataError("choose at least one image layer as a channel")
    first = layers[0]
    planes = tuple(plane_of(layer, position, project & set(range(layer.ndim))) for layer in layers)
    for layer, plane in zip(layers, planes, strict=True):
        if plane.shape != planes[0].shape:
            raise DataError(
                f"layer {layer.name!r} is {plane.shape[0]} x {plane.shape[1]} pixels, "
                f"{first.name!r} is {planes[0].shape[0]} x {planes[0].shape[1]}; "
                "all channels must have one size"
            )
        if layer.ndim != first.ndim:
            raise DataError(
                f"layer {layer.name!r} has {layer.ndim} axes, {first.name!r} has {first.ndim}; "
                "all channels must have the same"
            )
        lengths = [full_resolution(image).shape[: image.ndim] for image in (first, layer)]
        if lengths[0] != lengths[1]:
            raise DataError(
                f"layer {layer.name!r} is {_shape(lengths[1])}, {first.name!r} is "
                f"{_shape(lengths[0])}; all channels must have one size"
            )
        every = tuple(range(first.ndim))
        same_place(first, layer, (first.name, layer.name), (every, every))
    return planes


def _shape(lengths: Sequence[int]) -> str:
    return " x ".join(map(str, lengths))


def planes_from_axis(
    layer: Any, axis: int | None, position: Any, project: frozenset[int] = frozenset()
) -> tuple[LayerPlane, ...]:
    """A channel from each position along one axis of a layer.

    Raises
    ------
    DataError
        No axis chosen, or RGB.
    """
    refuse_rgb(layer)
    if axis is None:
        raise DataError(f"choose which axis of layer {layer.name!r} holds the channels")
    count = axes_of(layer)[axis].length
    return tuple(plane_of(layer, position, project, (axis, channel)) for channel in range(count))


def label_plane(
    labels: Any, reference: Any, plane: LayerPlane, channel: int | None = None
) -> LayerPlane:
    """The plane of a Labels layer that marks the cells of an image plane: at the same slices.

    Parameters
    ----------
    labels : napari Labels layer
        With all axes of the reference or fewer; see `match_axes`.
    reference : napari layer
        The channels.
    plane : LayerPlane
        Of the reference. Axes that are projected in it are projected in the labels.
    channel : int, optional
        Its channel axis; labels that have it are projected along it.

    Raises
    ------
    DataError
        Axes that do not match, another size or place than the image.
    """
    data = full_resolution(labels)
    if labels.ndim < 2:
        raise DataError(f"Labels layer {labels.name!r} has too few axes: {tuple(data.shape)}")
    rows, columns = (axis for axis, index in enumerate(plane.index) if index is None)
    matches = match_axes(reference, labels, (rows, columns), channel)
    index = tuple(
        0 if axis is None else PROJECT if axis == channel else plane.index[axis] for axis in matches
    )
    result = LayerPlane(data, index)
    if result.shape != plane.shape:
        raise DataError(
            f"Labels layer {labels.name!r} is {result.shape[0]} x {result.shape[1]} pixels, the "
            f"channels are {plane.shape[0]} x {plane.shape[1]}; it must mark the same pixels"
        )
    lengths = full_resolution(reference).shape
    pairs = [(axis, match) for axis, match in enumerate(matches) if match is not None]
    whole = [(axis, match) for axis, match in pairs if data.shape[axis] == lengths[match]]
    theirs, ours = [axis for axis, _ in whole], [match for _, match in whole]
    same_place(reference, labels, (reference.name, labels.name), (ours, theirs))
    single = [match for axis, match in pairs if data.shape[axis] != lengths[match]]
    if single:
        _refuse_other_slice(labels, reference, pairs, single, plane)
        result = LayerPlane(
            data,
            tuple(
                0 if match in single else index_
                for match, index_ in zip(matches, result.index, strict=True)
            ),
        )
    return result


def _refuse_other_slice(
    labels: Any, reference: Any, pairs: list[tuple[int, int]], single: list[int], plane: LayerPlane
) -> None:
    """Labels of one slice mark that slice only."""
    world = np.array(reference.data_to_world([i or 0 for i in plane.index]), dtype=np.float64)
    origin = np.asarray(labels.data_to_world(np.zeros(labels.ndim)), dtype=np.float64)
    for axis, match in pairs:
        world[match] = origin[axis]
    place = np.floor(np.asarray(reference.world_to_data(world)) + 0.5)
    for match in single:
        if plane.index[match] not in (PROJECT, place[match]):
            raise DataError(
                f"Labels layer {labels.name!r} marks one slice ({axes_of(reference)[match].short} "
                f"= {place[match]:.0f}), the channels are taken in slice {plane.index[match]}; "
                "go there, or choose labels of all slices"
            )


def points_plane(
    points: Any,
    reference: Any,
    plane: LayerPlane,
    channel: int | None = None,
    *,
    empty: bool = False,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Points of an image plane in its pixels, wherever either layer lies in the world.

    Points of other slices are left out; along an axis that is projected all are taken. Points of
    two axes mark every slice. ``empty``: a slice without points is no error.

    Returns
    -------
    (n, 2) positions y, x; (n,) their rows in the Points layer.

    Raises
    ------
    DataError
        No points, axes that do not match, or points outside the image.
    """
    if not len(points.data):
        raise DataError(f"Points layer {points.name!r} is empty; no cell is marked in it")
    rows, columns = (axis for axis, index in enumerate(plane.index) if index is None)
    matches = match_points(reference, points, (rows, columns), channel)
    positions = _in_data_of(reference, points, matches, plane)
    broken = ~np.isfinite(positions).all(axis=1)
    if broken.any():
        raise DataError(
            f"Points layer {points.name!r}: {int(broken.sum())} of {len(positions)} points have no "
            f"position (first: row {int(np.argmax(broken))}); delete them"
        )
    inside = np.ones(len(positions), dtype=bool)
    beyond = np.zeros(len(positions), dtype=bool)
    for axis, index in enumerate(plane.index):
        length = plane.data.shape[axis]
        if axis == channel or axis not in matches:
            continue
        if index is not None and index != PROJECT:
            # Between two slices a point is of the later one.
            inside &= np.floor(positions[:, axis] + 0.5) == index
        else:
            beyond |= (positions[:, axis] < -0.5) | (positions[:, axis] >= length - 0.5)
    if not inside.any() and not empty:
        raise DataError(f"Points layer {points.name!r} has no point in the slice that is shown")
    beyond &= inside
    if beyond.any():
        first = int(np.argmax(beyond))
        raise DataError(
            f"Points layer {points.name!r}: {int(beyond.sum())} of {int(inside.sum())} points lie "
            f"outside the image (first: point {first})"
        )
    return positions[inside][:, [rows, columns]], np.flatnonzero(inside)


def _in_data_of(
    reference: Any, points: Any, matches: Sequence[int], plane: LayerPlane
) -> npt.NDArray[np.float64]:
    """Points in the pixels of another layer, (N, axes of that layer), by their matched axes.

    Both transforms are affine, so asking napari for the origin and each axis gives them all.
    """
    # Where points have no axis, they lie in the slice of the plane.
    slices = [0 if index in (None, PROJECT) else index for index in plane.index]
    world = np.array(reference.data_to_world(slices), dtype=np.float64)

    def moved(point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        there = world.copy()
        there[list(matches)] = np.asarray(points.data_to_world(point), dtype=np.float64)
        return np.asarray(reference.world_to_data(there), dtype=np.float64)

    origin = moved(np.zeros(points.ndim))
    axes = np.stack([moved(unit) - origin for unit in np.eye(points.ndim)])
    return np.asarray(points.data, dtype=np.float64) @ axes + origin
