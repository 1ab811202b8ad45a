"""Fractions behind the calls: by hand, against a slow solver, and covered by their intervals."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize

from napari_channelmix.data import Cells
from napari_channelmix.phenotypes.adjusted import (
    HeldOutCalls,
    adjusted_fractions,
    dependence,
    off_zero,
    solved,
)
from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of

# Specificity .8, recall .9.
CONFUSION = np.array([[0.8, 0.2], [0.1, 0.9]])
THREE = np.array([[0.9, 0.07, 0.03], [0.1, 0.8, 0.1], [0.02, 0.1, 0.88]])


def held_out(
    groups: int = 10,
    each: int = 20,
    confusion: npt.ArrayLike = CONFUSION,
    rho: float = 0.0,
    seed: int = 0,
):
    """Groups of one class each, by turns; calls in a group resemble each other by ``rho``."""
    rng, confusion = np.random.default_rng(seed), np.asarray(confusion)
    kinds = len(confusion)
    counts = np.zeros((groups, kinds, kinds), int)
    for group in range(groups):
        code = group % kinds
        own = confusion[code] if not rho else rng.dirichlet(confusion[code] * (1 - rho) / rho)
        counts[group, code] = rng.multinomial(each, own)
    return HeldOutCalls(tuple("abc"[:kinds]), counts)


def test_rogan_and_gladens_estimate_by_hand() -> None:
    # (.3 + .8 - 1) / (.9 + .8 - 1) = 1/7.
    np.testing.assert_allclose(solved([[0.7, 0.3]], CONFUSION), [[6 / 7, 1 / 7]])
    # Fewer calls than the false ones alone: none; more than could be right: all.
    np.testing.assert_allclose(
        solved([[0.9, 0.1], [0.05, 0.95]], CONFUSION), [[1, 0], [0, 1]], atol=1e-12
    )


def test_free_fractions_are_those_of_the_inverse_alone() -> None:
    # (.1 + .8 - 1) / .7 = -1/7, where no fraction can be; (.3 + .8 - 1) / .7 = 1/7.
    found = adjusted_fractions([[90, 10], [70, 30], [0, 0]], held_out(200, 100, seed=3), draws=4)
    confusion = held_out(200, 100, seed=3).confusion
    specificity, recall = confusion[0, 0], confusion[1, 1]
    expected = [(share + specificity - 1) / (recall + specificity - 1) for share in (0.1, 0.3)]
    assert expected[0] == pytest.approx(-1 / 7, abs=0.02)
    assert found.free is not None
    np.testing.assert_allclose(found.free[:2, 1], expected)
    np.testing.assert_allclose(found.free[:2].sum(axis=1), 1)
    assert found.fractions[0].tolist() == [1, 0] and np.isnan(found.free[2]).all()


def test_three_classes_are_solved_within_the_simplex() -> None:
    behind = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(solved(behind @ THREE, THREE), behind, atol=1e-9)
    outside = np.array([[0.97, 0.02, 0.01], [0.02, 0.0, 0.98], [0.0, 0.95, 0.05]])
    for shares, found in zip(outside, solved(outside, THREE), strict=True):
        slow = minimize(
            lambda f, shares=shares: ((f @ THREE - shares) ** 2).sum(),
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda f: f.sum() - 1},
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(found, slow.x, atol=1e-4)
        assert found.sum() == pytest.approx(1) and found.min() >= 0


def test_dependence_by_hand() -> None:
    """Two groups of ten, one called all a, the other all b.

    Spread 10, noise 1/2, one degree of freedom, surplus 20 - 10 - 1 = 9: (10 - .5) / 4.5 = 19/9,
    and (1 x 19/9 + 2 x .05) / 3.
    """
    counts = np.zeros((2, 2, 2), int)
    counts[0, 0, 0] = counts[1, 0, 1] = 10
    assert dependence(counts) == pytest.approx((19 / 9 + 0.1) / 3)
    # Groups that agree more than chance would have it.
    counts[:, 0] = 5
    assert dependence(counts) == 0
    # Calls that are all right say nothing of it.
    counts[:, 0] = [10, 0]
    assert dependence(counts) == 0.05
    many = held_out(400, 20, rho=0.1).counts
    assert dependence(many) == pytest.approx(0.1, abs=0.03)


def test_held_out_calls_are_counted_by_group_and_survive_json() -> None:
    found = HeldOutCalls.of([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ["x", "x", "y", "y", "x"], "ab")
    assert found.counts.tolist() == [[[1, 1], [1, 0]], [[0, 0], [0, 2]]]
    np.testing.assert_allclose(found.confusion, [[0.5, 0.5], [1 / 3, 2 / 3]])
    again = HeldOutCalls.from_rows(json.loads(json.dumps(found.as_rows())), "ab")
    np.testing.assert_array_equal(again.counts, found.counts)
    single = HeldOutCalls.of([0, 1, 1], [0, 1, 1], ["1", "2", "3"], "ab")
    assert not single.grouped and len(single.counts) == 1


def test_the_adjusted_fraction_is_that_of_all_held_out_cells() -> None:
    calls = HeldOutCalls(("a", "b"), np.array([[[80, 20], [0, 0]], [[0, 0], [10, 90]]]))
    found = adjusted_fractions([[70, 30], [0, 0], [95, 5]], calls)
    np.testing.assert_allclose(found.fractions[:, 1], [1 / 7, np.nan, 0.0], atol=1e-12)
    assert found.low[0, 1] < 1 / 7 < found.high[0, 1]
    assert np.isnan(found.low[1]).all() and found.low[2, 1] == 0 < found.high[2, 1]
    assert "1 held-out group of a" in found.note
    # More cells in the well, more held-out groups: more is known.
    better = HeldOutCalls(("a", "b"), np.repeat(calls.counts, 12, axis=0))
    wide, narrow = (
        of.high[0, 1] - of.low[0, 1] for of in (found, adjusted_fractions([[7000, 3000]], better))
    )
    assert narrow < 0.6 * wide and not adjusted_fractions([[7, 3]], better).note


@pytest.mark.parametrize("confusion", [CONFUSION, THREE, np.eye(2)], ids=["two", "three", "sure"])
@pytest.mark.parametrize("grouped", [True, False])
def test_no_interval_is_without_width(confusion: npt.ArrayLike, grouped: bool) -> None:
    """Calls of one class alone, and fewer than are called so of the others by mistake."""
    kinds = len(np.asarray(confusion))
    calls = held_out(60, 200, confusion)
    calls = HeldOutCalls(calls.classes, calls.counts, grouped)
    counts = [*(500 * np.eye(kinds, dtype=int)), *(3 * np.eye(kinds, dtype=int))]
    found = adjusted_fractions(counts, calls)
    width = found.high - found.low
    assert width.min() > 1e-3 and found.low.min() >= 0 and found.high.max() <= 1
    assert ((found.low <= found.fractions) & (found.fractions <= found.high)).all()
    # The wells of three cells say less.
    assert (width[kinds:] > width[:kinds]).all()


def test_the_end_away_from_the_bound_by_hand() -> None:
    # Of 100 draws above 0, 2.5 % are above the 97.5 % quantile, however many are at 0.
    drawn = np.concatenate([np.zeros(900), np.arange(1, 102) / 1000])
    assert off_zero(drawn, drawn) == pytest.approx(0.0985)
    # All two standard deviations below 0: P(Z > z) = .025 P(Z > 2) = .00056875, z = 3.2541.
    inverted = 0.1 * (np.tile([-1.0, 1.0], 500) - 2)
    assert off_zero(np.zeros(1000), inverted) == pytest.approx(0.1 * (3.2541 - 2), abs=1e-4)
    assert off_zero(np.zeros(1000), 100 * inverted) == 1


def test_calls_that_say_nothing_are_not_adjusted() -> None:
    chance = HeldOutCalls(("a", "b"), np.array([[[5, 5], [5, 5]]]))
    found = adjusted_fractions([[3, 7]], chance)
    assert "hardly separate" in found.why_not and np.isnan(found.fractions).all()
    missing = HeldOutCalls(("a", "b"), np.array([[[5, 5], [0, 0]]]))
    assert "no held-out cell is of the class b" in adjusted_fractions([[3, 7]], missing).why_not


@pytest.mark.parametrize("prevalence", [0.01, 0.05, 0.2, 0.5])
def test_intervals_cover_where_wells_differ(prevalence: float) -> None:
    """Wells of 100 cells whose confusion differs from well to well, as that of held-out ones."""
    hits = []
    for seed in range(40):
        rng, rho = np.random.default_rng([seed, 7]), 0.05
        counts = []
        for _ in range(10):
            positive = rng.random(100) < prevalence
            own = [rng.dirichlet(row * (1 - rho) / rho)[1] for row in CONFUSION]
            called = rng.random(100) < np.where(positive, own[1], own[0])
            counts.append([(~called).sum(), called.sum()])
        found = adjusted_fractions(counts, held_out(16, 30, rho=rho, seed=seed), draws=300)
        hits.append((found.low[:, 1] <= prevalence) & (prevalence <= found.high[:, 1]))
    assert np.mean(hits) >= 0.88


def test_the_table_of_groups_has_them_beside_the_raw_ones() -> None:
    cells = Cells.from_array(
        np.zeros((6, 1, 4, 4), np.float32), ["DNA"], groups=["x"] * 3 + ["y"] * 3
    )
    codes = [0, 0, 1, 1, 1, 1]
    plain = fractions_of(grouping_of(cells), codes, ("a", "b"))
    assert plain.adjusted is None and "adjusted fraction b" not in plain.to_frame()
    frame = fractions_of(
        grouping_of(cells), codes, ("a", "b"), balanced=codes, held_out=held_out()
    ).to_frame()
    assert list(frame.columns[: len(plain.to_frame().columns)]) == list(plain.to_frame().columns)
    assert frame["adjusted low b"].le(frame["adjusted fraction b"]).all()
    assert frame["adjusted high b"].ge(frame["adjusted fraction b"]).all()
