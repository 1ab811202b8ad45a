"""The channels that were chosen among the layers, and the fields of view they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_channelmix.viewer import layers

__all__ = ["CHANNEL_NAME", "MADE_OF", "ChosenChannels", "Slice"]

# Key in a layer's metadata: what the channel is called, whatever the layer is.
CHANNEL_NAME = "napari-channelmix channel name"
# Likewise: of which RGB picture the channel was made, by its name then.
MADE_OF = "napari-channelmix made of"


@dataclass(frozen=True, eq=False)
class Slice:
    """A field of view: its name, the slices it is of, and its channels."""

    name: str
    slice_position: dict[int, int]
    planes: tuple[layers.LayerPlane, ...]


@dataclass(frozen=True, eq=False)
class ChosenChannels:
    """The channels as they stand now: lazy planes with their names and where they lie.

    Attributes
    ----------
    names : tuple of str
    planes : tuple of LayerPlane
        Of the slice that the viewer shows.
    images : dict of str to napari layer
    axes : (int, int)
        Rows and columns.
    slice_position : dict of int to int
        The slice: axis and position.
    channel : int or None
        The channel axis, where the channels are one layer.
    every : tuple of int
        Axes of which every slice is a field of view.
    groups : dict of str to str
        Group of channels that a panel table gave one.
    """

    names: tuple[str, ...]
    planes: tuple[layers.LayerPlane, ...]
    images: dict[str, Any]
    axes: tuple[int, int]
    slice_position: dict[int, int]
    channel: int | None = None
    every: tuple[int, ...] = ()
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> Any:
        """The layer whose geometry counts."""
        return next(iter(self.images.values()))

    @property
    def title(self) -> str:
        """What the cells are called: after their image, or after all channels that are layers."""
        first, rest = self.reference.name, len(set(map(id, self.images.values()))) - 1
        if not rest:
            return str(first)
        return f"{first} and {rest} other channel{'s' if rest > 1 else ''}"

    @property
    def slice_index(self) -> tuple[int | None, ...]:
        """For each axis but the channels the slice, or that it is projected."""
        every = dict.fromkeys(self.every)
        index = [every.get(axis, i) for axis, i in enumerate(self.planes[0].index)]
        return tuple(i for axis, i in enumerate(index) if axis != self.channel)

    @property
    def stacked(self) -> bool:
        """Whether every slice of an axis is a field of view."""
        return bool(self.every)

    @property
    def slices(self) -> tuple[Slice, ...]:
        """The fields of view: one, or one for every slice."""
        if not self.every:
            return (Slice(self.title, self.slice_position, self.planes),)
        axes = layers.axes_of(self.reference)
        result = []
        for place in np.ndindex(*(axes[axis].length for axis in self.every)):
            moved = dict(zip(self.every, map(int, place), strict=True))
            name = ", ".join(f"{axes[axis].short}={index}" for axis, index in moved.items())
            planes = tuple(plane.moved(moved) for plane in self.planes)
            # With the image: annotations of another stack have slices of the same names.
            result.append(Slice(f"{self.title}: {name}", {**self.slice_position, **moved}, planes))
        return tuple(result)
