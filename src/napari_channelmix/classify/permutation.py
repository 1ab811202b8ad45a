"""Is an accuracy above chance: labels permuted between groups, on finished predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.group_permutation import label_deals, ways_to_deal
from napari_channelmix.classify.metrics import recall_of
from napari_channelmix.errors import DataError

__all__ = ["PermutationTest", "permutation_test"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# Differences of accuracies that are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class PermutationTest:
    """How an accuracy stands among those of permuted labels.

    Attributes
    ----------
    observed, expected : float
        Balanced accuracy, and its mean over the permutations.
    p_above, p_below : float
        One-sided: share of the permutations that are at least, or at most, as accurate.
    least : float
        The smallest p that so many groups can give.
    n_groups : int
    exact : bool
        Whether every permutation was tried.
    class_p, class_least : tuple of float or None
        ``p_above`` and ``least`` of the recall of each class; None for one without cells.
    """

    observed: float
    expected: float
    p_above: float
    p_below: float
    least: float
    n_groups: int
    exact: bool
    class_p: tuple[float | None, ...]
    class_least: tuple[float | None, ...]


def permutation_test(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: int,
    *,
    cells: npt.ArrayLike | None = None,
    seed: int = 0,
) -> PermutationTest:
    """Test an accuracy against labels that say nothing, where cells of a group are alike.

    The predictions stay, the labels are permuted as `label_deals` says: all ways to deal those of
    whole groups where there are at most 40,000, else 4,000 random ones.

    A permutation test of predictions (Ojala and Garriga 2010, Journal of Machine Learning Research
    11, 1833); the statistic is balanced accuracy.

    Predictions of a cross-validation are made from the labels of the other groups, which permuting
    them afterwards cannot know: on sets without an effect p < .05 came in 5, 6 and 10 % for 8, 12
    and 24 wells. So the gate asks more than a small p; see `dcmix.reliability`.

    Parameters
    ----------
    labels, predicted : (N,) int arrays
        Positions in the classes. A cell that was held out several times has a row for each.
    groups : (N,) array
    classes : int
    cells : (N,) array, optional
        Which cell a row is of; default: each row is a cell of its own.
    seed : int
        Of the random permutations.

    Raises
    ------
    DataError
        No cell, or numbers that are no positions in the classes.

    Notes
    -----
    Deals that leave a class without a cell, as groups differ in size, are left out: the labels
    as they are have them all.
    """
    truth, guess = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    codes = np.concatenate([truth, guess])
    if not codes.size or codes.min() < 0 or codes.max() >= classes:
        raise DataError(
            f"permutation test: labels and predictions must be 0 to {classes - 1}, for one cell or "
            "more; leave out cells without a class"
        )
    _, cell = np.unique(
        np.arange(len(truth)) if cells is None else np.asarray(cells), return_inverse=True
    )
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    # Of each cell: its label, its group, and how often it was called each class.
    label, group_of = np.zeros((2, int(cell.max()) + 1), dtype=np.int64)
    label[cell], group_of[cell] = truth, group
    called = np.zeros((len(label), classes))
    np.add.at(called, (cell, guess), 1.0)
    rng = np.random.default_rng(seed)
    deals = label_deals(label, group_of, classes, rng)
    of_unit = np.zeros((len(deals.labels), classes))
    np.add.at(of_unit, deals.unit, called)
    label, called, exact = deals.labels, of_unit, deals.exact
    there = np.bincount(label, minlength=classes) > 0
    observed = _recalls(label[None], called)[0]
    null = np.concatenate([_recalls(some, called) for some in deals.blocks])
    # Shares that are dealt to groups of other sizes may leave a class without cells.
    null = null[~np.isnan(null[:, there]).any(axis=1)]
    means, mean = null[:, there].mean(axis=1), float(observed[there].mean())
    # A permutation that was drawn stands beside the labels as they are.
    own = 0 if exact else 1
    count = len(null) + own

    def above(values: FloatArray, value: float) -> float:
        return float((np.sum(values >= value - ROUNDING) + own) / count)

    fewest = [
        1 / ways_to_deal(np.array([(label == code).sum(), (label != code).sum()]))
        for code in range(classes)
    ]
    return PermutationTest(
        observed=mean,
        expected=float(means.mean()) if len(means) else mean,
        p_above=above(means, mean),
        p_below=above(-means, -mean),
        least=1 / count,
        n_groups=len(names),
        exact=exact,
        class_p=tuple(
            above(null[:, code], observed[code]) if there[code] else None for code in range(classes)
        ),
        class_least=tuple(
            max(fewest[code], 1 / count) if there[code] else None for code in range(classes)
        ),
    )


def _recalls(dealt: IntArray, called: FloatArray) -> FloatArray:
    """Recall of each class (B, K) under labels (B, U) of units that were called ``called`` (U, K).

    NaN for a class that no unit has.
    """
    classes, rows = called.shape[1], called.sum(axis=1)
    hits, total = np.zeros((2, len(dealt), classes))
    for code in range(classes):
        those = dealt == code
        hits[:, code], total[:, code] = those @ called[:, code], those @ rows
    return recall_of(hits, total)
