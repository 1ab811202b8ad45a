"""What predictions of a class are worth, with the prior they are shown with.

Recall and balanced accuracy say nothing of it: a classifier that finds nine of ten cells of a class
of half a per cent, and takes two of a hundred others for it, is wrong in four of five cells that it
predicts as this class. And recalls are of predictions with the balanced prior: with that of the
training, fewer cells of a rare class are predicted as it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import ClassRecall, estimate_accuracy
from napari_channelmix.classify.priors import WORDS, Prior
from napari_channelmix.wording import counted

__all__ = ["class_precision", "precision_warnings"]

IntArray = npt.NDArray[np.int64]

# Below this share, most cells that are predicted as a class are of others.
HALF = 0.5
# Recalls that differ by more than this between two priors are not the same answer.
APART = 0.2
# Classes that are named, the worst first.
MOST = 3


def class_precision(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    classes: Sequence[str],
) -> tuple[ClassRecall, ...]:
    """Share of the cells predicted as each class that are of it, with its interval over groups.

    Parameters
    ----------
    labels, predicted : (N,) int arrays
        Positions in ``classes``.
    groups : (N,) array or None
    classes : sequence of K str

    Returns
    -------
    tuple of K ClassRecall
        ``recall`` is the precision, ``n_cells`` are the cells predicted as the class; as of
        `estimate_accuracy`, with labels and predictions exchanged.

    Raises
    ------
    DataError
        As for `estimate_accuracy`.

    Examples
    --------
    >>> rows = class_precision([0, 0, 0, 1], [0, 0, 1, 1], ["a", "b", "a", "b"], ["rest", "rare"])
    >>> [(row.name, row.recall, row.n_cells) for row in rows]
    [('rest', 1.0, 2), ('rare', 0.5, 2)]
    """
    return estimate_accuracy(predicted, labels, groups, classes).per_class


def precision_warnings(
    labels: IntArray,
    balanced: IntArray,
    shown: IntArray,
    groups: npt.NDArray[Any],
    classes: Sequence[str],
    prior: Prior,
) -> tuple[str, ...]:
    """Which predictions are mostly wrong, and which recalls are others as predictions are shown.

    A class is named where fewer than half of the cells that are predicted as it are of it, or where
    its recall with the prior of the shown predictions lies .2 below that with the balanced one,
    which accuracies are of. Our definition.

    Parameters
    ----------
    labels : (N,) int array
        Positions in ``classes``.
    balanced, shown : (N,) int arrays
        Predictions with the balanced prior, and with that of the predictions that are shown.
    groups : (N,) array
    classes : sequence of K str
    prior : Prior
        Of the predictions that are shown.
    """
    words = f"prior {WORDS[prior.kind]}"
    worth = [row for row in class_precision(labels, shown, groups, classes) if _is_low(row)]
    lines = [
        f"of the cells predicted as {row.name} ({words}), only {row.recall:.2f} are of it "
        f"({row.low:.2f} to {row.high:.2f}; {counted(row.n_groups, 'group')}, "
        f"{counted(row.n_cells, 'cell')})"
        for row in sorted(worth, key=_share)[:MOST]
    ]
    lines += _more(worth, "most cells predicted as {} are of others, too")
    usual = {row.name: row for row in _recalls(labels, balanced, groups, classes)}
    lost = [
        row
        for row in _recalls(labels, shown, groups, classes)
        if row.recall is not None and _share(usual[row.name]) - row.recall > APART
    ]
    lines += [
        f"of the cells of {row.name}, {row.recall:.2f} are predicted as it ({words}); its recall, "
        f"{usual[row.name].recall:.2f}, is with the balanced prior ({counted(row.n_cells, 'cell')})"
        for row in sorted(lost, key=_share)[:MOST]
    ]
    lines += _more(lost, "of {} fewer cells are predicted than their recall says, too")
    return tuple(lines)


def _recalls(
    labels: IntArray, predicted: IntArray, groups: npt.NDArray[Any], classes: Sequence[str]
) -> tuple[ClassRecall, ...]:
    return estimate_accuracy(labels, predicted, groups, classes).per_class


def _is_low(row: ClassRecall) -> bool:
    return row.recall is not None and row.recall < HALF


def _share(row: ClassRecall) -> float:
    return 0.0 if row.recall is None else row.recall


def _more(rows: Sequence[ClassRecall], sentence: str) -> list[str]:
    more = len(rows) - MOST
    return [] if more <= 0 else [sentence.format(f"{more} more class{'' if more == 1 else 'es'}")]
