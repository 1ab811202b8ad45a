"""Label images: any whole number is an id, and memory and time go with the pixels, never with ids.

1. Ids that are much larger than the image are replaced by their ranks (`Ranked`).
2. Pixels of one id that touch are a region (`objects`); an object is the largest region of its id.
3. A mask file may be labelled or binary; which of the two is declared, or decided by its regions
   (`data.masks`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = ["Objects", "Ranked", "Regions", "as_label_image", "only"]

IntArray = npt.NDArray[np.int64]

LARGEST_ID = 2**63 - 1
# Ids up to this are looked up in a table, however small the image.
FEW = 65_536


def as_label_image(values: npt.ArrayLike, where: str = "labels") -> npt.NDArray[Any]:
    """A label image of whole numbers from 0 to 2**63 - 1, or of booleans.

    Parameters
    ----------
    values : (Y, X) array
        Of booleans, whole numbers of any type, or floats that are whole.
    where : str
        For messages.

    Raises
    ------
    DataError
        Negative numbers, ids of 2**63 and more, floats that are not whole or have lost digits.
    """
    labels = np.asarray(values)
    if labels.dtype.kind == "f":
        labels = _whole(labels, where)
    if labels.dtype.kind not in "biu":
        raise DataError(f"{where}: labels must be whole numbers, not {labels.dtype}")
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise DataError(f"{where}: labels must not be negative ({int(labels.min())} is among them)")
    if labels.dtype.kind == "u" and labels.dtype.itemsize == 8:
        if labels.max(initial=0) > LARGEST_ID:
            raise DataError(
                f"{where}: the id {int(labels.max())} is too large; the largest is 2**63 - 1"
            )
        labels = labels.astype(np.int64)
    return labels


def _whole(labels: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    if not np.isfinite(labels).all() or (labels != np.round(labels)).any():
        raise DataError(f"{where}: labels must be whole numbers, this is an image of floats")
    # From here on a float does not hold every whole number: neighbouring ids may have become one.
    exact = 2 ** (np.finfo(labels.dtype).nmant + 1)
    if labels.max(initial=0) > min(exact, LARGEST_ID // 2):
        raise DataError(
            f"{where}: the id {labels.max():g} is too large for {labels.dtype}, which holds "
            f"whole numbers up to {exact}; save the labels as whole numbers"
        )
    return labels.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Ranked:
    """A label image whose values are small: its ids where they are, else their ranks.

    Attributes
    ----------
    image : (Y, X) int array
        0 is background. The label image itself where no id is larger than its number of pixels.
    top : int
        Highest value in ``image``.
    ids : (top,) int64 array or None
        The ids in ascending order, that of rank 1 first; None where values are ids.
    """

    image: npt.NDArray[Any] = field(repr=False)
    top: int
    ids: IntArray | None = field(default=None, repr=False)

    @classmethod
    def of(cls, labels: npt.NDArray[Any]) -> Ranked:
        """From a label image, as `as_label_image` gives it; numbers below 0 are background."""
        top = int(labels.max(initial=0))
        if top <= max(labels.size, FEW):
            return cls(labels, max(top, 0))
        inside = labels > 0
        ids, ranks = np.unique(labels[inside], return_inverse=True)
        image = np.zeros(labels.shape, np.int32 if len(ids) < 2**31 else np.int64)
        image[inside] = ranks.reshape(-1) + 1
        return cls(image, len(ids), ids.astype(np.int64))

    def positions(self, ids: npt.ArrayLike) -> IntArray:
        """The value of each id in ``image``, (N,); 0 for one that cannot be in it."""
        requested = np.asarray(ids, dtype=np.int64)
        if self.ids is None:
            return np.where((requested > 0) & (requested <= self.top), requested, 0)
        if not len(self.ids):
            return np.zeros(requested.shape, np.int64)
        places = np.minimum(np.searchsorted(self.ids, requested), len(self.ids) - 1)
        return np.where(self.ids[places] == requested, places + 1, 0)

    def id_of(self, values: npt.ArrayLike) -> IntArray:
        """The ids of values of ``image`` above 0."""
        positions = np.asarray(values, dtype=np.int64)
        return positions if self.ids is None else self.ids[positions - 1]


@dataclass(frozen=True, eq=False)
class Objects:
    """Where the objects of a label image lie.

    Attributes
    ----------
    ids : (N,) int64 array
        In ascending order.
    boxes : (N, 4) int64 array
        y0, x0, y1, x1 in pixels, half open: the largest region of each.
    areas : (N,) int64 array
        Pixels of that region.
    """

    ids: IntArray
    boxes: IntArray
    areas: IntArray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def extents(self) -> IntArray:
        """Longer side of each box (N,), in pixels: a square of it around the centre holds all."""
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0))

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Middle of each box (N, 2), y and x; pixel centres are whole numbers.

        The middle of the box, not the centroid: a crop around it holds the whole of a bent object.
        """
        return np.asarray((self.boxes[:, :2] + self.boxes[:, 2:] - 1) / 2)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions of a label image: pixels of one id that touch, also at corners.

    Attributes
    ----------
    image : (Y, X) int array
        0 is background; regions are numbered 1..R in reading order.
    ids : (R,) int64 array
        Id of each region.
    areas : (R,) int64 array
        In pixels.
    boxes : (R, 4) int64 array
        y0, x0, y1, x1 in pixels, half open.
    largest : (R,) bool array
        Whether a region is the largest of its id; of equal ones, the first.
    """

    image: npt.NDArray[Any] = field(repr=False)
    ids: IntArray
    areas: IntArray
    boxes: IntArray
    largest: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, labels: npt.NDArray[Any]) -> Regions:
        """Find the regions of a label image; those of booleans are all of the id 1."""
        from scipy import ndimage
        from skimage.measure import label

        if labels.dtype.kind == "b":
            ranked = Ranked(labels, int(labels.any()))
        else:
            # What lies below 0 is background, and would be regions of its own.
            ranked = Ranked.of(np.maximum(labels, 0) if labels.min(initial=0) < 0 else labels)
        image = label(ranked.image)
        count = int(image.max(initial=0))
        areas = np.bincount(image.reshape(-1), minlength=count + 1)[1:]
        value_of = np.zeros(count + 1, np.int64)
        value_of[image.reshape(-1)] = ranked.image.reshape(-1)
        boxes = np.array(
            [
                (y.start, x.start, y.stop, x.stop)
                for y, x in (ndimage.find_objects(image) if count else ())
            ],
            dtype=np.int64,
        ).reshape(-1, 4)
        ids = ranked.id_of(value_of[1:])
        order = np.lexsort((np.arange(count), -areas, ids))
        largest = np.zeros(count, dtype=bool)
        largest[order[np.flatnonzero(np.diff(ids[order], prepend=-1))]] = True
        return cls(image, ids, areas, boxes, largest)

    def objects(self) -> Objects:
        """An object for each id, where its largest region lies."""
        indices = np.flatnonzero(self.largest)
        indices = indices[np.argsort(self.ids[indices], kind="stable")]
        return Objects(self.ids[indices], self.boxes[indices], self.areas[indices])

    def numbered(self, min_area: int) -> tuple[npt.NDArray[Any], Objects]:
        """The regions of at least ``min_area`` pixels as label image and objects 1..n."""
        large = self.areas >= min_area
        count = int(large.sum())
        number = np.concatenate([[0], np.where(large, np.cumsum(large), 0)]).astype(
            self.image.dtype
        )
        objects = Objects(np.arange(1, count + 1), self.boxes[large], self.areas[large])
        return number[self.image], objects


def only(labels: npt.NDArray[Any], ids: npt.ArrayLike) -> npt.NDArray[Any]:
    """A label image without the objects whose ids are not among these."""
    ranked = Ranked.of(labels)
    selected = np.zeros(ranked.top + 1, dtype=bool)
    selected[ranked.positions(ids)] = True
    selected[0] = False
    return np.where(selected[np.maximum(ranked.image, 0)], labels, 0)
