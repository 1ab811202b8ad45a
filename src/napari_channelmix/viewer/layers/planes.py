"""One 2-D plane of an N-D layer, read by region: a large stack is never loaded whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.geometry import plane_axes

__all__ = ["PROJECT", "Axis", "LayerPlane", "axes_of", "full_resolution", "plane_of", "refuse_rgb"]

# Instead of the number of a slice: the maximum over all of them.
PROJECT = -1


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


@dataclass(frozen=True)
class LayerPlane:
    """A plane of an array: some axes at a slice or projected, two left as rows and columns.

    Attributes
    ----------
    data : array-like
        NumPy, dask or zarr; sliced, never converted whole.
    index : tuple of int or None
        For each axis a slice, `PROJECT`, or None for rows and columns.
    """

    data: Any = field(repr=False, compare=False)
    index: tuple[int | None, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        rows, columns = (n for n, i in zip(self.data.shape, self.index, strict=True) if i is None)
        return int(rows), int(columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As in the layer."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def ndim(self) -> int:
        """Always 2."""
        return 2

    def moved(self, slices: dict[int, int]) -> LayerPlane:
        """The plane at other slices of some axes."""
        index = tuple(slices.get(axis, now) for axis, now in enumerate(self.index))
        return replace(self, index=index)

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        left = list(region)
        parts = tuple(
            left.pop(0) if i is None else slice(None) if i == PROJECT else i for i in self.index
        )
        pixels = np.asarray(self.data[parts])
        # Axes at a slice are gone; those projected and those of the plane are left, in order.
        remaining = [i for i in self.index if i is None or i == PROJECT]
        over = tuple(axis for axis, i in enumerate(remaining) if i == PROJECT)
        return pixels.max(axis=over) if over else pixels


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
