"""How right answers are on held-out cells: what every plain classifier is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import (
    AccuracyDifference,
    AccuracyEstimate,
    accuracy_difference,
    estimate_accuracy,
)
from napari_channelmix.classify.metrics import accuracy_of

__all__ = ["HeldOutAnswers"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """Judges the classes (N,) that cells are called, by those that were ever held out.

    Attributes
    ----------
    labels : (N,) int array
        Positions in ``classes``.
    groups : (N,) array
    held : (N,) bool array
        Whether a cell was ever held out.
    classes : tuple of str
    """

    labels: IntArray
    groups: npt.NDArray[Any]
    held: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    def accuracy(self, called: IntArray) -> AccuracyEstimate:
        """Accuracy with its interval over groups."""
        return estimate_accuracy(
            self.labels[self.held], called[self.held], self.groups[self.held], self.classes
        )

    def ahead(self, first: IntArray, second: IntArray) -> AccuracyDifference:
        """By how much the first of two is more accurate."""
        return accuracy_difference(
            self.labels[self.held],
            first[self.held],
            second[self.held],
            self.groups[self.held],
            len(self.classes),
        )

    def balanced(self, called: IntArray) -> float:
        """Balanced accuracy alone."""
        return accuracy_of(self.labels[self.held], called[self.held], len(self.classes)).balanced
