"""What a pass over cells knows beforehand: which chunks of an image it will need again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.decoded_chunks import chunk_cache

__all__ = ["PassVisit", "touched_chunks"]

IntArray = npt.NDArray[np.int64]

# Bytes of the blocks of dask and zarr arrays that a pass keeps.
BLOCKS_KEPT = 256 * 2**20
# More chunks than there are in any row.
MOST_IN_A_ROW = 2**31


def touched_chunks(edges: IntArray, down: int, right: int) -> tuple[IntArray, IntArray, IntArray]:
    """Which chunks boxes reach into: a box, and a row and a column of chunks, for each pair.

    Parameters
    ----------
    edges : (n, 4) int array
        y0, x0, y1, x1, within the image but for what lies beyond its border.
    down, right : int
        Height and width of a chunk.

    Returns
    -------
    box, row, column : (m,) int arrays

    Examples
    --------
    >>> [each.tolist() for each in touched_chunks(np.array([[0, 6, 4, 10]]), 8, 8)]
    [[0, 0], [0, 0], [0, 1]]
    """
    y0, x0 = np.maximum(edges[:, 0], 0) // down, np.maximum(edges[:, 1], 0) // right
    rows = np.maximum((edges[:, 2] - 1) // down - y0 + 1, 1)
    columns = np.maximum((edges[:, 3] - 1) // right - x0 + 1, 1)
    counts = rows * columns
    box = np.repeat(np.arange(len(edges)), counts)
    step = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts)
    return box, y0[box] + step // columns[box], x0[box] + step % columns[box]


class PassVisit:
    """One pass over boxes in their order.

    Parameters
    ----------
    boxes : (n, 5) int array
        Position of the field, then y0, x0, y1, x1, in the order of the pass.

    Attributes
    ----------
    done : int
        How many of them are read, those of this batch included.
    field : int
        The one that is being read.
    soon : (k, 4) int array
        Boxes of this batch that are read after the others.
    blocks : ByteCache
        Where blocks of dask and zarr arrays are kept from one batch to the next.
    """

    def __init__(self, boxes: IntArray) -> None:
        self.done, self.field = 0, -1
        self.soon: IntArray = np.zeros((0, 4), np.int64)
        self.blocks = chunk_cache(BLOCKS_KEPT)
        self._boxes = boxes
        new = np.flatnonzero(np.diff(boxes[:, 0], prepend=-1)).tolist()
        self._runs = {int(boxes[a, 0]): (a, b) for a, b in pairwise([*new, len(boxes)])}
        self._last: dict[tuple[int, int], tuple[IntArray, IntArray]] = {}
        self._of = -1

    def again(self, rows: IntArray, columns: IntArray, down: int, right: int) -> list[bool]:
        """Whether chunks of the field that is being read are needed later in the pass.

        Parameters
        ----------
        rows, columns : (m,) int arrays
            Of chunks of ``down`` x ``right`` pixels.
        """
        codes, last = self._last_visits(down, right)
        wanted = rows * MOST_IN_A_ROW + columns
        place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        again = (codes[place] == wanted) & (last[place] >= self.done)
        if len(self.soon):
            _, row, column = touched_chunks(self.soon, down, right)
            again |= np.isin(wanted, row * MOST_IN_A_ROW + column)
        result: list[bool] = again.tolist()
        return result

    def _last_visits(self, down: int, right: int) -> tuple[IntArray, IntArray]:
        """Chunks of the field as one number each, sorted, and the last box that needs each."""
        if self._of != self.field:
            self._last, self._of = {}, self.field
        if (down, right) not in self._last:
            begin, end = self._runs[self.field]
            box, row, column = touched_chunks(self._boxes[begin:end, 1:], down, right)
            codes, index = np.unique((row * MOST_IN_A_ROW + column)[::-1], return_index=True)
            self._last[down, right] = codes, begin + box[::-1][index]
        return self._last[down, right]
