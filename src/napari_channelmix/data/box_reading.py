"""Boxes cut out of the planes of a field of view: all channels and all boxes in one go.

Planes of one file are read together (`data.chunk_reading`); planes of one dask array are computed
together; those in memory are cut out as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import PROJECT, ArrayPlane
from napari_channelmix.data.box_cuts import Boxes, boxes_of_plane
from napari_channelmix.data.chunk_reading import boxes_of_chunks
from napari_channelmix.data.image_planes import FilePlane
from napari_channelmix.data.lazy_blocks import boxes_of_dask, is_dask, zarr_chunks
from napari_channelmix.data.pixel_sources import ArraySource

if TYPE_CHECKING:
    from napari_channelmix.data.image_planes import Plane
    from napari_channelmix.data.pass_visits import PassVisit

__all__ = ["ComputedPlane", "chunk_bytes", "chunk_of", "read_boxes"]

IntArray = npt.NDArray[np.int64]


class ComputedPlane(Protocol):
    """A plane whose pixels are computed from those of other planes, each by itself."""

    @property
    def parts(self) -> tuple[Plane, ...]:
        """The planes it is computed from."""
        ...

    def made(self, pixels: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Its pixels (..., Y, X) from those of its parts."""
        ...


@dataclass(frozen=True)
class _ArrayIndex:
    """A plane of an array, as of a picture in chunks."""

    index: tuple[int | None, ...]
    turned: bool = False


def read_boxes(
    planes: Sequence[Plane],
    edges: IntArray,
    out: npt.NDArray[Any],
    rows: IntArray | None = None,
    visit: PassVisit | None = None,
) -> None:
    """Fill ``out[rows, c]`` with the pixels of boxes in plane c.

    Parameters
    ----------
    planes : sequence of C planes
        Of one size.
    edges : (n, 4) int array
        Boxes y0, x0, y1, x1, all of the size of ``out`` and within the planes.
    out : (N, C, h, w) array
        Pixels are converted to its type.
    rows : (n,) int array, optional
        Default: 0 to n - 1.
    visit : PassVisit, optional
        The pass that this is a part of.

    Raises
    ------
    DataError
        A file that cannot be read.

    Examples
    --------
    >>> plane = np.arange(16.0).reshape(4, 4)
    >>> out = np.empty((2, 1, 2, 2), np.float32)
    >>> read_boxes([plane], np.array([[0, 0, 2, 2], [2, 1, 4, 3]]), out)
    >>> out[:, 0].tolist()
    [[[0.0, 1.0], [4.0, 5.0]], [[9.0, 10.0], [13.0, 14.0]]]
    """
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 4)
    boxes = Boxes(edges, out, np.arange(len(edges)) if rows is None else rows)
    groups: dict[Any, list[int]] = {}
    for channel, plane in enumerate(planes):
        groups.setdefault(_read_together(plane), []).append(channel)
    for (kind, *_), channels in groups.items():
        _READERS[kind]([planes[channel] for channel in channels], channels, boxes, visit)


def chunk_of(plane: Plane) -> tuple[int, int]:
    """Height and width of the chunks in which the pixels of a plane are read.

    Those of the plane itself where it is in memory.
    """
    while _is_computed(plane):
        plane = plane.parts[0]  # type: ignore[attr-defined]
    height, width = (max(1, int(n)) for n in plane.shape)
    steps: tuple[int, int] | None = None
    if isinstance(plane, FilePlane):
        grid = plane.file.source.grid
        steps = grid[plane.axes.index("Y")], grid[plane.axes.index("X")]
        if not plane.file.source.kept and steps == (height, width):
            # A whole page that is mapped: by rows, as they lie in the file.
            steps = 64, width
    else:
        data: Any = plane.data if isinstance(plane, ArrayPlane) else plane
        index = plane.index if isinstance(plane, ArrayPlane) else (None, None)
        y, x = (axis for axis, i in enumerate(index) if i is None)
        if is_dask(data):
            steps = int(data.chunks[y][0]), int(data.chunks[x][0])
        elif zarr_chunks(data):
            steps = zarr_chunks(data)[y], zarr_chunks(data)[x]
    return (height, width) if steps is None else (max(1, steps[0]), max(1, steps[1]))


