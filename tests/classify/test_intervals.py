"""Intervals of accuracies: from whole groups, by hand, never narrower than cells would allow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm, t

from napari_channelmix.classify.intervals import (
    GroupedRecall,
    accuracy_interval,
    difference_interval,
    few_groups_text,
)

Z = norm.ppf(0.975)


def wilson(recall: float, n: float, quantile: float) -> tuple[float, float]:
    """As in the textbook: the proportions that are `quantile` standard errors from the recall."""
    roots = np.roots([n + quantile**2, -(2 * n * recall + quantile**2), n * recall**2])
    low, high = np.sort(roots.real)
    return low, high


def wells(
    right: list[int], cells: int, classes: list[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Labels, predictions and groups of wells of one class each, with so many right of `cells`."""
    labels = np.repeat(classes, cells)
    correct = np.concatenate([np.arange(cells) < hits for hits in right])
    return labels, np.where(correct, labels, 1 - labels), np.repeat(np.arange(len(right)), cells)


def test_correlation_worth_and_freedom_by_hand() -> None:
    # Class 0 in wells with 4, 4, 1 right of 4, class 1 in wells with 4, 2, 3 of 4: recall 3/4 each.
    counts = GroupedRecall.of(*wells([4, 4, 1, 4, 2, 3], 4, [0, 0, 0, 1, 1, 1]), 2)
    assert counts.recall.tolist() == [0.75, 0.75]
    # Surplus 1, 1, -2 and 1, -1, 0; each well holds a third of its class.
    squares = (1 + 1 + 4 + 1 + 1 + 0) / (1 - 1 / 3)
    spread = 6 * 4 * 0.75 * 0.25
    # The assumed correlation of .2 counts as two mistakes in cells of which each has 3 neighbours.
    correlation = (squares - spread + 2 * 3 * 0.2) / (3 * spread + 2 * 3)
    assert counts.correlation == pytest.approx(correlation)
    assert counts.worth == pytest.approx([12 / (1 + 3 * correlation)] * 2)
    # Two sets of three wells, which share no class; and one for the assumption.
    assert counts.freedom == pytest.approx(2 + 2 + 1)
    below, above = counts.reach()
    low, high = wilson(0.75, counts.worth[0], t.ppf(0.975, 5))
    assert below == pytest.approx([0.75 - low] * 2)
    assert above == pytest.approx([high - 0.75] * 2)
    # Independent classes with the same interval: their mean reaches 1 / sqrt(2) as far.
    assert counts.balanced_reach() == pytest.approx((below[0] / np.sqrt(2), above[0] / np.sqrt(2)))


def test_cells_that_are_their_own_groups_have_wilsons_interval() -> None:
    labels = np.zeros(10, int)
    guess = (np.arange(10) >= 8).astype(int)
    low, high = accuracy_interval(labels, guess, np.arange(10), 2)
    # 8 of 10: Wilson's interval is .490 to .943.
    assert (low, high) == pytest.approx(wilson(0.8, 10, Z))
    assert (low, high) == pytest.approx((0.490, 0.943), abs=1e-3)


def test_a_perfect_score_on_six_cells_is_as_weak_as_it_is() -> None:
    labels = [0, 0, 0, 1, 1, 1]
    low, high = accuracy_interval(labels, labels, np.arange(6), 2)
    # 3 of 3: Wilson's lower end is 3 / (3 + z^2).
    alone = 3 / (3 + Z**2)
    assert low == pytest.approx(1 - (1 - alone) / np.sqrt(2))
    assert low < 0.61
    assert high == 1
    assert accuracy_interval(labels, labels, [0, 0, 0, 1, 1, 1], 2)[0] < 0.4


def test_perfect_wells_are_assumed_to_be_alike_within_and_are_no_certainty() -> None:
    labels, guess, groups = wells([16] * 12, 16, [0, 1] * 6)
    counts = GroupedRecall.of(labels, guess, groups, 2)
    assert counts.correlation == pytest.approx(0.2)
    # 96 cells in sixteens are worth 96 / (1 + 15 * .2).
    assert counts.worth == pytest.approx([24] * 2)
    low, high = accuracy_interval(labels, guess, groups, 2)
    alone = wilson(1, 24, t.ppf(0.975, 11))[0]
    assert low == pytest.approx(1 - (1 - alone) / np.sqrt(2))
    assert (0.85 < low < 0.9, high) == (True, 1)


def test_groups_that_agree_within_themselves_widen_the_interval() -> None:
    # Ten groups of 20; in three of them everything is wrong.
    labels = np.tile([0, 1], 100)
    groups = np.repeat(np.arange(10), 20)
    guess = np.where(groups < 3, 1 - labels, labels)
    low, high = accuracy_interval(labels, guess, groups, 2)
    single = accuracy_interval(labels, guess, np.arange(200), 2)
    # About the interval of 7 of 10 groups.
    assert (low, high) == pytest.approx(wilson(0.7, 10, Z), abs=0.06)
    assert single[1] - single[0] < 0.5 * (high - low)


