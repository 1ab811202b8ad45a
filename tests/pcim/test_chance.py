"""A map against random ones: gains worked out by hand, antisymmetry, references that count."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import explain
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.chance import (
    MAPS,
    SEEN_GAIN,
    ChanceTest,
    chance_test_job,
    curves_job,
    random_maps,
)
from napari_channelmix.pcim.scores import Fidelity

SHARES = np.array([0, 0.5, 1])


def curves(inserting, deleting):
    """Curves of one cell: a row of three probabilities for each reference."""
    return Fidelity(
        SHARES,
        np.array(inserting, np.float32)[:, None],
        np.array(deleting, np.float32)[:, None],
        ("a", "b", "c"),
    )


def test_the_gain_is_the_area_between_the_curves_where_the_call_changes():
    # By hand: a: areas .25 (0 + .9) + .25 (.9 + 1) = .7 and .25 (1 + .1) + .25 (.1 + 0) = .3;
    # b: the answer stays above one half, so it does not count; c: .6 and .5.
    own = curves(
        [[0, 0.9, 1], [0.9, 0.9, 1], [0.4, 0.5, 1]], [[1, 0.1, 0], [1, 0.6, 0.9], [1, 0.3, 0.4]]
    )
    chance = curves(
        [[0, 0.5, 1], [0.9, 0.9, 1], [0.4, 0.8, 1]], [[1, 0.5, 0], [1, 0.9, 0.9], [1, 0.6, 0.4]]
    )
    test = ChanceTest.of(own, [chance])
    assert test.gain == pytest.approx([(0.4 + 0.1) / 2], abs=1e-6)
    assert test.random == pytest.approx(np.array([[(0.0 + 0.1) / 2]]), abs=1e-6)
    assert test.answer_range == pytest.approx([1])


def test_all_references_count_where_the_call_never_changes():
    flat = curves([[0.9, 1, 1], [0.9, 1, 1], [0.9, 1, 1]], [[1, 0.9, 0.9]] * 3)
    # .25 (.9 + 1) + .25 (1 + 1) less .25 (1 + .9) + .25 (.9 + .9).
    assert ChanceTest.of(flat, [flat]).gain == pytest.approx([0.975 - 0.925], abs=1e-6)


def test_the_limit_is_that_of_one_random_map_in_twenty():
    # 12 random maps with a spread of .1: t of 12 degrees of freedom at .95 is 1.782.
    random = np.full((12, 4), 0.1) * np.where(np.arange(12) % 2, 1, -1)[:, None]
    random[:, 3] = 0
    gain = np.array([0.177, 0.179, -0.5, SEEN_GAIN + 0.001])
    test = ChanceTest(gain, random, np.ones(4))
    assert test.spread[:3] == pytest.approx(0.1)
    assert test.better.tolist() == [False, True, False, True]


class Spots(nn.Module):
    """Nine scattered pixels decide: a single spot is often met by a smooth random map."""

    def __init__(self):
        super().__init__()
        weight = torch.zeros(1, 12, 12)
        weight[:, 1::4, 1::4] = 1
        self.weight = nn.Parameter(weight)

    def forward(self, x):
        score = (x * self.weight).sum(dim=(1, 2, 3)) - 13
        return torch.stack([-score, score], 1)


def test_the_pixels_that_decide_are_better_than_chance_and_their_negative_gains_the_opposite():
    crops = np.random.default_rng(0).normal(0, 0.1, (2, 1, 12, 12)).astype(np.float32)
    crops[:, :, 1::4, 1::4] += 3
    source = explain(Spots(), crops, device="cpu").source.read()
    target = np.ones(2, dtype=np.int64)
    right = crops[:, 0] + 1e-3 * np.arange(144).reshape(12, 12)
    test = drain(chance_test_job(source, right.astype(np.float32), target))
    assert test.random.shape == (MAPS, 2)
    assert test.better.all()
    pair = [drain(curves_job(source, sign * right.astype(np.float32), target)) for sign in (1, -1)]
    np.testing.assert_allclose(pair[0].srg, -pair[1].srg, atol=1e-6)
    unlinked = random_maps(right.shape, 1, seed=77)[0]
    assert not drain(chance_test_job(source, unlinked, target)).better.any()


def test_random_maps_are_smooth_and_repeat():
    one, other = random_maps((2, 16, 12), 2, seed=1)
    assert one.shape == (2, 16, 12)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, random_maps((2, 16, 12), 2, seed=1)[0])
    assert np.abs(np.diff(one, axis=2)).mean() < 0.5 * one.std()