def chunk_bytes(planes: Sequence[Plane]) -> int:
    """Bytes of the chunks of planes of files at one place; 0 where nothing is to be decoded."""
    total = 0
    for plane in planes:
        if isinstance(plane, FilePlane) and plane.file.source.kept:
            height, width = chunk_of(plane)
            total += height * width * plane.dtype.itemsize
    return total


def _is_computed(plane: Plane) -> bool:
    # Quicker than a look at the whole protocol.
    return hasattr(type(plane), "made")


def _read_together(plane: Plane) -> tuple[Any, ...]:
    """How a plane is read; planes of equal keys are read together."""
    if type(plane) is FilePlane:
        return "file", id(plane.file), plane.axes, plane.stack
    if _is_computed(plane):
        return "computed", type(plane), len(plane.parts)  # type: ignore[attr-defined]
    data = plane.data if isinstance(plane, ArrayPlane) else plane
    index = plane.index if isinstance(plane, ArrayPlane) else (None, None)
    if isinstance(data, np.ndarray) and PROJECT not in index:
        return "memory", id(plane)
    if is_dask(data):
        return ("dask",)
    if zarr_chunks(data) and PROJECT not in index:
        return "zarr", id(data)
    return "other", id(plane)


def _of_files(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    boxes_of_chunks(planes[0].file.source, planes, channels, boxes, visit)


def _of_memory(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    for plane, channel in zip(planes, channels, strict=True):
        pixels = plane
        if isinstance(plane, ArrayPlane):
            pixels = plane.data[tuple(slice(None) if i is None else i for i in plane.index)]
        boxes_of_plane(np.asarray(pixels), boxes, channel)


def _of_dask(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    blocks = None if visit is None else visit.blocks
    boxes_of_dask([_lazy(plane) for plane in planes], channels, boxes, blocks)


def _lazy(plane: Any) -> Any:
    """A 2-D dask array of a plane."""
    if not isinstance(plane, ArrayPlane):
        return plane
    data = plane.data[tuple(i if i not in (None, PROJECT) else slice(None) for i in plane.index)]
    remaining = [i for i in plane.index if i is None or i == PROJECT]
    over = tuple(axis for axis, i in enumerate(remaining) if i == PROJECT)
    return data.max(axis=over) if over else data


def _of_zarr(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    data = planes[0].data if isinstance(planes[0], ArrayPlane) else planes[0]
    source = ArraySource(data, zarr_chunks(data), kept=visit is not None)
    indices = [
        _ArrayIndex(plane.index if isinstance(plane, ArrayPlane) else (None, None))
        for plane in planes
    ]
    boxes_of_chunks(
        source, indices, channels, boxes, visit, None if visit is None else visit.blocks
    )


def _of_others(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    """Planes that are only known to give pixels by slices."""
    places = zip(boxes.rows.tolist(), boxes.y.tolist(), boxes.x.tolist(), strict=True)
    for row, y, x in places:
        region = slice(y, y + boxes.height), slice(x, x + boxes.width)
        for plane, channel in zip(planes, channels, strict=True):
            boxes.out[row, channel] = np.asarray(plane[region])


def _of_parts(
    planes: Sequence[Any], channels: list[int], boxes: Boxes, visit: PassVisit | None
) -> None:
    # Whole numbers beyond what 32-bit floats hold keep their digits until the end.
    shape = (len(boxes), len(planes), boxes.height, boxes.width)
    pixels = []
    for part in zip(*(plane.parts for plane in planes), strict=True):
        pixels.append(np.empty(shape, np.float64))
        read_boxes(part, boxes.edges, pixels[-1], visit=visit)
    for number, (plane, channel) in enumerate(zip(planes, channels, strict=True)):
        boxes.out[boxes.rows, channel] = plane.made([values[:, number] for values in pixels])


_READERS: dict[str, Callable[[Sequence[Any], list[int], Boxes, Any], None]] = {
    "file": _of_files,
    "memory": _of_memory,
    "dask": _of_dask,
    "zarr": _of_zarr,
    "other": _of_others,
    "computed": _of_parts,
}
