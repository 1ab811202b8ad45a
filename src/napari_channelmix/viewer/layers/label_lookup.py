"""A label image as a picture of one value per cell: whole cells, or rings along their outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data.label_images import Ranked

__all__ = ["Outlines", "fill", "table_of"]

# Pixels that are looked up at once: what is made on the way stays in the processor's cache.
AT_ONCE = 65_536
# Labels that are looked for one after another; more of them are quicker found by a table.
ONE_BY_ONE = 8


def table_of(
    labels: Ranked, objects: npt.NDArray[np.int64], values: npt.NDArray[Any], rest: Any = 0
) -> npt.NDArray[Any]:
    """The value of each label, as a table that is looked up by the pixels of ``labels.image``.

    Parameters
    ----------
    labels : Ranked
        Its table has no more rows than the image has pixels, however large the ids are.
    objects : (N,) int array
        The ids that are cells; those that are not in the image are passed over.
    values : (N,) array
    rest
        Value of the ground, and of labels that are no cells.

    Returns
    -------
    (n,) array; n is one more than the highest value in ``labels.image``.
    """
    table = np.full(labels.top + 1, rest, dtype=values.dtype)
    table[labels.positions(objects)] = values
    table[0] = rest
    return table


def fill(
    picture: npt.NDArray[Any], labels: npt.NDArray[Any], table: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Write the value of its label into each pixel of the picture, which is given back."""
    step = max(1, AT_ONCE // max(1, labels.shape[1]))
    for row in range(0, len(labels), step):
        # Whole numbers below 0 mark nothing; clipping makes ground of them.
        part = labels[row : row + step].astype(np.intp)
        np.take(table, part, out=picture[row : row + step], mode="clip")
    return picture


@dataclass(frozen=True, eq=False)
class Outlines:
    """The outer pixels of all cells of a label image, found once and coloured many times.

    A cell that touches another has a ring of its own. Where the border of the image cuts a cell,
    its ring is open; cells that are not wider than their ring are filled.

    Attributes
    ----------
    pixels : (n,) int array
        Positions in the flat image.
    labels : (n,) int array
        The label of each.
    """

    pixels: npt.NDArray[np.int64]
    labels: npt.NDArray[Any]

    @classmethod
    def of(cls, labels: npt.NDArray[Any], width: int) -> Outlines:
        """Find the rings, ``width`` pixels wide, of a (Y, X) label image."""
        ring = np.zeros(labels.shape, bool)
        for axis in range(labels.ndim):
            first, second = _neighbours(axis)
            differs = labels[first] != labels[second]
            ring[first] |= differs
            ring[second] |= differs
        # A step further in each time: a neighbour in a ring is of the same cell, or the pixel
        # itself lies at an edge.
        for _ in range(width - 1):
            inner = ring.copy()
            for axis in range(labels.ndim):
                first, second = _neighbours(axis)
                ring[first] |= inner[second]
                ring[second] |= inner[first]
        ring &= labels > 0
        pixels = np.flatnonzero(ring)
        return cls(pixels, labels.reshape(-1)[pixels])

    def fill(self, picture: npt.NDArray[Any], table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Write the value of its label into each pixel of the rings; gives the picture back."""
        picture.reshape(-1)[self.pixels] = table[self.labels]
        return picture

    def of_some(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Where the labels that are marked, (highest label + 1,), have ring pixels here."""
        which = np.flatnonzero(chosen)
        if len(which) > ONE_BY_ONE:
            return np.flatnonzero(chosen[self.labels])
        positions = [np.flatnonzero(self.labels == label) for label in which.tolist()]
        return np.concatenate([np.zeros(0, np.int64), *positions])


def _neighbours(axis: int) -> tuple[Any, Any]:
    """All pixels but the last along an axis, and those beside them."""
    before = (slice(None),) * axis
    return (*before, slice(None, -1)), (*before, slice(1, None))
