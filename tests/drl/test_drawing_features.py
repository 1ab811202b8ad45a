"""Features of drawings: a step of one thing moves its feature and leaves the others."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.drl.drawing_features import FEATURES, drawing_features


def disc(radius=15.0, light=0.4, centre=(31.5, 31.5), tall=1.0):
    y, x = np.mgrid[:64, :64] - np.array(centre)[:, None, None]
    inside = np.hypot(y / tall, x * tall) < radius
    return (light * inside).astype(np.float32)[None]


def of(picture):
    return dict(zip(FEATURES, drawing_features(picture), strict=True))


def test_a_disc_has_the_area_light_and_place_it_was_drawn_with():
    seen = of(disc(centre=(30, 34)))
    assert np.exp(seen["area"]) == pytest.approx(np.pi * 15**2, rel=0.02)
    assert np.exp(seen["light"]) == pytest.approx(0.4, rel=1e-3)
    assert (seen["place y"], seen["place x"]) == pytest.approx((30, 34), abs=0.1)
    assert seen["outline"] < 0.05
    assert seen["granularity"] < 0.01
    assert abs(seen["rim"]) < 0.01


def test_a_larger_and_a_dimmer_disc_differ_in_nothing_else():
    plain, large, dim = of(disc()), of(disc(20)), of(disc(light=0.1))
    assert large["area"] - plain["area"] == pytest.approx(2 * np.log(20 / 15), abs=0.03)
    assert dim["light"] - plain["light"] == pytest.approx(np.log(1 / 4), abs=1e-3)
    for other in (large, dim):
        assert other["granularity"] == pytest.approx(plain["granularity"], abs=0.01)
        assert other["outline"] == pytest.approx(plain["outline"], abs=0.02)
        assert other["rim"] == pytest.approx(plain["rim"], abs=0.01)


def test_grains_and_a_rim_and_a_long_outline_are_told_apart():
    rng = np.random.default_rng(0)
    plain = disc()
    grainy = plain * (1 + 0.3 * rng.choice([-1, 1], (16, 16)).repeat(4, 0).repeat(4, 1))
    y, x = np.mgrid[:64, :64] - 31.5
    rimmed = plain * (0.5 + np.hypot(y, x)[None] / 15).astype(np.float32)
    assert of(grainy)["granularity"] > 0.1
    assert of(rimmed)["rim"] > 0.1
    assert of(rimmed)["granularity"] < 0.03
    long = of(disc(tall=1.4))
    assert long["outline"] > 0.12
    assert long["area"] == pytest.approx(of(plain)["area"], abs=0.03)


def test_a_black_picture_has_no_features():
    assert np.isnan(drawing_features(np.zeros((1, 64, 64), np.float32))).all()
