"""The network: the paper's sizes, posteriors that are what they say, options that do their work."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from napari_channelmix.drl.network import (
    PRESETS,
    NetworkSettings,
    Posterior,
    VariationalAutoencoder,
)
from napari_channelmix.errors import ModelError

PLAIN = NetworkSettings(hidden=0, expansion=0, summary=False, logits=False)


def weights(settings):
    return sum(one.numel() for one in VariationalAutoencoder(settings).parameters())


# Section 2.1 of the specification.
@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (replace(PLAIN, filters=16), 39_415),
        (replace(PLAIN, filters=32), 89_047),
        (replace(PLAIN, filters=64), 219_031),
        (PRESETS["paper"], 601_879),
        (replace(PLAIN, filters=32, side=128), 291_799),
    ],
)
def test_the_network_of_the_paper_has_its_number_of_weights(settings, count):
    assert weights(settings) == count


def test_the_recipe_of_the_specification_has_its_number_of_weights():
    assert weights(NetworkSettings(filters=64, hidden=256)) == 2_221_722


@pytest.mark.parametrize(
    "settings",
    [
        replace(PLAIN, filters=8),
        NetworkSettings(filters=8, hidden=16),
        NetworkSettings(side=32, channels=1, filters=4, latents=3),
    ],
)
def test_pictures_go_in_and_come_out_in_the_same_shape(settings):
    network = VariationalAutoencoder(settings).eval()
    pictures = torch.rand(5, settings.channels, settings.side, settings.side)
    posterior = network(pictures)
    assert posterior.mean.shape == posterior.log_variance.shape == (5, settings.latents)
    drawn = network.picture(posterior.sample())
    assert drawn.shape == pictures.shape
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_the_divergence_is_that_from_the_standard_normal():
    posterior = Posterior(torch.randn(4, 3), torch.randn(4, 3))
    wanted = kl_divergence(
        Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), Normal(0.0, 1.0)
    )
    torch.testing.assert_close(posterior.kl(), wanted)


def test_samples_have_the_mean_and_spread_of_the_posterior():
    torch.manual_seed(0)
    posterior = Posterior(torch.full((40_000, 1), 2.0), torch.full((40_000, 1), -1.0))
    drawn = posterior.sample()
    assert float(drawn.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(drawn.std()) == pytest.approx(torch.tensor(-0.5).exp().item(), rel=0.02)


def test_the_log_variance_stays_within_bounds():
    network = VariationalAutoencoder(replace(PLAIN, filters=8))
    with torch.no_grad():
        network.encoder.log_variance.bias[:5] = 1e6
        network.encoder.log_variance.bias[5:] = -1e6
    found = network(torch.rand(2, 3, 64, 64)).log_variance
    assert found[:, :5].eq(10).all()
    assert found[:, 5:].eq(-20).all()


def test_the_summary_sees_color_free_of_brightness():
    summary = VariationalAutoencoder(NetworkSettings(filters=8, hidden=16)).encoder.summary
    red = torch.zeros(1, 3, 64, 64)
    red[:, :, 20:40, 20:40] = torch.tensor([0.8, 0.2, 0.4])[:, None, None]
    torch.testing.assert_close(summary(red), summary(red / 2))
    assert not torch.allclose(summary(red), summary(red.flip(1)), atol=1e-3)


def test_the_summary_of_one_channel_sees_brightness():
    settings = NetworkSettings(filters=8, hidden=16, channels=1)
    summary = VariationalAutoencoder(settings).encoder.summary
    cell = torch.zeros(1, 1, 64, 64)
    cell[:, :, 20:40, 20:40] = 0.8
    assert not torch.allclose(summary(cell), summary(cell / 2), atol=1e-3)


def test_a_black_picture_has_a_summary():
    for channels in (1, 3):
        network = VariationalAutoencoder(NetworkSettings(filters=8, hidden=16, channels=channels))
        found = network.eval()(torch.zeros(1, channels, 64, 64))
        assert torch.isfinite(found.mean).all()


def test_the_expansion_lets_a_linear_layer_follow_a_bump():
    decoder = VariationalAutoencoder(NetworkSettings(filters=8, hidden=0)).decoder
    seen = []
    decoder.body.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    latents = torch.zeros(7, 10)
    latents[:, 0] = torch.linspace(-1.5, 1.5, 7)
    decoder(latents)
    wide = seen[0]
    assert wide.shape == (7, 10 * 8)
    # Each value of the first latent is on top of a bump of its own.
    assert wide[:, 10:17].argmax(dim=1).tolist() == list(range(7))
    torch.testing.assert_close(wide[:, 10:17].diagonal(), torch.ones(7))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"side": 60}, "side must be a multiple of 8, not 60"),
        ({"side": 0}, "side must be a multiple of 8, not 0"),
        ({"filters": 6}, "filters must be a multiple of 4, not 6"),
        ({"channels": 0}, "channels and latents must be 1 or more"),
        ({"latents": 0}, "channels and latents must be 1 or more"),
        ({"hidden": -1}, "hidden and expansion 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, says):
    with pytest.raises(ModelError, match=says):
        NetworkSettings(**settings)


def test_a_fixed_normalisation_within_the_convolution_changes_nothing() -> None:
    torch.manual_seed(3)
    encoder = VariationalAutoencoder(NetworkSettings(side=16, filters=8, hidden=8)).encoder
    pictures = torch.rand(5, 3, 16, 16)
    for _ in range(3):
        encoder.body(4 * pictures)  # statistics that are neither 0 nor 1
    encoder.eval()
    with torch.no_grad():
        one_by_one = encoder.body(pictures)
        mean = encoder.mean(torch.cat([one_by_one, encoder.summary(pictures)], dim=1))
        torch.testing.assert_close(encoder(pictures).mean, mean, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- the formulas, by hand


def test_bumps_lie_evenly_on_the_range_and_are_six_tenths_of_their_distance_wide():
    decoder = VariationalAutoencoder(NetworkSettings(filters=8, hidden=0)).decoder
    seen = []
    decoder.body.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    latents = torch.linspace(-2, 2, 10)[None]
    decoder(latents)
    centres = [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5]
    # Seven bumps on 3 units: .6 * 3 / 6.
    wanted = [[math.exp(-0.5 * ((z - c) / 0.3) ** 2) for c in centres] for z in latents[0].tolist()]
    torch.testing.assert_close(seen[0][0, :10], latents[0])
    torch.testing.assert_close(seen[0][0, 10:].view(10, 7), torch.tensor(wanted))


def summed_up(pictures):
    """What the summary's layer is given."""
    settings = NetworkSettings(filters=8, hidden=16, channels=pictures.shape[1])
    summary, seen = VariationalAutoencoder(settings).encoder.summary, []
    summary.layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    summary(pictures)
    return seen[0][0].tolist()


