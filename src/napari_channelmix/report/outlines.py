"""Outlines of objects along the borders of their pixels, as rings of whole numbers.

Coordinates are (x, y) from the corner of the first pixel: pixel (y, x) reaches from x to x + 1. A
ring never touches itself: pixels that meet at corners only are parts of their own, so that every
polygon is valid to geometry libraries.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Ring", "polygons_of"]

Point = tuple[int, int]
#: Corners, the first one again at the end.
Ring = list[Point]


def polygons_of(mask: npt.NDArray[np.bool_], y: int = 0, x: int = 0) -> list[list[Ring]]:
    """The polygons of a mask, each an outer ring and those of its holes.

    Parameters
    ----------
    mask : (h, w) bool array
    y, x : int
        Where its first pixel lies.

    Examples
    --------
    >>> polygons_of(np.ones((1, 2), bool), y=5, x=10)
    [[[(10, 5), (12, 5), (12, 6), (10, 6), (10, 5)]]]
    """
    outer: list[tuple[float, Ring]] = []
    holes: list[Ring] = []
    for ring in _rings(mask):
        area = _area(ring)
        if area > 0:
            outer.append((area, ring))
        else:
            holes.append(ring)
    outer.sort(key=lambda pair: pair[0])
    polygons = [[ring] for _, ring in outer]
    for hole in holes:
        # Of outlines within outlines the innermost holds the hole.
        owner = next(
            (polygon for polygon in polygons if _holds(polygon[0], _inside(hole))), polygons[-1]
        )
        owner.append(hole)
    return [[[(px + x, py + y) for px, py in ring] for ring in rings] for rings in polygons]


def _rings(mask: npt.NDArray[np.bool_]) -> list[Ring]:
    """Closed rings along the pixels' borders, with what is inside on their right."""
    padded = np.pad(mask, 1)
    ends: dict[Point, list[Point]] = {}
    # Each border of a pixel of the mask to one that is not: above, right, below, left.
    for (dy, dx), start, end in (
        ((-1, 0), (0, 0), (1, 0)),
        ((0, 1), (1, 0), (1, 1)),
        ((1, 0), (1, 1), (0, 1)),
        ((0, -1), (0, 1), (0, 0)),
    ):
        beside = padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
        for py, px in np.argwhere(mask & ~beside).tolist():
            first = (px + start[0], py + start[1])
            ends.setdefault(first, []).append((px + end[0], py + end[1]))
    rings = []
    while ends:
        path = [next(iter(ends))]
        places = {path[0]: 0}
        while True:
            here = path[-1]
            options = ends[here]
            step = _turn(path, options) if len(options) > 1 else 0
            after = options.pop(step)
            if not options:
                del ends[here]
            if after not in places:
                places[after] = len(path)
                path.append(after)
                continue
            # A corner that was passed before closes a ring; the rest of the path goes on.
            begin = places[after]
            loop = path[begin:]
            rings.append(_without_straight(loop))
            for corner in loop[1:]:
                del places[corner]
            del path[begin + 1 :]
            if begin == 0:
                break
    return rings


def _turn(path: Ring, options: list[Point]) -> int:
    """Of two ways on, the one to the right: around the same pixel."""
    if len(path) < 2:
        return 0
    (ax, ay), (bx, by) = path[-2:]
    right = (bx - (by - ay), by + (bx - ax))
    return options.index(right) if right in options else 0


def _without_straight(loop: Ring) -> Ring:
    """Only the corners at which a ring turns, the first again at the end."""
    count = len(loop)
    corners = [
        loop[place]
        for place in range(count)
        if (loop[place][0] - loop[place - 1][0], loop[place][1] - loop[place - 1][1])
        != (
            loop[(place + 1) % count][0] - loop[place][0],
            loop[(place + 1) % count][1] - loop[place][1],
        )
    ]
    return [*corners, corners[0]]


def _area(ring: Ring) -> float:
    """Twice the area, above 0 for an outer ring."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))


def _inside(hole: Ring) -> tuple[float, float]:
    """The middle of a pixel of a hole: what lies to the left of its ring."""
    (ax, ay), (bx, by) = hole[:2]
    length = max(abs(bx - ax), abs(by - ay))
    dx, dy = (bx - ax) / length, (by - ay) / length
    return ax + dx / 2 + dy / 2, ay + dy / 2 - dx / 2


def _holds(ring: Ring, point: tuple[float, float]) -> bool:
    """Whether a point that is on no line lies within a ring."""
    x, y = point
    crossings = sum(
        1
        for (ax, ay), (bx, by) in pairwise(ring)
        if ax == bx and ax > x and min(ay, by) < y < max(ay, by)
    )
    return crossings % 2 == 1
