"""Labels permuted between groups: values worked out by hand, and errors as often as allowed."""

import numpy as np
import pytest

from napari_channelmix.classify.permutation import permutation_test
from napari_channelmix.errors import DataError


def wells(called, labels, each=4):
    """Wells of one class, whose cells are all called one class."""
    rows = np.repeat(np.arange(len(labels)), each)
    return np.asarray(labels)[rows], np.asarray(called)[rows], rows


def test_every_deal_of_four_wells_is_tried():
    # Six deals of two classes to four wells; only the true one is all right: 1 / 6.
    found = permutation_test(*wells([0, 0, 1, 1], [0, 0, 1, 1]), 2)
    assert found.exact and found.n_groups == 4
    assert found.observed == 1
    assert found.expected == pytest.approx(0.5)
    assert found.p_above == found.least == pytest.approx(1 / 6)
    assert found.p_below == 1
    assert found.class_p == pytest.approx((1 / 6, 1 / 6))
    # All wrong: the other end.
    found = permutation_test(*wells([1, 1, 0, 0], [0, 0, 1, 1]), 2)
    assert (found.p_above, found.p_below) == (1, pytest.approx(1 / 6))
    # One well of each class wrong: accuracy 1/2, reached or passed by 5 of 6 deals.
    found = permutation_test(*wells([0, 1, 0, 1], [0, 0, 1, 1]), 2)
    assert found.p_above == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("each", "least"), [((3, 3), 1 / 20), ((2, 2, 2), 1 / 90), ((6, 6), 1 / 924)]
)
def test_the_smallest_p_is_one_of_all_deals(each, least):
    labels = np.repeat(np.arange(len(each)), each)
    found = permutation_test(*wells(labels, labels), len(each))
    assert found.least == found.p_above == pytest.approx(least)


def test_wells_of_different_size_weigh_by_their_cells():
    # Class 0: wells of 1 and 3 cells, called 0 and 1; class 1: one well of 2 cells, called 1.
    labels, predicted, groups = [0, 0, 0, 0, 1, 1], [0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 2, 2]
    found = permutation_test(labels, predicted, groups, 2)
    assert found.observed == pytest.approx((1 / 4 + 1) / 2)
    # The well of class 1 may be any of three: accuracies (1/4 + 1)/2, (1/3 + 1)/2, (0 + 0)/2.
    assert found.expected == pytest.approx((5 / 8 + 2 / 3 + 0) / 3)
    assert found.p_above == pytest.approx(2 / 3)
    assert found.class_p == pytest.approx((2 / 3, 2 / 3))


def test_a_class_that_is_always_missed_is_not_learnt():
    labels = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    found = permutation_test(*wells([0, 0, 0, 0, 1, 1, 1, 1, 0, 1], labels), 3)
    assert found.class_p[0] < 0.05 and found.class_p[1] < 0.05
    assert found.class_p[2] == 1
    assert found.class_least[2] == pytest.approx(1 / 45)


def test_cells_of_mixed_groups_are_permuted_within_them():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(6), 20)
    labels = np.tile([0, 1], 60)
    right = np.where(rng.random(120) < 0.75, labels, 1 - labels)
    assert permutation_test(labels, right, groups, 2).p_above < 0.001
    # Calling each group by its number is at chance, though calls are alike within a group.
    found = permutation_test(labels, groups % 2, groups, 2)
    assert found.observed == 0.5 and found.p_above > 0.5
    assert not found.exact


def test_nearly_pure_groups_count_as_groups_not_as_cells():
    # One odd cell in each well: permuting within the wells alone would leave the accuracy high.
    groups = np.repeat(np.arange(12), 10)
    labels = np.repeat([0, 1], 60)
    labels[::10] = 1 - labels[::10]
    found = permutation_test(labels, np.repeat([0, 1], 60), groups, 2)
    assert 0.4 < found.expected < 0.6
    assert found.p_above < 0.01
    four = groups < 4
    few = permutation_test(labels[four], np.repeat([0, 1], [20, 20]), groups[four], 2)
    assert few.p_above > 0.1


def test_a_cell_that_was_held_out_twice_is_one_cell():
    rng = np.random.default_rng(1)
    labels, predicted = rng.integers(0, 2, (2, 60))
    once = permutation_test(labels, predicted, np.arange(60), 2)
    cells = np.tile(np.arange(60), 4)
    again = permutation_test(np.tile(labels, 4), np.tile(predicted, 4), cells, 2, cells=cells)
    assert again.observed == once.observed
    assert again.p_above == pytest.approx(once.p_above, abs=1e-9)


def test_values_of_twelve_wells_are_those_of_the_hypergeometric_distribution():
    # Five of six wells of either class right: 1 + 6 * 6 of 924 deals are as good or better.
    found = permutation_test(*wells([0] * 5 + [1] * 6 + [0], [0] * 6 + [1] * 6), 2)
    assert found.p_above == pytest.approx(37 / 924)


def test_it_errs_as_often_as_it_may():
    # Wells differ, labels say nothing: predictions follow the well, drawn without the labels.
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(200):
        labels = rng.permutation(np.repeat([0, 1], 5))
        called = rng.random((10, 6)) < rng.random((10, 1))
        rows = np.repeat(np.arange(10), 6)
        p_values.append(permutation_test(labels[rows], called.ravel(), rows, 2).p_above)
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.1


def test_deals_that_leave_a_class_without_a_cell_do_not_count() -> None:
    # One cell of the second class, in a group of 20, which smaller groups cannot hold: a deal
    # either keeps that group's shares in it, or has no cell of the class.
    labels = np.r_[1, np.zeros(19 + 4, int)]
    groups = np.r_[np.zeros(20, int), 1, 2, 3, 4]
    # Half of the large group is called the second class, its own cell among them.
    predicted = np.r_[np.ones(10, int), np.zeros(14, int)]
    test = permutation_test(labels, predicted, groups, 2)
    # Any cell of the large group may have the label: half of them are called so.
    assert test.observed == pytest.approx((1 + 14 / 23) / 2)
    assert test.p_above == pytest.approx(0.5, abs=0.05)
    assert test.class_p[1] == pytest.approx(0.5, abs=0.05)
    assert np.isfinite(test.expected) and test.p_below == 1.0


@pytest.mark.parametrize("predicted", [[0, -1], [0, 2]])
def test_numbers_that_are_no_class_are_refused(predicted: list[int]) -> None:
    with pytest.raises(DataError, match="must be 0 to 1"):
        permutation_test([0, 1], predicted, [0, 1], 2)
