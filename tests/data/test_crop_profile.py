"""Figures of crops: right by hand, the same whatever the batches, exact on large offsets."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.crop_profile import FEATURES, PERCENTILES, Profiler, crop_features


def figure(crops, name):
    features, *_ = crop_features(np.asarray(crops, np.float32))
    return features[:, FEATURES.index(name)]


def profiled(crops, batch=7):
    crops = np.asarray(crops, np.float32)
    profiler = Profiler(len(crops))
    for start in range(0, len(crops), batch):
        profiler.add(crops[start : start + batch])
    return profiler.profile()


def test_figures_of_a_crop_of_four_pixels():
    crop = [[[[0, 2], [4, 6]]]]
    assert figure(crop, "mean") == pytest.approx(3)
    assert figure(crop, "sd") == pytest.approx(np.sqrt(5))
    assert figure(crop, "top") == 6
    assert figure(crop, "middle") == pytest.approx(3)
    # Steps of 4, 4, 2 and 2: half their mean square is 5, all of the variance.
    assert figure(crop, "smoothness") == pytest.approx(0, abs=1e-6)


def test_noise_is_not_smooth_and_a_ramp_is():
    noise = np.random.default_rng(0).normal(size=(1, 1, 64, 64))
    assert abs(figure(noise, "smoothness")[0, 0]) < 0.05
    ramp = np.tile(np.arange(64.0), (1, 1, 64, 1))
    assert figure(ramp, "smoothness")[0, 0] > 0.99


def test_a_constant_crop_is_known_and_has_no_nan():
    found = profiled(np.stack([np.full((2, 8, 8), 5.0), np.arange(128.0).reshape(2, 8, 8)]))
    assert found.constant.tolist() == [[True, True], [False, False]]
    assert np.isfinite(found.features).all()
    assert found.of("sd")[0].tolist() == [0, 0]


def test_a_large_offset_costs_no_precision():
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 8, (3, 1, 16, 16)).astype(np.float32)
    np.testing.assert_allclose(figure(pixels + 2**20, "sd"), figure(pixels, "sd"), rtol=1e-3)


def test_mean_spread_and_correlation_are_those_of_all_pixels():
    rng = np.random.default_rng(2)
    one = rng.normal(50, 9, (20, 1, 6, 6)) + rng.normal(0, 30, (20, 1, 1, 1))
    crops = np.concatenate([one, 100 - 2 * one, rng.normal(size=one.shape)], axis=1)
    found = profiled(crops)
    flat = np.moveaxis(crops, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(found.mean, flat.mean(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.sd, flat.std(axis=1), rtol=1e-4)
    np.testing.assert_allclose(found.correlation, np.corrcoef(flat), atol=1e-4)


def test_batches_do_not_matter_and_a_repeated_one_counts_once():
    crops = np.random.default_rng(3).normal(size=(20, 2, 8, 8)).astype(np.float32)
    whole, parts = profiled(crops, 20), Profiler(20)
    parts.add(crops[:12], 0)
    # Begun again with fewer at once, as where memory runs out.
    parts.add(crops[:5], 0)
    parts.add(crops[5:], 5)
    np.testing.assert_array_equal(parts.profile().features, whole.features)
    np.testing.assert_allclose(parts.profile().products, whole.products, rtol=1e-6)


def test_saturation_is_the_share_of_pixels_at_the_highest_value_of_all():
    crops = np.zeros((2, 1, 4, 4))
    crops[0, 0, 0] = 255  # 4 of 32 pixels
    crops[1, 0, 0] = 7
    assert profiled(crops).saturated == pytest.approx(4 / 32)


def test_percentiles_come_from_so_many_pixels_at_most():
    found = Profiler(4_000_000)
    found.add(np.random.default_rng(4).random((50, 1, 30, 30), dtype=np.float32))
    assert len(found.profile().pixels) == 50
    crops = np.random.default_rng(5).random((500, 1, 16, 16))
    middle = profiled(crops).percentiles[PERCENTILES.index(50.0)]
    assert middle == pytest.approx(0.5, abs=0.01)


def test_nothing_seen_is_nothing_known():
    assert Profiler(3).profile() is None
