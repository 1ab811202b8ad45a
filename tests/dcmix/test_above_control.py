"""Negative controls: by hand, and no more than one null channel in twenty is taken for another."""

import numpy as np

from napari_channelmix.dcmix.above_control import above_decoy, above_zero


def test_shapley_values_are_held_against_zero():
    # Mean .1, error .1 / 2 = .05: t = 2 for 4 repeats, and 2.35 is needed; .03 makes it.
    spread = np.array([-1.0, 1, -1, 1]) * np.sqrt(3) / 2
    values = np.stack([0.1 + 0.1 * spread, 0.1 + 0.03 * spread, 0 * spread, 0.2 + 0 * spread], 1)
    assert above_zero(values).tolist() == [False, True, False, True]


def test_one_repeat_has_a_fixed_bar():
    assert above_zero(np.array([[0.02, 0.005]])).tolist() == [True, False]
    assert above_decoy(np.array([[0.7, 0.3]]), np.array([[0.2, 0.4]])).tolist() == [True, False]


def test_a_share_far_above_its_decoy_stands_and_one_beside_it_does_not():
    rng = np.random.default_rng(0)
    decoys = np.exp(rng.normal(-1.5, 0.1, (4, 3)))
    shares = decoys * np.array([3.0, 1.0, 0.9]) * np.exp(rng.normal(0, 0.05, (4, 3)))
    assert above_decoy(shares, decoys).tolist() == [True, False, False]


def test_channels_that_carry_nothing_pass_in_one_of_twenty():
    rng = np.random.default_rng(1)
    passed = np.concatenate([above_zero(rng.normal(0, 0.02, (4, 6))) for _ in range(400)])
    assert 0.035 < passed.mean() < 0.065
