"""What could tell the classes apart without looking at the cell, learnt and tried on other groups.

How many cells there are, where the well lies, and what a network that learnt nothing sees: if
classes can be called from these, a classifier may have learnt them instead of the cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.split import cross_validation_folds
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.plate import plates_of

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = [
    "UntrainedFeatures",
    "calls_of_numbers",
    "counts_of_fields",
    "fold_of_each",
    "well_places",
]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Folds of the cross-validation.
FOLDS = 4
# Depth of the tree that learns a few numbers, and the share of the cells that a leaf has at least.
DEPTH, LEAF = 4, 0.05
# More numbers than these are learnt by a linear head.
MOST_FOR_TREE = 8
# Crops that an untrained network can see.
LEAST_SIDE = 8


def fold_of_each(cells: Cells, seed: int) -> IntArray:
    """In which fold each cell (N,) is held out; folds never divide a group.

    Raises
    ------
    DataError
        Groups that cannot be divided so that every class is trained on.
    """
    folds = cross_validation_folds(cells, FOLDS, seed)
    return np.asarray(np.argmax(np.stack(folds), axis=0), np.int64)


def calls_of_numbers(
    numbers: npt.ArrayLike, labels: IntArray, folds: IntArray, seed: int = 0
) -> IntArray:
    """Class (N,) of each cell, called from numbers (N, F) by what other groups taught.

    Every class weighs the same. Up to eight numbers are learnt by a decision tree, which knows no
    direction; more by linear discriminant analysis with shrinkage. Both by scikit-learn.

    Parameters
    ----------
    numbers : (N, F) array
    labels : (N,) int array
    folds : (N,) int array
        See `fold_of_each`.
    seed : int
    """
    values = np.asarray(numbers, np.float64).reshape(len(labels), -1)
    called = np.zeros(len(labels), np.int64)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        head = _head(values.shape[1], len(np.unique(labels[train])), seed)
        called[test] = head.fit(values[train], labels[train]).predict(values[test])
    return called


def _head(numbers: int, classes: int, seed: int) -> Any:
    if numbers <= MOST_FOR_TREE:
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(
            max_depth=DEPTH, min_samples_leaf=LEAF, class_weight="balanced", random_state=seed
        )
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(),
        LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
        ),
    )


def counts_of_fields(cells: Cells) -> Doubles:
    """Objects in the field of view of each cell (N, 1): of its label image, else of the table."""
    fields = cells.table["field"].to_numpy(np.int64)
    counts = np.bincount(fields, minlength=len(cells.fields)).astype(np.float64)
    for index in np.unique(fields).tolist():
        labels = cells.fields[index].labels
        if labels is not None:
            counts[index] = len(np.unique(labels[labels > 0]))
    return np.asarray(counts[fields][:, None])


def well_places(cells: Cells) -> Doubles:
    """Row and column of the well of each cell (N, 2), from 0.

    Raises
    ------
    DataError
        Groups that are no wells of a plate.
    """
    names, which = np.unique(cells.groups, return_inverse=True)
    if len(names) == len(cells) > 1:
        raise DataError("the cells have no groups, so no wells are known")
    places = np.zeros((len(names), 2))
    for plate in plates_of(names.tolist(), cells.conditions):
        row, column = np.nonzero(plate.groups >= 0)
        places[plate.groups[row, column]] = np.stack([row, column], axis=1)
    return np.asarray(places[which])


class UntrainedFeatures:
    """What a small network sees in crops before it has learnt anything.

    Parameters
    ----------
    mean, std : (C,) arrays
        Of the channels, raw units: the crops are normalised by them.
    seed : int
        Of its weights.
    """

    def __init__(self, mean: npt.ArrayLike, std: npt.ArrayLike, seed: int = 0) -> None:
        from torch import nn

        from napari_channelmix.classify.networks import NetworkSpec

        self._mean = np.asarray(mean, np.float32)[:, None, None]
        self._std = np.maximum(np.asarray(std, np.float32), 1e-9)[:, None, None]
        network: Any = NetworkSpec("small", len(self._mean), 2).build(seed)
        network.head = nn.Identity()
        self._network = network.eval()

    def __call__(self, crops: FloatArray) -> FloatArray:
        """Mean and maximum of its last maps (n, F) over crops (n, C, H, W) in raw units."""
        import torch

        scaled = torch.from_numpy(((crops - self._mean) / self._std).astype(np.float32))
        # Halved three times: smaller crops are shown with each pixel several times.
        times = -(-LEAST_SIDE // min(crops.shape[2:]))
        scaled = scaled.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)
        # Its own forward pass: the fast one folds the head in.
        with torch.no_grad():
            features: FloatArray = self._network.after_stem(self._network.stem(scaled)).numpy()
        return features
