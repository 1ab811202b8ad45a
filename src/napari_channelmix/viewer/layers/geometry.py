"""Where a layer lies in the world, as arguments for a layer that is to lie there too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = [
    "PlaneOfWorld",
    "like",
    "part",
    "plane_axes",
    "plane_of_world",
    "plane_point",
    "same_place",
]


def plane_axes(layer: Any, channel_axis: int | None = None) -> tuple[int, int]:
    """The two axes of a layer that are rows and columns: the last two that are no channel axis."""
    axes = [axis for axis in range(layer.ndim) if axis != channel_axis]
    return axes[-2], axes[-1]


def like(layer: Any, axes: tuple[int, int] | None = None) -> dict[str, Any]:
    """Arguments that put a 2-D layer where the rows and columns of ``layer`` lie.

    Parameters
    ----------
    layer : napari layer
        2-D, or a stack of any number of axes.
    axes : (int, int), optional
        Rows and columns among its axes; default: the last two.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units``, ``axis_labels``;
        all of them, since napari degrades the whole viewer to pixels where one layer lacks units.
    """
    return part(layer, list(axes or plane_axes(layer)))


def part(layer: Any, axes: list[int]) -> dict[str, Any]:
    """The geometry of some axes of a layer, in this order."""
    grid = np.ix_(axes, axes)
    count = len(axes)
    matrix = np.asarray(layer.affine.affine_matrix)
    affine = np.eye(count + 1)
    affine[:count, :count] = matrix[:-1, :-1][grid]
    affine[:count, count] = matrix[:-1, -1][axes]
    return {
        "scale": np.asarray(layer.scale)[axes],
        "translate": np.asarray(layer.translate)[axes],
        "rotate": np.asarray(layer.rotate)[grid],
        "shear": _shear_matrix(layer)[grid][np.triu_indices(count, 1)],
        "affine": affine,
        "units": tuple(layer.units[axis] for axis in axes),
        "axis_labels": tuple(layer.axis_labels[axis] for axis in axes),
    }


def _shear_matrix(layer: Any) -> npt.NDArray[np.float64]:
    """The layer's shear as an upper triangular matrix; napari may give its entries only."""
    shear = np.asarray(layer.shear, dtype=np.float64)
    if shear.ndim == 2:
        return shear
    matrix = np.eye(layer.ndim)
    matrix[np.triu_indices(layer.ndim, 1)] = shear
    return matrix


def same_place(
    layer: Any,
    other: Any,
    names: tuple[str, str],
    axes: tuple[Sequence[int], Sequence[int]] | None = None,
) -> None:
    """Refuse two layers whose pixels do not lie on each other.

    Parameters
    ----------
    layer, other : napari layer
    names : (str, str)
        For the message.
    axes : (sequence of int, sequence of int), optional
        Axes of each that are the same ones; default: their last two.

    Raises
    ------
    DataError
        With what differs.
    """
    mine, theirs = axes or (plane_axes(layer), plane_axes(other))
    first, second = part(layer, list(mine)), part(other, list(theirs))
    for what in ("scale", "translate", "rotate", "shear", "affine"):
        if not np.allclose(first[what], second[what]):
            shown = (np.round(first[what], 4).tolist(), np.round(second[what], 4).tolist())
            raise DataError(
                f"layers {names[0]!r} and {names[1]!r} do not lie on each other: their {what} "
                f"differs ({shown[0]} and {shown[1]})"
            )


def plane_point(
    layer: Any, position: Any, axes: tuple[int, int] | None = None
) -> tuple[float, float]:
    """A world position as (y, x) in pixels of the layer's rows and columns.

    ``layer.get_value`` says the same, but nothing of a hidden layer.
    """
    rows, columns = axes or plane_axes(layer)
    point = layer.world_to_data(position)
    return float(point[rows]), float(point[columns])


@dataclass(frozen=True, eq=False)
class PlaneOfWorld:
    """From world positions to pixels of a layer's rows and columns: an affine map, for jobs.

    Attributes
    ----------
    matrix : (2, 2) float array
    origin : (2,) float array
        Pixel of the world's origin.
    unit : str
        Of the world positions.
    """

    matrix: npt.NDArray[np.float64]
    origin: npt.NDArray[np.float64]
    unit: str

    def __call__(self, positions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Pixels (n, 2) of world positions (n, 2), both y, x."""
        return positions @ self.matrix + self.origin


def plane_of_world(
    layer: Any, axes: tuple[int, int] | None = None, position: dict[int, int] | None = None
) -> PlaneOfWorld:
    """How world positions become pixels of a layer, in the slice ``position`` of a stack.

    The transform is affine, so asking napari for the origin and each axis gives it all.
    """
    plane = list(axes or plane_axes(layer))
    point = np.zeros(layer.ndim)
    for axis, index in (position or {}).items():
        point[axis] = index
    world = np.asarray(layer.data_to_world(point), dtype=np.float64)

    def moved(y: float, x: float) -> npt.NDArray[np.float64]:
        world[plane] = y, x
        return np.asarray(layer.world_to_data(world), dtype=np.float64)[plane]

    origin = moved(0, 0)
    matrix = np.stack([moved(1, 0) - origin, moved(0, 1) - origin])
    return PlaneOfWorld(matrix, origin, str(layer.units[plane[0]]))
