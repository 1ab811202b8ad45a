"""Boxes out of dask arrays: the blocks that they need are computed together, each once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data.box_cuts import Boxes
    from napari_channelmix.data.decoded_chunks import Chunks

__all__ = ["boxes_of_dask", "is_dask", "zarr_chunks"]

# Bytes of blocks that are computed together.
TOGETHER = 256 * 2**20


def is_dask(data: Any) -> bool:
    """Whether something is a dask array; dask is not imported for it."""
    module = sys.modules.get("dask.array")
    return module is not None and isinstance(data, module.Array)


def zarr_chunks(data: Any) -> tuple[int, ...]:
    """Lengths of the chunks of a zarr array; empty for anything else."""
    module = sys.modules.get("zarr")
    if module is None or not isinstance(data, module.Array):
        return ()
    return tuple(max(1, int(n)) for n in data.chunks)


def boxes_of_dask(
    planes: Sequence[Any], channels: Sequence[int], boxes: Boxes, blocks: Chunks | None = None
) -> None:
    """The pixels of boxes in planes that dask computes.

    Parameters
    ----------
    planes : sequence of (Y, X) dask arrays
    channels : sequence of int
        Position of each among the channels of ``boxes.out``.
    boxes : Boxes
    blocks : ByteCache, optional
        Where blocks are kept while several batches are read.
    """
    touched: dict[tuple[int, int, int], npt.NDArray[np.int64]] = {}
    starts = [[np.cumsum((0, *lengths)) for lengths in plane.chunks] for plane in planes]
    for number, (down, right) in enumerate(starts):
        rows = _reach(down, boxes.y, boxes.height)
        columns = _reach(right, boxes.x, boxes.width)
        lists: dict[tuple[int, int], list[int]] = {}
        for box, (r0, r1, c0, c1) in enumerate(zip(*rows, *columns, strict=True)):
            for row in range(r0, r1):
                for column in range(c0, c1):
                    lists.setdefault((row, column), []).append(box)
        touched |= {(*place, number): np.array(which) for place, which in lists.items()}
    waiting: list[tuple[int, int, int]] = []
    size = 0
    # Along the rows of blocks, all planes of a place together.
    for key in sorted(touched):
        waiting.append(key)
        row, column, number = key
        plane = planes[number]
        size += plane.chunks[0][row] * plane.chunks[1][column] * plane.dtype.itemsize
        if size >= TOGETHER:
            _fill(planes, channels, boxes, blocks, starts, touched, waiting)
            waiting, size = [], 0
    _fill(planes, channels, boxes, blocks, starts, touched, waiting)


def _reach(
    starts: npt.NDArray[np.int64], first: npt.NDArray[np.int64], length: int
) -> tuple[list[int], list[int]]:
    """The first and the last block, half open, that boxes reach into."""
    begin = np.searchsorted(starts, first, side="right") - 1
    end = np.searchsorted(starts, first + length, side="left")
    return begin.tolist(), end.tolist()


def _fill(
    planes: Sequence[Any],
    channels: Sequence[int],
    boxes: Boxes,
    blocks: Chunks | None,
    starts: list[list[npt.NDArray[np.int64]]],
    touched: dict[tuple[int, int, int], npt.NDArray[np.int64]],
    keys: list[tuple[int, int, int]],
) -> None:
    from dask.base import compute

    pixels: dict[tuple[int, int, int], Any] = {}
    for row, column, number in keys:
        kept = None if blocks is None else blocks.get((planes[number].name, row, column))
        if kept is not None:
            pixels[row, column, number] = kept[()]
    missing = [key for key in keys if key not in pixels]
    if missing:
        lazy = [planes[number].blocks[row, column] for row, column, number in missing]
        for key, block in zip(missing, compute(*lazy), strict=True):
            row, column, number = key
            pixels[key] = block = np.asarray(block)
            if blocks is not None:
                blocks.put((planes[number].name, row, column), {(): block})
    for key in keys:
        row, column, number = key
        y, x = (int(starts[number][axis][i]) for axis, i in enumerate((row, column)))
        block = pixels[key]
        boxes.fill(boxes.cuts(touched[key], y, x, *block.shape), [channels[number]], block[None])
