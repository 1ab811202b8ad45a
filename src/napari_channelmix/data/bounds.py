"""Bounds of sizes that come from a table, checked before memory is asked for."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = ["LARGEST_SQUARE", "far_too_large", "square_side"]

# Pixels of a square that is cut out and made smaller: 8,192 x 8,192.
LARGEST_SQUARE = 2**26
# Sides of a box, in longer sides of its image.
FARTHEST = 4
# Longer side of a whole image, in shorter sides: beyond it a square is nearly all filling.
NARROWEST = 8


def square_side(height: float, width: float, shape: tuple[int, int], *, whole: bool = False) -> int:
    """Side of the square around a box or a whole image, in pixels, 4 at least.

    Parameters
    ----------
    height, width : float
        Of the box, in pixels.
    shape : (int, int)
        Height and width of its image.
    whole : bool
        Whether the box is the image.

    Raises
    ------
    DataError
        A square that would be far larger than the image, or than memory. Our definition.
    """
    longer, shorter = max(height, width), max(1.0, min(height, width))
    size = f"{height:g} x {width:g} pixels"
    if whole and longer > NARROWEST * shorter:
        raise DataError(
            f"the whole image of {size} would be made square, but is more than {NARROWEST} times "
            'as long as wide; cut it up (from = "tile") or mark its cells'
        )
    if longer > FARTHEST * max(shape):
        raise DataError(
            f"a box of {size} is more than {FARTHEST} times as large as the image of "
            f"{shape[0]} x {shape[1]}; is it in another unit?"
        )
    if longer * longer > LARGEST_SQUARE:
        raise DataError(
            f"{'the whole image' if whole else 'a box'} of {size} would be made a square of more "
            f"than {LARGEST_SQUARE:,} pixels; cut it up or make the images smaller"
        )
    # Halves up, for odd and even sides alike.
    return max(4, math.floor(longer + 0.5))


def far_too_large(
    longer: npt.NDArray[np.float64], shapes: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Which boxes (N,), of these longer sides, `square_side` would refuse in images (N, 2)."""
    beyond = longer > FARTHEST * shapes.max(axis=1)
    return np.asarray(beyond | (longer * longer > LARGEST_SQUARE))
