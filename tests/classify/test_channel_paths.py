"""Orders of channels walked pair by pair: the network itself, every class equally often."""

import doctest
from itertools import permutations

import numpy as np
import pytest
import torch

from napari_channelmix.classify import channel_paths
from napari_channelmix.classify.channel_paths import (
    drawn_orders,
    equal_pairs,
    exchanged_scores,
    member_table,
    pairs_within,
    walked_at_once,
    walked_masks,
    walked_scores,
)
from napari_channelmix.classify.networks import NetworkSpec

PLAYERS = ((0,), (1, 4), (2,), (3,))


@pytest.fixture(scope="module")
def network():
    return NetworkSpec("tiny", 5, 3).build(seed=1).eval()


def test_examples_are_true():
    result = doctest.testmod(channel_paths)
    assert result.attempted and not result.failed


def test_a_walk_is_the_network_with_the_first_players_present_and_with_the_others(network):
    generator = torch.Generator().manual_seed(0)
    x, absent = torch.randn(2, 6, 5, 13, 11, generator=generator)
    table = member_table(PLAYERS)
    orders = drawn_orders(6, len(PLAYERS), np.random.default_rng(2))
    steps = list(walked_scores(network, x, absent, orders, table))
    masks = list(walked_masks(orders, table, 5))
    assert len(steps) == len(masks) == 3
    for (forwards, backwards), present in zip(steps, masks, strict=True):
        keep = torch.from_numpy(present)[:, :, None, None]
        with torch.inference_mode():
            wanted = network(torch.where(keep, x, absent)), network(torch.where(keep, absent, x))
        torch.testing.assert_close(forwards, wanted[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(backwards, wanted[1], atol=1e-4, rtol=1e-4)


def test_masks_hold_all_channels_of_the_players_that_came(network):
    masks = list(walked_masks(np.array([[1, 3, 0, 2]]), member_table(PLAYERS), 5))
    assert [np.flatnonzero(mask[0]).tolist() for mask in masks] == [[1, 4], [1, 3, 4], [0, 1, 3, 4]]


def test_an_exchange_takes_one_player_from_the_donor(network):
    generator = torch.Generator().manual_seed(1)
    x, absent = torch.randn(2, 4, 5, 12, 12, generator=generator)
    for members, scores in zip(
        PLAYERS, exchanged_scores(network, x, absent, member_table(PLAYERS)), strict=True
    ):
        mixed = x.clone()
        mixed[:, list(members)] = absent[:, list(members)]
        with torch.inference_mode():
            wanted = network(mixed)
        torch.testing.assert_close(scores, wanted, atol=1e-4, rtol=1e-4)


def test_classes_come_equally_often_and_cells_again_only_after_all_others():
    labels = np.repeat([0, 1, 2], [300, 40, 2])
    cells, donors = equal_pairs(labels, 300, np.random.default_rng(0))
    # The two cells of the last class come 32 times at most; what they leave is for the others.
    assert np.bincount(labels[cells]).tolist() == [118, 118, 64]
    times = np.bincount(cells, minlength=len(labels))
    assert set(times[labels == 0]) == {0, 1}
    assert set(times[labels == 1]) == {2, 3}
    assert times[labels == 2].tolist() == [32, 32]
    for code in range(3):
        given = np.bincount(labels[donors[labels[cells] == code]], minlength=3)
        assert given.max() - given.min() <= 1


def test_a_pair_costs_two_crops_for_each_player_and_the_whole_at_most_twice_the_budget():
    for players in (9, 14, 39, 104, 200):
        cost = 2 * (players - 1) * pairs_within(20_000, players, 7)
        assert 19_000 <= cost <= 40_000
    assert pairs_within(100, 200, 7) == 1


def test_orders_are_drawn_anew_for_each_pair():
    orders = drawn_orders(600, 3, np.random.default_rng(0))
    counts = [(orders == order).all(axis=1).sum() for order in permutations(range(3))]
    assert min(counts) > 60 and sum(counts) == 600


def test_pairs_that_are_walked_at_once_do_not_become_fewer_with_the_channels():
    sizes = [
        walked_at_once(
            NetworkSpec("small", channels, 3).build(),
            torch.zeros(1, channels, 32, 32),
            member_table([(place,) for place in range(channels)]),
        )
        for channels in (14, 200)
    ]
    assert sizes[0] == sizes[1] >= 8
