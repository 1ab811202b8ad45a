"""Some of many cells, drawn so that no class, or no group, vanishes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["drawn_equally"]

IntArray = npt.NDArray[np.int64]


def drawn_equally(kinds: npt.NDArray[Any], limit: int, rng: np.random.Generator) -> IntArray:
    """Rows (n,), in order, of at most ``limit`` cells: equally many of each kind, or all it has.

    Parameters
    ----------
    kinds : (N,) array
        Class or group of each cell. Where there are more kinds than ``limit``, some of them are
        drawn, with a cell each.
    limit : int
    rng : Generator
    """
    if len(kinds) <= limit:
        return np.arange(len(kinds))
    _, code = np.unique(kinds, return_inverse=True)
    rows_of = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    of_kinds = [rng.permutation(rows) for rows in rows_of]
    if len(of_kinds) > limit:
        of_kinds = [of_kinds[place] for place in rng.choice(len(of_kinds), limit, replace=False)]
    # The rarer kinds first: what they leave is for the others.
    of_kinds.sort(key=len)
    room, chosen = limit, []
    for position, rows in enumerate(of_kinds):
        some = rows[: room // (len(of_kinds) - position)]
        room -= len(some)
        chosen.append(some)
    return np.sort(np.concatenate(chosen))
