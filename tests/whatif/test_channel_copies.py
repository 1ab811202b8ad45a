"""Copies of channels are said with what they are copies of, all in one line."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from napari_channelmix.whatif import channel_copies
from napari_channelmix.whatif.channel_copies import copy_lines


def crops_of(channels: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(30, channels, 7, 9)).astype(np.float32)


def test_examples_are_true():
    names = {"np": np, "copy_lines": copy_lines}
    assert doctest.testmod(channel_copies, extraglobs=names).failed == 0


def test_every_copy_is_named_with_the_first_of_its_kind():
    crops = crops_of(5)
    crops[:, 3] = crops[:, 1] + 0.05 * crops[:, 0]
    crops[:, 4] = 9 * crops[:, 1]
    (line,) = copy_lines("ABCDE", crops, [[0], [1], [2], [3], [4]])
    assert line.startswith("D is a copy of B (r = 1.00), E is a copy of B (r = 1.00): what is owed")


@pytest.mark.parametrize("share", [-1.0, 0.5])
def test_an_opposite_and_a_half_are_no_copies(share):
    crops = crops_of(2)
    crops[:, 1] = share * crops[:, 0] + (1 - abs(share)) * crops[:, 1]
    assert copy_lines("AB", crops, [[0], [1]]) == ()


def test_constant_channels_are_no_copies_of_each_other():
    crops = crops_of(3)
    crops[:, :2] = 4
    assert copy_lines("ABC", crops, [[0], [1], [2]]) == ()
    assert copy_lines("ABC", crops[:0], [[0], [1], [2]]) == ()
