"""A field of view: its planes, its label image, and boxes cut out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.images import Plane

__all__ = ["Field", "check_field", "square_boxes"]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Field:
    """One field of view: a plane for each channel, all of one size.

    Attributes
    ----------
    name : str
        What the user calls it, for messages.
    planes : tuple of Plane
        A 2-D array-like for each channel, in the order of the data set's channels.
    labels : (Y, X) int array or None
        Label image of its cells, where they were found or drawn.
    pixel_size, unit
        Size of a pixel (y, x) and its unit, where known.
    """

    name: str
    planes: tuple[Plane, ...]
    labels: npt.NDArray[Any] | None = field(default=None, repr=False, compare=False)
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.planes[0].shape
        return int(height), int(width)

    def read(self, box: Sequence[int], channels: Sequence[int]) -> Floats:
        """Pixels of a box (y0, x0, y1, x1) as (C, h, w) float32, in raw units.

        What lies beyond the border is filled by mirroring, so that a cell cut by the border looks
        like a cell, not like an edge.
        """
        y0, x0, y1, x1 = (int(edge) for edge in box)
        height, width = self.shape
        rows, columns = slice(max(y0, 0), min(y1, height)), slice(max(x0, 0), min(x1, width))
        planes = [np.asarray(self.planes[c][rows, columns], dtype=np.float32) for c in channels]
        pixels = np.stack(planes)
        beyond = (
            (0, 0),
            (rows.start - y0, y1 - rows.stop),
            (columns.start - x0, x1 - columns.stop),
        )
        if any(amount for pair in beyond for amount in pair):
            pixels = np.pad(pixels, beyond, mode="symmetric")
        return pixels


def square_boxes(y: npt.NDArray[Any], x: npt.NDArray[Any], side: int) -> npt.NDArray[np.int64]:
    """Squares of ``side`` pixels around centres (N,), (N,): an (N, 4) array of y0, x0, y1, x1."""
    y0 = np.round(np.asarray(y, dtype=np.float64) - side / 2).astype(np.int64)
    x0 = np.round(np.asarray(x, dtype=np.float64) - side / 2).astype(np.int64)
    return np.stack([y0, x0, y0 + side, x0 + side], axis=1)


def check_field(one: Field, channels: Sequence[str], crop: int) -> None:
    """Refuse what could not be cropped: no channels, twin names, sizes that differ, large crops."""
    if not channels:
        raise DataError(f"{one.name}: choose at least one channel")
    if len(set(channels)) < len(channels):
        raise DataError(f"{one.name}: channel names must differ, these are {', '.join(channels)}")
    if len(one.planes) != len(channels):
        raise DataError(f"{one.name}: {len(channels)} channel names for {len(one.planes)} channels")
    for name, plane in zip(channels, one.planes, strict=True):
        if tuple(plane.shape) != one.shape:
            raise DataError(
                f"{one.name}: channel {name!r} is {tuple(plane.shape)} pixels, "
                f"channel {channels[0]!r} is {one.shape}; all channels must have one size"
            )
    if crop > min(one.shape):
        raise DataError(
            f"{one.name}: crop of {crop} pixels is larger than the image {one.shape}; "
            "choose a smaller crop"
        )
