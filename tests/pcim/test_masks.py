"""Masks: maps have a unit, and a threshold keeps the share it was made for."""

import math

import pytest
import torch

from napari_channelmix.pcim.masks import in_order_of, in_spreads, kept_share, thresholds


def test_maps_in_spreads_keep_their_zero_and_lose_their_scale():
    maps = torch.randn(3, 1, 7, 5, generator=torch.Generator().manual_seed(0))
    scaled = in_spreads(maps * 40)
    torch.testing.assert_close(scaled, in_spreads(maps))
    torch.testing.assert_close(scaled.flatten(1).std(dim=1, correction=0), torch.ones(3))
    assert (torch.sign(scaled) == torch.sign(maps)).all()


def test_an_empty_map_stays_empty():
    assert in_spreads(torch.zeros(2, 1, 4, 4)).abs().max() == 0


def test_thresholds_of_large_maps_hold_for_all_their_pixels():
    theta = torch.rand(2, 1, 96, 90, generator=torch.Generator().manual_seed(0))
    edge = thresholds(theta, torch.tensor([0.2]))[0]
    above = (theta > edge).flatten(1).float().mean(dim=1)
    torch.testing.assert_close(above, torch.full((2,), 0.2), atol=0.02, rtol=0)


@pytest.mark.parametrize("area", [0.1, 0.25, 0.5, 0.9])
def test_a_threshold_leaves_its_share_above_it(area):
    theta = torch.rand(3, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    edge = thresholds(theta, torch.tensor([area]))[0]
    above = (theta > edge).flatten(1).float().mean(dim=1)
    torch.testing.assert_close(above, torch.full((3,), area), atol=0.011, rtol=0)


def test_thresholds_of_no_and_all_pixels_stay_within_the_map():
    theta = torch.rand(2, 1, 4, 4)
    edges = thresholds(theta, torch.tensor([0.0, 1.0]))
    assert edges.shape == (2, 2, 1, 1, 1)
    torch.testing.assert_close(edges[0].flatten(), theta.flatten(1).amax(dim=1))
    torch.testing.assert_close(edges[1].flatten(), theta.flatten(1).amin(dim=1))


def test_kept_share_is_half_at_the_edge_and_rises_with_the_map():
    alpha = kept_share(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor(0.0), 0.3)
    assert alpha[1] == 0.5
    assert 0 < alpha[0] < 0.05
    assert 0.95 < alpha[2] < 1


# ---------------------------------------------------------------- the formulas, by hand


def test_a_spread_is_that_of_all_pixels_of_a_map():
    maps = torch.tensor([1.0, 3.0, 5.0, 7.0]).view(1, 1, 2, 2)
    torch.testing.assert_close(in_spreads(maps), maps / 5**0.5)


def test_a_map_of_rounding_errors_is_empty():
    noise = torch.tensor([0.0, 1e-12]).view(1, 1, 1, 2)
    assert in_spreads(noise).abs().max() == 0
    assert in_spreads(10 * noise).abs().max() > 0


def test_a_threshold_is_the_value_at_its_place_from_the_top():
    theta = torch.arange(10.0).flip(0).view(1, 1, 2, 5)
    edges = thresholds(theta, torch.tensor([0.0, 0.25, 0.5, 0.99, 1.0]))
    # Places 0, 2, 5 and 9; the last one has nothing behind it.
    assert edges.flatten().tolist() == [9, 7, 4, 0, 0]


def test_more_than_a_thousand_and_twenty_four_pixels_are_counted_by_every_second_one():
    theta = torch.zeros(1, 1, 32, 34)
    theta[:, :, ::2, ::2] = 1
    # By all pixels a quarter is 1, so that half of them lie at 0.
    assert thresholds(theta, torch.tensor([0.5])).item() == 1
    assert thresholds(theta[..., :32], torch.tensor([0.5])).item() == 0


def test_kept_share_is_a_sigmoid_in_units_of_the_softness():
    alpha = kept_share(torch.tensor([2.0, 1.0]), torch.tensor(1.5), 0.25)
    assert alpha.tolist() == pytest.approx([1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))])


def test_values_are_dealt_out_in_the_order_of_the_ranks_within_each_plane():
    ranks = torch.tensor([[[[5.0, -1.0], [0.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]]])
    values = torch.tensor([[[[0.1, 0.4], [-0.2, 0.3]], [[-7.0, 0.0], [9.0, 1.0]]]])
    wanted = torch.tensor([[[[0.4, -0.2], [0.1, 0.3]], [[-7.0, 0.0], [1.0, 9.0]]]])
    assert torch.equal(in_order_of(ranks, values), wanted)


def test_ranks_that_are_no_numbers_stay():
    ranks = torch.tensor([[[[torch.nan, 1.0]]]])
    dealt = in_order_of(ranks, torch.tensor([[[[3.0, 4.0]]]]))
    assert dealt[0, 0, 0].isnan().tolist() == [True, False]
