"""Intervals of flips over groups, and the test against the sham: values worked out by hand."""

import doctest

import numpy as np
import pytest
from scipy.stats import t

from napari_channelmix.phenotypes.wilson import wilson
from napari_channelmix.whatif import flip_intervals as module
from napari_channelmix.whatif.flip_intervals import above_sham, adjusted, share_intervals


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_shares_of_many_independent_cells_have_wilsons_interval():
    hits = np.arange(500)[:, None] < 100
    low, high = share_intervals(hits, np.arange(500))
    assert low.shape == (1, 1)
    assert (low[0, 0], high[0, 0]) == pytest.approx(wilson(100, 500), abs=2e-3)


def test_cells_that_are_alike_within_groups_widen_the_interval():
    hits = np.repeat(np.arange(10) < 5, 20)[:, None]
    alike = np.diff(share_intervals(hits, np.repeat(np.arange(10), 20)), axis=0)
    mixed = np.diff(share_intervals(hits, np.tile(np.arange(10), 20)), axis=0)
    assert alike[0, 0, 0] > 2 * mixed[0, 0, 0]


def test_a_class_with_one_cell_has_no_interval():
    low, high = share_intervals([[True], [False], [True]], [0, 1, 2], [0, 0, 1])
    assert np.isfinite([low[0, 0], high[0, 0]]).all()
    assert np.isnan([low[1, 0], high[1, 0]]).all()


def test_the_difference_to_the_sham_is_of_pairs():
    flips = np.array([[True]] * 8 + [[False]] * 2)
    shams = np.array([[True]] * 2 + [[False]] * 8)
    made = above_sham(flips, shams, np.arange(10), np.zeros(10, int))
    # Six cells are flipped by the axis alone, none by the sham alone: half to the sixth.
    assert made.difference[0, 0] == pytest.approx(0.6)
    assert made.p_value[0, 0] == pytest.approx(0.5**6)
    # With half a cell more of each kind, of 12; nine degrees of freedom and one.
    centre = 6 / 12
    error = np.sqrt((7 / 12 - centre**2) / 12)
    assert made.low[0, 0] == pytest.approx(centre - t.ppf(0.975, 10) * error)


def test_flips_of_one_group_say_less_than_those_of_many():
    flips = np.repeat(np.arange(8) < 4, 10)[:, None]
    none, codes = np.zeros_like(flips), np.zeros(80, int)
    few = above_sham(flips, none, np.repeat(np.arange(8), 10), codes)
    many = above_sham(flips, none, np.tile(np.arange(10), 8), codes)
    assert few.difference == many.difference
    assert few.low[0, 0] < many.low[0, 0] - 0.1


def test_an_axis_that_differs_between_groups_is_as_uncertain_as_its_own_groups_say():
    groups, codes = np.repeat(np.arange(6), 10), np.zeros(60, int)
    cells = np.arange(60)
    own = (groups < 2) | ((groups == 2) & (cells % 10 < 4))
    # Of many axes one differs from group to group: nine others flip two cells of each group.
    others = np.repeat((cells % 10 < 2)[:, None], 9, axis=1)
    flips = np.concatenate([own[:, None], others], axis=1)
    made = above_sham(flips, np.zeros_like(flips), groups, codes)
    # Groups flip 1, 1, .4, 0, 0, 0: mean .4; 6 / 5 of the sum of ((share - mean) / 6) squared.
    share = np.array([1, 1, 0.4, 0, 0, 0])
    error = np.sqrt(6 / 5 * (((share - 0.4) / 6) ** 2).sum())
    assert made.low[0, 0] == pytest.approx(24 / 62 - t.ppf(0.975, 6) * error)
    assert made.p_value[0, 0] == pytest.approx(t.sf(24 / 62 / error, 6))
    assert made.low[0, 0] < 0 < made.low[0, 1]


def test_no_flips_are_not_above_no_flips():
    none = np.zeros((20, 3), bool)
    made = above_sham(none, none, np.arange(20) // 4, np.arange(20) % 2)
    assert (made.p_value == 1).all() and (made.low < 0).all() and (made.high > 0).all()


def test_p_values_of_nothing_stay_nothing():
    assert len(adjusted([])) == 0
