"""Other cells within a crop, hidden; or all but the cell: filled with the background of the crop.

The background level is that of the border (`data.borders`), without the pixels of objects: a crop
around one of several cells that touch has mostly neighbours at its edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "ALONE",
    "HIDE",
    "KEEP",
    "Neighbours",
    "alone",
    "background_level",
    "cell_alone",
    "hidden_neighbours",
    "margin_of",
    "prepared_crop",
]

FloatArray = npt.NDArray[np.float32]
# As the record of a classifier has it: ``keep``, ``hide``, or ``alone`` with the margin.
Neighbours = str
KEEP: Neighbours = "keep"
HIDE: Neighbours = "hide"
ALONE = "alone"


def alone(margin: int) -> Neighbours:
    """How crops are prepared of which only the cell is left, with a margin in pixels.

    Examples
    --------
    >>> alone(3)
    'alone, margin 3'
    """
    return f"{ALONE}, margin {margin}"


def margin_of(neighbours: Neighbours) -> int | None:
    """Margin of the cell, in pixels of its image, where crops show it alone; None where not.

    Examples
    --------
    >>> margin_of(alone(3)), margin_of(HIDE)
    (3, None)
    """
    start = f"{ALONE}, margin "
    return int(neighbours.removeprefix(start)) if neighbours.startswith(start) else None


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


def cell_alone(
    pixels: FloatArray, labels: npt.NDArray[Any], cell: int, margin: int
) -> tuple[FloatArray, FloatArray]:
    """A crop of which only the cell is left, and the level of the background around it.

    Pixels of the cell, and those within ``margin`` pixels of its outline that belong to no other
    object and are nearer to it than to others, stay as they are. Our definition.

    Parameters
    ----------
    pixels : (C, h, w) float array
    labels : (h, w) int array
        Label image of the same pixels; 0 is background.
    cell : int
        The id that stays.
    margin : int
        Pixels.

    Returns
    -------
    (C, h, w) float32 array
        A copy.
    (C,) float32 array
        See `background_level`.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[0, 0, 1, 0, 0, 0, 2]])
    >>> crop = np.array([[[3, 4, 9, 5, 4, 3, 7]]], np.float32)
    >>> cell_alone(crop, labels, 1, margin=1)[0][0, 0].tolist()
    [4.0, 4.0, 9.0, 5.0, 4.0, 4.0, 4.0]
    """
    from scipy.ndimage import distance_transform_edt

    inside = np.asarray(labels)
    level = background_level(pixels, inside == 0)
    own, others = inside == cell, (inside > 0) & (inside != cell)
    stays = own
    if margin and own.any():
        away = distance_transform_edt(~own)
        stays = (away <= margin) & ~others
        if others.any():
            stays &= away <= distance_transform_edt(~others)
    return np.where(stays, pixels, level[:, None, None]).astype(np.float32), level


def prepared_crop(
    pixels: FloatArray, labels: npt.NDArray[Any], cell: int, margin: int | None
) -> tuple[FloatArray, FloatArray]:
    """A crop without its neighbours, or with a margin of the cell alone; and its background."""
    if margin is None:
        return hidden_neighbours(pixels, labels, cell)
    return cell_alone(pixels, labels, cell, margin)
