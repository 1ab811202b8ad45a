"""How far probabilities are from frequencies: reliability, Brier score, calibration errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.calibration import Calibration, ReliabilityBin
from napari_channelmix.phenotypes.wilson import wilson

__all__ = ["BINS", "brier_score", "calibration_error", "calibration_of", "confidence_error"]

Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Interval = tuple[float, float]

# Of the reliability curve and the calibration errors.
BINS = 10
# Draws of groups, and of labels where probabilities would be right.
DRAWS, SIMULATED = 1000, 200


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean over cells of ``sum over k of (p_k - y_k) ** 2``, y being 1 for the own class else 0.

    0 is perfect, 2 the worst. Brier 1950, Monthly Weather Review 78, 1.
    """
    return float(_squares(np.asarray(probabilities, np.float64), np.asarray(labels)).mean())


def calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = BINS, adaptive: bool = False
) -> float:
    """Expected calibration error, each class by itself: how far probabilities are from frequencies.

    For each class, cells are put into bins by their probability of it; the error is the mean over
    cells of ``|share of the class in the bin - mean probability in the bin|``; then the mean over
    classes is taken. Kull et al. 2019 (classwise ECE).

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) int array
    bins : int
    adaptive : bool
        Bins with equally many cells (Nixon et al. 2019) instead of equally wide ones.
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    return float(_errors(_sums(p, y, np.zeros(len(p), np.int64), bins, adaptive))[0])


def confidence_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = BINS
) -> float:
    """Expected calibration error of the called class alone. Guo et al. 2017, equation 3."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    best = p.max(axis=1)
    right = (p.argmax(axis=1) == y).astype(np.float64)
    place = np.minimum((best * bins).astype(np.int64), bins - 1)
    gap = np.bincount(place, right - best, minlength=bins)
    return float(np.abs(gap).sum() / len(p))


def calibration_of(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    *,
    bins: int = BINS,
    seed: int = 0,
) -> Calibration:
    """Reliability curve, Brier score and calibration errors of probabilities as they are.

    Intervals are of resampled groups, widened by Student's t for the few there are; those of the
    curve are at least as wide as if the cells were independent.

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) int array
        All known.
    groups : (N,) array
    classes : tuple of K str
    bins : int
    seed : int
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    count, rng = len(names), np.random.default_rng(seed)
    sums = _sums(p, y, group, bins, adaptive=False)
    squares = np.bincount(group, _squares(p, y), minlength=count)
    sizes = np.bincount(group, minlength=count).astype(np.float64)
    brier, ece = float(squares.sum() / len(p)), float(_errors(sums.sum(axis=0)[None])[0])
    whole = sums.sum(axis=0)
    brier_interval = ece_interval = None
    drawn: Doubles | None = None
    if count > 1:
        times = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
        drawn = np.tensordot(times, sums, 1)
        brier_interval = _expanded(times @ squares / (times @ sizes), brier, count, most=2.0)
        # Resampled groups are as far from their own mean as that is from the truth: an error of
        # chance alone is in them twice, and is taken off once.
        excess = _errors(drawn)
        ece_interval = _expanded(excess - (float(np.mean(excess)) - ece), ece, count)
    curve = {
        name: _curve(whole[code], None if drawn is None else drawn[:, code], count)
        for code, name in enumerate(classes)
    }
    return Calibration(
        1.0,
        len(p),
        count,
        brier,
        ece,
        calibration_error(p, y, bins=bins, adaptive=True),
        confidence_error(p, y, bins=bins),
        _by_chance(p, bins, rng),
        brier_interval,
        ece_interval,
        curve,
    )


def _squares(p: Doubles, y: npt.NDArray[Any]) -> Doubles:
    truth = np.zeros_like(p)
    truth[np.arange(len(p)), y] = 1
    return np.asarray(((p - truth) ** 2).sum(axis=1))


def _places(p: Doubles, bins: int, adaptive: bool) -> IntArray:
    """The bin of each probability (N, K): equally wide, or equally filled in each column."""
    if not adaptive:
        return np.asarray(np.minimum((p * bins).astype(np.int64), bins - 1))
    ranks = np.argsort(np.argsort(p, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(ranks * bins // max(len(p), 1))


def _sums(p: Doubles, y: IntArray, group: IntArray, bins: int, adaptive: bool) -> Doubles:
    """Cells, sum of probabilities, cells of the class: (G, K, bins, 3)."""
    count, kinds = int(group.max(initial=0)) + 1, p.shape[1]
    places = _places(p, bins, adaptive)
    sums = np.zeros((count, kinds, bins, 3))
    for code in range(kinds):
        flat = group * bins + places[:, code]
        for column, weights in enumerate((None, p[:, code], (y == code).astype(np.float64))):
            summed = np.bincount(flat, weights, minlength=count * bins)
            sums[:, code, :, column] = summed.reshape(count, bins)
    return sums


def _errors(sums: Doubles) -> Doubles:
    """Classwise calibration error of sums (..., K, bins, 3)."""
    gaps = np.abs(sums[..., 2] - sums[..., 1]).sum(axis=-1)
    cells = sums[..., 0].sum(axis=-1)
    return np.asarray((gaps / np.maximum(cells, 1)).mean(axis=-1))


def _curve(sums: Doubles, drawn: Doubles | None, groups: int) -> tuple[ReliabilityBin, ...]:
    """The bins of a class that have cells, from sums (bins, 3) and resampled ones."""
    points = []
    for place, (n, p, hits) in enumerate(sums):
        if not n:
            continue
        low, high = wilson(int(hits), int(n))
        if drawn is not None:
            there = drawn[:, place, 0] > 0
            shares = drawn[there, place, 2] / drawn[there, place, 0]
            lower, upper = _expanded(shares, hits / n, groups)
            low, high = max(0.0, min(low, lower)), min(1.0, max(high, upper))
        points.append(ReliabilityBin(int(n), float(p / n), float(hits / n), low, high))
    return tuple(points)


def _expanded(draws: Doubles, middle: float, groups: int, most: float = 1.0) -> Interval:
    """95 % of resampled figures of 0 to ``most``, widened by Student's t for few groups."""
    from scipy.stats import norm, t

    low, high = np.percentile(draws, (2.5, 97.5))
    wider = float(t.ppf(0.975, groups - 1) / norm.ppf(0.975)) * np.sqrt(groups / (groups - 1))
    return (
        float(max(0.0, middle - wider * max(0.0, middle - low))),
        float(min(most, middle + wider * max(0.0, high - middle))),
    )


def _by_chance(p: Doubles, bins: int, rng: np.random.Generator) -> float:
    """Mean calibration error of labels drawn from the probabilities themselves.

    Consistency resampling, Broecker and Smith 2007, Weather and Forecasting 22, 651.
    """
    edges, places = np.cumsum(p, axis=1), _places(p, bins, adaptive=False)
    flat = places + bins * np.arange(p.shape[1])
    length = bins * p.shape[1]
    expected = np.bincount(flat.ravel(), p.ravel(), minlength=length)
    errors = []
    for _ in range(SIMULATED):
        drawn = (rng.random((len(p), 1)) > edges[:, :-1]).sum(axis=1)
        hits = np.bincount(flat[np.arange(len(p)), drawn], minlength=length)
        errors.append(np.abs(hits - expected).sum() / (len(p) * p.shape[1]))
    return float(np.mean(errors))
