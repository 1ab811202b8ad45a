"""Figures of crops: right by hand, the same whatever the batches, exact on large offsets."""

from __future__ import annotations

import pickle
from dataclasses import fields

import numpy as np
import pytest

from napari_channelmix.data.crop_profile import (
    FEATURES,
    PERCENTILES,
    MeasuredCrops,
    Profiler,
    crop_features,
)


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
    # One pixel of every tenth crop.
    assert len(found.profile().pixels) == 5
    crops = np.random.default_rng(5).random((500, 1, 16, 16))
    middle = profiled(crops).percentiles[PERCENTILES.index(50.0)]
    assert middle == pytest.approx(0.5, abs=0.01)


def test_nothing_seen_is_nothing_known():
    assert Profiler(3).profile() is None


def same(one, other):
    """Whether two profiles are the same to the bit, but for the order of the sample of pixels."""
    for attribute in fields(one):
        left, right = (getattr(part, attribute.name) for part in (one, other))
        if attribute.name == "pixels":
            left, right = np.sort(left, axis=0), np.sort(right, axis=0)
        np.testing.assert_array_equal(left, right, err_msg=attribute.name)
    np.testing.assert_array_equal(one.percentiles, other.percentiles)


def test_parts_measured_by_copies_and_taken_in_any_order_are_one_pass_to_the_bit():
    rng = np.random.default_rng(6)
    crops = (1000 * rng.normal(size=(60, 3, 9, 9))).astype(np.float32)
    order = rng.permutation(60)
    chunks = [order[start : start + 16] for start in range(0, 60, 16)]
    one = Profiler(60)
    for chunk in chunks:
        one.add(crops[chunk], chunk)
    copy = pickle.loads(pickle.dumps(Profiler(60)))
    parts = [pickle.loads(pickle.dumps(copy.measured(crops[chunk], chunk))) for chunk in chunks]
    other = Profiler(60)
    for place in (2, 0, 3, 1):
        other.take(parts[place])
    same(one.profile(), other.profile())
    # What is said of a crop lies at its position.
    np.testing.assert_array_equal(one.profile().features, profiled(crops, 60).features)


def test_parts_put_together_are_one_batch():
    crops = np.random.default_rng(7).normal(size=(10, 2, 5, 5)).astype(np.float32)
    whole, joined = Profiler(10), Profiler(10)
    whole.add(crops)
    halves = [whole.measured(crops[:4], np.arange(4)), whole.measured(crops[4:], np.arange(4, 10))]
    joined.take(MeasuredCrops.together(halves))
    np.testing.assert_array_equal(joined.profile().features, whole.profile().features)
    np.testing.assert_allclose(joined.profile().products, whole.profile().products, rtol=1e-12)
    np.testing.assert_array_equal(joined.profile().minimum, crops.min(axis=(0, 2, 3)))


def test_what_is_kept_of_a_cell_is_less_than_200_bytes_for_five_channels():
    crops = np.random.default_rng(8).random((2000, 5, 4, 4), dtype=np.float32)
    profiler = Profiler(1_000_000)
    for start in range(0, 2000, 250):
        profiler.add(crops[start : start + 250], start)
    seen = len(crops) / 1_000_000
    rows = sum(
        value.nbytes * seen for value in vars(profiler).values() if isinstance(value, np.ndarray)
    )
    sums = sum(
        part.nbytes
        for kept in vars(profiler).values()
        if isinstance(kept, dict)
        for part in kept.values()
    )
    assert 0 < (rows + sums) / len(crops) < 200
