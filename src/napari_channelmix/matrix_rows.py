"""The order of the rows of a matrix of figures: the strongest first, or alike ones together."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["ROW_ORDERS", "RowOrder", "row_order"]

RowOrder = Literal["effect", "clustered", "data set"]
#: Ways to order rows.
ROW_ORDERS: tuple[RowOrder, ...] = ("effect", "clustered", "data set")


def row_order(
    values: npt.ArrayLike, readable: npt.ArrayLike | None = None, how: RowOrder = "effect"
) -> tuple[int, ...]:
    """Positions of the rows in an order; our definition.

    Parameters
    ----------
    values : (R, C) array of float
        NaN: not known, which counts as 0.
    readable : (R, C) array of bool, optional
        Fields that may be read; default: all.
    how : {"effect", "clustered", "data set"}
        ``effect``: by the largest absolute value among the readable fields of a row, then among all
        its fields. ``clustered``: rows that are alike stand together (average linkage of Euclidean
        distances, leaves in the optimal order), the end with the strongest row first. ``data set``:
        as they come.

    Raises
    ------
    ValueError
        Another order.

    Examples
    --------
    >>> row_order([[0.1, 0.0], [0.0, -0.4], [0.1, 0.1]])
    (1, 0, 2)
    >>> row_order([[0.9, 0.0], [0.0, 0.5], [0.8, 0.0]], how="clustered")
    (0, 2, 1)
    """
    if how not in ROW_ORDERS:
        raise ValueError(f"rows have no order {how!r}; use {', '.join(ROW_ORDERS)}")
    table = np.nan_to_num(np.asarray(values, dtype=np.float64))
    rows = len(table)
    if how == "data set" or rows < 2 or not table.shape[1]:
        return tuple(range(rows))
    size = np.abs(table)
    counted = size if readable is None else np.where(np.asarray(readable, bool), size, 0.0)
    if how == "effect":
        keys = np.lexsort((np.arange(rows), -size.max(axis=1), -counted.max(axis=1)))
        return tuple(keys.tolist())
    from scipy.cluster.hierarchy import leaves_list, linkage

    leaves = leaves_list(linkage(table, "average", optimal_ordering=True)).tolist()
    middle = float(np.average(np.arange(rows), weights=size[leaves].max(axis=1) + 1e-12))
    return tuple(leaves if middle <= (rows - 1) / 2 else leaves[::-1])
