"""A linear head on the numbers of some channels: learnt in a moment, so for every set anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_features import CropNumbers

__all__ = ["LinearHead"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Inverse strength of the penalty.
PENALTY = 0.1
QUANTILES = 100


class LinearHead:
    """Calls of held-out cells from the numbers of some channels, fold by fold.

    Every number is given a normal distribution by its ranks among the training cells, so that
    neither gain nor a few very bright cells matter; then logistic regression, every class weighing
    the same; both by scikit-learn. Which head: our choice, measured in `benchmarks/alone.py`.

    Parameters
    ----------
    numbers : CropNumbers
        Of N cells.
    labels : (N,) int array
    folds : (N,) int array
        In which fold each cell is held out; negative for cells that are only ever trained on.
    """

    def __init__(self, numbers: CropNumbers, labels: IntArray, folds: IntArray) -> None:
        self._labels = labels
        self._folds: list[tuple[BoolArray, BoolArray, CropNumbers]] = []
        for fold in np.unique(folds[folds >= 0]):
            train, test = folds != fold, folds == fold
            self._folds.append((train, test, _normal(numbers, train)))

    def predict(self, channels: tuple[int, ...]) -> IntArray:
        """Class (N,) of each cell, called while it was held out; -1 where it never is.

        From no channels at all it is a guess: the first class.
        """
        from sklearn.linear_model import LogisticRegression

        called = np.full(len(self._labels), -1, dtype=np.int64)
        for train, test, numbers in self._folds:
            if not channels:
                called[test] = self._labels.min()
                continue
            columns = numbers.columns(channels)
            head = LogisticRegression(C=PENALTY, class_weight="balanced", tol=1e-3, max_iter=300)
            called[test] = head.fit(columns[train], self._labels[train]).predict(columns[test])
        return called


def _normal(numbers: CropNumbers, train: BoolArray) -> CropNumbers:
    """All numbers with a normal distribution over the training cells."""
    from sklearn.preprocessing import QuantileTransformer

    def scaled(values: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        if not values.size:
            return values
        flat = values.reshape(len(values), -1)
        ranks = QuantileTransformer(
            n_quantiles=min(QUANTILES, int(train.sum())), output_distribution="normal"
        )
        return np.asarray(ranks.fit(flat[train]).transform(flat).reshape(values.shape))

    return CropNumbers(scaled(numbers.values), scaled(numbers.pairs))
