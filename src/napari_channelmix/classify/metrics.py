"""How well a classifier does, and what chance would do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Accuracy", "accuracy_of", "recall_of"]


@dataclass(frozen=True)
class Accuracy:
    """Balanced accuracy with what it is made of.

    Attributes
    ----------
    balanced : float
        Mean recall over the classes that occur, 0 to 1.
    recall : tuple of float
        Recall of each class; NaN for a class that does not occur.
    error : float
        Standard error of ``balanced`` if the cells were independent.
    chance : float
        Balanced accuracy of a guess.
    """

    balanced: float
    recall: tuple[float, ...]
    error: float
    chance: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: a class that does not occur has the recall None."""
        recall = [None if np.isnan(value) else value for value in self.recall]
        return {**asdict(self), "recall": recall}


def recall_of(right: npt.ArrayLike, total: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of cells that are classified rightly, (...); NaN where there are none."""
    hits, cells = np.asarray(right, np.float64), np.asarray(total, np.float64)
    return np.divide(hits, cells, out=np.full_like(hits, np.nan), where=cells > 0)


def accuracy_of(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> Accuracy:
    """Accuracy of predicted classes (N,) against true ones (N,)."""
    truth, guess = np.asarray(labels), np.asarray(predicted)
    counts = np.bincount(truth, minlength=classes).astype(np.float64)
    right = np.bincount(truth[truth == guess], minlength=classes)
    present = counts > 0
    recall = recall_of(right, counts)
    # Agresti and Coull's two added successes and failures keep the error above 0 at recall 0 or 1.
    smooth = (right[present] + 2) / (counts[present] + 4)
    variance = smooth * (1 - smooth) / (counts[present] + 4)
    n_present = int(present.sum())
    return Accuracy(
        float(recall[present].mean()),
        tuple(float(r) for r in recall),
        float(np.sqrt(variance.sum()) / n_present),
        1.0 / n_present,
    )
