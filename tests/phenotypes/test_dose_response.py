"""Dose-response: a known curve is found again, and what is none is said to be none."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.phenotypes.dose_response import (
    CIRCULAR,
    as_doses,
    dose_response,
    fit_logistic,
    given_by_dose,
    looks_like_logarithms,
    looks_like_ranks,
    response_in_words,
)

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


def test_the_interval_of_a_mean_is_that_of_its_groups() -> None:
    found = dose_response([0, 0, 0, 1, 1, 2], [0.2, 0.3, 0.4, 0.1, 0.9, 0.5])
    assert found.counts.tolist() == [3, 2, 1]
    # Student's t of 2 degrees of freedom at .975 is 4.3027; standard error .1 / sqrt(3).
    half = 4.302653 * 0.1 / np.sqrt(3)
    assert (found.low[0], found.high[0]) == pytest.approx((0.3 - half, 0.3 + half))
    # Two groups say next to nothing: the interval is all that a fraction can be.
    assert (found.low[1], found.high[1]) == (0, 1)
    assert np.isnan([found.low[2], found.high[2]]).all()


@pytest.mark.parametrize(
    ("levels", "ranks"),
    [
        ([0, 1, 2, 3, 4], True),
        ([1, 2, 3, 4], True),
        ([0, 1, 2], False),
        ([2, 3, 4, 5], False),
        ([0, 0.5, 1, 1.5], False),
        ([0, 1, 2, 4, 8], False),
        ([1, 10, 100, 1000], False),
        ([10, 20, 30, 40, 50, 60], True),
        ([0, 2, 4, 6, 8], True),
        ([1, 2, 3, 5, 6, 7], True),
        # One left out of fewer is a series of dilutions.
        ([0, 1, 2, 4], False),
        ([10, 20, 40, 80, 160, 320], False),
        ([1, 2, 5, 10, 20, 50], False),
        ([1, 2, 3, 5, 7, 8], False),
        ([0, 5, 10, 20, 40], False),
    ],
)
def test_doses_that_look_like_ranks_are_said_to(levels: list[float], ranks: bool) -> None:
    assert looks_like_ranks(levels) is ranks
    said = response_in_words(dose_response(np.repeat(levels, 3), np.full(3 * len(levels), 0.5)))
    assert ("look like ranks" in said) is ranks


@pytest.mark.parametrize(
    ("levels", "logarithms"),
    [
        ([-9, -8, -7, -6, -5], True),
        ([5, 6, 7, 8, 9], True),
        ([0, 4.5, 5, 5.5, 6], True),
        ([-2, -1, 0, 1], False),
        ([-2, -1.5, -1, 0, 1], True),
        # Ranks, a mark for no dose, dilutions, a few percent.
        ([0, 1, 2, 3, 4], False),
        ([-1, 0, 1, 10, 100], False),
        ([3, 6, 9, 12], False),
        ([1, 3, 10, 30], False),
        ([0.5, 1, 1.5, 2], False),
    ],
)
def test_doses_that_look_like_logarithms_are_said_to(levels: list[float], logarithms: bool) -> None:
    assert looks_like_logarithms(levels) is logarithms
    y = np.tile(np.linspace(0, 1, len(levels)), 3)
    found = dose_response(as_doses(np.tile(levels, 3)), y)
    if min(levels) < 0:
        assert ("look like logarithms" in found.why_not) is logarithms


def test_logarithms_below_0_have_no_curve_and_others_a_note() -> None:
    y = np.tile([0.02, 0.1, 0.5, 0.9, 1], 3) + np.random.default_rng(0).normal(0, 0.02, 15)
    found = dose_response(as_doses(["-9", "-8", "-7", "-6", "-5"] * 3), y)
    assert found.fit is None and found.why_not == (
        "the doses -9, -8, -7, -6, -5 look like logarithms, not amounts; give amounts, such as 10 "
        "to the power of them"
    )
    found = dose_response(as_doses([9, 8, 7, 6, 5] * 3), y)
    assert found.fit is not None
    assert "The doses 5, 6, 7, 8, 9 look like logarithms" in response_in_words(found)


def test_a_few_relabelled_cells_do_not_make_labels_a_judgement() -> None:
    # 720 cells; 36 of them are 5 %, 16 of the 80 of one dose are 20 %.
    counts = np.array([[80, 0]] * 4 + [[0, 80]] * 5)
    doses = np.arange(9)
    for moved, given in ((1, True), (16, True), (17, False)):
        other = counts.copy()
        other[0] += [-moved, moved]
        assert given_by_dose(doses, other) is given
    spread = counts + np.array([[-4, 4]] * 4 + [[4, -4]] * 5)
    assert given_by_dose(doses, spread)
    # A response at the highest dose alone, of most but not all cells there.
    rare = np.array([[80, 0]] * 8 + [[20, 60]])
    assert not given_by_dose(doses, rare)


def test_labels_that_were_given_by_the_dose_are_told() -> None:
    doses = [0, 0, 10, 10, np.nan]
    pure = [[5, 0], [7, 0], [0, 6], [0, 1], [3, 3]]
    assert given_by_dose(doses, pure)
    # Groups without labels say nothing against it.
    assert given_by_dose([*doses, 3], [*pure, [0, 0]])
    # Two cells of 20 of another class, or one dose with both classes: a judgement of cells.
    assert not given_by_dose(doses, [[4, 2], *pure[1:]])
    assert not given_by_dose(doses, [[5, 0], [0, 7], *pure[2:]])
    # One class everywhere is not given by anything.
    assert not given_by_dose([0, 1], [[5, 0], [5, 0]])
    assert not given_by_dose([np.nan], [[5, 0]])


def test_what_is_refused_is_not_fitted() -> None:
    found = dose_response(DOSES, curve(DOSES), refused=CIRCULAR)
    assert found.fit is None and found.why_not == CIRCULAR
    assert len(found.levels) == 8
    assert response_in_words(found).startswith("No curve: the labels were given by the dose")


def test_words_have_the_interval_and_what_it_is_of() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, len(DOSES))
    found = dose_response([*DOSES, np.nan], [*(curve(DOSES) + noise), 0.5])
    said = response_in_words(found)
    assert found.fit is not None
    low, high = found.fit.interval
    assert f"(95 % interval {low:.3g} to {high:.3g})" in said
    assert "32 groups at 7 doses above 0" in said
    assert "1 group has no dose that is a number" in said


def test_a_dose_below_zero_is_no_dose() -> None:
    found = dose_response([-3.0, 1.0, 2.0], [0.9, 0.1, 0.2])
    assert found.doses.tolist() == [1.0, 2.0] and found.left_out == 1


def test_a_mean_below_0_lies_within_its_interval() -> None:
    found = dose_response([1, 1, 1, 2, 2, 2], [-0.05, -0.02, -0.06, 1.02, 1.03, 1.01])
    assert (found.low <= found.mean).all() and (found.mean <= found.high).all()
    assert found.low[0] == found.mean[0] and found.high[1] == found.mean[1]
