"""Intervals of means and shares of cells that come in groups: the groups are what varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import (
    GroupedRecall,
    difference_interval,
    few_groups_text,
)

__all__ = [
    "ClassMeans",
    "GroupedShare",
    "class_means",
    "class_shares",
    "share_of",
    "surplus_of",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """Means over the cells of each class, and over the classes, with 95 % intervals over groups.

    Attributes
    ----------
    mean, low, high : (K + 1, ...) float arrays
        Of each class, and last the mean over the classes that occur. NaN for a class without
        cells; intervals are NaN of a single group.
    n, n_groups : (K + 1,) int arrays
        Cells and groups.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    n: IntArray
    n_groups: IntArray


def class_means(
    values: npt.ArrayLike,
    codes: npt.ArrayLike,
    groups: npt.NDArray[Any],
    classes: int,
    cells: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> ClassMeans:
    """Means of values by class, with Student intervals over groups.

    A mean over cells is a ratio of sums over groups; its variance is that of the groups' surplus,
    ``G / (G - 1) sum_g (sum of (value - mean) in g / n)^2`` (Cochran 1977, Sampling Techniques,
    section 9A.1; the linearisation that a bootstrap of the groups tends to). Freedom: groups less
    one; for the mean over classes, less one for each set of classes that shares groups.

    Parameters
    ----------
    values : (P, ...) array
    codes : (P,) int array
        Class of each row.
    groups : (P,) array
    classes : int
        K.
    cells : (P,) array, optional
        Cell of each row, where cells have several rows; for `n`.
    level : float

    Examples
    --------
    >>> import numpy as np
    >>> made = class_means([0.0, 0.0, 1.0, 1.0], [0, 0, 0, 0], np.array(list("aabb")), 1)
    >>> float(made.mean[0]), made.n.tolist(), made.n_groups.tolist()
    (0.5, [4, 4], [2, 2])
    """
    rows, code = np.asarray(values, np.float64), np.asarray(codes, np.int64)
    flat = rows.reshape(len(rows), -1)
    names, group = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), classes, flat.shape[1]))
    counts = np.zeros((len(names), classes))
    np.add.at(sums, (group, code), flat)
    np.add.at(counts, (group, code), 1.0)
    total, there = counts.sum(axis=0), counts > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.sum(axis=0) / total[:, None]
        surplus = (sums - counts[:, :, None] * mean) / total[:, None]
    occurs = total > 0
    surplus[:, ~occurs] = 0.0
    overall = surplus[:, occurs].sum(axis=1) / max(int(occurs.sum()), 1)
    n_groups = there.sum(axis=0)
    reach = [
        _reach(surplus[:, k], int(n_groups[k]), int(n_groups[k]) - 1, level) for k in range(classes)
    ]
    reach.append(_reach(overall, len(names), len(names) - _sets(there[:, occurs]), level))
    means = (
        np.concatenate([mean, mean[occurs].mean(axis=0)[None]])
        if occurs.any()
        else np.full((classes + 1, flat.shape[1]), np.nan)
    )
    which = np.arange(len(rows)) if cells is None else np.asarray(cells)
    n = [len(np.unique(which[code == k])) for k in range(classes)]
    shape = (classes + 1, *rows.shape[1:])
    far = np.stack(reach)
    return ClassMeans(
        means.reshape(shape),
        (means - far).reshape(shape),
        (means + far).reshape(shape),
        np.array([*n, len(np.unique(which))]),
        np.array([*n_groups, len(names)]),
    )


def _reach(surplus: FloatArray, groups: int, freedom: int, level: float) -> FloatArray:
    """Half an interval from the surplus (G, ...) of the groups."""
    from scipy.stats import t

    if groups < 2 or freedom < 1:
        return np.full(surplus.shape[1:], np.nan)
    variance = groups / (groups - 1) * (surplus**2).sum(axis=0)
    return np.asarray(t.ppf(0.5 + level / 2, freedom) * np.sqrt(variance))


def _sets(there: npt.NDArray[np.bool_]) -> int:
    """Sets of classes that share groups, from which class (G, K) occurs in which group."""
    from scipy.sparse.csgraph import connected_components

    linked = there.T.astype(np.int64) @ there
    return int(connected_components(linked, directed=False)[0])


