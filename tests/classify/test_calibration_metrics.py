"""Brier score and calibration errors by values worked out by hand, and their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.calibration_metrics import (
    brier_score,
    calibration_error,
    calibration_of,
    confidence_error,
)

# Four cells of which one is of class 1 say .25, four of which two are say .75.
SAID = np.repeat([[0.75, 0.25], [0.25, 0.75]], 4, axis=0)


TRUE = np.array([1, 0, 0, 0, 1, 1, 0, 0])


def test_brier_score_and_errors_by_hand() -> None:
    # 2 x .75^2 + 3 x 2 x .25^2 = 1.5, and 2 x 2 x .25^2 + 2 x 2 x .75^2 = 2.5, of 8 cells.
    assert brier_score(SAID, TRUE) == pytest.approx(0.5)
    # Of class 1: |1 - 4 x .25| = 0 and |2 - 4 x .75| = 1, of 8 cells; of class 0 the same.
    assert calibration_error(SAID, TRUE) == pytest.approx(1 / 8)
    assert calibration_error(SAID, TRUE, bins=2, adaptive=True) == pytest.approx(1 / 8)
    # All say .75 of the called class, and five of eight are right.
    assert confidence_error(SAID, TRUE) == pytest.approx(0.75 - 5 / 8)
    assert calibration_error(np.eye(2)[TRUE], TRUE) == 0


def test_the_curve_counts_every_cell_once_and_groups_widen_its_intervals(
    overconfident: Any,
) -> None:
    _, labels, groups = overconfident(groups=6, each=50)
    said = np.full((len(labels), 2), 0.5)
    # Each group is of one class: 50 cells of it say no more than one.
    labels = (groups % 2).astype(int)
    found = calibration_of(said, labels, groups, ("a", "b"))
    (only,) = found.curve["b"]
    assert (only.n, only.predicted, only.observed) == (300, 0.5, 0.5)
    assert only.high - only.low > 0.6
    single = calibration_of(said, labels, np.arange(300), ("a", "b")).curve["b"][0]
    assert single.high - single.low < 0.15
    assert calibration_of(said, labels, np.zeros(300), ("a", "b")).ece_interval is None


def _brier_of_many() -> float:
    rng = np.random.default_rng(99)
    logit, shift = rng.normal(0, 1.5, 400_000), rng.normal(0, 1, 400_000)
    p, true = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-(logit + shift)))
    return float((2 * (true * (1 - p) ** 2 + (1 - true) * p**2)).mean())


TRUTH = _brier_of_many()


def test_intervals_of_the_brier_score_cover_it() -> None:
    """Groups that differ: the mean over many of them lies in 95 % of the intervals."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shift = np.repeat(rng.normal(0, 1, 12), 20)
        p = 1 / (1 + np.exp(-rng.normal(0, 1.5, 240)))
        labels = (rng.random(240) < 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))).astype(int)
        found = calibration_of(
            np.stack([1 - p, p], 1), labels, np.repeat(np.arange(12), 20), ("a", "b"), seed=seed
        )
        hits += found.brier_interval[0] <= TRUTH <= found.brier_interval[1]
    assert 52 <= hits <= 60


def test_intervals_end_where_figures_do() -> None:
    # Two groups, one all right and one all wrong: Student's t alone would reach far beyond.
    sure = np.array([[1.0, 0.0], [0.0, 1.0]] * 4)
    found = calibration_of(sure, [0, 1, 0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1], ("a", "b"))
    assert found.ece_interval is not None and found.brier_interval is not None
    assert found.ece_interval[1] == 1.0 and found.brier_interval[1] == 2.0


def test_few_groups_are_said_with_the_figures() -> None:
    def text(groups: list[str]) -> str:
        labels = np.tile([0, 1], 6)
        return calibration_of(np.full((12, 2), 0.5), labels, groups, ("a", "b")).text()

    assert text(list("xy") * 6).endswith("2 groups are too few to say anything about other groups")
    assert text(list("wxyz") * 3).endswith("4 groups say little about other groups")
    assert "of other groups" not in text(list("uvwxyz") * 2)
    # Where every cell is a group of its own, none are known.
    assert "of other groups" not in text([str(at) for at in range(12)])
