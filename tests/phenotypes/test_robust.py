"""Robust z-scores: median and median absolute deviation, and a smallest spread."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.phenotypes.robust import robust_z_scores


def test_scores_are_in_units_of_the_median_absolute_deviation() -> None:
    # Median 3; deviations 2, 1, 0, 1, 97: their median is 1, so the spread is 1.4826.
    others = np.array([[1.0], [2.0], [3.0], [4.0], [100.0]])
    scores = robust_z_scores(np.array([[3.0], [4.4826]]), others, 0.02)
    assert scores[:, 0] == pytest.approx([0.0, 1.0], abs=1e-4)


def test_a_column_that_hardly_varies_has_the_smallest_spread() -> None:
    others = np.zeros((5, 2))
    assert robust_z_scores(np.array([0.1, 0.0]), others, 0.02) == pytest.approx([5.0, 0.0])
