"""The picture of one cell as the encoder wants it: centred, scaled, black outside its outline.

Cells are cut out in batches, in the order in which their images are read best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import outline_by_light
from napari_channelmix.data.neighbours import KEEP, margin_of
from napari_channelmix.drl.channel_view import View
from napari_channelmix.drl.features import hand_crafted
from napari_channelmix.drl.middle_object import middle_object
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = [
    "FRAME_SIDE",
    "CellCut",
    "DrawnCell",
    "DrawnPictures",
    "Preparation",
    "cell_cuts",
    "drawn_cells",
    "picture_of_crop",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Side of the frame a cell is drawn in, in pixels: that of the sprites.
FRAME_SIDE = 64
# Cells whose crops are read at a time.
BATCH = 64


@dataclass(frozen=True)
class Preparation:
    """How cells of a data set become pictures; the same for all of them.

    Attributes
    ----------
    view : View
    background : (C,) tuple of float
        Grey value around the cells, raw units.
    spread : (C,) tuple of float
        How far above the background, or below it where negative, a pixel lies that becomes 1:
        the 99.8th percentile, or further where whole cells would be brighter than any sprite.
    zoom : float
        Pixels of the frame for a pixel of the image.
    bright : float
        What the brightest pixel of 95 % of the cells lies below, as 0 .. 1: pictures are shown with
        that much as white. The encoder gets them as they are.
    """

    view: View
    background: tuple[float, ...]
    spread: tuple[float, ...]
    zoom: float
    bright: float = 1.0

    def scaled(self, pixels: FloatArray) -> FloatArray:
        """Raw pixels (C, h, w) to 0 (background) .. 1 (brightest)."""
        low = np.array(self.background, np.float32)[:, None, None]
        scaled: FloatArray = (pixels - low) / np.array(self.spread, np.float32)[:, None, None]
        return scaled

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "view": self.view.as_dict(),
            "background": list(self.background),
            "spread": list(self.spread),
            "zoom": self.zoom,
            "bright": self.bright,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Preparation:
        """From `as_dict`."""
        return cls(
            View.from_dict(record["view"]),
            tuple(record["background"]),
            tuple(record["spread"]),
            float(record["zoom"]),
            # Results of earlier versions do not have it.
            float(record.get("bright", 1.0)),
        )

    @property
    def inverted(self) -> bool:
        """Whether cells are darker than their background, and are shown so to people."""
        one = self.view.natural or len(self.view.channels) == 1
        return one and max(self.spread) < 0

    def shown(self, pictures: npt.NDArray[Any]) -> FloatArray:
        """Pictures as people are to see them: in the polarity and colours of the image.

        Parameters
        ----------
        pictures : (..., depth, H, W) array
            As the encoder gets them, or as they are drawn; floats in [0, 1], or uint8.

        Returns
        -------
        (..., depth, H, W) float32 array
            In [0, 1]. Cells darker than their background on the background's own colour; others on
            black, the brightest pixel of 95 % of the cells white.
        """
        light: FloatArray = pictures.astype(np.float32)
        if pictures.dtype == np.uint8:
            light /= 255
        if not self.inverted:
            brighter: FloatArray = np.clip(light / min(max(self.bright, 0.05), 1.0), 0, 1)
            return brighter
        depth = self.view.depth
        low, spread = (
            np.broadcast_to(np.array(values, np.float32), (depth,))[:, None, None]
            for values in (self.background, self.spread)
        )
        # Raw units; the background of the brightest channel is white, or nearly so.
        white = 1.05 * float(low.max())
        natural: FloatArray = np.clip((low + spread * light) / max(white, 1e-6), 0, 1)
        return natural


@dataclass(frozen=True, eq=False)
class CellCut:
    """One cell at the resolution of its image."""

    #: (C, h, w) raw units.
    pixels: FloatArray
    #: (h, w) pixels of its label, or None.
    label: Mask | None
    #: (h, w) pixels of other labels.
    others: Mask | None


def outlined(cut: CellCut, how: Preparation) -> tuple[Mask, bool]:
    """Mask (h, w) of the cell, and whether it is more than a disc in the middle."""
    if cut.label is not None and cut.label.any():
        return cut.label, True
    mask, known = outline_by_light(how.scaled(cut.pixels).mean(axis=0))
    return middle_object(mask) if known else (mask, False)


def diameter(mask: Mask) -> float:
    """Longest diameter in pixels, that of the ellipse with the same second moments."""
    from skimage.measure import regionprops

    return float(regionprops(mask.astype(np.uint8))[0].axis_major_length)


def seen_through(scaled: FloatArray, view: View) -> FloatArray:
    """Scaled channels (C, h, w) to a picture (depth, h, w)."""
    seen: FloatArray = np.einsum("chw,cd->dhw", scaled, view.matrix).astype(np.float32)
    return seen


def framed(picture: FloatArray, mask: Mask, zoom: float) -> FloatArray:
    """The cell in the middle of a frame (depth, FRAME_SIDE, FRAME_SIDE), black outside its mask."""
    from scipy import ndimage

    ys, xs = np.nonzero(mask)
    centre = np.array([ys.mean(), xs.mean()])
    middle = (FRAME_SIDE - 1) / 2
    # Frame pixel p shows image pixel centre + (p - middle) / zoom.
    offset, frame = centre - middle / zoom, (FRAME_SIDE, FRAME_SIDE)
    inside = np.where(mask, np.clip(picture, 0, 1), 0).astype(np.float32)
    if zoom < 1:
        # Smoothed first, so that what is too fine for the frame does not alias.
        sigma = 0.5 * (1 / zoom - 1)
        inside = ndimage.gaussian_filter(inside, (0, sigma, sigma))
    return np.stack(
        [
            ndimage.affine_transform(plane, np.full(2, 1 / zoom), offset, frame, order=1)
            for plane in inside
        ]
    )


def picture_of_crop(
    pixels: FloatArray, mask: Mask, how: Preparation, step: float = 1.0
) -> npt.NDArray[np.uint8]:
    """One crop drawn as the cells of a data set were, such as a cell that was edited.

    Parameters
    ----------
    pixels : (C, h, w) float32 array
        Channels of the view, raw units.
    mask : (h, w) bool array
        The cell; not empty.
    how : Preparation
    step : float
        Pixels of the image for a pixel of the crop.

    Returns
    -------
    (depth, 64, 64) uint8 array
    """
    light = framed(seen_through(how.scaled(pixels), how.view), mask, how.zoom * step)
    return np.asarray(np.round(255 * light), np.uint8)


def cell_cuts(cells: Cells, indices: npt.ArrayLike | None = None) -> Iterator[tuple[int, CellCut]]:
    """Cells cut out of their images, with their positions, in the order in which they are read.

    Parameters
    ----------
    cells : Cells
    indices : (n,) int array, optional
        Which cells; default: all.

    Raises
    ------
    DataError
        A file that cannot be read, or NaN or infinite pixels.
    """
    boxes, ids = cells.boxes, cells.table["object"].to_numpy(np.int64)
    fields = cells.table["field"].to_numpy(np.int64)
    # At the resolution of the image: crops of another side than their boxes were resized.
    own = (boxes[:, 2:] - boxes[:, :2] == cells.crop).all(axis=1)
    order = cells.reading_order
    if indices is not None:
        chosen = np.zeros(len(cells), bool)
        chosen[np.asarray(indices, np.int64)] = True
        order = order[chosen[order]]
    for start in range(0, len(order), BATCH):
        positions = order[start : start + BATCH]
        whole = own[positions].all()
        crops = cells.read(positions) if whole else None
        for place, position in enumerate(positions.tolist()):
            image, box = cells.fields[int(fields[position])], boxes[position]
            # What lies beyond the image is filled, and is no part of the cell.
            y0, x0 = np.maximum(box[:2], 0).tolist()
            y1, x1 = np.minimum(box[2:], image.shape).tolist()
            if crops is not None:
                rows, columns = slice(y0 - box[0], y1 - box[0]), slice(x0 - box[1], x1 - box[1])
                pixels = crops[place, :, rows, columns]
            else:
                pixels = _of_image(cells, position, (y0, x0, y1, x1))
            if image.labels is None or not ids[position]:
                yield position, CellCut(pixels, None, None)
                continue
            window = np.asarray(image.labels[y0:y1, x0:x1])
            label = window == ids[position]
            yield position, CellCut(pixels, label, (window > 0) & ~label)


def _of_image(cells: Cells, position: int, box: tuple[int, int, int, int]) -> FloatArray:
    row = cells.table.iloc[position]
    image = cells.fields[int(row["field"])]
    own = int(row["object"]) if cells.neighbours != KEEP else None
    pixels = image.read(box, cells.planes, own, margin_of(cells.neighbours))
    if not np.isfinite(pixels).all():
        channel = int(np.argwhere(~np.isfinite(pixels))[0][0])
        raise DataError(
            f"{image.name}: channel {cells.channels[channel]!r} has NaN or infinite pixels in "
            f"cell {cells.name_of(position)}; replace them or leave the cell out"
        )
    scaled: FloatArray = cells.scaling.apply(pixels[None], cells.channels)[0]
    return scaled


@dataclass(frozen=True, eq=False)
class DrawnCell:
    """One cell that was drawn.

    Attributes
    ----------
    position : int
        In the data set.
    picture : (depth, 64, 64) uint8 array
        Black outside the outline.
    outlined : bool
        Whether its outline is known; a disc stands for it else.
    features : dict of str to float
        See `hand_crafted`; empty where they were not measured.
    """

    position: int
    picture: npt.NDArray[np.uint8]
    outlined: bool
    features: dict[str, float]


def drawn_cells(
    cells: Cells, how: Preparation, indices: npt.ArrayLike | None = None, *, measured: bool = True
) -> Iterator[DrawnCell]:
    """Cells drawn one by one, in the order in which their images are read best.

    Parameters
    ----------
    cells : Cells
    how : Preparation
    indices : (n,) int array, optional
        Which cells; default: all.
    measured : bool
        Whether their features are measured as well, which takes longest.

    Raises
    ------
    DataError
        As `cell_cuts`; a channel the data set does not have.
    """
    seen = cells.with_channels(how.view.channels)
    for position, cut in cell_cuts(seen, indices):
        mask, known = outlined(cut, how)
        scaled = how.scaled(cut.pixels)
        features = hand_crafted(scaled, mask, how.view.channels) if measured else {}
        light = framed(seen_through(scaled, how.view), mask, how.zoom)
        yield DrawnCell(position, np.round(255 * light).astype(np.uint8), known, features)


class DrawnPictures:
    """Pictures (N, depth, 64, 64) uint8 of more cells than memory holds: drawn when asked for.

    It is indexed as an array is along its first axis, and gives arrays.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, cells: Cells, how: Preparation) -> None:
        self._cells, self._how = cells, how

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (N, depth, 64, 64)."""
        return len(self), self._how.view.depth, FRAME_SIDE, FRAME_SIDE

    @property
    def order(self) -> IntArray:
        """All positions, in the order in which they are drawn at least cost."""
        return self._cells.reading_order

    def __getitem__(self, index: Any, /) -> npt.NDArray[np.uint8]:
        """The picture at a position, or those at several."""
        positions = np.arange(len(self))[index]
        chosen = np.atleast_1d(positions)
        pictures = np.zeros((len(chosen), *self.shape[1:]), np.uint8)
        places: dict[int, list[int]] = {}
        for place, position in enumerate(chosen.tolist()):
            places.setdefault(position, []).append(place)
        for drawn in drawn_cells(self._cells, self._how, chosen, measured=False):
            pictures[places[drawn.position]] = drawn.picture
        return pictures if np.ndim(positions) else pictures[0]
