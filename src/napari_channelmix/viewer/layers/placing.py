"""Where a picture of a field of view lies in the viewer: in its slice of a stack, and in no other.

napari draws a 2-D layer in every slice of a stack. So a picture of one slice becomes a layer with
the axes of the stack, one long along those of its slice; along a channel axis it is the same
everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points

from napari_channelmix.viewer.layers.geometry import part, plane_axes
from napari_channelmix.viewer.layers.planes import full_resolution

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["FieldPlace", "field_place"]


@dataclass(frozen=True, eq=False)
class FieldPlace:
    """How a picture of a field of view becomes a layer.

    Attributes
    ----------
    geometry : dict
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units``, ``axis_labels``.
    plane : (int, int)
        Rows and columns among the axes of the layer.
    lengths : tuple of int
        For each axis of the layer how often the picture is repeated along it; 1 in its slice.
    """

    geometry: dict[str, Any] = field(repr=False)
    plane: tuple[int, int] = (0, 1)
    lengths: tuple[int, ...] = (1, 1)

    @classmethod
    def of(cls, place: FieldPlace | dict[str, Any]) -> FieldPlace:
        """A place, from the geometry of a 2-D layer as well."""
        return place if isinstance(place, FieldPlace) else cls(place)

    @property
    def ndim(self) -> int:
        """Axes of the layer."""
        return len(self.lengths)

    @property
    def repeated(self) -> bool:
        """Whether the layer shows the picture several times."""
        return max(self.lengths) > 1

    def picture(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Pixels (Y, X) as the data of the layer: a view, so that writing into them is enough."""
        if self.ndim == 2:
            return pixels
        shape = [1] * self.ndim
        for axis, length in zip(self.plane, pixels.shape, strict=True):
            shape[axis] = length
        seen = pixels.reshape(shape)
        if not self.repeated:
            return seen
        return np.broadcast_to(
            seen, [max(size, length) for size, length in zip(shape, self.lengths, strict=True)]
        )

    def pixels(self, where: tuple[npt.NDArray[Any], ...]) -> tuple[npt.NDArray[Any], ...]:
        """Indices of rows and columns as indices of the data of a layer that repeats nothing."""
        result = [np.zeros_like(where[0])] * self.ndim
        for axis, index in zip(self.plane, where, strict=True):
            result[axis] = index
        return tuple(result)

    def points(self, centres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Positions (n, 2) as those of points of the layer, once for each repetition."""
        if self.ndim == 2:
            return centres
        places = np.array(list(np.ndindex(*self.lengths)), dtype=np.float64)
        result = np.repeat(places, len(centres), axis=0)
        result[:, list(self.plane)] = np.tile(centres, (len(places), 1))
        return result

    def repeat(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of the points (n, ...) once for each repetition."""
        return np.concatenate([values] * int(np.prod(self.lengths)))


def field_place(shown: Shown, corner: tuple[int, int] = (0, 0)) -> FieldPlace:
    """Where pictures of the field of view lie that is shown.

    Where it is no slice of a stack, such as the maximum over a stack, they lie in all slices.

    Parameters
    ----------
    shown : Shown
    corner : (int, int)
        Row and column of the first pixel, for a picture of a part of the field.
    """
    layer = shown.reference
    rows, columns = shown.axes or plane_axes(layer)
    shape = _shape(layer)
    first = min(rows, *shown.slice_position) if shown.slice_position else rows
    axes = list(range(first, layer.ndim))
    if len(axes) == 2 or shape is None:
        axes = [rows, columns]
    point = np.zeros(layer.ndim)
    point[[rows, columns]] = corner
    for axis, index in shown.slice_position.items():
        point[axis] = index
    geometry = part(layer, axes)
    geometry["translate"] = np.asarray(layer.affine.inverse(layer.data_to_world(point)))[axes]
    lengths = [
        1 if shape is None or axis in (rows, columns, *shown.slice_position) else shape[axis]
        for axis in axes
    ]
    return FieldPlace(geometry, (axes.index(rows), axes.index(columns)), tuple(lengths))


def _shape(layer: Any) -> tuple[int, ...] | None:
    """Lengths of its axes; None for layers without pixels."""
    if isinstance(layer, Points):
        return None
    return tuple(full_resolution(layer).shape[: layer.ndim])
