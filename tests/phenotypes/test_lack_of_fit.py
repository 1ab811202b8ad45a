"""The test of a curve against the means of the doses: by hand, and of shapes that are none."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.phenotypes.lack_of_fit import Means, lack_of_fit, turn_in_words
from napari_channelmix.phenotypes.logistic import Logistic, Refused, curve, fit_curve

DOSES = np.array([0, 0.1, 0.3, 1, 3, 10, 30, 100, 300])


def series(shape, wells: int = 4, noise: float = 0.02, seed: int = 0):
    y = np.tile(np.asarray(shape, float), wells)
    y = np.clip(y + np.random.default_rng(seed).normal(0, noise, len(y)), 0, 1)
    return fit_curve(np.tile(DOSES, wells), y, np.full(len(y), 100))


def test_the_f_test_by_hand() -> None:
    # Means 0, 1, 0 of two groups each that lie .2 from their mean, against the constant 1 / 3.
    logs = np.repeat([0.0, 1.0, 2.0], 2)
    means = Means.of(logs, np.array([-0.2, 0.2, 0.8, 1.2, -0.2, 0.2]), None, 0.0)
    assert means.variance == pytest.approx([0.08] * 3)
    assert means.scatter == pytest.approx(np.sqrt(0.08))
    # With equal variances it is the analysis of variance: missed 2 (1/9 + 4/9 + 1/9) = 4/3 on 2,
    # within .24 on 3; F = (2/3) / .08 = 8.333.
    from scipy.special import fdtrc

    chance = lack_of_fit(means, np.full(3, 1 / 3), np.ones((3, 1)))
    assert chance == pytest.approx(fdtrc(2, 3, 25 / 3))


def test_each_dose_has_its_own_variance() -> None:
    # Two groups each, variances .02, .02 and .32; parts 2/3 of them, .24 in all.
    logs = np.repeat([0.0, 1.0, 2.0], 2)
    means = Means.of(logs, np.array([0.4, 0.6, 0.4, 0.6, 1.1, 1.9]), None, 0)
    assert means.variance == pytest.approx([0.02, 0.02, 0.32])
    from scipy.special import fdtrc

    # Missed: 2 (2/3)^2 + 4 (1/3)^2 = 4/3. Tr of (maker * variance) squared, by hand:
    # (4 (.02^2 + .02^2 + .32^2) + 2 (.02 .02 + 2 .02 .32)) / 9.
    trace = (4 * (2 * 0.02**2 + 0.32**2) + 2 * (0.02**2 + 2 * 0.02 * 0.32)) / 9
    below = 0.24**2 / ((2 / 3) ** 2 * (2 * 0.02**2 + 0.32**2))
    chance = lack_of_fit(means, np.full(3, 0.5 + 1 / 3), np.ones((3, 1)))
    assert chance == pytest.approx(fdtrc(0.24**2 / trace, below, 4 / 3 / 0.24))


def test_a_single_group_has_the_variance_of_repeated_doses_above_0() -> None:
    logs = np.array([-6, -6, 0, 0, 1])
    means = Means.of(logs, np.array([0.1, 0.1, 0.4, 0.6, 0.9]), None, 0.0)
    assert means.variance == pytest.approx([0, 0.02, 0.02])
    alone = Means.of(logs[[0, 1, 2, 4]], np.array([0.1, 0.12, 0.4, 0.9]), None, 0.0)
    assert not alone.repeated
    assert lack_of_fit(alone, np.zeros(3), np.ones((3, 1))) is None
    # 96 of 196 + 4 cells: no smaller than .49 * .51 / 200.
    of_cells = Means.of(np.zeros(2), np.full(2, 96 / 196), np.full(2, 196.0), 0.0)
    assert of_cells.variance == pytest.approx([0.49 * 0.51 / 200])


def test_a_misfit_that_hardly_moves_the_curve_is_none() -> None:
    means = Means.of(np.repeat([0.0, 1.0, 2.0], 2), np.repeat([0.0, 0.5, 1.0], 2), None, 0.0)
    assert lack_of_fit(means, np.array([0.04, 0.5, 0.96]), np.ones((3, 1))) == 1
    assert lack_of_fit(means, np.array([0.1, 0.5, 0.9]), np.ones((3, 1))) == 0


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ([0, 0, 0.05, 0.2, 0.5, 0.8, 0.9, 0.6, 0.3], "it rises and falls"),
        ([0, 0, 0.1, 0.5, 0.9, 0.6, 0.2, 0.1, 0], "it rises and falls"),
        ([1, 1, 0.9, 0.5, 0.1, 0.4, 0.8, 0.9, 1], "it falls and rises"),
        ([0, 0.2, 0.4, 0.5, 0.5, 0.5, 0.6, 0.9, 1], "the curve does not fit"),
    ],
)
def test_a_response_that_is_no_step_has_no_ec50(shape, words: str) -> None:
    found = series(shape)
    assert isinstance(found, Refused)
    assert words in found.why and "lack of fit p" in found.why
    assert found.above is None and found.below is None


def test_a_turn_is_what_isotonic_regression_misses() -> None:
    logs, mean = np.arange(4.0), np.array([0.0, 0.8, 0.6, 1.0])
    means = Means(logs, mean, np.ones(4), np.zeros(4))
    # Rising only, .8 and .6 become .7 both: .02 is missed by any rising curve.
    assert turn_in_words(means, np.array([0, 0.7, 0.7, 1.0]))
    assert not turn_in_words(means, np.array([0, 0.4, 0.7, 1.0]))


def test_one_well_a_dose_is_not_said_to_respond_by_chance() -> None:
    found = series([0, 0, 0.1, 0.5, 0.9, 0.6, 0.2, 0.1, 0], wells=1)
    assert isinstance(found, Refused) and "more than one group a dose" in found.why


def test_good_curves_are_seldom_refused() -> None:
    """Wells half way differ most, controls are many, and curves are not quite symmetric."""
    rng, refused = np.random.default_rng(0), 0
    logs = np.concatenate([np.full(30, -7.0), np.repeat(np.arange(8) * 0.5 - 1, 2)])
    for at in range(14):
        share = curve(logs, 0.05, 0.9, 0.7 + rng.uniform(-0.3, 0.3), rng.uniform(1, 3))
        if at % 2:
            share = 0.05 + 0.85 * np.exp(-np.exp(-2.3 * (logs - 0.3)))
        share = 1 / (1 + (1 / share - 1) * np.exp(-rng.normal(0, 0.3, len(logs))))
        found = fit_curve(
            np.where(logs < -6, 0, 10**logs),
            rng.binomial(150, share) / 150,
            np.full(len(logs), 150),
        )
        refused += isinstance(found, Refused) and "lack of fit" in found.why
    assert refused <= 1


def test_groups_that_disagree_are_no_missing_plateau() -> None:
    doses = np.tile([0, 1, 3, 10, 30, 100, 300], 2)
    # Two plates, ten times apart.
    y = doses**2 / (doses**2 + np.repeat([10.0, 1.0], 7) ** 2)
    found = fit_curve(doses, y, np.full(14, 50))
    assert isinstance(found, Refused)
    assert "groups of one dose disagree" in found.why and "EC50 above" not in found.why
    assert found.above is None
    # The first plate by itself has one.
    assert isinstance(fit_curve(doses[:7], y[:7], np.full(7, 50)), Logistic)
