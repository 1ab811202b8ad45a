"""Channels and cells out of the viewer's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.geometry import same_place
from napari_channelmix.viewer.layers.planes import (
    PROJECT,
    LayerPlane,
    axes_of,
    plane_of,
    refuse_rgb,
)
from napari_channelmix.viewer.layers.results import own_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = [
    "classes_in_column",
    "columns_of",
    "label_plane",
    "planes_from_axis",
    "planes_from_layers",
    "points_plane",
]

# A column with more values than this holds measurements, not classes.
MOST_CLASSES = 30


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
        same_place(first, layer, (first.name, layer.name))
    return planes


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


def label_plane(labels: Any, reference: Any, shape: tuple[int, int], position: Any) -> LayerPlane:
    """The plane of a Labels layer that marks the cells of an image plane.

    Raises
    ------
    DataError
        Another size or place than the image.
    """
    plane = plane_of(labels, position)
    if plane.shape != shape:
        raise DataError(
            f"Labels layer {labels.name!r} is {plane.shape[0]} x {plane.shape[1]} pixels, the "
            f"channels are {shape[0]} x {shape[1]}; it must mark the same pixels"
        )
    if labels.ndim == 2 or reference.ndim == labels.ndim:
        same_place(reference, labels, (reference.name, labels.name))
    return plane


def points_plane(
    points: Any, reference: Any, plane: LayerPlane
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Points of an image plane in its pixels, wherever either layer lies in the world.

    Returns
    -------
    (n, 2) positions y, x; (n,) their numbers in the Points layer. Points of other slices are left
    out where the points have as many axes as the image.

    Raises
    ------
    DataError
        No points, or points outside the image.
    """
    if not len(points.data):
        raise DataError(f"Points layer {points.name!r} is empty; no cell is marked in it")
    at = _in_data_of(reference, points)
    kept = np.ones(len(at), dtype=bool)
    if points.ndim == reference.ndim:
        for axis, index in enumerate(plane.index):
            if index is not None and index != PROJECT:
                kept &= np.round(at[:, axis]) == index
    if not kept.any():
        raise DataError(f"Points layer {points.name!r} has no point in the slice that is shown")
    found = at[kept][:, [axis for axis, index in enumerate(plane.index) if index is None]]
    outside = ((found < -0.5) | (found > np.array(plane.shape) - 0.5)).any(axis=1)
    if outside.any():
        first = int(np.flatnonzero(kept)[outside][0])
        raise DataError(
            f"Points layer {points.name!r}: {int(outside.sum())} of {len(found)} points lie "
            f"outside the image (first: point {first})"
        )
    return found, np.flatnonzero(kept)


def _in_data_of(reference: Any, points: Any) -> npt.NDArray[np.float64]:
    """Points in the pixels of another layer, (N, axes of that layer).

    Both transforms are affine, so asking napari for the origin and each axis gives them all.
    """

    def moved(point: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        world = np.asarray(points.data_to_world(point), dtype=np.float64)
        missing = max(0, reference.ndim - len(world))
        return np.asarray(reference.world_to_data(np.concatenate([np.zeros(missing), world])))

    origin = moved(np.zeros(points.ndim))
    axes = np.stack([moved(unit) - origin for unit in np.eye(points.ndim)])
    return np.asarray(points.data, dtype=np.float64) @ axes + origin


def columns_of(layer: Any) -> tuple[str, ...]:
    """Columns of a layer's features that may hold classes: text, or few whole numbers.

    Those that hold results of this plugin, as what it predicted, are left out.
    """
    features = getattr(layer, "features", None)
    if features is None:
        return ()
    skipped = own_columns(layer) | {"index"}
    return tuple(
        str(name)
        for name in features.columns
        if name not in skipped and 0 < len(_named(features[name]).dropna().unique()) <= MOST_CLASSES
    )


def classes_in_column(layer: Any, column: str) -> dict[int, str]:
    """Class of each object: label value (Labels) or number of the point (Points), and its class.

    Raises
    ------
    DataError
        A column that is not there or names no class.
    """
    import pandas as pd

    features = pd.DataFrame(layer.features)
    if column not in features.columns:
        raise DataError(f"layer {layer.name!r} has no features column {column!r}")
    names = _named(features[column])
    objects = features["index"] if "index" in features.columns else pd.Series(features.index)
    found = {
        int(number): str(name)
        for number, name in zip(objects, names, strict=True)
        if isinstance(name, str)
    }
    if not found:
        raise DataError(f"features column {column!r} of layer {layer.name!r} names no class")
    order = {name: at for at, name in enumerate(sorted(set(found.values())))}
    return dict(sorted(found.items(), key=lambda item: order[item[1]]))


def _named(values: pd.Series) -> pd.Series:
    """Values as class names; empty ones and broken numbers as missing."""
    import pandas as pd

    if pd.api.types.is_float_dtype(values) and not (values.dropna() % 1 == 0).all():
        return pd.Series([None] * len(values), dtype=object)
    whole = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    names = [
        None if pd.isna(value) or str(value).strip() == "" else str(int(value) if whole else value)
        for value in values
    ]
    return pd.Series(names, dtype=object)
