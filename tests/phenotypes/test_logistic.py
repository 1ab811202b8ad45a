"""The logistic and its interval: formulas by hand, what is refused, and why."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes import logistic
from napari_channelmix.phenotypes.logistic import Logistic, Refused, curve, fit_curve

LOGS = np.repeat(np.arange(9) * 0.5, 4)


def noisy(middle: float = 2.0, slope: float = 1.5, seed: int = 0, noise: float = 0.03):
    y = curve(LOGS, 0.1, 0.9, middle, slope)
    return y + np.random.default_rng(seed).normal(0, noise, len(y))


def best_of(y: np.ndarray) -> tuple[logistic._Profile, logistic._Fit]:
    profile = logistic._Profile(LOGS, y, LOGS[[0, -1]])
    return profile, profile.best()


def test_the_curve_by_hand() -> None:
    # Ten times below the EC50, with slope 2: 1 / (1 + 100) of the way.
    assert curve(np.array([0.0, 1.0, 2.0]), 0.2, 1.0, 1.0, 2.0) == pytest.approx(
        [0.2 + 0.8 / 101, 0.6, 0.2 + 0.8 * 100 / 101]
    )


def test_the_profile_finds_what_least_squares_finds() -> None:
    from scipy.optimize import curve_fit

    for seed in range(4):
        y = noisy(1.7, 1.2, seed)
        found, _ = curve_fit(curve, LOGS, y, p0=(0.1, 0.9, 2.0, 1.0))
        best = best_of(y)[1]
        assert best.squares == pytest.approx(((y - curve(LOGS, *found)) ** 2).sum(), rel=1e-5)
        assert (best.middle, best.slope) == pytest.approx((found[2], found[3]), abs=2e-3)


def test_plateaus_stay_within_their_bounds() -> None:
    # A rising line has its best plateaus far outside.
    y = np.linspace(0, 1, len(LOGS))
    profile, best = best_of(y)
    low, high, _ = profile.plateaus(np.array([2.0, 4.5]), np.array([0.1, 0.3]))
    for values in (low, high, np.array([best.low, best.high])):
        assert (values >= -0.1).all() and (values <= 1.1).all()
    # On its bound the other plateau is the best for it: no small step betters it.
    squares = profile.plateaus(np.array([2.0]), np.array([0.1]))[2]
    way = 1 / (1 + 10 ** (0.1 * (2.0 - LOGS)))
    tried = [
        ((y - one * (1 - way) - two * way) ** 2).sum()
        for one in np.linspace(-0.1, 1.1, 61)
        for two in np.linspace(-0.1, 1.1, 61)
    ]
    assert squares[0] <= min(tried) + 1e-9


def test_limits_are_where_the_profile_has_risen() -> None:
    profile, best = best_of(noisy())
    low, high = profile.limits(best, 0.02)
    assert low < best.middle < high
    assert profile([low, high]) - best.squares == pytest.approx([0.02, 0.02], abs=2e-4)
    assert profile.limits(best, 1e9) == (-np.inf, np.inf)


def test_the_variance_is_that_of_the_wells_that_tell() -> None:
    """The sandwich by hand: sum of (a e)^2 / (1 - h), over sum of a^2; Satterthwaite's freedom."""
    y = noisy(slope=2.0)
    best = best_of(y)[1]
    step = 1e-6
    at = np.array([best.low, best.high, best.middle, best.slope])
    design = np.stack(
        [
            (curve(LOGS, *(at + step * one)) - curve(LOGS, *(at - step * one))) / (2 * step)
            for one in np.eye(4)
        ],
        axis=1,
    )
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    pull = (np.linalg.inv(design.T @ design) @ design.T)[2]
    residuals = y - curve(LOGS, *at)
    weights = pull**2 / (1 - np.diag(hat))
    scale, freedom = logistic._robust_scale(LOGS, y, best)
    assert scale == pytest.approx((weights * residuals**2).sum() / (pull**2).sum(), rel=1e-4)
    maker = np.eye(len(y)) - hat
    spread = maker @ np.diag(weights) @ maker
    assert freedom == pytest.approx(np.trace(spread) ** 2 / np.trace(spread @ spread), rel=1e-4)
    # Far fewer than the wells less the parameters: most wells lie on a plateau.
    assert 2 < freedom < 0.6 * (len(y) - 4)


