"""Which crop fits the cells: from the size of their outlines, or guessed from their distances.

The size of a cell is known where it has an outline. Points say how far apart cells are, and where
some of them touch, that is the diameter of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SMALLEST", "STEP", "WHOLE", "CropProposal", "crop_for_outlines", "crop_for_points"]

# Share of the cells that the crop which is proposed holds as a whole: outlines of several cells
# that touch would ask for a crop that is mostly neighbours. Our choice.
WHOLE = 0.99
# Crops are proposed in steps of so many pixels, as networks halve them several times.
STEP = 8
# Smaller crops are proposed to nobody, and larger ones not from points alone.
SMALLEST, LARGEST_OF_POINTS = 16, 256
# Of the distances to the nearest neighbour, the one taken for the diameter of a cell.
TOUCHING = 0.1
# A crop around a point, in such diameters: points lie beside the middle of their cells.
ROOM = 1.5


@dataclass(frozen=True, eq=False)
class CropProposal:
    """A side for the crops, and how the cells fit into it or into another one.

    Attributes
    ----------
    side : int
        In pixels.
    extents : (N,) float array
        Longer side of the box around each outline, in pixels; empty where cells are points.
    guessed : bool
        Whether the size of the cells is not known but guessed from their distances.
    limited : bool
        Whether whole cells would need more than the image allows.
    """

    side: int
    extents: npt.NDArray[np.float64]
    guessed: bool = False
    limited: bool = False

    def too_large(self, side: int) -> int:
        """How many cells do not fit into a crop of this side."""
        return int((self.extents > side).sum())

    def text(self, side: int) -> str:
        """How the cells fit into crops of this side, in a line."""
        if self.guessed:
            return "size of the cells guessed from the distance of the points"
        total, count = len(self.extents), self.too_large(side)
        if not count:
            return f"all {total:,} cells fit" if total > 1 else "the cell fits"
        share = 100 * count / total
        percent = f"{share:.0f}" if share >= 1 else f"{share:.1g}"
        fits = "does" if count == 1 else "do"
        return f"{count:,} of {total:,} cells ({percent} %) {fits} not fit"


def _in_steps(side: float) -> int:
    return max(SMALLEST, int(np.ceil(side / STEP)) * STEP)


def crop_for_outlines(extents: npt.ArrayLike, most: int) -> CropProposal:
    """The smallest crop that holds 99 % of the outlines as a whole, in steps of 8 pixels.

    Our definition, and that of the warning of cells that are cut off (`data.cut_cells`).

    Parameters
    ----------
    extents : (N,) array
        Longer side of the box around each outline, in pixels.
    most : int
        Shorter side of the image: no crop is larger.

    Examples
    --------
    >>> crop_for_outlines([20, 21, 33], most=512).side
    40
    >>> crop_for_outlines([20, 21, 33], most=512).text(24)
    '1 of 3 cells (33 %) does not fit'
    """
    sizes = np.asarray(extents, np.float64).reshape(-1)
    # The size of a cell that is there, so that no fraction of a pixel is lost.
    wanted = _in_steps(float(np.quantile(sizes, WHOLE, method="higher"))) if sizes.size else most
    return CropProposal(min(wanted, most), sizes, limited=wanted > most)


def crop_for_points(points: npt.ArrayLike, most: int) -> CropProposal:
    """A crop guessed from the distances of points: 1.5 diameters of a cell, in steps of 8 pixels.

    The 10th percentile of the distances to the nearest other point is taken for the diameter: it
    is one where some cells touch, and too large where all stand apart. Our definition; a guess.

    Parameters
    ----------
    points : (N, 2) array
        y and x in pixels, of one image.
    most : int
        Shorter side of the image.

    Examples
    --------
    >>> crop_for_points([(10, 10), (10, 30), (50, 50)], most=512).side
    32
    """
    places: npt.NDArray[Any] = np.asarray(points, np.float64).reshape(-1, 2)
    side = 48
    if len(places) > 1:
        from scipy.spatial import cKDTree

        distances = cKDTree(places).query(places, k=2)[0][:, 1]
        # Points set twice are one cell.
        apart = distances[distances >= 1]
        if apart.size:
            side = _in_steps(ROOM * float(np.quantile(apart, TOUCHING)))
    return CropProposal(min(side, LARGEST_OF_POINTS, most), np.zeros(0), guessed=True)
