"""Boxes of one size, and what they take of a part of the picture that they are cut out of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["Boxes", "Cuts", "boxes_of_plane"]

IntArray = npt.NDArray[np.int64]
Pixels = npt.NDArray[Any]

# From so many boxes of so few pixels on, numpy takes them at once more quickly.
WINDOWS, WINDOW_PIXELS = 32, 48**2


class Boxes:
    """Boxes of one size, all of them within the picture, and where their pixels go.

    Parameters
    ----------
    edges : (n, 4) int array
        y0, x0, y1, x1.
    out : (N, C, h, w) array
    rows : (n,) int array
        Row of ``out`` of each box.
    """

    def __init__(self, edges: IntArray, out: Pixels, rows: IntArray) -> None:
        self.edges, self.y, self.x = edges, edges[:, 0], edges[:, 1]
        self.out, self.rows = out, rows
        self.height, self.width = int(out.shape[2]), int(out.shape[3])

    def __len__(self) -> int:
        return len(self.y)

    def chosen(self, which: npt.NDArray[Any]) -> Boxes:
        """Some of them."""
        return Boxes(self.edges[which], self.out, self.rows[which])

    def cuts(
        self,
        which: IntArray,
        y: IntArray | int,
        x: IntArray | int,
        height: IntArray | int,
        width: IntArray | int,
    ) -> Cuts:
        """What boxes take of parts of the picture that they reach into.

        Parameters
        ----------
        which : (m,) int array
            A box for each cut.
        y, x, height, width : int or (m,) int arrays
            Where the part of each cut begins, and its size.
        """
        top, left = self.y[which] - y, self.x[which] - x
        edges = np.empty((len(top), 9), np.int64)
        edges[:, 0] = self.rows[which]
        for column, first, length, size in (
            (1, top, self.height, height),
            (3, left, self.width, width),
        ):
            np.maximum(first, 0, out=edges[:, column])
            np.minimum(first + length, size, out=edges[:, column + 1])
            np.subtract(
                edges[:, column : column + 2], first[:, None], out=edges[:, column + 4 : column + 6]
            )
        return Cuts(edges)

    def fill(self, cuts: Cuts, channels: Sequence[int], part: Pixels) -> None:
        """Take what lies in a part of the picture.

        Parameters
        ----------
        cuts : Cuts
        channels : sequence of int
            Positions in ``out`` of the planes of the part.
        part : (c, Y, X) array
        """
        height, width = self.height, self.width
        edges = cuts.edges
        if len(edges) >= WINDOWS and height * width <= WINDOW_PIXELS:
            whole = (edges[:, 2] - edges[:, 1] == height) & (edges[:, 4] - edges[:, 3] == width)
            rows, ys, xs = edges[whole][:, [0, 1, 3]].T
            windows = sliding_window_view(part, (height, width), axis=(1, 2))
            for channel, plane in zip(channels, windows, strict=True):
                self.out[rows, channel] = plane[ys, xs]
            cuts = Cuts(edges[~whole])
        if len(part) == 1:
            out, plane = self.out[:, channels[0]], part[0]
            for (row, rows_in, columns_in), (rows_of, columns_of) in cuts.indices:
                out[row, rows_in, columns_in] = plane[rows_of, columns_of]
            return
        some = _slice_of(channels)
        for (row, rows_in, columns_in), (rows_of, columns_of) in cuts.indices:
            self.out[row, some, rows_in, columns_in] = part[:, rows_of, columns_of]


class Cuts:
    """What boxes take of parts of the picture.

    Attributes
    ----------
    edges : (m, 9) int array
        Row of the box in ``Boxes.out``, then y0, y1, x0, x1 in the part, and the same in the box.
    """

    def __init__(self, edges: IntArray) -> None:
        self.edges = edges

    @cached_property
    def indices(self) -> list[tuple[tuple[int, slice, slice], tuple[slice, slice]]]:
        """Of each cut the row, rows and columns of the box, then rows and columns of the part."""
        return [
            ((row, slice(top, bottom), slice(left, right)), (slice(y0, y1), slice(x0, x1)))
            for row, y0, y1, x0, x1, top, bottom, left, right in self.edges.tolist()
        ]

    def between(self, start: int, stop: int) -> Cuts:
        """Those from one position to another."""
        return Cuts(self.edges[start:stop])


def _slice_of(channels: Sequence[int]) -> Any:
    first, last = channels[0], channels[-1] + 1
    if last - first == len(channels) and list(channels) == list(range(first, last)):
        return slice(first, last)
    return list(channels)


def boxes_of_plane(plane: Pixels, boxes: Boxes, channel: int) -> None:
    """The pixels of boxes out of a plane that is in memory."""
    cuts = boxes.cuts(np.arange(len(boxes)), 0, 0, *plane.shape)
    boxes.fill(cuts, [channel], plane[None])
