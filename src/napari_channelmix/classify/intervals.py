"""Intervals of accuracies from whole groups, since cells of one well are not independent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.metrics import accuracy_of

__all__ = ["FEW_GROUPS", "accuracy_interval"]

#: Fewer groups than these say little of others.
FEW_GROUPS = 5

DRAWS = 2000
# Draws made at once.
BLOCK = 100


def accuracy_interval(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: int,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the balanced accuracy.

    Groups are drawn with replacement, and the accuracy of their cells is taken; the interval holds
    ``level`` of 2000 draws, and is widened by Student's t for the few groups there are. It is at
    least as wide as if the cells were independent, for where all groups agree the draws say
    nothing. Expanded percentile bootstrap (Hesterberg 2015, The American Statistician 69, 371) of
    clusters (Davison and Hinkley 1997, section 3.8).

    Parameters
    ----------
    labels, predicted : (N,) int arrays
        Positions in the classes.
    groups : (N,) array
    classes : int
    level : float
    seed : int
    """
    truth, guess = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    count = int(group.max()) + 1
    cells, right = np.zeros((count, classes)), np.zeros((count, classes))
    np.add.at(cells, (group, truth), 1.0)
    np.add.at(right, (group, truth), truth == guess)
    rng, found = np.random.default_rng(seed), []
    for _ in range(DRAWS // BLOCK):
        times = rng.multinomial(count, np.full(count, 1 / count), size=BLOCK).astype(np.float64)
        total, hits = times @ cells, times @ right
        recall = np.divide(hits, total, out=np.full_like(hits, np.nan), where=total > 0)
        found.append(np.nanmean(recall, axis=1))
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(np.concatenate(found), (tail, 100 - tail))
    accuracy = accuracy_of(truth, guess, classes)
    from scipy.stats import norm, t

    normal = float(norm.ppf(0.5 + level / 2))
    wider = 1.0
    if count > 1:
        # Draws of few groups vary too little.
        wider = float(t.ppf(0.5 + level / 2, count - 1)) / normal * np.sqrt(count / (count - 1))
    half, middle = normal * accuracy.error, accuracy.balanced
    return (
        float(max(0.0, min(middle - wider * (middle - low), middle - half))),
        float(min(1.0, max(middle + wider * (high - middle), middle + half))),
    )
