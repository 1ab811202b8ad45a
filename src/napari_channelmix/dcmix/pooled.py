"""Predictions for held-out cells, put together from all repeats: what every figure is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import AccuracyEstimate, estimate_accuracy

if TYPE_CHECKING:
    from napari_channelmix.dcmix.divisions import Division, Sides
    from napari_channelmix.dcmix.repeats import RepeatResult

__all__ = ["Pooled", "pooled_of"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pooled:
    """What was predicted for held-out cells; a row for each time that a cell was held out.

    Attributes
    ----------
    classes : tuple of str
    labels : (M,) int array
        Positions in ``classes``.
    groups : (M,) str array
    cells : (M,) int array
        The same number for the same cell.
    mixed, plain : (M,) int arrays
        What the channel-mixing and the all-channel network called the cell.
    folds : int
        1 where all repeats hold out the same cells.
    odds : float
        Cells of a fold to those it was predicted from, on average over the cells (M,): with F
        folds of equal size ``1 / (F - 1)``, and more where they differ.
    """

    classes: tuple[str, ...]
    labels: IntArray
    groups: npt.NDArray[np.str_]
    cells: IntArray
    mixed: IntArray
    plain: IntArray
    folds: int
    odds: float

    def estimate(self, kind: str) -> AccuracyEstimate:
        """Accuracy of ``mixed`` or ``plain``, with its interval over groups.

        A cell that was held out several times counts once, with the share of its right answers.
        Over folds the interval is widened by ``sqrt(1 + 2 odds)``, since groups that were
        predicted from each other's labels err together; ``odds`` are ``n_test / n_train`` of the
        cell's own fold, on average over the cells. Our definition, chosen by simulation and held
        against benchmarks/grouped_null.py.
        """
        estimate = estimate_accuracy(
            self.labels, getattr(self, kind), self.groups, self.classes, cells=self.cells
        )
        per_class = tuple(
            replace(
                class_recall,
                **self._reach(class_recall.recall, class_recall.low, class_recall.high),
            )
            for class_recall in estimate.per_class
        )
        return replace(
            estimate,
            per_class=per_class,
            **self._reach(estimate.balanced, estimate.low, estimate.high),
        )

    def _reach(self, value: float | None, low: float | None, high: float | None) -> dict[str, Any]:
        """The ends of an interval, widened where the predictions are those of folds."""
        if value is None or low is None or high is None or self.folds < 2:
            return {"low": low, "high": high}
        wider = np.sqrt(1 + 2 * self.odds)
        return {
            "low": float(max(0.0, value - wider * (value - low))),
            "high": float(min(1.0, value + wider * (high - value))),
        }


def pooled_of(repeats: Sequence[RepeatResult], division: Division) -> Pooled:
    """The predictions of the repeats so far; whole rounds of folds only, as soon as there is one.

    So every group counts as often as the others.
    """
    used = division.rounded(len(repeats))
    sides = [repeat.test for repeat in division.sides[:used]]
    return Pooled(
        classes=sides[0].cells.classes,
        labels=np.concatenate([side.cells.labels for side in sides]),
        groups=np.concatenate([side.cells.groups for side in sides]),
        cells=np.concatenate([side.rows for side in sides]),
        mixed=np.concatenate(
            [np.asarray(repeat.mixed_predicted, np.int64) for repeat in repeats[:used]]
        ),
        plain=np.concatenate(
            [np.asarray(repeat.plain_predicted, np.int64) for repeat in repeats[:used]]
        ),
        folds=division.folds,
        odds=_odds(division.sides[:used]),
    )


def _odds(sides: Sequence[Sides]) -> float:
    """``n_test / n_train`` of the fold in which a cell was held out, on average over the cells."""
    tests, trains = np.array(
        [(len(repeat.test.rows), len(repeat.train.rows)) for repeat in sides]
    ).T
    return float(np.average(tests / trains, weights=tests))
