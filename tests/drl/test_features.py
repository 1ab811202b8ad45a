"""Hand-crafted features: what they are for outlines and pictures whose features are known."""

import warnings

import numpy as np
import pytest

from napari_channelmix.drl.features import hand_crafted


def features(mask, scaled=None, channels=("a",)):
    if scaled is None:
        scaled = np.where(mask, 0.5, 0)[None]
    return hand_crafted(np.asarray(scaled, np.float32), mask > 0, channels)


@pytest.fixture
def disc(make_ellipse):
    return make_ellipse(64, (20, 20), 0, (31.5, 31.5))


def test_a_disc_has_the_area_and_shape_of_a_disc(disc):
    found = features(disc)
    assert found["area"] == pytest.approx(np.pi * 400, rel=0.01)
    assert found["perimeter"] == pytest.approx(2 * np.pi * 20, rel=0.06)
    assert found["solidity"] > 0.97
    assert found["eccentricity"] < 0.1


def test_a_crescent_is_not_solid_and_an_ellipse_is_eccentric(disc, make_ellipse):
    bitten = disc * (1 - make_ellipse(64, (15, 15), 0, (31.5, 45)))
    assert features(bitten)["solidity"] < 0.8
    ellipse = make_ellipse(64, (24, 12), 0.3, (31.5, 31.5))
    assert features(ellipse)["eccentricity"] == pytest.approx(np.sqrt(1 - 0.25), abs=0.01)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2, 2.5])
def test_orientation_is_the_same_after_half_a_turn_and_its_angle_is_doubled(make_ellipse, angle):
    one, turned = (
        features(make_ellipse(64, (24, 12), a, (31.5, 31.5))) for a in (angle, angle + np.pi)
    )
    for name, wanted in (("sin", np.sin(2 * angle)), ("cos", np.cos(2 * angle))):
        assert one[f"orientation {name} 2θ"] == pytest.approx(wanted, abs=0.05)
        assert turned[f"orientation {name} 2θ"] == pytest.approx(wanted, abs=0.05)


def test_an_even_cell_has_no_texture_and_a_grainy_one_has(disc):
    even = features(disc)
    assert even["GLCM contrast"] == 0
    assert even["GLCM homogeneity"] == 1
    assert even["entropy"] == 0
    fine = (np.indices(disc.shape).sum(axis=0) % 2)[None] * 0.9
    grainy = features(disc, fine)
    # Two grey levels, 14 apart, that alternate from pixel to pixel.
    assert grainy["GLCM contrast"] == pytest.approx(14**2)
    assert grainy["entropy"] == pytest.approx(1, abs=0.001)
    assert grainy["GLCM homogeneity"] < 0.01


def test_texture_knows_nothing_of_what_lies_outside(disc):
    noise = np.random.default_rng(0).random((1, 64, 64))
    inside = np.where(disc > 0, noise, 0)
    assert features(disc, noise) == pytest.approx(features(disc, inside))


def test_channels_have_mean_spread_and_share(disc):
    scaled = np.stack([0.6 * disc, 0.2 * disc])
    scaled[0, :32] *= 2
    found = features(disc, scaled, ("DNA", "GFP"))
    assert found["DNA mean"] == pytest.approx(0.9, abs=0.01)
    assert found["DNA sd"] == pytest.approx(0.3, abs=0.01)
    assert found["GFP mean"] == pytest.approx(0.2)
    assert found["GFP sd"] == pytest.approx(0, abs=1e-6)
    assert found["DNA share"] == pytest.approx(0.9 / 1.1, abs=0.01)
    assert found["DNA share"] + found["GFP share"] == pytest.approx(1)
    assert "a share" not in features(disc)


def test_the_rim_says_which_half_is_brighter(disc):
    y, x = np.indices(disc.shape) - 31.5
    depth = 20 - np.hypot(y, x)
    bright_rim, dark_rim = (np.where(disc > 0, 0.5 + s * 0.02 * depth, 0)[None] for s in (-1, 1))
    assert features(disc, bright_rim)["rim"] > 0.1
    assert features(disc, dark_rim)["rim"] < -0.1
    assert features(disc)["rim"] == pytest.approx(0, abs=1e-6)


def test_the_light_lies_where_it_is_brighter(disc):
    x = np.indices(disc.shape)[1]
    found = features(disc, (disc * (x - 10))[None])
    assert found["light offset x"] > 2
    assert found["light offset y"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "mask",
    [np.ones((1, 1)), np.ones((2, 2)), np.ones((1, 9)), np.eye(9), np.pad(np.ones((1, 1)), 5)],
    ids=["1 pixel", "4 pixels", "a line", "a diagonal", "1 pixel of many"],
)
@pytest.mark.parametrize("level", [0.0, 0.5, -0.5])
def test_the_smallest_cells_have_finite_features(mask, level):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = features(mask, np.full((1, *mask.shape), level))
    assert all(np.isfinite(value) for value in found.values())
    assert found["area"] == mask.sum()