def test_the_summary_of_colors_is_three_times_the_share_above_the_mean():
    picture = torch.zeros(1, 3, 64, 64)
    picture[:, :, :32] = torch.tensor([0.6, 0.2, 0.1])[:, None, None]
    # Shares of the mean, 2, 2/3 and 1/3.
    assert summed_up(picture) == pytest.approx([3, -1, -2], rel=1e-4)


def test_the_summary_of_one_channel_is_the_log_of_light_and_of_brightness_where_it_is_lit():
    picture = torch.zeros(1, 1, 64, 64)
    picture[:, :, :16] = 0.8
    assert summed_up(picture) == pytest.approx([math.log(0.2), math.log(0.8)], rel=1e-4)
    assert summed_up(torch.zeros(1, 1, 64, 64)) == pytest.approx([math.log(1e-4)] * 2)


def test_sizes_are_those_that_are_listed():
    assert NetworkSettings() == NetworkSettings(
        side=64,
        channels=3,
        filters=64,
        latents=10,
        hidden=128,
        expansion=7,
        summary=True,
        logits=True,
    )
    sizes = {name: (one.filters, one.hidden) for name, one in PRESETS.items()}
    assert sizes == {"small": (32, 64), "medium": (64, 128), "large": (128, 256), "paper": (128, 0)}


def test_a_picture_without_logits_is_half_of_tanh_and_a_half():
    network = VariationalAutoencoder(replace(PLAIN, filters=8)).eval()
    latents = torch.randn(2, 10, generator=torch.Generator().manual_seed(0))
    drawn = network.decoder(latents)
    torch.testing.assert_close(network.picture(latents), (torch.tanh(drawn) + 1) / 2)
