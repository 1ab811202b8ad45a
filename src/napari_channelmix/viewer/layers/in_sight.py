"""Which cells are in sight, and which of them are nearest the middle of the view."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["nearest_in_sight", "view_of"]

Doubles = npt.NDArray[np.float64]


def view_of(layer: Any, plane: tuple[int, int] = (0, 1)) -> Doubles | None:
    """The part of a layer that is in sight, as y0, x0 and y1, x1 (2, 2) in its pixels.

    It may be asked in any thread. None before the layer was drawn for the first time.

    Parameters
    ----------
    layer : napari Image layer
    plane : (int, int)
        Its rows and columns.
    """
    corners = np.asarray(layer.corner_pixels, dtype=np.float64)
    if layer.multiscale:
        corners = corners * np.asarray(layer.downsample_factors)[layer.data_level]
    corners = corners[:, list(plane)]
    return corners if (corners[1] > corners[0]).all() else None


def nearest_in_sight(centres: Doubles, view: Doubles | None) -> npt.NDArray[np.int64]:
    """Order of cells (n,): those in sight first, and of them those nearest the middle.

    Parameters
    ----------
    centres : (n, 2) float array
        y, x.
    view : (2, 2) float array or None
        See `view_of`; None leaves the cells in their order.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.array([[0, 0], [50, 80], [50, 51], [50, 120], [50, 40]], dtype=float)
    >>> nearest_in_sight(cells, np.array([[40.0, 0.0], [60.0, 100.0]])).tolist()
    [2, 4, 1, 0, 3]
    """
    if view is None:
        return np.arange(len(centres))
    within = ((centres >= view[0]) & (centres <= view[1])).all(axis=1)
    away = ((centres - view.mean(axis=0)) ** 2).sum(axis=1)
    return np.lexsort((away, ~within))