def class_shares(
    hits: npt.ArrayLike,
    codes: npt.ArrayLike,
    groups: npt.NDArray[Any],
    classes: int,
    cells: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> ClassMeans:
    """Shares of rows that are true by class, with Wilson intervals that know of groups.

    As recalls have them; see `classify.intervals.GroupedRecall`. Rows of one cell in a class weigh
    as much as one.

    Parameters
    ----------
    hits : (P,) bool array
    codes, groups, classes, cells, level
        As of `class_means`.

    Examples
    --------
    >>> import numpy as np
    >>> made = class_shares([True, True, False, True], [0, 0, 1, 1], np.arange(4), 2)
    >>> made.mean.tolist()
    [1.0, 0.5, 0.75]
    """
    right, code = np.asarray(hits, bool), np.asarray(codes, np.int64)
    which = np.arange(len(right)) if cells is None else np.asarray(cells)
    mean, low, high = np.full((3, classes + 1), np.nan)
    n, n_groups = np.zeros((2, classes + 1), np.int64)
    if len(right):
        # Rows of a cell within a class weigh as much as one.
        _, cell = np.unique(which, return_inverse=True)
        _, place, rows = np.unique(cell * classes + code, return_inverse=True, return_counts=True)
        counts = GroupedRecall.of(
            code, np.where(right, code, -1), groups, classes, 1.0 / rows[place]
        )
        present = np.flatnonzero(np.bincount(code, minlength=classes))
        below, above = counts.reach(level)
        mean[present] = counts.recall
        low[present], high[present] = counts.recall - below, counts.recall + above
        reach = counts.balanced_reach(level)
        mean[-1] = counts.balanced
        low[-1], high[-1] = counts.balanced - reach[0], counts.balanced + reach[1]
        n[:-1] = [len(np.unique(which[code == k])) for k in range(classes)]
        n_groups[:-1] = [len(np.unique(groups[code == k])) for k in range(classes)]
        n[-1], n_groups[-1] = len(np.unique(which)), len(np.unique(groups))
    return ClassMeans(mean, np.clip(low, 0, 1), np.clip(high, 0, 1), n, n_groups)


# ---------------------------------------------------------------- cells of all classes together


@dataclass(frozen=True)
class GroupedShare:
    """A share of some cells.

    Attributes
    ----------
    share, low, high : float
        0 to 1, and its 95 % interval over groups; all NaN without cells.
    n, groups : int
        Cells and their groups.
    warning : str
        Why the interval says little; empty where it does not.
    """

    share: float
    low: float
    high: float
    n: int
    groups: int
    warning: str = ""


def share_of(flags: npt.ArrayLike, groups: npt.ArrayLike) -> GroupedShare:
    """Share of cells for which something holds.

    Parameters
    ----------
    flags : (N,) bool array
    groups : (N,) array

    Returns
    -------
    GroupedShare
        With Wilson's interval for as many independent cells as these are worth; see
        `classify.intervals`.

    Examples
    --------
    >>> share_of([True, True, False, True], ["A01", "A01", "A02", "A02"]).share
    0.75
    """
    holds, names = np.asarray(flags, bool), np.asarray(groups)
    if not holds.size:
        nothing = float("nan")
        return GroupedShare(nothing, nothing, nothing, 0, 0, "no cell")
    counts = GroupedRecall.of(np.zeros(len(holds), np.int64), (~holds).astype(np.int64), names, 1)
    below, above = counts.balanced_reach()
    share, number = counts.balanced, len(np.unique(names))
    low, high = max(0.0, share - below), min(1.0, share + above)
    return GroupedShare(share, low, high, len(holds), number, few_groups_text(number, len(holds)))


def surplus_of(
    flags: npt.ArrayLike, others: npt.ArrayLike, groups: npt.ArrayLike
) -> tuple[float, float, float]:
    """By how much one share is higher than another of the same cells, with a 95 % interval.

    Parameters
    ----------
    flags, others : (N,) bool arrays
        Such as whether an edit, and its sham, changed the prediction of each cell.
    groups : (N,) array

    Returns
    -------
    surplus, low, high : float
        -1 to 1; see `classify.intervals.difference_interval`. NaN without cells.

    Examples
    --------
    >>> surplus_of([True] * 4, [False] * 4, ["A01", "A01", "A02", "A02"])[0]
    1.0
    """
    first, second = ((~np.asarray(some, bool)).astype(np.int64) for some in (flags, others))
    if not first.size:
        return float("nan"), float("nan"), float("nan")
    return difference_interval(np.zeros(len(first), np.int64), first, second, groups, 1)
