"""Where the cells of a row of a data set lie in its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.fields import square_boxes

if TYPE_CHECKING:
    from napari_channelmix.data.label_images import Objects

__all__ = ["RowPlaces"]


@dataclass(frozen=True, eq=False)
class RowPlaces:
    """Where the cells of a row lie: centres (n, 2), side of their boxes, ids (n,).

    ``extents`` (n,): sizes of their outlines, NaN where they have none; see `Cells`.
    """

    centres: npt.NDArray[np.float64]
    side: int
    ids: npt.NDArray[np.int64]
    extents: npt.NDArray[np.float64]

    @classmethod
    def single(
        cls, y: float, x: float, side: int, number: int = 0, extent: float = np.nan
    ) -> RowPlaces:
        """One cell."""
        centre, ids = np.array([[y, x]], np.float64), np.array([number], np.int64)
        return cls(centre, side, ids, np.array([extent], np.float64))

    @classmethod
    def of(cls, objects: Objects, side: int) -> RowPlaces:
        """The objects of a label image."""
        return cls(objects.centres, side, objects.ids, objects.extents.astype(np.float64))

    def boxes(self) -> npt.NDArray[np.int64]:
        """Squares around the cells (n, 4): y0, x0, y1, x1 in pixels, half open."""
        return square_boxes(self.centres[:, 0], self.centres[:, 1], self.side)
