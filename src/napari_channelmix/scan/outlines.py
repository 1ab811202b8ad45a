"""Outlines of cells, drawn into a label image: a pixel is inside where its middle is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Corners", "Outline", "draw_outlines", "overlapping"]

Corners = npt.NDArray[np.float64]
Box = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Outline:
    """The outline of one cell.

    Attributes
    ----------
    parts : tuple of tuple of (N, 2) arrays
        For each part its outer ring and its holes: x and y from the corner of the first pixel.
        Empty where the cell has no outline.
    """

    parts: tuple[tuple[Corners, ...], ...]


def draw_outlines(outlines: Sequence[Outline], shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """A label image of outlines: the first is 1. Where two overlap, the first keeps the pixels.

    Parameters
    ----------
    outlines : sequence of Outline
    shape : (int, int)
        Height and width in pixels. What lies outside is cut off.

    Returns
    -------
    (Y, X) int32 array

    Examples
    --------
    >>> import numpy as np
    >>> square = Outline(((np.array([(1, 0), (3, 0), (3, 2), (1, 2), (1, 0)]),),))
    >>> draw_outlines([square], (3, 4))
    array([[0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]], dtype=int32)
    """
    labels = np.zeros(shape, np.int32)
    for number, (box, inside) in enumerate(_drawn(outlines, shape), start=1):
        part = labels[box]
        part[inside & (part == 0)] = number
    return labels


def overlapping(outlines: Sequence[Outline], shape: tuple[int, int]) -> int:
    """How many outlines reach into an earlier one, whose pixels they lose."""
    covered = np.zeros(shape, dtype=bool)
    count = 0
    for box, inside in _drawn(outlines, shape):
        count += bool((covered[box] & inside).any())
        covered[box] |= inside
    return count


def _drawn(
    outlines: Sequence[Outline], shape: tuple[int, int]
) -> Iterator[tuple[Box, npt.NDArray[np.bool_]]]:
    """The box of each outline within the image, and which of its pixels are inside."""
    from skimage.draw import polygon

    limits = shape[1], shape[0]
    for outline in outlines:
        rings = [ring for part in outline.parts for ring in part]
        if not rings:
            yield (slice(0, 0), slice(0, 0)), np.zeros((0, 0), dtype=bool)
            continue
        corners = np.concatenate(rings)
        x0, y0 = np.clip(np.floor(corners.min(axis=0)), 0, limits).astype(int).tolist()
        x1, y1 = np.clip(np.ceil(corners.max(axis=0)), 0, limits).astype(int).tolist()
        size = y1 - y0, x1 - x0
        inside = np.zeros(size, dtype=bool)
        for outer, *holes in outline.parts if all(size) else ():
            of_part = np.zeros(size, dtype=bool)
            for ring, value in ((outer, True), *((hole, False) for hole in holes)):
                # From the corner of the first pixel to its middle, then to that of the box.
                of_part[polygon(ring[:, 1] - 0.5 - y0, ring[:, 0] - 0.5 - x0, size)] = value
            inside |= of_part
        yield (slice(y0, y1), slice(x0, x1)), inside
