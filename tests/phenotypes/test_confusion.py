"""Labels against predictions, also where the two know different classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.confusion import class_places, confusion_of, matching


def test_counts_and_balanced_accuracy_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    found = confusion_of(truth, "abcde", guess, "abcde")
    np.testing.assert_array_equal(found.counts, confusion_matrix(truth, guess))
    assert found.balanced == pytest.approx(balanced_accuracy_score(truth, guess))
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)


def test_classes_meet_by_name_not_by_position() -> None:
    found = confusion_of([0, 0, 1], ("a", "b"), [1, 1, 0], ("b", "a"))
    assert found.balanced == 1.0
    assert found.counts.tolist() == [[0, 2], [1, 0]]


def test_classes_that_the_classifier_does_not_know_are_named_and_not_counted_as_errors() -> None:
    found = confusion_of([0, 0, 1, 2], ("a", "b", "c"), [0, 0, 0, 1], ("a", "x"))
    assert found.unknown == ("b", "c")
    assert found.balanced == 1.0
    strange = confusion_of([0, 1], ("0", "1"), [0, 1], ("negative", "positive"))
    assert strange.balanced is None and strange.total == 2


def test_cells_without_a_class_are_told_apart() -> None:
    found = confusion_of([-1, 0, -1], ("a",), [0, 0, 0], ("a",))
    assert (found.total, found.unlabelled) == (1, 2)
    nothing = confusion_of([-1, -1], (), [0, 0], ("a",))
    assert nothing.balanced is None and nothing.counts.shape == (0, 1)


def test_predictions_of_other_cells_are_refused() -> None:
    with pytest.raises(DataError, match="2 predictions for 3 cells"):
        confusion_of([0, 0, 0], ("a",), [0, 0], ("a",))


def test_positions_are_matched_by_name() -> None:
    assert matching([0, 1, 2, -1], ("a", "b", "c"), ("c", "a")).tolist() == [1, -1, 0, -1]
    assert matching([-1], (), ("a",)).tolist() == [-1]


def test_classes_are_matched_as_names_are_read() -> None:
    assert class_places(("1.0", " b", "c"), ("b", "1")) == (1, 0, -1)
    # Another case is taken where it is the only one, and nothing else is meant by it.
    assert class_places(("Live",), ("dead", "live")) == (1,)
    assert class_places(("Live", "live"), ("dead", "live")) == (-1, 1)
    assert class_places(("Live", "LIVE"), ("dead", "live")) == (-1, -1)
    table = confusion_of([0, 1, 1], ("1.0", "2"), [0, 1, 0], ("1", "2"))
    np.testing.assert_allclose(table.recall, [1, 0.5])
    assert table.unknown == ()
