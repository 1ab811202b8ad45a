"""Accuracy: balanced over the classes that occur, with an error that is never 0."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from napari_channelmix.classify.metrics import accuracy_of, recall_of


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.choice(4, 200, p=[0.7, 0.2, 0.05, 0.05]), rng.integers(0, 4, 200)
    found = accuracy_of(truth, guess, 4)
    assert found.balanced == pytest.approx(balanced_accuracy_score(truth, guess))
    assert found.chance == 0.25


def test_the_majority_class_alone_is_chance() -> None:
    found = accuracy_of([0] * 90 + [1] * 10, [0] * 100, 2)
    assert (found.balanced, found.chance) == (0.5, 0.5)
    assert found.recall == (1.0, 0.0)


def test_a_class_that_does_not_occur_is_left_out() -> None:
    found = accuracy_of([0, 0, 2, 2], [0, 0, 2, 1], 3)
    assert found.balanced == 0.75
    assert np.isnan(found.recall[1])
    assert found.chance == 0.5


def test_the_error_shrinks_with_cells_and_is_above_0_when_all_is_right() -> None:
    few, many = (accuracy_of([0, 1] * n, [0, 1] * n, 2).error for n in (5, 500))
    assert 0 < many < few / 5
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 50)
    drawn = [
        accuracy_of(truth, np.where(rng.random(100) < 0.8, truth, 1 - truth), 2) for _ in range(400)
    ]
    spread = np.std([one.balanced for one in drawn])
    assert np.mean([one.error for one in drawn]) == pytest.approx(spread, rel=0.15)


def test_the_error_is_that_of_recalls_with_two_successes_and_two_failures_added() -> None:
    # Class 0: 3 of 4 are right, so (3 + 2) / (4 + 4); class 1: 0 of 2, so (0 + 2) / (2 + 4).
    found = accuracy_of([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0], 2)
    variances = 5 / 8 * 3 / 8 / 8, 1 / 3 * 2 / 3 / 6
    assert found.error == pytest.approx(np.sqrt(sum(variances)) / 2)


def test_recall_of_a_class_without_cells_is_not_a_number() -> None:
    assert recall_of([1, 0, 3], [2, 0, 4]) == pytest.approx([0.5, np.nan, 0.75], nan_ok=True)
