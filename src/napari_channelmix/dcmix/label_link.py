"""Is a channel linked to the labels, by itself: a classifier learnt anew for permuted labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import factorial, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.group_permutation import Deals, label_deals
from napari_channelmix.classify.metrics import recall_of
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.channel_features import CropNumbers

__all__ = ["LinkTest", "link_job", "whitened"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

# Ways to deal the labels up to which all are tried; beyond, at least so many are drawn, and so many
# for each channel that p is corrected for.
EXACT, DRAWS, DRAWS_OF_CHANNEL = 2_000, 999, 100
# Folds of a training that holds out the cells of a group together.
FOLDS = 10
# Cells beyond these are left out, equally per group: permuting them would take longer than they
# teach. Labels are not looked at, or the test would not be exact.
MOST_CELLS = 2_000
# Added to the variance of each direction, as a share of their mean, before it is scaled to 1.
SHRINKAGE = 0.1
# Scores that are handled at once.
BLOCK = 4_000_000
# Differences of accuracies that are rounding.
ROUNDING = 1e-9
TOO_FEW = "a class has too few cells to test the channels alone"


@dataclass(frozen=True)
class LinkTest:
    """How well each channel alone tells the classes, held against permuted labels.

    Attributes
    ----------
    p_value : tuple of float
        (C,) share of the permutations for which the channel tells the labels as well, without
        correction for the number of channels.
    accuracy : tuple of float
        (C,) balanced accuracy of the labels as they are.
    least : float
        The smallest p that so many groups, or so many permutations, can give.
    ways : float
        Ways to label the groups that the test can tell apart; infinity where they were not counted.
    n_groups : int
    unavailable_reason : str
        Why there is no such test, and no other figure means anything; empty where there is.
    """

    p_value: tuple[float, ...]
    accuracy: tuple[float, ...]
    least: float
    ways: float
    n_groups: int
    unavailable_reason: str = ""

    @classmethod
    def missing(cls, channels: int, groups: int) -> LinkTest:
        """None for so many channels, as a class has too few cells for it."""
        return cls((1.0,) * channels, (float("nan"),) * channels, 1.0, 1.0, groups, TOO_FEW)


def link_job(
    numbers: CropNumbers,
    labels: IntArray,
    groups: npt.NDArray[Any],
    *,
    seed: int = 0,
) -> Job[LinkTest]:
    """Test whether each channel by itself is linked to the labels, as a job.

    The statistic is the balanced accuracy of a classifier that sees the numbers of one channel:
    a cell is called the class whose mean is nearest, where the numbers are ranked, given a normal
    distribution and whitened (see `whitened`), and the means are those of the other folds. Where
    groups hold several classes, the numbers are joined by their distances from the mean of the
    group, as groups may differ more than classes. Folds, ranks and whitening know nothing of
    labels, so accuracy is a fixed function of numbers and labels, and all of it is done anew for
    each permutation of the labels between groups (`label_deals`).

    Therefore the test is exact, whatever the groups differ in, as long as labels were dealt to
    groups without regard to what the channel shows: p < .05 in at most 5 %. A permutation test of
    a classifier (Ojala and Garriga 2010, Journal of Machine Learning Research 11, 1833, test 1);
    the classifier is our choice, made for its speed. For groups of several classes, whose shares
    are dealt as nearly as whole numbers of cells allow, it is exact but for that.

    What a channel says only together with another one is missed, and so is what the numbers do not
    hold (`crop_numbers`).

    Parameters
    ----------
    numbers : CropNumbers
        Of N cells.
    labels : (N,) int array
    groups : (N,) array
    seed : int
        Of the permutations, and of the cells that are left out where they are more than 2000
        (equally many of each group stay).
    """
    rng = np.random.default_rng([seed, 2])
    chosen = drawn_equally(groups, MOST_CELLS, rng)
    # Classes without a cell are not asked for.
    present, drawn = np.unique(labels[chosen], return_inverse=True)
    classes, channels = len(present), numbers.values.shape[2]
    names, group = np.unique(groups[chosen], return_inverse=True)
    if classes < 2:
        return LinkTest.missing(channels, len(names))
    draws = max(DRAWS, DRAWS_OF_CHANNEL * channels - 1)
    deals = label_deals(drawn, group, classes, rng, exact_up_to=EXACT, draws=draws)
    dealt = np.concatenate([deals.labels[None], *deals.blocks])
    mixed = len(deals.labels) > len(names)
    folds = _folds(group)
    accuracies = np.empty((channels, len(dealt)))
    size = max(1, BLOCK // (len(chosen) * classes))
    for channel in range(channels):
        values = numbers.values[chosen, :, channel]
        cells = whitened(_with_deviations(values, group) if mixed else values)
        for start in range(0, len(dealt), size):
            yield Progress(channel + start / len(dealt), channels, "testing each channel alone")
            some = slice(start, start + size)
            labelled = dealt[some, deals.unit].T
            accuracies[channel, some] = _accuracies(cells, labelled, folds, classes)
    return _summary(accuracies, deals, len(names))


def whitened(values: FloatArray) -> Singles:
    """Numbers (N, D) as ranks with a normal distribution, uncorrelated and of like spread.

    The number of rank r (from 1) becomes the quantile ``(r - 1/2) / N`` of the normal distribution.
    With eigenvalues ``l_d`` of the covariance, direction d is divided by
    ``sqrt(l_d + 0.1 mean(l))``.
    """
    from scipy.stats import norm, rankdata

    normal = norm.ppf((rankdata(values, axis=0) - 0.5) / len(values))
    centred = normal - normal.mean(axis=0)
    spread, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    spread = np.maximum(spread, 0.0)
    scale = np.sqrt(spread + SHRINKAGE * spread.mean())
    white: FloatArray = centred @ (directions / np.where(scale > 0, scale, 1.0))
    return white.astype(np.float32)


def _with_deviations(values: FloatArray, group: IntArray) -> FloatArray:
    """Numbers (N, D), and how far each is from the mean of its group: (N, 2 D)."""
    means = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(means, group, values)
    means /= np.bincount(group)[:, None]
    return np.concatenate([values, values - means[group]], axis=1)


def _folds(group: IntArray) -> list[IntArray]:
    """Cells of each fold, those of a group in the same; no label is looked at."""
    from sklearn.model_selection import GroupKFold

    count = min(FOLDS, int(group.max()) + 1)
    if count < 2:
        return []
    split = GroupKFold(n_splits=count).split(group, groups=group)
    return [test for _, test in split]


def _accuracies(
    cells: Singles, labels: IntArray, folds: list[IntArray], classes: int
) -> FloatArray:
    """Balanced accuracy (B,) under labels (N, B); NaN where a class has no cell."""
    member = np.stack([labels == code for code in range(classes)]).astype(np.float32)  # (K, N, B)
    sums = np.einsum("nd,knb->kdb", cells, member, optimize=True)
    counts = member.sum(axis=1)
    hits = np.zeros_like(counts)
    for fold in folds:
        own, there = cells[fold], member[:, fold]
        left = (counts - there.sum(axis=1))[:, None]  # (K, 1, B)
        means = (sums - np.einsum("nd,knb->kdb", own, there, optimize=True)) / np.maximum(left, 1)
        # Of all classes the distance to a cell has its own square in common.
        score = np.einsum("nd,kdb->knb", own, means, optimize=True)
        score -= 0.5 * (means**2).sum(axis=1, keepdims=True)
        score = np.where(left > 0, score, -np.inf)
        right = score.argmax(axis=0) == labels[fold]
        for code in range(classes):
            hits[code] += (there[code] * right).sum(axis=0)
    return np.asarray(recall_of(hits, counts).mean(axis=0))


def _summary(accuracies: FloatArray, deals: Deals, groups: int) -> LinkTest:
    """Put accuracies (C, 1 + B) of the labels as they are, then of the permuted ones, in words."""
    observed, null = accuracies[:, :1], accuracies[:, 1:]
    # Shares that are dealt to groups of other sizes may leave a class without cells.
    null = null[:, np.isfinite(null).all(axis=0)]
    # A permutation that was drawn stands beside the labels as they are.
    own = 0 if deals.exact else 1
    count = null.shape[1] + own
    if not count or not np.isfinite(observed).all():
        return LinkTest.missing(len(accuracies), groups)
    above = (null >= observed - ROUNDING).sum(axis=1) + own
    # Classes in equally many groups may change names, and the classifier is as accurate.
    alike = prod(map(factorial, Counter(np.bincount(deals.labels).tolist()).values()))
    ways = deals.ways / alike
    return LinkTest(
        tuple((above / count).tolist()),
        tuple(observed[:, 0].tolist()),
        max(1 / count, 1 / ways),
        ways,
        groups,
    )
