"""One 2-D plane of an N-D layer, read by region: a large stack is never loaded whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_channelmix.data.array_planes import PROJECT, ArrayPlane
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.geometry import plane_axes

__all__ = ["PROJECT", "Axis", "LayerPlane", "axes_of", "full_resolution", "plane_of", "refuse_rgb"]

# A plane of the array of a layer.
LayerPlane = ArrayPlane


@dataclass(frozen=True)
class Axis:
    """An axis of a layer, as shown to the user."""

    number: int
    label: str
    length: int

    @property
    def is_channel(self) -> bool:
        """Whether its own label says that it is the channel axis."""
        return self.label.strip().lower() in ("c", "ch", "channel", "channels")

    @property
    def is_named(self) -> bool:
        """Whether somebody gave it a name; napari's own are numbers from the end."""
        return bool(self.label.strip()) and not self.label.strip().lstrip("-").isdigit()

    @property
    def short(self) -> str:
        """Its name in a few letters: 'z', or 'axis 0'."""
        return self.label.strip() if self.is_named else f"axis {self.number}"

    def __str__(self) -> str:
        name = f"{self.label!r}, " if self.is_named else ""
        return f"axis {self.number}: {name}{self.length} long"


def full_resolution(layer: Any) -> Any:
    """The layer's array; level 0 where it has several."""
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def axes_of(layer: Any) -> tuple[Axis, ...]:
    """The axes of a layer, with their labels and lengths."""
    shape = full_resolution(layer).shape
    return tuple(
        Axis(number, str(label), int(length))
        for number, (label, length) in enumerate(
            zip(layer.axis_labels, shape[: layer.ndim], strict=True)
        )
    )


def refuse_rgb(layer: Any) -> None:
    """Refuse a picture in colour.

    Raises
    ------
    DataError
        What to do instead.
    """
    if getattr(layer, "rgb", False):
        raise DataError(
            f"layer {layer.name!r} is an RGB image, not a channel: its colours mix the stains; "
            "use 'Split into channels' or 'Unmix stains' on the page Data"
        )


def plane_of(
    layer: Any,
    position: Any,
    project: frozenset[int] = frozenset(),
    channel: tuple[int, int] | None = None,
) -> LayerPlane:
    """The 2-D plane of a layer that the viewer shows, or a maximum projection.

    Parameters
    ----------
    layer : napari Image or Labels layer
    position : sequence of float
        World position that chooses the slices: ``viewer.dims.point``.
    project : set of int
        Axes over which the maximum is taken.
    channel : (int, int), optional
        Channel axis, and the position along it.

    Raises
    ------
    DataError
        RGB pictures, and layers of one axis.
    """
    refuse_rgb(layer)
    data = full_resolution(layer)
    if layer.ndim < 2 + (channel is not None):
        raise DataError(f"layer {layer.name!r} has too few axes: {tuple(data.shape)}")
    plane = plane_axes(layer, channel[0] if channel else None)
    # Where the viewer stands between two slices, it shows the later one.
    point = np.floor(np.asarray(layer.world_to_data(position), dtype=np.float64) + 0.5)
    index: list[int | None] = []
    for axis in axes_of(layer):
        if axis.number in plane:
            index.append(None)
        elif channel is not None and axis.number == channel[0]:
            index.append(channel[1])
        elif axis.number in project:
            index.append(PROJECT)
        elif 0 <= point[axis.number] < axis.length:
            index.append(int(point[axis.number]))
        else:
            raise DataError(
                f"layer {layer.name!r} has no slice where the viewer stands ({axis}; position "
                f"{point[axis.number]:.0f}); move the slider to one of its slices"
            )
    return LayerPlane(data, tuple(index))
