"""Distances between cells and training cells, in units of what is ordinary among the latter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.training_data import (
    PAIRED,
    QUANTILES,
    TrainingData,
    channel_pairs,
)
from napari_channelmix.data.crop_profile import BLOCK, FEATURES, CropProfile

__all__ = ["Likeness", "likeness", "plain_likeness"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Distance of a set that is said. See docs/data-shift.md for how it was found.
LIMIT = 5.0
# The mean of a few cells has heavier tails than that of many: the limit grows by this over n.
FEW = 4.0
# A single cell is strange this many times farther from the median than 99 of 100 training cells,
# and beyond all of them by this share of their range, and more where these are few.
FAR, BEYOND, RARE = 4.0, 1.0, 200.0
# And by this share of the standard deviation of the pixels, or of a correlation, at least.
LEAST_LEVEL, LEAST_SMOOTHNESS = 0.5, 0.1
# An exchange of channels must explain most of a distance that is nearly said, or is said.
EXCHANGED = 3.0
# And leave less than this share of it.
FITTING = 0.5
# Distances count up to here when channels are matched.
CAP = 30.0
# Without statistics of crops: a mean this many standard deviations away, a spread that differs by
# this factor.
PLAIN_MEAN, PLAIN_SPREAD = 0.5, 2.0


@dataclass(frozen=True, eq=False)
class Likeness:
    """How like a set of cells is to the training cells.

    Attributes
    ----------
    distances : (F, C) float64 array
        Of the mean of each figure; see `data.crop_profile.FEATURES`.
    limit : float
        From here on a distance is no longer ordinary.
    strange : (N,) bool array
        Single cells that are like none of training.
    exchanged : dict of int to int
        Channels that look like another one of training, and which.
    parted : tuple of (int, int)
        Channels whose difference is no longer ordinary, the farthest pair first.
    """

    distances: Doubles
    limit: float
    strange: Bools
    exchanged: dict[int, int]
    parted: tuple[tuple[int, int], ...] = ()

    @property
    def distance(self) -> Doubles:
        """The largest of each channel (C,)."""
        return np.asarray(self.distances.max(axis=0))

    @property
    def figure(self) -> tuple[str, ...]:
        """The name of the figure that is farthest, for each channel."""
        return tuple(FEATURES[index] for index in self.distances.argmax(axis=0))

    def differs(self, channel: int, figures: tuple[str, ...] = FEATURES) -> bool:
        """Whether one of these figures of a channel is no longer ordinary."""
        rows = [FEATURES.index(name) for name in figures]
        return bool((self.distances[rows, channel] > self.limit).any())


def likeness(data: TrainingData, profile: CropProfile) -> Likeness:
    """Hold cells against training cells.

    The mean of each figure over the cells may lie as far from that of training as the mean of any
    one class does, since a set may hold one class only; what is beyond is divided by what is
    ordinary: the spread between groups of training cells, and that of a mean of so few cells. Our
    definition.
    """
    strange = np.zeros(len(profile), dtype=bool)
    for start in range(0, len(profile), BLOCK):
        some = slice(start, start + BLOCK)
        strange[some] = _strange(data, profile.features[some], profile.constant[some])
    # A few strange cells, which are named one by one, do not make the others look strange.
    ordinary = ~strange if strange.mean() < 0.5 else np.ones(len(profile), dtype=bool)
    count = int(ordinary.sum())
    mean = profile.features.mean(axis=0, dtype=np.float64, where=ordinary[:, None, None])
    own = np.arange(len(data.channels))
    single, pairs = _distances(data, mean, count, own), _pair_distances(data, mean, count, own)
    limit = LIMIT * (1 + FEW / count)
    first, other = channel_pairs(len(own))
    far = pairs.max(axis=0, initial=0.0)
    parted = tuple(
        (int(first[pair]), int(other[pair])) for pair in np.argsort(-far) if far[pair] > limit
    )
    exchanged = _exchanged(data, mean, count, limit)
    return Likeness(single, limit, strange, exchanged, parted)


def plain_likeness(mean: Doubles, sd: Doubles, profile: CropProfile) -> Likeness:
    """Hold cells against a mean and a standard deviation of each channel, all that is known."""
    distances = np.zeros((len(FEATURES), len(mean)))
    spread = np.maximum(profile.sd, 1e-12)
    ratio = np.maximum(spread / sd, sd / spread)
    distances[FEATURES.index("mean")] = LIMIT * np.abs(profile.mean - mean) / sd / PLAIN_MEAN
    distances[FEATURES.index("sd")] = LIMIT * np.log(ratio) / np.log(PLAIN_SPREAD)
    return Likeness(
        distances, LIMIT * (1 + FEW / len(profile)), np.zeros(len(profile), dtype=bool), {}
    )


def _distances(data: TrainingData, mean: Doubles, count: int, of: IntArray) -> Doubles:
    """Distances (F, C) of the channels from those of training numbered ``of``."""
    away = np.abs(mean - data.centre[:, of]) - data.apart[:, of]
    ordinary = data.between**2 + data.within**2 / count + data.error**2
    return np.asarray(np.maximum(away, 0) / np.sqrt(ordinary[:, of] + 1e-24))


def _pair_distances(data: TrainingData, mean: Doubles, count: int, of: IntArray) -> Doubles:
    """Distances (4, P) of the differences between two channels, each held against ``of``."""
    first, other = channel_pairs(len(of))
    rows = [FEATURES.index(name) for name in PAIRED]
    place = np.zeros((len(of), len(of)), dtype=np.int64)
    place[first, other] = place[other, first] = np.arange(len(first))
    which, sign = place[of[first], of[other]], np.where(of[first] < of[other], 1, -1)
    now = mean[rows][:, first] - mean[rows][:, other]
    away = np.abs(sign * now - data.pair_centre[:, which]) - data.pair_apart[:, which]
    ordinary = data.pair_between**2 + data.pair_within**2 / count + data.pair_error**2
    return np.asarray(np.maximum(away, 0) / np.sqrt(ordinary[:, which] + 1e-24))


def _exchanged(data: TrainingData, mean: Doubles, count: int, limit: float) -> dict[int, int]:
    """Channels that fit other ones of training much better than their own."""
    channels = len(data.channels)

    def misfit(of: IntArray) -> tuple[float, float]:
        single = np.minimum(_distances(data, mean, count, of).max(axis=0), CAP)
        pairs = np.minimum(_pair_distances(data, mean, count, of).max(axis=0, initial=0), CAP)
        both = np.concatenate([single, pairs])
        return float(both.max()), float((both**2).sum())

    own = np.arange(channels)
    worst, total = misfit(own)
    if channels < 2 or worst <= min(limit, EXCHANGED):
        return {}
    left, rest, best = min(
        (_improved(of, misfit) for of in (own, _assigned(data, mean, count))),
        key=lambda candidate: candidate[1],
    )
    # Channels that are far off whichever they are held against were not exchanged.
    if left > FITTING * worst or 4 * rest > total:
        return {}
    return {channel: int(to) for channel, to in enumerate(best) if to != channel}


def _assigned(data: TrainingData, mean: Doubles, count: int) -> IntArray:
    """The order of the channels of training that fits these one by one."""
    from scipy.optimize import linear_sum_assignment

    channels = len(data.channels)
    cost = np.zeros((channels, channels))
    for other in range(channels):
        away = _distances(data, mean, count, np.full(channels, other))
        cost[:, other] = np.minimum(away, CAP).max(axis=0)
    return np.asarray(linear_sum_assignment(cost**2)[1], dtype=np.int64)


def _improved(
    order: IntArray, misfit: Callable[[IntArray], tuple[float, float]]
) -> tuple[float, float, IntArray]:
    """An order with its misfit, two channels exchanged as long as that makes it fit better."""
    best, now = order, misfit(order)
    while True:
        tried = []
        for first, other in combinations(range(len(best)), 2):
            swapped = best.copy()
            swapped[[first, other]] = best[[other, first]]
            tried.append((*misfit(swapped), swapped))
        nearest = min(tried, key=lambda candidate: candidate[1])
        if nearest[1] >= now[1]:
            return *now, best
        best, now = nearest[2], nearest[:2]


def _strange(data: TrainingData, features: FloatArray, constant: Bools) -> Bools:
    """Cells (n,) with a figure far outside those of all training cells, or a constant channel."""
    lowest, low, middle, high, highest = (
        data.quantiles[QUANTILES.index(percentile)] for percentile in (0.0, 0.5, 50.0, 99.5, 100.0)
    )
    least = np.tile(LEAST_LEVEL * data.sd, (len(FEATURES), 1))
    least[FEATURES.index("smoothness")] = LEAST_SMOOTHNESS
    beyond = BEYOND + RARE / data.n
    above = np.maximum(middle + FAR * (high - middle), highest + beyond * (highest - middle))
    below = np.minimum(middle - FAR * (middle - low), lowest - beyond * (middle - lowest))
    above, below = np.maximum(above, highest + least), np.minimum(below, lowest - least)
    outside = ((features > above) | (features < below)).any(axis=(1, 2))
    return np.asarray(outside | (constant & (data.constant == 0)).any(axis=1))
