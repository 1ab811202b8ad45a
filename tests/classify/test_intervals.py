"""Intervals of accuracies: from whole groups, seeded, never narrower than cells would allow."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify.intervals import accuracy_interval
from napari_channelmix.classify.metrics import accuracy_of


def test_groups_that_agree_within_themselves_widen_the_interval():
    # Ten groups of 20; in three of them everything is wrong.
    labels = np.tile([0, 1], 100)
    groups = np.repeat(np.arange(10), 20)
    guess = np.where(groups < 3, 1 - labels, labels)
    low, high = accuracy_interval(labels, guess, groups, 2)
    single = accuracy_interval(labels, guess, np.arange(200), 2)
    assert accuracy_of(labels, guess, 2).balanced == pytest.approx(0.7)
    # The share of wrong groups among ten has the standard deviation sqrt(0.21 / 10).
    assert low == pytest.approx(0.7 - 1.96 * np.sqrt(0.021), abs=0.1)
    assert high == pytest.approx(0.7 + 1.96 * np.sqrt(0.021), abs=0.1)
    assert single[1] - single[0] < 0.5 * (high - low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for _ in range(60):
        rates = rng.beta(16, 4, size=20)
        groups = np.repeat(np.arange(20), 10)
        labels = np.tile([0, 1], 100)
        guess = np.where(rng.random(200) < rates[groups], labels, 1 - labels)
        low, high = accuracy_interval(labels, guess, groups, 2)
        covered += low <= 0.8 <= high
    assert covered >= 52


def test_no_mistake_among_few_cells_is_no_certainty():
    low, high = accuracy_interval([0, 1, 0, 1], [0, 1, 0, 1], ["a", "a", "b", "b"], 2)
    assert low < 0.8
    assert high == 1


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(1)
    labels, guess = rng.integers(0, 3, (2, 90))
    groups = np.repeat(np.arange(9), 10)
    first = accuracy_interval(labels, guess, groups, 3, seed=4)
    assert first == accuracy_interval(labels, guess, groups, 3, seed=4)


def test_one_group_and_classes_that_do_not_occur():
    low, high = accuracy_interval([1, 1, 1, 1], [1, 1, 1, 0], ["a"] * 4, 3)
    assert 0 < low < 0.75 < high <= 1
