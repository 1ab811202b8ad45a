"""What predictions of a rare class are worth, worked out by hand."""

from __future__ import annotations

import numpy as np

from napari_channelmix.classify.class_precision import class_precision, precision_warnings
from napari_channelmix.classify.priors import Prior, balanced_prior

CLASSES = ("B cell", "Treg")
GROUPS = np.array([f"donor {row % 5}" for row in range(210)])
# 200 B cells and 10 Tregs.
LABELS = np.repeat([0, 1], [200, 10])


def predicted(wrong: int, lost: int) -> np.ndarray:
    """Predictions with so many B cells called Treg, and so many Tregs called B cell."""
    codes = LABELS.copy()
    codes[:wrong] = 1
    codes[200 : 200 + lost] = 0
    return codes


def test_precision_is_the_share_of_the_predictions_that_are_right() -> None:
    _, treg = class_precision(LABELS, predicted(27, 1), GROUPS, CLASSES)
    assert (treg.recall, treg.n_cells, treg.n_groups) == (9 / 36, 36, 5)
    assert treg.low is not None and treg.high is not None
    assert treg.low < 0.25 < treg.high


def test_a_class_that_is_predicted_wrongly_most_of_the_time_is_said() -> None:
    codes = predicted(27, 1)
    (line,) = precision_warnings(LABELS, codes, codes, GROUPS, CLASSES, balanced_prior(CLASSES))
    assert line.startswith("of the cells predicted as Treg (prior balanced), only 0.25 are of it (")
    assert "5 groups, 36 cells" in line


def test_nothing_is_said_where_half_of_the_predictions_are_right() -> None:
    codes = predicted(9, 1)
    assert precision_warnings(LABELS, codes, codes, GROUPS, CLASSES, balanced_prior(CLASSES)) == ()


def test_cells_that_are_lost_with_the_prior_of_the_predictions_are_said() -> None:
    prior = Prior("training", CLASSES, (0.95, 0.05))
    (line,) = precision_warnings(LABELS, predicted(9, 1), predicted(1, 7), GROUPS, CLASSES, prior)
    assert line == (
        "of the cells of Treg, 0.30 are predicted as it (prior as in training); its recall, 0.90, "
        "is with the balanced prior (10 cells)"
    )


def test_of_many_classes_the_worst_are_named_and_the_others_counted() -> None:
    names = tuple("abcdefg")
    labels, codes = np.zeros(60, np.int64), np.repeat(np.arange(6), 10)
    groups = np.arange(60) % 4
    lines = precision_warnings(labels, codes, codes, groups, names, balanced_prior(names))
    assert len(lines) == 4
    assert lines[-1] == "most cells predicted as 2 more classes are of others, too"
