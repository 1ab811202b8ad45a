"""Which cells of a large data set stand for all of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import hold
from napari_channelmix.errors import DataError

__all__ = ["chosen_cells"]

IntArray = npt.NDArray[np.int64]


def chosen_cells(count: int, limit: int | None, seed: int = 0) -> IntArray:
    """Positions of the cells to explain, rising: one from each of ``limit`` equal stretches.

    All stretches of the data set have their share, and which cell of a stretch it is, is drawn:
    a fixed step could meet the same column of every plate. Our definition.

    Raises
    ------
    DataError
        A limit below 1.
    """
    hold(DataError, limit=limit, seed=seed)
    if limit is None or limit >= count:
        return np.arange(count)
    edges = np.arange(limit + 1) * count // limit
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])
