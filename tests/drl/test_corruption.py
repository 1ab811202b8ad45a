"""Corruption: each effect is what it is called, as strong as it says, and repeats from a seed."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_channelmix.drl.corruption import TESTS, Corruption, box_blurred, corrupted

NOTHING = Corruption(0, (1, 1), 0, 0, 0, (0, 0), 0)


@pytest.fixture
def drawn(textured, generator):
    return textured.draw(textured.random(200, generator), generator)


def run(drawn, how, seed=0):
    return corrupted(drawn.inputs, drawn.distance, how, torch.Generator().manual_seed(seed))


def test_no_corruption_leaves_pictures_as_they_are(drawn):
    assert torch.equal(run(drawn, NOTHING), drawn.inputs)


def test_pictures_stay_between_0_and_1_and_repeat_from_a_seed(drawn):
    found = run(drawn, Corruption())
    assert found.shape == drawn.inputs.shape
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.equal(found, run(drawn, Corruption()))
    assert not torch.equal(found, run(drawn, Corruption(), seed=1))


def test_the_share_of_blurred_pictures_is_the_one_asked_for(drawn):
    found = run(drawn, Corruption(0.3, (1, 1), 0, 0, 0, (0, 0), 0))
    blurred = box_blurred(drawn.inputs)
    counts = {
        name: sum(torch.allclose(one, other) for one, other in zip(found, those, strict=True))
        for name, those in (("sharp", drawn.inputs), ("blurred", blurred))
    }
    assert counts["sharp"] + counts["blurred"] == 200
    assert 40 <= counts["blurred"] <= 80


def test_brightness_falls_by_a_factor_for_each_picture(drawn):
    found = run(drawn, Corruption(0, (0.5, 1.0), 0, 0, 0, (0, 0), 0))
    gain = found.sum(dim=(1, 2, 3)) / drawn.inputs.sum(dim=(1, 2, 3))
    torch.testing.assert_close(found, drawn.inputs * gain[:, None, None, None])
    assert 0.5 <= gain.min() < 0.55
    assert 0.95 < gain.max() <= 1


def test_noise_lies_on_the_whole_frame_and_is_as_strong_as_the_most_asked_for(drawn):
    found = run(drawn, Corruption(0, (1, 1), 1.0, 0.08, 0, (0, 0), 0))
    # Where the sprite is grey, nothing is clipped.
    middle = (drawn.inputs > 0.3) & (drawn.inputs < 0.7)
    apart = zip(found - drawn.inputs, middle, strict=True)
    spread = torch.stack([one[grey].std() for one, grey in apart if grey.sum() > 500])
    assert 0.07 < spread.max() < 0.085
    assert spread.min() < 0.02
    corner = found[..., :8, :8]
    assert corner.max() > 0.1


def test_a_mask_cuts_out_and_one_too_large_shows_the_background(drawn):
    outside = (drawn.distance < -5)[:, None].expand_as(drawn.inputs)
    ring = ((drawn.distance < -0.5) & (drawn.distance > -1.5))[:, None].expand_as(drawn.inputs)
    inner = ((drawn.distance > 0.3) & (drawn.distance < 0.8))[:, None].expand_as(drawn.inputs)
    large = run(drawn, Corruption(0, (1, 1), 0, 0, 1.0, (2.5, 2.5), 0.15))
    assert large[outside].max() < 0.01
    assert 0.05 < large[ring].mean() < 0.12
    small = run(drawn, Corruption(0, (1, 1), 0, 0, 1.0, (-1.5, -1.5), 0.15))
    assert small[outside].max() < 0.01
    assert small[ring].mean() < 0.01
    assert small[inner].mean() < 0.3 * drawn.inputs[inner].mean()


def test_a_background_comes_with_a_mask_only(drawn):
    found = run(drawn, Corruption(0, (1, 1), 0, 0, 0, (0, 0), 0.15))
    assert torch.equal(found, drawn.inputs)


def test_at_no_strength_only_the_edge_of_the_mask_is_left(drawn):
    found = run(drawn, Corruption().at(0))
    away = (drawn.distance.abs() > 2)[:, None].expand_as(found)
    torch.testing.assert_close(found[away], drawn.inputs[away], atol=0.005, rtol=0)


def test_half_strength_halves_shares_and_ranges():
    half = Corruption().at(0.5)
    assert half.blurred == 0.15
    assert half.gain == (0.75, 1.0)
    assert half.noisy == 0.3
    assert half.off == (-0.75, 1.25)
    assert half.background == 0.075
    assert Corruption().at(1) == Corruption()


def test_a_box_blur_is_the_mean_of_nine_pixels(drawn):
    wanted = ndimage.uniform_filter(drawn.inputs.numpy(), (0, 0, 3, 3), mode="constant")
    np.testing.assert_allclose(box_blurred(drawn.inputs).numpy(), wanted, atol=1e-6)


# ---------------------------------------------------------------- what weights are tested with


@pytest.fixture
def tested(drawn, generator):
    return {name: run(drawn.inputs, drawn.distance, generator) for name, run in TESTS.items()}


def test_tests_are_what_they_are_called(tested, drawn):
    x = drawn.inputs
    assert float((tested["noise sd .05 everywhere"] - x).std()) == pytest.approx(0.05, rel=0.01)
    assert torch.equal(tested["3 x 3 blur"], box_blurred(x))
    assert torch.equal(tested["half brightness"], x / 2)
    torch.testing.assert_close(tested["gamma 1.4"], x**1.4)
    shaded = tested["shading, 40 % across the frame"]
    torch.testing.assert_close(shaded[..., 0], 0.6 * x[..., 0])
    torch.testing.assert_close(shaded[..., -1], x[..., -1])
    wanted = ndimage.gaussian_filter(
        x.numpy(), (0, 0, 1.2, 1.2), mode="constant", radius=(0, 0, 4, 4)
    )
    np.testing.assert_allclose(tested["Gaussian blur, sigma 1.2"].numpy(), wanted, atol=1e-5)


def test_photons_are_counted_with_the_variance_of_their_number(tested, drawn):
    x, seen = drawn.inputs, tested["Poisson noise, 60 photons"]
    for level in (0.3, 0.7):
        near = (x - level).abs() < 0.02
        assert float(seen[near].mean()) == pytest.approx(level, rel=0.05)
        assert float((seen - x)[near].var()) == pytest.approx(level / 60, rel=0.1)


def test_masks_that_are_off_are_off_to_the_side_they_say(tested, drawn):
    just_in = ((drawn.distance > 0.2) & (drawn.distance < 0.7))[:, None].expand_as(drawn.inputs)
    just_out = ((drawn.distance < -0.7) & (drawn.distance > -1.3))[:, None].expand_as(drawn.inputs)
    small, large = tested["mask 1 px too small"], tested["mask 2 px too large"]
    assert small[just_in].mean() < 0.5 * drawn.inputs[just_in].mean()
    assert large[just_in].mean() > 0.9 * drawn.inputs[just_in].mean()
    assert large[just_out].mean() > 0.03
    assert small[just_out].mean().abs() < 0.005


# ---------------------------------------------------------------- the formulas, by hand


def test_corruption_is_the_documented_one_unless_asked_otherwise():
    assert Corruption() == Corruption(
        blurred=0.3,
        gain=(0.5, 1.0),
        noisy=0.6,
        noise=0.08,
        masked=0.6,
        off=(-1.5, 2.5),
        background=0.15,
    )


def test_every_effect_is_drawn_in_turn_and_applied_in_order(drawn):
    draws = torch.Generator().manual_seed(9)

    def uniform(low=0.0, high=1.0):
        return low + (high - low) * torch.rand(200, 1, 1, 1, generator=draws)

    x, distance = drawn.inputs, drawn.distance[:, None]
    seen = torch.where(uniform() < 0.3, box_blurred(x), x)
    seen = seen * uniform(0.5, 1.0)
    cut = uniform() < 0.6
    around = uniform(0, 0.15) * cut
    seen = seen + around / (1 + torch.exp(3 * distance))
    noisy = uniform() < 0.6
    seen = seen + uniform(0, 0.08) * noisy * torch.randn(seen.shape, generator=draws)
    mask = 1 / (1 + torch.exp(-3 * (distance + uniform(-1.5, 2.5))))
    wanted = torch.where(cut, seen * mask, seen).clamp(0, 1)
    torch.testing.assert_close(run(drawn, Corruption(), seed=9), wanted)


@pytest.mark.parametrize(
    ("test", "off"), [("mask 1 px too small", -1.0), ("mask 2 px too large", 2.0)]
)
def test_a_mask_that_is_off_shows_a_noisy_twentieth_of_light_around(drawn, test, off):
    found = TESTS[test](drawn.inputs, drawn.distance, torch.Generator().manual_seed(4))
    distance = drawn.distance[:, None]
    noise = torch.randn(drawn.inputs.shape, generator=torch.Generator().manual_seed(4))
    seen = drawn.inputs + 0.05 / (1 + torch.exp(3 * distance)) + 0.02 * noise
    torch.testing.assert_close(found, seen / (1 + torch.exp(-3 * (distance + off))))