def test_wells_half_way_that_differ_widen_the_interval_and_wells_on_a_plateau_do_not() -> None:
    way = curve(LOGS, 0, 1, 2.0, 1.5)
    noise = np.tile([0.08, -0.08], len(LOGS) // 2)
    scales, plain = [], []
    for where in ((way > 0.1) & (way < 0.9), (way < 0.05) | (way > 0.95)):
        y = noisy(noise=0.01) + np.where(where, noise, 0)
        best = best_of(y)[1]
        scales.append(logistic._robust_scale(LOGS, y, best)[0])
        plain.append(best.squares / (len(y) - 4))
    assert scales[0] > 2 * scales[1]
    # One variance for all wells would hardly tell both cases apart.
    assert plain[0] < 1.5 * plain[1]


def test_no_scatter_between_wells_is_no_certainty_about_cells() -> None:
    y = curve(LOGS, 0.1, 0.9, 2.0, 1.5)
    widths = []
    for cells in (20, 2000):
        found = fit_curve(10**LOGS, y, np.full(len(y), cells))
        assert isinstance(found, Logistic)
        widths.append(np.log10(found.interval[1] / found.interval[0]))
    # A hundred times the cells, a tenth of the width.
    assert widths[0] == pytest.approx(10 * widths[1], rel=0.15)
    assert widths[0] > 0.1


def test_the_units_of_doses_do_not_matter() -> None:
    y = noisy()
    one, other = (fit_curve(10**LOGS * unit, y) for unit in (1.0, 1e-6))
    assert isinstance(one, Logistic) and isinstance(other, Logistic)
    assert other.ec50 == pytest.approx(one.ec50 * 1e-6, rel=1e-4)
    assert other.interval == pytest.approx(tuple(1e-6 * end for end in one.interval), rel=1e-3)


@pytest.mark.parametrize("rises", [True, False])
@pytest.mark.parametrize("end", ["first", "second"])
def test_a_plateau_that_was_never_seen_gives_a_bound(end: str, rises: bool) -> None:
    middle = 4.0 if end == "second" else 0.0
    y = noisy(middle, 2.0)
    found = fit_curve(10**LOGS, y if rises else 1 - y)
    assert isinstance(found, Refused)
    words = {"second": "still changes at the highest dose", "first": "has begun below the lowest"}
    assert words[end] in found.why
    if end == "second":
        assert found.above is not None and found.below is None
        assert 100 < found.above < 10**middle
        assert f"EC50 above {found.above:.3g} (95 % limit)" in found.why
    else:
        assert found.below is not None and found.above is None
        assert 1 < found.below < 100


def test_dose_0_shows_the_first_plateau() -> None:
    doses = np.concatenate([np.zeros(8), 10**LOGS])
    rng = np.random.default_rng(0)
    y = np.concatenate([0.1 + rng.normal(0, 0.02, 8), noisy(0.4, 2.0)])
    found = fit_curve(doses, y)
    assert isinstance(found, Logistic)
    assert found.interval[0] < 10**0.4 < found.interval[1]


def test_too_few_doses_or_groups_or_no_response_are_refused() -> None:
    few = fit_curve(np.repeat([0, 1, 2, 4, 8], 4), np.linspace(0, 1, 20))
    assert isinstance(few, Refused) and "needs 5 doses above 0; there are 4" in few.why
    alone = fit_curve([1, 2, 4, 8, 16], [0.1, 0.2, 0.5, 0.8, 0.9])
    assert isinstance(alone, Refused) and "more groups" in alone.why
    flat = fit_curve(10**LOGS, 0.4 + np.random.default_rng(0).normal(0, 0.05, len(LOGS)))
    assert isinstance(flat, Refused) and "more than chance" in flat.why


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    rng, held, given = np.random.default_rng(0), 0, 0
    logs = np.repeat(np.arange(9) * 0.5, 3)
    for _ in range(60):
        truth = 2 + rng.uniform(-0.5, 0.5)
        share = curve(logs, 0.08, 0.85, truth, rng.uniform(1, 4))
        share = 1 / (1 + (1 / share - 1) * np.exp(-rng.normal(0, 0.3, len(logs))))
        y = rng.binomial(150, share) / 150
        found = fit_curve(10**logs, y, np.full(len(logs), 150))
        if isinstance(found, Logistic):
            given += 1
            held += found.interval[0] <= 10**truth <= found.interval[1]
    assert given >= 50
    assert held / given >= 0.88


@pytest.mark.parametrize(("dose", "fraction"), [(np.nan, 0.5), (-1.0, 0.5), (1.0, np.nan)])
def test_groups_without_a_number_are_refused(dose: float, fraction: float) -> None:
    doses, fractions = [0.1, 1, 10, 100, 1000, dose], [0, 0.1, 0.5, 0.9, 1, fraction]
    with pytest.raises(DataError, match="leave the others out"):
        fit_curve(doses, fractions)


def test_a_response_that_is_over_at_the_lowest_dose_lies_below_the_doses() -> None:
    doses = np.array([0, 0, 0, 0, 0, 0, 0.1, 0.3, 1, 3, 10, 10])
    # The highest dose scatters, so that an EC50 far above the doses fits about as well.
    hits = np.array([0, 1, 1, 0, 0, 0, 29, 28, 30, 30, 24, 28])
    found = fit_curve(doses, hits / 30, np.full(12, 30))
    assert isinstance(found, Refused) and found.above is None
    assert "has begun below the lowest dose" in found.why
