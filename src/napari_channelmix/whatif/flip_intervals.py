"""Intervals of shares over groups, and whether an axis flips more cells than its sham."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import (
    ASSUMED_CORRELATION,
    GROUPS,
    MISTAKES,
    GroupedRecall,
)

__all__ = ["ALPHA", "AboveSham", "above_sham", "adjusted", "share_intervals", "significant"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEVEL = 0.95
#: Adjusted one-sided p-values of axes above their shams are below this.
ALPHA = 0.025


def share_intervals(
    hits: npt.ArrayLike, groups: npt.ArrayLike, codes: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Ends of the intervals of M shares of the cells of each class: Wilson's, for cells in groups.

    As recalls have them, see `classify.intervals`; how alike the cells of a group are is seen from
    all shares and classes together.

    Parameters
    ----------
    hits : (n, M) bool array
    groups : (n,) int array
    codes : (n,) int array, optional
        Class of each cell; default: all are of one.

    Returns
    -------
    low, high : (K, M) arrays
        Rows are the classes that occur, sorted. NaN for a class with one cell.

    Examples
    --------
    >>> low, high = share_intervals([[True]] * 9 + [[False]], range(10))
    >>> [round(float(end[0, 0]), 2) for end in (low, high)]
    [0.6, 0.98]
    """
    table, kinds, kind, number, group = _by_class(hits, groups, codes)
    width = table.shape[1]
    shape = len(kinds), width
    if not table.size:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    right, cells = np.zeros((2, number, *shape))
    np.add.at(right, (group, kind), table)
    np.add.at(cells, (group, kind), 1.0)
    recall = GroupedRecall(cells.reshape(number, -1), right.reshape(number, -1))
    below, above = recall.reach(LEVEL)
    low = np.maximum(0.0, recall.recall - below).reshape(shape)
    high = np.minimum(1.0, recall.recall + above).reshape(shape)
    single = np.bincount(kind, minlength=len(kinds)) < 2
    low[single], high[single] = np.nan, np.nan
    return low, high


def _by_class(
    values: npt.ArrayLike, groups: npt.ArrayLike, codes: npt.ArrayLike | None
) -> tuple[FloatArray, IntArray, IntArray, int, IntArray]:
    """Values (n, M), classes that occur, each cell's among them, number of groups, each cell's."""
    table = np.asarray(values, np.float64)
    classes = np.zeros(len(table), np.int64) if codes is None else np.asarray(codes, np.int64)
    kinds, kind = np.unique(classes, return_inverse=True)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    return table, kinds, kind, len(names), group


@dataclass(frozen=True, eq=False)
class AboveSham:
    """By how much M axes flip more of the same cells than their shams, for K classes.

    Attributes
    ----------
    difference, low, high : (K, M) arrays
        Of the shares, with intervals over groups; NaN ends for a class with one cell.
    p_value : (K, M) array
        One-sided, of no difference, for these cells and for their groups.
    """

    difference: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    p_value: FloatArray = field(repr=False)


def above_sham(
    flips: npt.ArrayLike, shams: npt.ArrayLike, groups: npt.ArrayLike, codes: npt.ArrayLike
) -> AboveSham:
    """Hold flips against those of the shams, cell by cell.

    The difference of each cell is -1, 0 or 1. The interval of their mean is that of independent
    pairs with half a cell added to each of the ways that a pair may turn out (Agresti and Min 2005,
    Statistics in Medicine 24, 729), its variance times what cells in groups are alike (Kish's
    design effect). How alike they are is seen from all axes and classes together; ``.2`` counts as
    two cells, as for recalls. Student's t, with one degree of freedom less than each class has
    groups, and one more in all. One axis may differ from group to group where the others do not:
    so the variance is at least that of its own groups alone (a ratio of sums over groups, Cochran
    1977, Sampling Techniques, section 9A.1). The p-value is the larger of two: McNemar's, exact, of
    the cells that only one of the two flips; and that of the same t over groups, since McNemar's
    knows none. Our definition; `benchmarks/whatif_null.py` measures how often it errs.

    Parameters
    ----------
    flips, shams : (n, M) bool arrays
    groups, codes : (n,) int arrays
        Group and class of each cell.
    """
    from scipy.stats import binom, t

    first = np.asarray(flips, np.float64)
    table, kinds, kind, number, group = _by_class(first - np.asarray(shams), groups, codes)
    shape = len(kinds), table.shape[1]
    cells = np.zeros((number, len(kinds)))
    np.add.at(cells, (group, kind), 1.0)
    total = cells.sum(axis=0)[:, None]
    more, less = np.zeros((2, *shape))
    np.add.at(more, kind, table > 0)
    np.add.at(less, kind, table < 0)
    mean = (more - less) / total
    p_value = np.where(more + less > 0, binom.sf(more - 1, more + less, 0.5), 1.0)
    sums = np.zeros((number, *shape))
    np.add.at(sums, (group, kind), table)
    design = _design_effect(sums, mean, (more + less) / total, cells)
    centre = (more - less) / (total + 2)
    variance = ((more + less + 1) / (total + 2) - centre**2) / (total + 2)
    freedom = float(((cells > 0).sum(axis=0) - 1).sum()) + GROUPS
    error = np.sqrt(np.maximum(variance * design[:, None], _own_variance(sums, mean, cells)))
    p_value = np.maximum(p_value, t.sf(centre / error, freedom))
    reach = float(t.ppf(0.5 + LEVEL / 2, freedom)) * error
    low = np.clip(np.minimum(mean, centre - reach), -1, 1)
    high = np.clip(np.maximum(mean, centre + reach), -1, 1)
    low[total[:, 0] < 2], high[total[:, 0] < 2] = np.nan, np.nan
    return AboveSham(mean, low, high, p_value)


