"""Shapley values keep their axioms, and tell what was planted."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import Cells
from napari_channelmix.classify.train import loaded
from napari_channelmix.dcmix import shapley
from napari_channelmix.dcmix.shapley import shapley_job, shapley_weights
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


def test_weights_of_the_subsets_a_channel_joins_sum_to_one():
    for channels in range(1, 9):
        sizes = np.array([shapley.comb(channels - 1, size) for size in range(channels)])
        assert shapley_weights(channels) @ sizes == pytest.approx(1)


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
