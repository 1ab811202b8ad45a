"""Dose-response: a known curve is found again, and what is none is said to be none."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.phenotypes.doses import as_doses, dose_response, fit_logistic

DOSES = np.repeat([0, 0.1, 0.3, 1, 3, 10, 30, 100], 4)


def curve(doses: np.ndarray, low: float = 0.1, high: float = 0.9, ec50: float = 4.0) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return low + (high - low) / (1 + (ec50 / doses) ** 1.5)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.9), (0.9, 0.1)])
def test_a_planted_ec50_lies_in_its_interval(low: float, high: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, len(DOSES))
    fit, why = fit_logistic(DOSES, curve(DOSES, low, high) + noise)
    assert fit is not None, why
    assert fit.interval[0] < 4.0 < fit.interval[1] < 6.0
    assert fit.slope == pytest.approx(1.5, abs=0.3)
    assert (fit.low, fit.high) == pytest.approx((low, high), abs=0.05)
    np.testing.assert_allclose(fit.at([4.0]), 0.5, atol=0.05)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.9), (0.9, 0.1)])
def test_most_groups_may_be_controls(low: float, high: float) -> None:
    doses = np.concatenate([np.zeros(60), DOSES])
    noise = np.random.default_rng(0).normal(0, 0.02, len(doses))
    fit, why = fit_logistic(doses, curve(doses, low, high) + noise)
    assert fit is not None, why
    assert (fit.low, fit.high) == pytest.approx((low, high), abs=0.05)
    assert fit.interval[0] < 4.0 < fit.interval[1]


def test_a_jump_between_two_doses_has_no_narrow_ec50() -> None:
    response = np.where(DOSES > 2, 0.9, 0.1)
    fit, why = fit_logistic(DOSES, response)
    assert fit is None
    assert "jumps from dose 1 to 3" in why
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 0.005, len(DOSES))
        assert fit_logistic(DOSES, response + noise)[0] is None


def test_there_is_no_curve_where_the_doses_do_not_show_one() -> None:
    assert "5 doses" in fit_logistic([0, 1, 2, 3], [0, 0.2, 0.5, 1])[1]
    assert "same at all doses" in fit_logistic(DOSES, np.full(len(DOSES), 0.5))[1]
    noise = np.random.default_rng(1).uniform(0, 1, len(DOSES))
    fit, why = fit_logistic(DOSES, noise)
    assert fit is None and why
    rising = 0.001 * DOSES
    assert fit_logistic(DOSES, rising)[0] is None


def test_mean_and_spread_are_over_the_groups_of_a_dose() -> None:
    found = dose_response([0, 0, 1, np.nan, 2], [0.2, 0.4, 0.5, 0.9, np.nan])
    assert found.groups.tolist() == [0, 1, 2]
    assert found.left_out == 2
    np.testing.assert_allclose(found.levels, [0, 1])
    np.testing.assert_allclose(found.mean, [0.3, 0.5])
    np.testing.assert_allclose(found.spread, [np.sqrt(0.02), np.nan])


def test_texts_gaps_and_negative_doses_are_no_doses() -> None:
    np.testing.assert_allclose(
        as_doses(["0", "1e-2", "DMSO", "", "-3", "inf", None, " 5 "]),
        [0, 0.01, np.nan, np.nan, np.nan, np.nan, np.nan, 5],
    )
    nothing = dose_response([np.nan, np.nan], [0.1, 0.2])
    assert nothing.fit is None and len(nothing.levels) == 0
