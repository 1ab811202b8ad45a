"""A field of view: its planes, its label image, and boxes cut out of it.

Coordinates, here and everywhere: pixel centres are whole numbers, so that an image of H rows
reaches from -0.5 to H - 0.5. Boxes are half-open ranges of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.box_reading import read_boxes
from napari_channelmix.data.neighbours import background_level, prepared_crop
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.image_planes import Plane
    from napari_channelmix.data.pass_visits import PassVisit

__all__ = ["Field", "check_field", "middles", "outside", "square_boxes"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
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
    short : str
        A readable name to join tables on; empty where nothing is known of it. See
        `CellBoxes.field_names`, which are distinct.
    """

    name: str
    planes: tuple[Plane, ...]
    labels: npt.NDArray[Any] | None = field(default=None, repr=False)
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    short: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.planes[0].shape
        return int(height), int(width)

    def read(
        self,
        box: Sequence[int],
        channels: Sequence[int],
        only: int | None = None,
        margin: int | None = None,
    ) -> FloatArray:
        """Pixels of a box (y0, x0, y1, x1) as (C, h, w) float32, in raw units.

        What lies beyond the border of the image is filled with background: in each channel the
        median of the outermost pixels of the part that is there. Our definition: a cell is in the
        middle of its crop, so that most of these pixels are not of it, and nothing outside the
        crop has to be read. A mirror image would show a second cell.

        Parameters
        ----------
        box : sequence of int
        channels : sequence of int
            Positions among the planes.
        only : int, optional
            Id of a cell in the label image: the pixels of all other objects are filled with
            background as well; see `data.neighbours`.
        margin : int, optional
            Pixels around that cell beyond which all is filled; None: only other objects are.

        Raises
        ------
        DataError
            A box of which nothing lies in the image; ``only`` without a label image.
        """
        y0, x0, y1, x1 = (int(edge) for edge in box)
        height, width = self.shape
        rows, columns = slice(max(y0, 0), min(y1, height)), slice(max(x0, 0), min(x1, width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            raise DataError(
                f"the box y {y0} to {y1}, x {x0} to {x1} lies outside the image of "
                f"{height} x {width} pixels"
            )
        edges = np.array([[rows.start, columns.start, rows.stop, columns.stop]], np.int64)
        pixels: FloatArray = self.crops(edges, channels)[0]
        background = None
        if only is not None:
            if self.labels is None:
                raise DataError("neighbours can be hidden only where cells have outlines")
            labels = self.labels[rows, columns]
            pixels, background = prepared_crop(pixels, labels, only, margin)
        if pixels.shape[1:] == (y1 - y0, x1 - x0):
            return pixels
        filled = np.empty((len(pixels), y1 - y0, x1 - x0), np.float32)
        filled[...] = (background_level(pixels) if background is None else background)[
            :, None, None
        ]
        filled[:, rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = pixels
        return filled

    def crops(
        self,
        boxes: npt.NDArray[np.int64],
        channels: Sequence[int],
        out: FloatArray | None = None,
        rows: npt.NDArray[np.int64] | None = None,
        visit: PassVisit | None = None,
    ) -> FloatArray:
        """Pixels of boxes of one size within the image: all of them in one go, in raw units.

        Parameters
        ----------
        boxes : (n, 4) int array
            y0, x0, y1, x1.
        channels : sequence of int
            Positions among the planes.
        out : (N, C, h, w) float32 array, optional
            Where they are put, in ``rows``; default: an array of their own.
        rows, visit
            See `data.box_reading.read_boxes`.

        Returns
        -------
        (n, C, h, w) float32 array, or ``out``
        """
        if out is None:
            height, width = int(boxes[0, 2] - boxes[0, 0]), int(boxes[0, 3] - boxes[0, 1])
            out = np.empty((len(boxes), len(channels), height, width), np.float32)
        read_boxes([self.planes[c] for c in channels], boxes, out, rows, visit)
        return out


def square_boxes(
    y: npt.ArrayLike, x: npt.ArrayLike, side: int | npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Squares of ``side`` pixels around centres: an (N, 4) array of y0, x0, y1, x1.

    The first pixel is ``ceil(centre - side / 2)``, for odd and even sides alike: a centre on a
    pixel becomes pixel ``side // 2`` of the square. Centres are taken to a millionth of a pixel, so
    that one that was scaled and moved does not leave its pixel. Our definition.

    Parameters
    ----------
    y, x : (N,) arrays
        Centres; pixel centres are whole numbers.
    side : int or (N,) int64 array
        Pixels.

    Examples
    --------
    >>> square_boxes([10, 10.5], [20, 20.4], 4).tolist()
    [[8, 18, 12, 22], [9, 19, 13, 23]]
    """
    y0, x0 = (
        np.ceil(np.round(np.asarray(centre, dtype=np.float64) - side / 2, 6)).astype(np.int64)
        for centre in (y, x)
    )
    return np.stack([y0, x0, y0 + side, x0 + side], axis=1)


def middles(boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Middle of boxes (N, 4), half open, as y, x (N, 2); pixel centres are whole numbers."""
    edges = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.asarray((edges[:, :2] + edges[:, 2:] - 1) / 2)


def outside(points: npt.ArrayLike, shape: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which points (N, 2), y and x, lie outside an image, or each outside its own (N, 2); (N,).

    An image reaches from -0.5, the outer edge of its first pixel, to its size less 0.5.
    """
    places = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    within = (places >= -0.5) & (places <= np.array(shape) - 0.5)
    return np.asarray(~within.all(axis=1))


def check_field(image: Field, channels: Sequence[str], crop: int) -> None:
    """Refuse what could not be cropped: no channels, twin names, sizes that differ, large crops."""
    if isinstance(crop, bool) or not isinstance(crop, (int, np.integer)) or crop < 1:
        raise DataError(f"{image.name}: crop must be a whole number of pixels, not {crop!r}")
    if not channels:
        raise DataError(f"{image.name}: choose at least one channel")
    for place, name in enumerate(channels):
        if name in channels[:place]:
            first = channels.index(name) + 1
            raise DataError(
                f"{image.name}: channel names must differ, and channels {first} and {place + 1} "
                f"are both called {name!r}"
            )
    if len(image.planes) != len(channels):
        raise DataError(
            f"{image.name}: {len(channels)} channel names for {len(image.planes)} channels"
        )
    for name, plane in zip(channels, image.planes, strict=True):
        if tuple(plane.shape) != image.shape:
            raise DataError(
                f"{image.name}: channel {name!r} is {tuple(plane.shape)} pixels, "
                f"channel {channels[0]!r} is {image.shape}; all channels must have one size"
            )
    if crop > min(image.shape):
        raise DataError(
            f"{image.name}: crop of {crop} pixels is larger than the image {image.shape}; "
            "choose a smaller crop"
        )