def test_groups_that_favour_a_class_are_no_narrower_than_independent_cells() -> None:
    # What a well gains for one class it loses for the other: balanced accuracy is always a half.
    labels = np.tile([0, 1], 40)
    groups = np.repeat(np.arange(8), 10)
    called = groups % 2
    assert GroupedRecall.of(labels, called, groups, 2).together[0, 1] == pytest.approx(-1)
    free = accuracy_interval(labels, called, np.arange(80), 2)
    assert accuracy_interval(labels, called, groups, 2) == pytest.approx(free)


def test_one_group_and_classes_that_do_not_occur() -> None:
    low, high = accuracy_interval([1, 1, 1, 1], [1, 1, 1, 0], ["a"] * 4, 3)
    assert 0 < low < 0.2 < 0.75 < high < 1


def test_a_large_group_beside_small_ones_counts_as_few() -> None:
    labels = np.zeros(103, int)
    groups = np.minimum(np.arange(103), 3)
    counts = GroupedRecall.of(labels, labels, groups, 2)
    # (103)^2 / (100^2 + 3) groups of equal weight.
    assert counts.freedom == pytest.approx(103**2 / (100**2 + 3) - 1 + 1)


@pytest.mark.parametrize("wells_per_class", [3, 12])
@pytest.mark.parametrize("truth", [0.6, 0.9])
def test_intervals_cover_the_truth_about_as_often_as_they_say(
    wells_per_class: int, truth: float
) -> None:
    # Recall varies from well to well as a beta distribution with intraclass correlation .2.
    rng, runs = np.random.default_rng(0), 150
    whole = recalls = naive = 0
    for _ in range(runs):
        rates = rng.beta(4 * truth, 4 * (1 - truth), size=2 * wells_per_class)
        labels, guess, groups = wells(
            rng.binomial(16, rates).tolist(), 16, [0] * wells_per_class + [1] * wells_per_class
        )
        low, high = accuracy_interval(labels, guess, groups, 2)
        whole += low <= truth <= high
        low, high = accuracy_interval(labels, guess, np.arange(len(labels)), 2)
        naive += low <= truth <= high
        counts = GroupedRecall.of(labels, guess, groups, 2)
        below, above = counts.reach()
        recalls += int(((counts.recall - below <= truth) & (truth <= counts.recall + above)).sum())
    assert 0.9 <= whole / runs <= 0.99
    assert 0.9 <= recalls / (2 * runs) <= 0.995
    assert naive / runs < 0.8


def test_a_difference_by_hand() -> None:
    labels, first, groups = wells([4, 4, 2, 4, 3, 4], 4, [0, 0, 0, 1, 1, 1])
    _, second, _ = wells([4, 3, 1, 4, 4, 2], 4, [0, 0, 0, 1, 1, 1])
    one, other = (GroupedRecall.of(labels, said, groups, 2) for said in (first, second))
    # Recalls 10/12, 11/12 and 8/12, 10/12; surplus of the wells, all of 12 cells.
    u = np.array([2, 2, -4, 1, -2, 1]) / 3
    v = np.array([4, 1, -5, 2, 2, -4]) / 3
    phi = u @ v / np.sqrt((u @ u) * (v @ v))
    (below, above), (below2, above2) = one.balanced_reach(), other.balanced_reach()
    difference, low, high = difference_interval(labels, first, second, groups, 2)
    assert difference == pytest.approx(21 / 24 - 18 / 24)
    assert difference - low == pytest.approx(
        np.sqrt(below**2 + above2**2 - 2 * phi * below * above2)
    )
    assert high - difference == pytest.approx(
        np.sqrt(above**2 + below2**2 - 2 * phi * above * below2)
    )
    swapped = difference_interval(labels, second, first, groups, 2)
    assert swapped == pytest.approx((-difference, -high, -low))


def test_two_perfect_scores_are_not_known_to_be_equal() -> None:
    labels, guess, groups = wells([16] * 6, 16, [0, 0, 0, 1, 1, 1])
    difference, low, high = difference_interval(labels, guess, guess, groups, 2)
    assert difference == 0
    assert low == pytest.approx(-high)
    assert high > 0.05


def test_a_class_of_two_cells_that_both_flip_says_little() -> None:
    labels = np.repeat([0, 1], [100, 2])
    first = np.where(np.arange(102) % 10 == 0, 1, labels)
    second = np.where(labels == 1, 0, first)
    difference, low, high = difference_interval(labels, first, second, np.arange(102), 2)
    assert difference == pytest.approx(0.5)
    # By hand: (2.5 + .5 - 4 / 4) / 16 for the class of two, (.5 + .5) / 102^2 for the other.
    half = 1.959964 * np.sqrt(2 / 16 + 1 / 102**2) / 2
    assert low == pytest.approx(difference - half, abs=1e-5)
    assert high >= difference + 0.01


@pytest.mark.parametrize(
    ("groups", "cells", "text"),
    [
        (1, 9, "1 group is too few to say anything about other groups"),
        (2, 9, "2 groups are too few to say anything about other groups"),
        (3, 9, "3 groups say little about other groups"),
        (4, 9, "4 groups say little about other groups"),
        (5, 9, ""),
        (3, 3, ""),
    ],
)
def test_few_groups_are_said(groups: int, cells: int, text: str) -> None:
    assert few_groups_text(groups, cells) == text
