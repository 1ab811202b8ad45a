"""How sure predictions are, where they contradict the labels, how unlike its class a cell is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.robust import robust_z_scores

__all__ = ["class_distance", "disagreement", "margin"]

FloatArray = npt.NDArray[np.float64]

# Fewer cells of a class have no spread to speak of.
FEWEST = 3
# Latents spread over about one unit: a class that is narrower than this is taken for this wide.
NARROWEST = 0.02


def margin(probabilities: npt.ArrayLike) -> FloatArray:
    """How far the most probable class lies ahead of the next one (N,), 0 to 1.

    1 where there is one class only. ``probabilities`` is (N, K).
    """
    values = np.asarray(probabilities, np.float64)
    if values.shape[1] < 2:
        return np.ones(len(values))
    top = np.partition(values, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])


def disagreement(
    probabilities: npt.ArrayLike,
    names: Sequence[str],
    labels: npt.ArrayLike,
    classes: Sequence[str],
) -> FloatArray:
    """How strongly the prediction contradicts the label (N,), -1 to 1. Our definition.

    Probability of the likeliest other class minus that of the cell's own: above 0 where another
    class is predicted, 1 where that is certain, -1 where the label is certain. NaN for a cell
    without a class, or with one that the classifier does not know.

    Parameters
    ----------
    probabilities : (N, K) array
    names : sequence of K str
        Classes of the probabilities.
    labels : (N,) int array
        Positions in ``classes``, -1 for none.
    classes : sequence of str
    """
    values = np.asarray(probabilities, np.float64)
    own = matching(labels, classes, names)
    known = np.flatnonzero(own >= 0)
    result = np.full(len(values), np.nan)
    others = values[known].copy()
    mine = others[np.arange(len(known)), own[known]]
    if values.shape[1] < 2:
        result[known] = -mine
        return result
    others[np.arange(len(known)), own[known]] = -np.inf
    result[known] = others.max(axis=1, initial=-np.inf) - mine
    return result


def class_distance(values: npt.ArrayLike, labels: npt.ArrayLike) -> FloatArray:
    """How unlike the other cells of its class each cell is (N,). Our definition.

    Root mean square over the columns of the robust z-scores, see `robust_z_scores`, against all
    cells of the class. NaN for cells without a class and for
    classes of fewer than three cells.

    Parameters
    ----------
    values : (N, Z) array
        Such as latents.
    labels : (N,) int array
        -1 for none.
    """
    table, codes = np.asarray(values, np.float64), np.asarray(labels, np.int64)
    distances = np.full(len(table), np.nan)
    if not table.shape[1]:
        return distances
    for code in np.unique(codes[codes >= 0]):
        in_class = codes == code
        if in_class.sum() < FEWEST:
            continue
        members = table[in_class]
        scores = robust_z_scores(members, members, NARROWEST)
        distances[in_class] = np.sqrt((scores**2).mean(axis=1))
    return distances
