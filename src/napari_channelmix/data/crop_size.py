"""Which crop fits the cells: from the size of their outlines, or guessed from their distances.

The size of a cell is known where it has an outline. Points say how far apart cells are, which is
the most that a cell can measure; how the channels fade around them says how much of it that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "SMALLEST",
    "STEP",
    "WHOLE",
    "CropProposal",
    "crop_for_outlines",
    "crop_for_points",
    "diameter_around",
    "limit",
    "nearest_distance",
]

# Share of the cells that the crop which is proposed holds as a whole: outlines of several cells
# that touch would ask for a crop that is mostly neighbours. Our choice.
WHOLE = 0.99
# Crops are proposed in steps of so many pixels, as networks halve them several times.
STEP = 8
# Points that are looked at, and pixels around each at most.
MOST_POINTS, FARTHEST = 100, 96
# A cell ends where the brightness around its point has fallen to this share.
FADED = 0.2
# Standard errors by which a channel must be brighter, or darker, at the points.
CLEAR = 5.0
# Smaller crops are proposed to nobody, and larger ones not from points alone.
SMALLEST, LARGEST_OF_POINTS = 16, 256
# Where there is one point, and nothing to be seen around it.
UNKNOWN = 48
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
        Whether the size of the cells is not known but guessed from the points.
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
            return "size of the cells guessed from the points: look at the box"
        total, count = len(self.extents), self.too_large(side)
        if not count:
            return f"all {total:,} cells fit" if total > 1 else "the cell fits"
        share = 100 * count / total
        percent = f"{share:.0f}" if share >= 1 else f"{share:.1g}"
        fits = "does" if count == 1 else "do"
        return f"{count:,} of {total:,} cells ({percent} %) {fits} not fit"


def _in_steps(side: float) -> int:
    return max(SMALLEST, int(np.ceil(round(side, 6) / STEP)) * STEP)


def limit(shape: Sequence[int], scale: float = 1.0) -> int:
    """The largest crop of an image, whose pixels become ``scale`` pixels each by resampling.

    It is cut out before it is resampled: it holds no more pixels than the image either.

    Examples
    --------
    >>> limit((44, 60)), limit((44, 60), 0.5), limit((44, 60), 2.0)
    (44, 22, 44)
    """
    return int(round(min(shape) * min(1.0, scale), 6))


def crop_for_outlines(extents: npt.ArrayLike, most: int) -> CropProposal:
    """The smallest crop that holds 99 % of the outlines as a whole, in steps of 8 pixels.

    Our definition, and that of the warning of cells that are cut off (`data.cut_cells`).

    Parameters
    ----------
    extents : (N,) array
        Longer side of the box around each outline, in pixels.
    most : int
        Shorter side of the image: no crop is larger; see `limit`. Both in pixels of the crop, which
        are others than those of the image where crops are resampled.

    Examples
    --------
    >>> crop_for_outlines([20, 21, 33], most=512).side
    40
    >>> crop_for_outlines([20, 21, 33], most=512).text(24)
    '1 of 3 cells (33 %) does not fit'
    """
    # To a millionth of a pixel, so that extents that were scaled do not need the next step.
    sizes = np.asarray(extents, np.float64).reshape(-1).round(6)
    # The size of a cell that is there, so that no fraction of a pixel is lost.
    wanted = _in_steps(float(np.quantile(sizes, WHOLE, method="higher"))) if sizes.size else most
    return CropProposal(min(wanted, most), sizes, limited=wanted > most)


def crop_for_points(
    points: npt.ArrayLike, most: int, diameter: float | None = None
) -> CropProposal:
    """A crop guessed from points: 1.5 diameters of a cell, in steps of 8 pixels.

    The diameter is no larger than the 10th percentile of the distances to the nearest other point:
    it is one where some cells touch, and too large where all stand apart. Our definition; a guess.

    Parameters
    ----------
    points : (N, 2) array
        y and x in pixels, of one image.
    most : int
        Shorter side of the image.
    diameter : float, optional
        As the pixels show it, see `diameter_around`.

    Examples
    --------
    >>> crop_for_points([(10, 10), (10, 30), (50, 50)], most=512).side
    32
    """
    sizes = [size for size in (nearest_distance(points), diameter) if size is not None]
    side = _in_steps(ROOM * min(sizes)) if sizes else UNKNOWN
    return CropProposal(min(side, LARGEST_OF_POINTS, most), np.zeros(0), guessed=True)


def nearest_distance(points: npt.ArrayLike) -> float | None:
    """How close points (N, 2) stand: 10th percentile of the distances to the nearest other one.

    None where there are no two of them; points set twice are one.
    """
    places: npt.NDArray[Any] = np.asarray(points, np.float64).reshape(-1, 2)
    if len(places) < 2:
        return None
    from scipy.spatial import cKDTree

    distances = cKDTree(places).query(places, k=2)[0][:, 1]
    apart = distances[distances >= 1]
    return float(np.quantile(apart, TOUCHING)) if apart.size else None


def diameter_around(planes: Sequence[Any], points: npt.ArrayLike) -> float | None:
    """Diameter of the cells in pixels, from how the channels fade around their points; a guess.

    In each channel the brightness over the distance from the point is averaged over up to 100
    points (the median). A cell ends where it has fallen to 20 % of what it has at the point above
    the lowest; channels that are darker at the points are turned round, and those are left out that
    differ there by less than five standard errors. Of several channels the widest counts. Nothing
    beyond the distance of the nearest points is looked at. Our definition.

    Parameters
    ----------
    planes : sequence of (Y, X) array-likes
        One for each channel; read around the points only.
    points : (N, 2) array
        y and x in pixels.

    Returns
    -------
    float or None
        None where no channel shows anything at the points.
    """
    places: npt.NDArray[Any] = np.asarray(points, np.float64).reshape(-1, 2)
    reach = int(min(nearest_distance(places) or UNKNOWN, FARTHEST))
    centres = np.floor(places + 0.5).astype(np.int64)
    inside = ((centres >= reach) & (centres < np.array(planes[0].shape) - reach)).all(axis=1)
    centres = centres[inside]
    if reach < 3 or not len(centres):
        return None
    some = centres[np.unique(np.linspace(0, len(centres) - 1, MOST_POINTS).astype(np.int64))]
    grid = np.arange(-reach, reach + 1)
    rings = np.floor(np.hypot(grid[:, None], grid) + 0.5).astype(np.int64).reshape(-1)
    counts = np.bincount(rings)[: reach + 1]
    radii = []
    for plane in planes:
        windows = [
            np.asarray(plane[y - reach : y + reach + 1, x - reach : x + reach + 1], np.float64)
            for y, x in some.tolist()
        ]
        profiles = np.array(
            [np.bincount(rings, window.reshape(-1))[: reach + 1] / counts for window in windows]
        )
        known = profiles[np.isfinite(profiles).all(axis=1)]
        if not len(known):
            continue
        profile = np.median(known, axis=0)
        # Dark cells on a bright ground, too.
        if profile[:2].mean() < profile.mean():
            profile = -profile
        height = profile - profile.min()
        top = float(height[:2].mean())
        error = float(known[:, :2].mean(axis=1).std()) / np.sqrt(len(known))
        if top > CLEAR * error and top > 0:
            radii.append(int(np.argmax(height < FADED * top)))
    return 2.0 * max(radii) + 1 if radii else None
