"""Wilson's interval is that of the literature and of SciPy, also where n is not whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from napari_channelmix.phenotypes.wilson import wilson, wilson_reach


def test_it_is_that_of_the_literature() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 857, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_it_is_scipys_where_the_counts_are_whole() -> None:
    for successes, trials in ((0, 1), (1, 1), (3, 10), (10, 10), (500, 1234)):
        theirs = binomtest(successes, trials).proportion_ci(0.95, "wilson")
        assert wilson(successes, trials) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_a_number_that_is_not_whole_lies_between_its_neighbours() -> None:
    below, above = wilson_reach(np.full(3, 0.3), np.array([10, 10.5, 11]))
    assert below[0] > below[1] > below[2]
    assert above[0] > above[1] > above[2]
    # By hand: q = 2, n = 16, p = 1/2: half = 2 sqrt(1/64 + 4/1024) / (1 + 1/4) = sqrt(5) / 10.
    low, high = wilson_reach(0.5, 16, 2.0)
    assert (float(low), float(high)) == pytest.approx((np.sqrt(5) / 10, np.sqrt(5) / 10))
