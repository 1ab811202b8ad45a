"""By how much one classifier is ahead: value by hand, an interval that knows of groups."""

import numpy as np
import pytest
from scipy import stats

from napari_channelmix.classify.gap import AccuracyGap, accuracy_gap, signed


def test_the_gap_is_the_difference_of_the_balanced_accuracies():
    labels = np.array([0, 0, 0, 0, 1, 1])
    first = np.array([0, 0, 0, 1, 1, 1])  # recalls 3/4 and 1
    second = np.array([0, 1, 1, 1, 1, 0])  # recalls 1/4 and 1/2
    found = accuracy_gap(labels, first, second, np.arange(6))
    assert found.gap == pytest.approx((3 / 4 + 1) / 2 - (1 / 4 + 1 / 2) / 2)


def test_two_that_say_the_same_differ_by_no_less_than_single_cells_could():
    labels = np.repeat([0, 1], 20)
    found = accuracy_gap(labels, labels, labels, np.arange(40) // 5)
    # One discordant cell on either side of each class of 20, by hand: 2 / 22^2 for each class.
    half = stats.norm.ppf(0.975) * np.sqrt(2 * 2 / 22**2) / 2
    assert (found.gap, found.low, found.high) == pytest.approx((0, -half, half))


def test_cells_of_a_group_that_move_together_widen_the_interval():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 80)
    groups = np.arange(160) // 16
    right_in_some_groups = np.where(rng.random(10)[groups] < 0.5, labels, 1 - labels)
    together = accuracy_gap(labels, labels, right_in_some_groups, groups)
    apart = accuracy_gap(labels, labels, right_in_some_groups, np.arange(160))
    assert together.gap == apart.gap
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_interval_holds_the_true_gap_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(100):
        groups, labels = np.arange(320) // 16, np.repeat([0, 1], 160)
        # Groups differ in how hard they are, for both; the first is right .1 more often.
        hard = np.clip(0.75 + rng.normal(0, 0.08, 20), 0.5, 0.9)[groups]
        first, second = (np.where(rng.random(320) < p, labels, 1 - labels)
                         for p in (hard + 0.05, hard - 0.05))  # fmt: skip
        found = accuracy_gap(labels, first, second, groups, seed=trial)
        held += found.low <= 0.1 <= found.high
    assert 90 <= held <= 100


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, ".20"), (-0.034, "-.03"), (-0.001, ".00"), (1.0, "1.00")]
)
def test_differences_are_written_with_two_digits(value, text):
    assert signed(value) == text
    assert AccuracyGap(0.2, 0.12, 0.28).text() == ".20 (.12 to .28)"
