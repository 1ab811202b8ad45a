"""Where attribution lies, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.whatif.attribution_shares import attribution_check, attribution_shares
from napari_channelmix.whatif.crops import CellCrops


def one() -> CellCrops:
    """A crop of 10 x 10 with a cell of 2 x 2 and another one of 2 x 2."""
    cell, others = np.zeros((2, 1, 10, 10), bool)
    cell[0, 2:4, 2:4], others[0, 7:9, 7:9] = True, True
    return CellCrops(
        np.zeros((1, 1, 10, 10), np.float32),
        ("DNA",),
        cell,
        others,
        np.array(["label"]),
        None,
        np.zeros((1, 1), np.float32),
        np.array([0]),
    )


def test_magnitudes_are_shared_out_whatever_their_sign() -> None:
    maps = np.zeros((1, 10, 10), np.float32)
    maps[0, 2, 2], maps[0, 7, 7], maps[0, 0, 9] = -6, 3, 1
    shares, areas = attribution_shares(maps, one(), margin=0)
    assert shares.tolist() == [[0.6, 0.3, 0.1]]
    assert areas.tolist() == [[0.04, 0.04, 0.92]]
    # Maps of two channels count together.
    both = np.stack([maps, maps], axis=1)
    assert attribution_shares(both, one(), margin=0)[0].tolist() == shares.tolist()


def test_the_word_follows_where_most_of_it_lies() -> None:
    areas, groups = np.tile([0.2, 0.1, 0.7], (6, 1)), np.array(list("aabbcc"))
    for shares, answer in (
        ([0.6, 0.2, 0.2], "green"),
        ([0.4, 0.4, 0.2], "amber"),
        ([0.1, 0.1, 0.8], "red"),
    ):
        check = attribution_check(np.tile(shares, (6, 1)), areas, groups)
        assert check.answer == answer
        assert check.figure == pytest.approx(shares[0])
        assert (check.n, check.groups) == (6, 3)
    blank = attribution_check(np.full((2, 3), np.nan), areas[:2], groups[:2])
    assert blank.answer == "not tested"


def test_one_group_has_no_interval_and_says_so() -> None:
    shares = np.array([[0.5, 0.2, 0.3], [0.7, 0.1, 0.2], [0.6, 0.2, 0.2]])
    check = attribution_check(shares, shares, np.array(["a", "a", "a"]))
    assert check.figure == pytest.approx(0.6) and check.low is None and check.high is None
    assert "too few" in check.warning
    apart = attribution_check(shares, shares, np.array(["a", "b", "c"]))
    # Student's t with two degrees of freedom: 0.6 -+ 4.303 x 0.1 / sqrt(3).
    assert (apart.low, apart.high) == pytest.approx((0.6 - 0.2484, 0.6 + 0.2484), abs=1e-3)
