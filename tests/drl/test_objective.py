"""The objective: what pairs share, which latents changed, what a picture costs."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from napari_channelmix.drl.network import NetworkSettings, Posterior, VariationalAutoencoder
from napari_channelmix.drl.objective import (
    PAPER_OBJECTIVE,
    Objective,
    aggregated,
    changed_latents,
    reconstruction,
)
from napari_channelmix.errors import ModelError


@pytest.fixture
def pair(generator):
    return tuple(Posterior(*torch.randn(2, 7, 5, generator=generator).unbind()) for _ in range(2))


def test_unchanged_latents_get_the_mean_of_means_and_the_mean_of_variances(pair):
    changed = torch.zeros(7, 5, dtype=torch.bool)
    changed[:, 2] = True
    one, other = aggregated(*pair, changed)
    for at in range(7):
        for d in range(5):
            means = [float(each.mean[at, d]) for each in pair]
            variances = [math.exp(each.log_variance[at, d]) for each in pair]
            for shared, own_mean, own_variance in zip((one, other), means, variances, strict=True):
                wanted = (
                    (own_mean, own_variance) if d == 2 else (sum(means) / 2, sum(variances) / 2)
                )
                found = float(shared.mean[at, d]), math.exp(shared.log_variance[at, d])
                assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_extreme_variances_are_averaged_without_overflow():
    one, other = (Posterior(torch.zeros(1, 1), torch.full((1, 1), v)) for v in (-20.0, 10.0))
    shared, _ = aggregated(one, other, torch.zeros(1, 1, dtype=torch.bool))
    assert float(shared.log_variance) == pytest.approx(10 - math.log(2), abs=1e-4)


def test_the_adaptive_rule_is_the_middle_between_the_extremes_of_each_pair(pair):
    first, second = pair
    found = changed_latents(first, second)
    for at in range(7):
        apart = []
        for d in range(5):
            one, other = (
                Normal(each.mean[at, d], (0.5 * each.log_variance[at, d]).exp()) for each in pair
            )
            apart.append(float((kl_divergence(one, other) + kl_divergence(other, one)) / 2))
        threshold = (min(apart) + max(apart)) / 2
        assert found[at].tolist() == [value >= threshold for value in apart]
    assert len({tuple(row) for row in found.tolist()}) > 1


def test_a_pair_has_its_own_threshold(pair):
    first, second = pair
    far = Posterior(second.mean.clone(), second.log_variance)
    far.mean[0] += 1000
    # However far one pair lies apart, the others are judged as before.
    assert torch.equal(changed_latents(first, far)[1:], changed_latents(first, second)[1:])


def test_the_choice_of_latents_carries_no_gradient(pair):
    first, second = (Posterior(*(one.requires_grad_() for one in each)) for each in pair)
    assert not changed_latents(first, second).requires_grad
    shared, _ = aggregated(first, second, changed_latents(first, second))
    shared.mean.sum().backward()
    assert first.mean.grad is not None


@pytest.mark.parametrize("logits", [True, False])
def test_reconstruction_is_cross_entropy_summed_over_pixels_and_averaged_over_pictures(logits):
    network = VariationalAutoencoder(NetworkSettings(filters=8, hidden=16, logits=logits)).eval()
    latents, pictures = torch.randn(4, 10), torch.rand(4, 3, 64, 64)
    drawn = network.picture(latents)
    wanted = F.binary_cross_entropy(drawn, pictures, reduction="none").sum(dim=(1, 2, 3))
    found = reconstruction(network, latents, pictures)
    torch.testing.assert_close(found, wanted.mean(), rtol=1e-4, atol=0)
    weight = torch.rand(4, 1, 64, 64)
    wanted = (F.binary_cross_entropy(drawn, pictures, reduction="none") * weight).sum() / 4
    found = reconstruction(network, latents, pictures, weight)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=0)


def test_weights_of_the_loss_follow_the_training():
    objective = Objective(beta=2.0, ramp=0.1, alignment=(150.0, 50.0))
    assert [objective.beta_at(at) for at in (0, 0.05, 0.1, 1)] == [0, 1, 2, 2]
    assert [objective.alignment_at(at) for at in (0, 0.5, 1)] == [150, 100, 50]
    assert Objective(beta=2.0, ramp=0.0).beta_at(0) == 2


def test_the_objective_of_the_paper_supervises_nothing():
    assert PAPER_OBJECTIVE.pairs == "labels"
    assert PAPER_OBJECTIVE.beta == 1
    assert {PAPER_OBJECTIVE.alignment_at(at) for at in (0, 0.5, 1)} == {0}
    # 50,000 of 400,000 steps.
    assert PAPER_OBJECTIVE.beta_at(50 / 400) == 1
    assert PAPER_OBJECTIVE.beta_at(49 / 400) < 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"pairs": "guess"}, "'labels' or 'adaptive', not 'guess'"),
        ({"changes": 2}, "in labels mode a pair differs in one factor"),
        ({"pairs": "adaptive", "changes": 0}, "changes must be 1 or more"),
        ({"ramp": 1.5}, "ramp 0 to 1"),
        ({"beta": -1.0}, "beta 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, says):
    with pytest.raises(ModelError, match=says):
        Objective(**settings)


def test_the_objective_is_the_documented_one_unless_asked_otherwise():
    assert Objective() == Objective(
        pairs="labels",
        changes=1,
        beta=1.0,
        ramp=0.1,
        alignment=(150.0, 50.0),
        inside=1.0,
        spare=20.0,
    )
    assert Objective(ramp=0.125, alignment=(0.0, 0.0), inside=0.0, spare=1.0) == PAPER_OBJECTIVE