def _own_variance(sums: FloatArray, mean: FloatArray, cells: FloatArray) -> FloatArray:
    """Variance (K, M) of each mean by its own groups alone; parameters as of `_design_effect`."""
    number = (cells > 0).sum(axis=0)[:, None]
    surplus = ((sums - mean[None] * cells[:, :, None]) ** 2).sum(axis=0)
    return np.asarray(
        number / np.maximum(number - 1, 1) * surplus / cells.sum(axis=0)[:, None] ** 2
    )


def _design_effect(
    sums: FloatArray, mean: FloatArray, squares: FloatArray, cells: FloatArray
) -> FloatArray:
    """By how much the variance of a class' mean grows since its cells come in groups, (K,).

    Parameters
    ----------
    sums : (G, K, M) array
        Sums of the differences in each group.
    mean, squares : (K, M) arrays
        Mean difference, and mean square.
    cells : (G, K) array
    """
    total = cells.sum(axis=0)
    size = (cells**2).sum(axis=0) / total
    shares = cells / total
    seen = (cells > 0) & (shares < 1)
    spread = (squares - mean**2)[None] * cells[:, :, None]
    surplus = (sums - mean[None] * cells[:, :, None]) ** 2
    excess = (surplus[seen] / (1 - shares[seen])[:, None] - spread[seen]).sum()
    pairs = (spread[seen] * (cells[seen] - 1)[:, None]).sum()
    assumed = MISTAKES * ((cells**2).sum() / cells.sum() - 1)
    if pairs + assumed <= 0:
        return np.ones(len(total))
    alike = np.clip((excess + assumed * ASSUMED_CORRELATION) / (pairs + assumed), 0, 1)
    return np.asarray(1 + alike * (size - 1))


def adjusted(p_values: npt.ArrayLike) -> FloatArray:
    """P-values (M,) adjusted for their number: false discoveries held by Benjamini and Hochberg.

    J. R. Stat. Soc. B 57 (1995), 289.

    Examples
    --------
    >>> adjusted([0.01, 0.04, 0.03, 0.5]).round(3).tolist()
    [0.04, 0.053, 0.053, 0.5]
    """
    from scipy.stats import false_discovery_control

    values = np.asarray(p_values, np.float64)
    return np.asarray(false_discovery_control(values)) if len(values) else values


def significant(
    p_values: npt.ArrayLike, lows: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Which of M rows that are tested together are above their shams.

    Parameters
    ----------
    p_values, lows : (M,) arrays
        Of `AboveSham`: p-values, and lower ends of the intervals.

    Returns
    -------
    p_values : (M,) array
        Adjusted.
    above : (M,) bool array
        The adjusted p-value is below `ALPHA`, and the interval begins above 0.

    Examples
    --------
    >>> significant([0.001, 0.02, 0.001], [0.2, 0.1, -0.1])[1].tolist()
    [True, True, False]
    """
    values = adjusted(p_values)
    return values, (values < ALPHA) & (np.asarray(lows, np.float64) > 0)
