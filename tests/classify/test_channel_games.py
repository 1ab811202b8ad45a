"""Shapley values are made of their subsets as the formula says; donors are other cells."""

import doctest
from itertools import permutations, product
from math import comb

import numpy as np
import pytest
import torch

from napari_channelmix.classify import channel_games
from napari_channelmix.classify.channel_games import (
    blended_scores,
    drawn_donors,
    shapley_subsets,
    shapley_weights,
)
from napari_channelmix.classify.networks import NetworkSpec


def test_examples_are_true():
    result = doctest.testmod(channel_games)
    assert result.attempted and not result.failed


def test_weights_of_the_subsets_a_channel_joins_sum_to_one():
    for channels in range(1, 9):
        sizes = np.array([comb(channels - 1, size) for size in range(channels)])
        assert shapley_weights(channels) @ sizes == pytest.approx(1)


def test_weights_of_three_channels_are_a_third_a_sixth_and_a_third():
    assert shapley_weights(3).tolist() == pytest.approx([1 / 3, 1 / 6, 1 / 3])
    assert shapley_weights(4).tolist() == pytest.approx([1 / 4, 1 / 12, 1 / 12, 1 / 4])


def game(subset):
    """A game of three: a has 1, b has 2, a and b together 2 more, c nothing without both."""
    a, b, c = (bool(player) for player in subset)
    return 1.0 * a + 2.0 * b + 2.0 * (a and b) + 3.0 * (a and b and c)


def mean_gains(orders, count):
    """What each player adds to those before it, mean over orders."""
    gains = np.zeros(count)
    for order in orders:
        present = [False] * count
        for player in order:
            before = game(present)
            present[player] = True
            gains[player] += (game(present) - before) / len(orders)
    return gains


def test_all_subsets_give_the_mean_gain_over_all_orders():
    subsets, combine = channel_games._all_subsets(3)
    assert {tuple(subset) for subset in subsets.tolist()} == set(product([False, True], repeat=3))
    assert not subsets[0].any()
    assert subsets[-1].all()
    values = combine(np.array([[game(subset)] for subset in subsets]))
    # The 3 that need all of them are shared by three, the 2 of a and b by two.
    np.testing.assert_allclose(values, [[1 + 1 + 1, 2 + 1 + 1, 1]])
    np.testing.assert_allclose(values[0], mean_gains(list(permutations(range(3))), 3))


def test_sampled_orders_are_sixteen_and_their_reverses():
    rng = np.random.default_rng(4)
    subsets, combine = channel_games._orders(3, rng)
    again = np.random.default_rng(4)
    drawn = [again.permutation(3).tolist() for _ in range(16)]
    orders = [each for order in drawn for each in (order, order[::-1])]
    wanted = [[False] * 3]
    for order in orders:
        wanted += [[channel in order[:size] for channel in range(3)] for size in (1, 2)]
    assert subsets.tolist() == [*wanted, [True] * 3]
    values = combine(np.array([[game(subset)] for subset in subsets]))
    np.testing.assert_allclose(values[0], mean_gains(orders, 3))


def test_an_order_and_its_reverse_give_a_pair_its_exact_value():
    # Of two channels, either is first once: what they share is halved, not left to the draw.
    _, combine = channel_games._orders(2, np.random.default_rng(0), pairs=1)
    values = np.array([[0.0], [1.0], [5.0], [7.0]])
    # Subsets: none, first of the order, first of its reverse, both.
    values = sorted(combine(values)[0])
    assert values == pytest.approx([(1 + 2) / 2, (5 + 6) / 2])


def test_more_than_eight_channels_are_sampled_in_orders():
    rng = np.random.default_rng(0)
    assert len(shapley_subsets(8, rng)[0]) == 256
    assert len(shapley_subsets(9, rng)[0]) == 2 + 32 * 8


# ---------------------------------------------------------------- donors


def test_donors_are_of_the_class_of_another_group_and_never_the_cell_itself():
    rng = np.random.default_rng(0)
    labels, groups = np.arange(40) % 2, np.repeat(np.arange(4), 10)
    receivers = np.tile(np.arange(40), 5)
    wanted = 1 - labels[receivers]
    donors = drawn_donors(receivers, wanted, labels, rng, groups)
    assert (labels[donors] == wanted).all()
    assert (groups[donors] != groups[receivers]).all()
    # Each donates about as often as the others.
    assert np.ptp(np.bincount(donors)) <= 6


def test_in_a_single_group_a_donor_is_any_cell_but_itself():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 3)
    receivers = np.tile(np.arange(6), 50)
    donors = drawn_donors(receivers, labels[receivers], labels, rng, np.zeros(6))
    assert (donors != receivers).all()
    assert set(donors[receivers == 0].tolist()) == {1, 2}


def test_a_class_without_another_cell_has_no_donor():
    rng = np.random.default_rng(0)
    assert drawn_donors(np.array([0, 1]), [0, 1], np.array([0, 1]), rng).tolist() == [-1, -1]
    assert drawn_donors(np.array([0]), [5], np.array([0, 1]), rng).tolist() == [-1]


def test_sums_of_the_first_convolution_are_the_network_itself():
    torch.manual_seed(0)
    network = NetworkSpec("tiny", 3, 2).build().eval()
    x, absent = torch.randn(2, 5, 3, 16, 16)
    scores = blended_scores(network, x, absent)
    for present in ([0, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 0]):
        keep = torch.tensor(present, dtype=torch.bool)[:, None, None]
        with torch.inference_mode():
            wanted = network(torch.where(keep, x, absent))
        torch.testing.assert_close(scores(np.array(present, bool)), wanted, atol=1e-4, rtol=1e-4)
