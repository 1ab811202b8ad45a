"""Intervals over groups: by hand where that can be done, and against a bootstrap of groups."""

import doctest

import numpy as np
import pytest
from scipy import stats

from napari_channelmix.whatif import group_intervals
from napari_channelmix.whatif.group_intervals import class_means, class_shares, share_of, surplus_of


def test_examples_are_true():
    result = doctest.testmod(group_intervals)
    assert result.attempted and not result.failed


def test_groups_of_one_cell_give_the_interval_of_student():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    made = class_means(values, np.zeros(4, int), np.arange(4), 1)
    half = stats.t.ppf(0.975, 3) * values.std(ddof=1) / 2
    assert made.low[0] == pytest.approx(4 - half)
    assert made.high[0] == pytest.approx(4 + half)


def test_the_spread_is_that_of_a_bootstrap_of_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), rng.integers(2, 30, 60))
    values = rng.normal(size=60)[groups] + rng.normal(size=len(groups))
    made = class_means(values, np.zeros(len(groups), int), groups, 1)
    sums, counts = (np.bincount(groups, weights=of) for of in (values, np.ones(len(groups))))
    draws = rng.integers(0, 60, (4000, 60))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    half = (made.high[0] - made.low[0]) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, 59) * means.std(), rel=0.1)


def test_the_mean_over_classes_and_its_freedom():
    values, codes = np.array([0.0, 1.0, 10.0, 12.0]), np.array([0, 0, 1, 1])
    made = class_means(values, codes, np.arange(4), 3)
    assert made.mean[:2].tolist() == [0.5, 11.0] and np.isnan(made.mean[2])
    assert made.mean[3] == 5.75
    # Four groups of one class each: each class has lost one degree of freedom.
    surplus = np.array([-0.5, 0.5, -1, 1]) / 2 / 2
    half = stats.t.ppf(0.975, 2) * np.sqrt(4 / 3 * (surplus**2).sum())
    assert made.high[3] - made.mean[3] == pytest.approx(half)


def test_a_single_group_has_no_interval():
    made = class_means([0.0, 1.0], [0, 0], np.zeros(2), 1)
    assert np.isnan(made.low).all() and made.n_groups[0] == 1


def test_shares_of_several_rows_of_a_cell_are_of_cells():
    made = class_shares(
        [1, 1, 0, 0], [0, 0, 0, 0], np.array([0, 0, 1, 1]), 1, np.array([0, 0, 1, 1])
    )
    single = class_shares([1, 0], [0, 0], np.array([0, 1]), 1)
    assert made.mean[0] == single.mean[0] == 0.5
    assert made.low[0] == pytest.approx(single.low[0]) and made.n[0] == 2


def test_no_rows_give_no_figures():
    made = class_shares(np.zeros(0, bool), np.zeros(0, int), np.zeros(0), 2)
    assert np.isnan(made.mean).all() and (made.n == 0).all()


def test_a_share_of_all_cells_is_that_of_one_class():
    flags, groups = np.arange(24) % 3 == 0, np.arange(24) // 6
    share = share_of(flags, groups)
    single = class_shares(flags, np.zeros(24, int), groups, 1)
    assert share.share == pytest.approx(single.mean[0]) and (share.n, share.groups) == (24, 4)
    assert 0 <= share.low < share.share < share.high <= 1
    assert share_of([], []).warning == "no cell" and np.isnan(share_of([], []).share)


def test_a_surplus_is_the_difference_of_shares_of_the_same_cells():
    edited, sham = np.arange(40) % 2 == 0, np.arange(40) % 4 == 0
    surplus, low, high = surplus_of(edited, sham, np.arange(40) // 5)
    assert surplus == pytest.approx(0.25) and low < surplus < high
    assert surplus_of(sham, edited, np.arange(40) // 5)[0] == pytest.approx(-0.25)
