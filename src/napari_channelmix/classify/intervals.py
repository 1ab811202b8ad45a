"""Intervals of accuracies that know of groups, since cells of one well are not independent.

A recall is a proportion of cells that come in groups. Its interval is Wilson's, for as many cells
as would be worth the same if they were independent; the intervals of the classes are then put
together to that of the balanced accuracy, and those of two accuracies to that of their difference.
Nothing is drawn at random, and a score of 1 has an interval too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.wilson import wilson_reach
from napari_channelmix.wording import counted

__all__ = [
    "FEW_GROUPS",
    "TOO_FEW_GROUPS",
    "GroupedRecall",
    "accuracy_interval",
    "difference_interval",
    "few_groups_text",
]

FloatArray = npt.NDArray[np.float64]

#: Fewer groups than these say little of others, and fewer than those nothing.
FEW_GROUPS, TOO_FEW_GROUPS = 5, 3


def few_groups_text(groups: int, cells: int) -> str:
    """That so many groups say little of others, or nothing; empty where they are enough.

    Also where every cell is a group of its own: then none are known.
    """
    if groups >= FEW_GROUPS or 1 < groups == cells:
        return ""
    if groups < TOO_FEW_GROUPS:
        are = counted(groups, "group", "are")
        return f"{are} too few to say anything about other groups"
    return f"{groups} groups say little about other groups"


# How alike cells of a group are assumed to be before there are mistakes to see it by. Our choice:
# what wells of cell screens may well have; with .1, intervals of high accuracies miss more often
# (docs/accuracy.md). It weighs as much as two mistaken cells and one group.
ASSUMED_CORRELATION = 0.2
MISTAKES, GROUPS = 2, 1


@dataclass(frozen=True, eq=False)
class GroupedRecall:
    """Recall of each class in each group, and what is known of others by it.

    Attributes
    ----------
    cells, right : (G, K) float arrays
        Cells of each group and class that occurs, and how many of them are classified rightly.
    """

    cells: FloatArray
    right: FloatArray

    @classmethod
    def of(
        cls,
        labels: npt.ArrayLike,
        predicted: npt.ArrayLike,
        groups: npt.ArrayLike,
        classes: int,
        weights: npt.ArrayLike = 1.0,
    ) -> GroupedRecall:
        """Count cells (N,) of classes 0 to ``classes - 1``; classes without cells are left out.

        ``weights`` (N,): part of a cell that a row is of, where a cell has several rows.
        """
        truth, guess = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
        names, group = np.unique(np.asarray(groups), return_inverse=True)
        cells, right = np.zeros((2, len(names), classes))
        part = np.broadcast_to(np.asarray(weights, np.float64), truth.shape)
        np.add.at(cells, (group, truth), part)
        np.add.at(right, (group, truth), part * (truth == guess))
        occurs = cells.any(axis=0)
        return cls(cells[:, occurs], right[:, occurs])

    @cached_property
    def total(self) -> FloatArray:
        """Cells of each class (K,)."""
        return np.asarray(self.cells.sum(axis=0))

    @cached_property
    def recall(self) -> FloatArray:
        """Recall of each class (K,)."""
        return np.asarray(self.right.sum(axis=0) / self.total)

    @property
    def balanced(self) -> float:
        """Mean recall."""
        return float(self.recall.mean())

    @cached_property
    def surplus(self) -> FloatArray:
        """Right answers of each group and class (G, K), less what the class's recall expects."""
        return self.right - self.recall * self.cells

    @cached_property
    def correlation(self) -> float:
        """Intraclass correlation of being right, 0 to 1: how alike the cells of a group are.

        The same for all classes. A group's ``n`` cells of a class with recall ``p`` have the
        squared surplus ``n p (1 - p) (1 + (n - 1) correlation)`` on average, of which the class's
        own recall hides the share of its cells that the group holds. Moments, summed over groups
        and classes; ``ASSUMED_CORRELATION`` counts as two mistaken cells. Our definition, after
        Kish (1965), Survey Sampling, section 5.4.
        """
        shares = self.cells / self.total
        # Of a class in one group nothing is seen.
        seen = (self.cells > 0) & (shares < 1)
        cells, spread = self.cells[seen], (self.recall * (1 - self.recall) * self.cells)[seen]
        excess = (self.surplus[seen] ** 2 / (1 - shares[seen]) - spread).sum()
        pairs = (spread * (cells - 1)).sum()
        assumed = MISTAKES * ((self.cells**2).sum() / self.cells.sum() - 1)
        if assumed <= 0:
            return 0.0
        return float(np.clip((excess + assumed * ASSUMED_CORRELATION) / (pairs + assumed), 0, 1))

    @cached_property
    def worth(self) -> FloatArray:
        """Independent cells (K,) that would tell as much of each class: Kish's effective number."""
        size = (self.cells**2).sum(axis=0) / self.total
        return np.asarray(self.total / (1 + self.correlation * (size - 1)))

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of what is seen between groups; infinite for groups of one cell.

        Groups that share classes are compared with each other: such a set of them has as many as
        it has groups of equal weight (Kish), less one. The assumed correlation counts as one more.
        """
        if self.cells.sum(axis=1).max() <= 1 + 1e-9:
            return float("inf")
        from scipy.sparse.csgraph import connected_components

        occurs = self.cells > 0
        # Classes that share a group are linked through it; a group is in the set of its classes.
        linked = occurs.T.astype(np.int64) @ occurs
        sets, place = connected_components(linked, directed=False)
        group_set = place[occurs.argmax(axis=1)]
        weight = (self.cells / self.total).sum(axis=1)
        sums, squares = np.zeros((2, sets))
        np.add.at(sums, group_set, weight)
        np.add.at(squares, group_set, weight**2)
        return float((sums**2 / squares - 1).sum()) + GROUPS

    @cached_property
    def together(self) -> FloatArray:
        """Correlations (K, K) of the classes' recalls: groups that are bad for several of them."""
        length = np.sqrt((self.surplus**2).sum(axis=0))
        unit = np.divide(self.surplus, length, out=np.zeros_like(self.surplus), where=length > 0)
        correlation = np.asarray(unit.T @ unit)
        np.fill_diagonal(correlation, 1.0)
        return correlation

    def reach(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """How far below and above the recalls (K,) their intervals reach."""
        from scipy.stats import t

        return wilson_reach(self.recall, self.worth, float(t.ppf(0.5 + level / 2, self.freedom)))

    def balanced_reach(self, level: float = 0.95) -> tuple[float, float]:
        """How far below and above the balanced accuracy its interval reaches.

        The variances that the classes' intervals stand for are added (MOVER; Zou and Donner 2008,
        Statistics in Medicine 27, 1693), with their correlations; never less than what cells that
        are all independent would give.
        """
        from scipy.stats import norm

        alone = wilson_reach(self.recall, self.total, float(norm.ppf(0.5 + level / 2)))
        below, above = (
            float(np.sqrt(max(far @ self.together @ far, least @ least))) / len(self.total)
            for far, least in zip(self.reach(level), alone, strict=True)
        )
        return below, above


def accuracy_interval(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: int,
    *,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of the balanced accuracy on other groups of the same kind.

    Parameters
    ----------
    labels, predicted : (N,) int arrays
        Positions in the classes.
    groups : (N,) array
    classes : int
    level : float
    """
    counts = GroupedRecall.of(labels, predicted, groups, classes)
    below, above = counts.balanced_reach(level)
    return max(0.0, counts.balanced - below), min(1.0, counts.balanced + above)


def difference_interval(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: int,
    *,
    weights: npt.ArrayLike = 1.0,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """By how much the first of two balanced accuracies on the same cells is higher, and interval.

    The intervals of both are put together with the correlation of what groups add to either
    (Newcombe 1998, Statistics in Medicine 17, 2635, method 8, with groups in the place of pairs);
    never less than what pairs of independent cells would give, class by class: a class of two cells
    that both classify otherwise says little, whatever the groups of the others say.

    Parameters
    ----------
    labels, first, second : (N,) int arrays
        Positions in the classes: the true ones, and those that each predicts.
    groups : (N,) array
    classes : int
    weights : (N,) array, optional
        As for `GroupedRecall.of`.
    level : float

    Returns
    -------
    difference, low, high : float
        -1 to 1.
    """
    recall, other = (
        GroupedRecall.of(labels, predicted, groups, classes, weights)
        for predicted in (first, second)
    )
    below, above = np.array([recall.balanced_reach(level), other.balanced_reach(level)]).T
    added, other_added = ((each.surplus / each.total).mean(axis=1) for each in (recall, other))
    length = np.sqrt((added @ added) * (other_added @ other_added))
    correlation = float(added @ other_added / length) if length > 0 else 0.0
    difference = recall.balanced - other.balanced
    least = _paired_reach(labels, first, second, weights, level)

    def apart(reach: float, other_reach: float) -> float:
        square = reach**2 + other_reach**2 - 2 * correlation * reach * other_reach
        return max(float(np.sqrt(max(square, 0.0))), least)

    return (
        difference,
        max(-1.0, difference - apart(below[0], above[1])),
        min(1.0, difference + apart(above[0], below[1])),
    )


def _paired_reach(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: npt.ArrayLike,
    level: float,
) -> float:
    """Half the interval of the difference for independent cells.

    Wald's for paired proportions, with half a cell added to each of the four ways that a pair may
    turn out (Agresti and Min 2005, Statistics in Medicine 24, 729).
    """
    from scipy.stats import norm

    truth = np.asarray(labels)
    ahead = (np.asarray(first) == truth).astype(np.int64) - (np.asarray(second) == truth)
    part = np.broadcast_to(np.asarray(weights, np.float64), truth.shape)
    variances = []
    for code in np.unique(truth):
        differences, of = ahead[truth == code], part[truth == code]
        more, less, n = (
            of[differences > 0].sum() + 0.5,
            of[differences < 0].sum() + 0.5,
            of.sum() + 2,
        )
        variances.append(((more + less) - (more - less) ** 2 / n) / n**2)
    return float(norm.ppf(0.5 + level / 2) * np.sqrt(np.sum(variances)) / len(variances))
