"""Where attribution lies, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.whatif.attribution_shares import attribution_check


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
