"""Cells whose crops reach over the border of their image: which they are, and what is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "AT_BORDER",
    "BACKGROUND",
    "filled_warning",
    "left_out_warning",
    "over_border",
    "without_fill_line",
]

# How a classifier's record names what lies beyond the border in its training crops.
BACKGROUND = "background"
# What is said of one such cell.
AT_BORDER = (
    "The crop reaches over the border of the image; what is beyond is filled with background"
)
# By this a warning of ours is known again.
FILLED = "filled with background"
REMEDY = (
    'to leave them out, write border = "leave_out" under [cells] in the data-set file and open it '
    "again"
)


def over_border(
    boxes: npt.NDArray[np.int64], shapes: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which boxes reach over the border of their image, (N,).

    A box that holds the whole image, as that of a whole image made square, cuts nothing, and does
    not count.

    Parameters
    ----------
    boxes : (N, 4) int array
        y0, x0, y1, x1, half open.
    shapes : (N, 2) int array
        Height and width of the image of each.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    before, after = low < 0, high > shapes
    whole = ((low <= 0) & (high >= shapes)).all(axis=1)
    return np.asarray((before | after).any(axis=1) & ~whole)


def filled_warning(count: int, total: int, remedy: str = REMEDY) -> tuple[str, ...]:
    """What is said of cells that are filled; nothing where there are none.

    ``remedy``: what leaves them out, where the cells are of no data-set file.
    """
    if not count:
        return ()
    return (f"{count:,} of {total:,} {_reach(count)}: {FILLED}; {remedy}",)


def left_out_warning(count: int, total: int) -> tuple[str, ...]:
    """What is said of cells that were left out; nothing where there are none."""
    if not count:
        return ()
    return (
        f"{count:,} of {total:,} {_reach(count)} and {'was' if count == 1 else 'were'} left out",
    )


def without_fill_line(warnings: Iterable[str]) -> Sequence[str]:
    """Warnings without that of filled cells."""
    return [line for line in warnings if FILLED not in line]


def _reach(count: int) -> str:
    return f"cells {'reaches' if count == 1 else 'reach'} over the border of their image"
