"""Shapley values keep their axioms, and tell what was planted."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import Cells
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.train import loaded
from napari_channelmix.dcmix import shapley
from napari_channelmix.dcmix.shapley import shapley_job
from napari_channelmix.jobs import drain

CPU = torch.device("cpu")


class Rule(nn.Module):
    """Class 1 where the weighted sum of the channels' means is positive."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.tensor(weights, dtype=torch.float32)

    def forward(self, x):
        score = x.mean(dim=(2, 3)) @ self.weights
        return torch.stack([-score, score], dim=1)


@pytest.fixture
def crops():
    """Channel 0 carries the class; channels 1 and 2 are noise."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    values = rng.normal(0, 0.2, (120, 3)) + np.array([1.0, 0, 0]) * (2 * labels[:, None] - 1)
    pixels = np.repeat(np.repeat(values[:, :, None, None], 8, 2), 8, 3)
    return drain(loaded(Cells.from_array(pixels, list("abc"), labels, ("no", "yes"))))


def test_values_sum_to_what_all_channels_add_to_none(crops):
    values = drain(shapley_job(Rule([1.0, 0.5, 0.2]), crops, seed=0, device=CPU))
    assert values.exact
    assert values.overall.sum() == pytest.approx(values.whole - values.nothing)
    np.testing.assert_allclose(values.per_class.mean(axis=0), values.overall)


def test_a_channel_that_the_network_ignores_gets_exactly_nothing(crops):
    values = drain(shapley_job(Rule([1.0, 0.0, 0.3]), crops, seed=0, device=CPU))
    assert values.overall[1] == 0
    assert values.overall[0] > 0.4


def test_no_channel_at_all_means_chance(crops):
    values = drain(shapley_job(Rule([1.0, 0.0, 0.0]), crops, seed=1, device=CPU))
    assert values.nothing == pytest.approx(0.5, abs=0.06)
    assert values.whole == pytest.approx(1.0)


def test_equal_channels_get_equal_values():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    one = rng.normal(0, 0.3, 200) + 2 * labels - 1
    pixels = np.broadcast_to(np.stack([one, one], 1)[:, :, None, None], (200, 2, 8, 8))
    crops = drain(loaded(Cells.from_array(np.array(pixels), list("ab"), labels, ("no", "yes"))))
    values = drain(shapley_job(Rule([1.0, 1.0]), crops, seed=0, device=CPU))
    assert values.overall[0] == pytest.approx(values.overall[1])


def test_sampled_orders_agree_with_all_subsets_and_keep_the_sum(crops, monkeypatch):
    network = Rule([1.0, 0.6, 0.2])
    exact = drain(shapley_job(network, crops, seed=0, device=CPU))
    monkeypatch.setattr(shapley, "EXACT_CHANNELS", 2)
    sampled = drain(shapley_job(network, crops, seed=0, device=CPU))
    assert not sampled.exact
    assert sampled.overall.sum() == pytest.approx(sampled.whole - sampled.nothing)
    np.testing.assert_allclose(sampled.overall, exact.overall, atol=0.05)


def test_a_budget_of_forwards_is_kept_and_rare_classes_keep_their_cells(crops):
    rare = crops.subset(np.r_[0:60, 60:63])
    seen = []

    class Counting(Rule):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    values = drain(shapley_job(Counting([1.0, 0, 0]), rare, seed=0, device=CPU, forwards=160))
    assert sum(seen) <= 200
    assert np.isfinite(values.per_class).all()


class Two(nn.Module):
    """Class 1 where both channels are above 0."""

    def forward(self, x):
        both = x.mean(dim=(2, 3)).amin(dim=1)
        return torch.stack([-both, both], dim=1)


def test_the_value_of_a_subset_is_recall_with_the_absent_channels_of_a_donor(monkeypatch):
    # Two cells; each gets the other as its donor, so that every figure is a count of two.
    pixels = np.array([[-1.0, -1.0], [1.0, 1.0]])[:, :, None, None] * np.ones((2, 2, 4, 4))
    crops = drain(loaded(Cells.from_array(pixels, list("ab"), [0, 1], ("no", "yes"))))
    pairs = np.array([0, 1]), np.array([1, 0])
    monkeypatch.setattr(shapley, "donor_pairs", lambda labels, count, rng: pairs)
    values = drain(shapley_job(Two(), crops, seed=0, device=CPU))
    # Recalls of 'no' and 'yes' with nothing (0, 0), one channel (1, 0), both (1, 1): a mixture
    # of the two cells is never above 0 in both channels, so it is called 'no'.
    assert (values.nothing, values.whole) == (0.0, 1.0)
    np.testing.assert_allclose(values.per_class, [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(values.overall, [0.5, 0.5])


@pytest.mark.parametrize(
    ("channels", "cells", "subsets", "draws"),
    # Room for 30,000 forwards, at most 8 donors a cell; from 9 channels on 2 + 32 * 8 subsets.
    [(2, 10, 4, 8), (8, 50, 256, 2), (9, 50, 258, 2), (8, 240, 256, 1)],
)
def test_forwards_are_spent_on_subsets_cells_and_draws(channels, cells, subsets, draws):
    pixels = np.random.default_rng(0).normal(size=(cells, channels, 4, 4))
    labels = np.arange(cells) % 2
    names = [str(one) for one in range(channels)]
    crops = drain(loaded(Cells.from_array(pixels, names, labels, ("no", "yes"))))
    seen = []

    def network(x):
        seen.append(len(x))
        return x.mean(dim=(2, 3))[:, :2]

    values = drain(shapley_job(network, crops, seed=0, device=CPU))
    assert values.exact == (channels <= 8)
    used = min(cells, max(8, 30_000 // subsets))
    # All and none of the channels are the cells themselves, each called once.
    inner = (subsets - 2) * draws * used
    assert inner + used / 2 <= sum(seen) <= inner + cells


def test_rare_classes_get_more_donors_and_every_class_donates_equally_often():
    labels = np.array([0] * 400 + [1] * 100 + [2] * 4)
    cells, donors = shapley.donor_pairs(labels, 600, np.random.default_rng(0))
    # Room for 200 pairs a class: half the cells of the first, twice those of the second, and no
    # cell more than 8 times.
    assert np.bincount(labels[cells]).tolist() == [400, 200, 32]
    for code, receivers in enumerate([400, 200, 32]):
        given = np.bincount(labels[donors[labels[cells] == code]], minlength=3)
        assert given.max() - given.min() <= 1, (code, receivers)
    times = np.bincount(donors, minlength=len(labels))
    for code in range(3):
        assert times[labels == code].max() - times[labels == code].min() <= 1


@pytest.mark.parametrize("channels", [4, 9])
def test_sums_of_the_first_convolution_give_the_very_values_of_blended_crops(channels):
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(60, channels, 12, 12)).astype(np.float32)
    network = NetworkSpec("tiny", channels, 3).build(seed=2)
    # Statistics that are not those of a new network.
    network.train()
    crops_of = torch.from_numpy(pixels)
    with torch.no_grad():
        for _ in range(20):
            network(crops_of * 2 + 1)
        # Scores around those of the mean, so that every class is called.
        network.head.bias -= network.eval()(crops_of).mean(dim=0)
        labels = network(crops_of).argmax(dim=1).numpy()
    labels[:30] = rng.permutation(labels[:30])
    assert len(set(labels.tolist())) == 3
    names = [str(one) for one in range(channels)]
    crops = drain(loaded(Cells.from_array(pixels, names, labels, tuple("abc"))))

    def other(x):
        return network(x)

    fast, plain = (
        drain(shapley_job(one, crops, seed=0, device=CPU, forwards=6000))
        for one in (network, other)
    )
    assert np.abs(fast.overall).max() > 0
    np.testing.assert_array_equal(fast.per_class, plain.per_class)
    assert (fast.whole, fast.nothing) == (plain.whole, plain.nothing)
