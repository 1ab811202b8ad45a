"""Other cells within a crop, hidden: their pixels are filled with the background of the crop.

The background level is that of the border (`data.borders`), without the pixels of objects: a crop
around one of several cells that touch has mostly neighbours at its edge.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["HIDE", "KEEP", "Neighbours", "background_level", "hidden_neighbours"]

FloatArray = npt.NDArray[np.float32]
Neighbours = Literal["keep", "hide"]
# As the data-set file and a classifier's record have it.
KEEP: Neighbours = "keep"
HIDE: Neighbours = "hide"


def background_level(pixels: FloatArray, ground: npt.NDArray[np.bool_] | None = None) -> FloatArray:
    """Background of each channel of a crop, (C,): the median of its outermost pixels.

    Parameters
    ----------
    pixels : (C, h, w) float array
        The part of the crop that lies in the image.
    ground : (h, w) bool array, optional
        Pixels of no object. Where it is given, the outermost ones among them count; where there
        are none, all of them; and all outermost pixels where objects fill the crop. Our
        definition.

    Examples
    --------
    >>> import numpy as np
    >>> crop = np.zeros((1, 3, 3), np.float32)
    >>> crop[0, 0] = 8
    >>> background_level(crop).tolist()
    [0.0]
    """
    outer = np.ones(pixels.shape[1:], dtype=bool)
    outer[1:-1, 1:-1] = False
    if ground is not None:
        choices = (outer & ground, ground, outer)
        outer = next(choice for choice in choices if choice.any())
    return np.asarray(np.median(pixels[:, outer], axis=1), dtype=np.float32)


def hidden_neighbours(
    pixels: FloatArray, labels: npt.NDArray[Any], cell: int
) -> tuple[FloatArray, FloatArray]:
    """A crop whose other objects are filled with background, and the level of that background.

    Parameters
    ----------
    pixels : (C, h, w) float array
    labels : (h, w) int array
        Label image of the same pixels; 0 is background.
    cell : int
        The id that stays.

    Returns
    -------
    (C, h, w) float32 array
        A copy; pixels of the cell and of the background stay as they are.
    (C,) float32 array
        See `background_level`.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[1, 0, 2], [1, 0, 2], [1, 0, 2]])
    >>> crop = np.array([[[9, 1, 7], [9, 1, 7], [9, 1, 7]]], np.float32)
    >>> hidden_neighbours(crop, labels, 1)[0][0, 0].tolist()
    [9.0, 1.0, 1.0]
    """
    inside = np.asarray(labels)
    level = background_level(pixels, inside == 0)
    others = (inside > 0) & (inside != cell)
    return np.where(others, level[:, None, None], pixels).astype(np.float32), level
