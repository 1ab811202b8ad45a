"""Donors whose outlines lie as those of the cell: matched, flipped, turned, warped if wished."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["VIEWS", "Alignment", "aligned", "best_alignment", "warp_sources"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Surroundings = tuple[Mask, Mask]

#: Flips and turns by right angles.
VIEWS = 8
# Angles in which an outline is measured, and how much the warp may stretch.
ANGLES, MOST_STRETCH = 48, 2.0


@dataclass(frozen=True, eq=False)
class Alignment:
    """The donor that fits best to each cell.

    Attributes
    ----------
    donor : (n,) int array
        Position; -1 where there was no candidate.
    view : (n,) int array
        Flip and turn of the donor; see `aligned`.
    overlap : (n,) float32 array
        Intersection over union of both outlines, or of both surroundings where that is larger.
    """

    donor: IntArray = field(repr=False)
    view: IntArray = field(repr=False)
    overlap: FloatArray = field(repr=False)


def aligned(pixels: npt.NDArray[np.generic], views: IntArray) -> npt.NDArray[np.generic]:
    """Square crops (n, ..., S, S), each turned ``view % 4`` times by 90 degrees, then flipped.

    Views from 4 on are flipped left to right.

    Examples
    --------
    >>> import numpy as np
    >>> aligned(np.array([[[1, 2], [3, 4]]]), np.array([1])).tolist()
    [[[2, 4], [1, 3]]]
    """
    result = np.empty_like(pixels)
    for view in np.unique(views):
        rows = views == view
        turned = np.rot90(pixels[rows], int(view) % 4, axes=(-2, -1))
        result[rows] = turned[..., ::-1] if view >= 4 else turned
    return result


def best_alignment(
    outlines: Mask, donors: Mask, candidates: IntArray, surroundings: Surroundings | None = None
) -> Alignment:
    """The best of some donors in all eight views, by the overlap of outlines.

    Parameters
    ----------
    outlines : (n, S, S) bool array
    donors : (m, S, S) bool array
    candidates : (n, D) int array
        Positions among the donors that may be taken for each cell; negative ones are none.
    surroundings : pair of (n, S, S) and (m, S, S) bool arrays, optional
        What else lies in the crops of cells and donors, such as all nuclei: the best donor is the
        one with the largest sum of both overlaps.

    Examples
    --------
    >>> import numpy as np
    >>> cell = np.zeros((1, 4, 4), bool)
    >>> cell[0, 0] = True
    >>> donors = np.stack([np.zeros((4, 4), bool), cell[0].T])
    >>> made = best_alignment(cell, donors, np.array([[0, 1]]))
    >>> made.donor.tolist(), made.overlap.tolist()
    ([1], [1.0])
    """
    count = len(outlines)
    donor, view = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    best, overlap = np.full(count, -1.0, np.float32), np.zeros(count, np.float32)
    used = np.unique(candidates[candidates >= 0])
    if not len(used) or not count:
        return Alignment(donor, view, overlap)
    columns = np.searchsorted(used, np.clip(candidates, used[0], None))
    rows = np.arange(count)
    for number in range(VIEWS):
        own = _overlaps(outlines, donors[used], number, columns)
        score = own
        if surroundings is not None:
            also = _overlaps(surroundings[0], surroundings[1][used], number, columns)
            score, own = score + also, np.maximum(own, also)
        score = np.where(candidates < 0, np.float32(-1), score)
        first = score.argmax(axis=1)
        better = score[rows, first] > best
        best[better] = score[rows, first][better]
        overlap[better] = own[rows, first][better]
        donor[better] = candidates[rows, first][better]
        view[better] = number
    return Alignment(donor, view, overlap)


def _overlaps(masks: Mask, donors: Mask, view: int, columns: IntArray) -> FloatArray:
    """Intersection over union (n, D) of masks with some of the donors in a view."""
    flat = masks.reshape(len(masks), -1).astype(np.float32)
    turned = aligned(donors, np.full(len(donors), view)).reshape(len(donors), -1)
    given = turned.astype(np.float32)
    both = np.take_along_axis(flat @ given.T, columns, axis=1)
    union = flat.sum(axis=1)[:, None] + given.sum(axis=1)[columns] - both
    return np.asarray(both / np.maximum(union, 1), np.float32)


def warp_sources(outlines: Mask, donors: Mask) -> npt.NDArray[np.float32]:
    """From where in a donor each pixel is taken, so that its outline becomes that of the cell.

    About the centroids, each direction is stretched by the ratio of both outlines' reach in it,
    within a half and two. Our definition.

    Parameters
    ----------
    outlines, donors : (n, H, W) bool arrays
        Of cells and donors (in their views).

    Returns
    -------
    (n, H, W, 2) float32 array
        (x, y) in pixels.
    """
    height, width = outlines.shape[1:]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    grid = np.stack([x, y], axis=-1).astype(np.float32)
    centres, given = _centres(outlines), _centres(donors)
    offsets = grid[None] - centres[:, None, None]
    angle = (np.arctan2(offsets[..., 1], offsets[..., 0]) / (2 * np.pi) * ANGLES) % ANGLES
    ratio = _radii(donors, given) / np.maximum(_radii(outlines, centres), 1.0)
    ratio = np.clip(ratio, 1 / MOST_STRETCH, MOST_STRETCH)
    before = np.floor(angle).astype(np.int64) % ANGLES
    part = angle - np.floor(angle)
    rows = np.arange(len(outlines))[:, None, None]
    stretch = (1 - part) * ratio[rows, before] + part * ratio[rows, (before + 1) % ANGLES]
    sources: FloatArray = (given[:, None, None] + offsets * stretch[..., None]).astype(np.float32)
    return sources


def _centres(masks: Mask) -> FloatArray:
    """Centroids (n, 2), (x, y); the middle for an empty mask."""
    height, width = masks.shape[1:]
    area = masks.sum(axis=(1, 2))
    x = masks.sum(axis=1) @ np.arange(width) / np.maximum(area, 1)
    y = masks.sum(axis=2) @ np.arange(height) / np.maximum(area, 1)
    centres = np.stack([x, y], axis=1).astype(np.float32)
    centres[area == 0] = (width - 1) / 2, (height - 1) / 2
    return np.asarray(centres, np.float32)


def _radii(masks: Mask, centres: FloatArray) -> FloatArray:
    """How far masks reach (n, ANGLES) in each direction, smoothed over three; 1 at least."""
    radii = np.ones((len(masks), ANGLES), np.float32)
    row, y, x = np.nonzero(masks)
    dx, dy = x - centres[row, 0], y - centres[row, 1]
    angle = np.floor(np.arctan2(dy, dx) / (2 * np.pi) * ANGLES + 0.5).astype(np.int64) % ANGLES
    np.maximum.at(radii, (row, angle), np.hypot(dx, dy).astype(np.float32) + 0.5)
    smooth = (np.roll(radii, 1, axis=1) + radii + np.roll(radii, -1, axis=1)) / 3
    return np.asarray(smooth, np.float32)
