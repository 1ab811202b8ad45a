"""Shares of cells, with intervals over their groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import (
    GroupedRecall,
    difference_interval,
    few_groups_text,
)

__all__ = ["GroupedShare", "share_of", "surplus_of"]


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
        Such as whether an edit, and its sham, changed the call of each cell.
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
