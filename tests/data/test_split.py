"""Splits: groups stay whole, classes stay on both sides, seeds repeat."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_channelmix.data import Cells
from napari_channelmix.data.split import cross_validation_folds
from napari_channelmix.errors import DataError


def some_cells(labels: list[int], groups: list[str] | None = None, part: list[str] | None = None):  # type: ignore[no-untyped-def]
    crops = np.zeros((len(labels), 1, 4, 4), np.float32)
    names = [f"class {i}" for i in range(max(labels) + 1)]
    cells = Cells.from_array(crops, ["x"], labels, names, groups)
    return cells if part is None else replace(cells, table=cells.table.assign(split=part))


def can_be_divided(labels: list[int], groups: list[int]) -> bool:
    """Whether some choice of groups leaves every class on both sides: all choices are tried."""
    names, classes = sorted(set(groups)), set(labels)
    for choice in product([False, True], repeat=len(names)):
        held = {name for name, taken in zip(names, choice, strict=True) if taken}
        here = {c for c, g in zip(labels, groups, strict=True) if g in held}
        there = {c for c, g in zip(labels, groups, strict=True) if g not in held}
        if here == classes == there:
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=4, max_size=40),
    test=st.sampled_from([0.1, 0.25, 0.5, 0.8]),
    seed=st.integers(0, 3),
)
def test_groups_stay_whole_and_every_class_is_on_both_sides_where_that_can_be(
    cells: list[tuple[int, int]], test: float, seed: int
) -> None:
    labels, groups = [label for label, _ in cells], [group for _, group in cells]
    whole = some_cells(labels, [str(group) for group in groups])
    possible = (
        len(set(labels)) > 1
        and min(labels.count(c) for c in set(labels)) > 1
        and can_be_divided(labels, groups)
    )
    if not possible:
        with pytest.raises(DataError):
            whole.split(test=test, seed=seed)
        return
    train, held = whole.split(test=test, seed=seed)
    assert not set(train.groups) & set(held.groups)
    assert len(train) + len(held) == len(whole)
    assert set(train.labels) == set(held.labels) == set(labels)
    again = whole.split(test=test, seed=seed)
    assert again[1].table.equals(held.table)


@pytest.mark.parametrize(("wells", "away"), [(2, 1), (3, 1), (4, 2), (6, 2), (12, 3)])
@pytest.mark.parametrize("test", [0.2, 0.25])
def test_two_wells_of_a_class_are_held_out_where_there_are_four(
    wells: int, away: int, test: float
) -> None:
    labels = [0] * 100 * wells + [1] * 100 * wells
    groups = [str(i // 100) for i in range(len(labels))]
    train, held = some_cells(labels, groups).split(test=test)
    if (wells, test) == (12, 0.2):
        away = 2
    assert held.class_counts == {"class 0": 100 * away, "class 1": 100 * away}
    assert not set(train.groups) & set(held.groups)


def test_two_wells_are_held_out_of_those_that_hold_all_classes_and_of_rare_ones() -> None:
    # Four images with both classes; then five wells of a rare class among many.
    labels, groups = [0, 1] * 8, [str(i // 4) for i in range(16)]
    assert len(set(some_cells(labels, groups).split(test=0.25)[1].groups)) == 2
    labels = [0] * 200 + [1] * 5
    groups = [str(i // 10) for i in range(200)] + ["a", "b", "c", "d", "e"]
    _, held = some_cells(labels, groups).split(test=0.25)
    assert held.class_counts == {"class 0": 50, "class 1": 2}


def test_three_wells_of_a_class_and_many_of_another() -> None:
    labels = [0] * 30 + [1] * 80
    groups = [str(i // 10) for i in range(110)]
    _, held = some_cells(labels, groups).split(test=0.1)
    assert held.class_counts == {"class 0": 10, "class 1": 20}


def test_the_held_out_share_is_near_the_one_asked_for_in_every_class() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 60, 40)
    groups = np.repeat([str(i) for i in range(40)], sizes)
    labels = np.repeat([0] * 30 + [1] * 10, sizes)
    whole = some_cells(labels.tolist(), groups.tolist())
    _, held = whole.split(test=0.25, seed=1)
    for name, number in held.class_counts.items():
        assert number / whole.class_counts[name] == pytest.approx(0.25, abs=0.05)


def test_single_cells_are_drawn_from_each_class() -> None:
    whole = some_cells([0] * 200 + [1] * 20 + [2] * 2)
    _, held = whole.split(test=0.25)
    assert held.class_counts == {"class 0": 50, "class 1": 5, "class 2": 1}


def test_seeds_differ_and_repeat() -> None:
    whole = some_cells([0, 1] * 50)
    drawn = [tuple(whole.split(seed=seed)[1].groups) for seed in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_cells_without_a_class_are_left_out() -> None:
    train, held = some_cells([0, 1, -1, 0, 1, -1]).split(test=0.5)
    assert len(train) + len(held) == 4


def test_an_own_split_is_kept_whatever_the_seed() -> None:
    whole = some_cells([0, 1] * 4, part=["train"] * 4 + ["val"] * 2 + ["test"] * 2)
    train, held = whole.split(test=0.9, seed=7)
    assert set(train.table["split"]) == {"train", "val"}
    assert set(held.table["split"]) == {"test"}
    whole = some_cells([0, 1] * 4, part=["train"] * 6 + ["val"] * 2)
    assert set(whole.split()[1].table["split"]) == {"val"}


def test_an_own_split_with_one_part_is_refused() -> None:
    with pytest.raises(DataError, match="split column must name both 'train' rows and 'test'"):
        some_cells([0, 1] * 4, part=["train"] * 8).split()


@pytest.mark.parametrize("share", [0, 1, -0.5, 3])
def test_a_share_beyond_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        some_cells([0, 1] * 4).split(test=share)


def test_no_class_one_class_and_a_class_with_one_cell_are_refused() -> None:
    whole = some_cells([0] * 6)
    with pytest.raises(DataError, match=r"array: all cells are of class 'class 0'; .* two"):
        whole.split()
    with pytest.raises(DataError, match="array: no cell has a class; give"):
        whole.with_labels([-1] * 6, ["a"]).split()
    with pytest.raises(DataError, match=r"array: class 'class 1' has one cell only here; .*three"):
        some_cells([0] * 6 + [1]).split()


def test_a_class_in_one_group_is_named_with_its_group() -> None:
    whole = some_cells([0, 0, 0, 1, 1], ["w1", "w2", "w3", "w4", "w4"])
    with pytest.raises(DataError, match=r"class 'class 1' is in one group only \(w4\), .* second"):
        whole.split()


def test_all_classes_in_one_group_are_said_at_once_and_what_to_do() -> None:
    whole = some_cells([0, 0, 1, 1, 2, 2], ["w1", "w2", "w3", "w3", "w4", "w4"])
    with pytest.raises(DataError) as error:
        whole.split()
    says = str(error.value)
    assert "classes 'class 1' (w3), 'class 2' (w4) are in one group only each" in says
    assert "merge it with another class, or leave it out" in says and "\n" not in says


def test_a_class_that_is_only_among_held_out_rows_is_refused() -> None:
    part = ["train"] * 4 + ["test"] * 4
    with pytest.raises(DataError, match="'class 1' is only among the rows called 'test'"):
        some_cells([0, 0, 2, 2, 0, 1, 1, 2], part=part).split()


def by_group(labels: list[int], groups: list[int]) -> Cells:
    return some_cells(labels, [str(group) for group in groups])


def most_folds(labels: list[int], groups: list[int], folds: int) -> int:
    """Groups of the class that has fewest of them, or the folds that are asked for."""
    return min(
        folds,
        *(
            len({g for c, g in zip(labels, groups, strict=True) if c == code})
            for code in set(labels)
        ),
    )


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), min_size=4, max_size=40),
    folds=st.integers(2, 5),
    seed=st.integers(0, 3),
)
def test_folds_hold_out_every_group_once_and_leave_every_class_to_train_on(
    cells: list[tuple[int, int]], folds: int, seed: int
) -> None:
    labels, groups = [label for label, _ in cells], [group for _, group in cells]
    whole = by_group(labels, groups)
    try:
        found = cross_validation_folds(whole, folds, seed)
    except DataError:
        counts = [len({g for c, g in cells if c == code}) for code in set(labels)]
        assert len(set(labels)) == 1 or min(counts) < 2
        return
    assert (np.sum(found, axis=0) == 1).all()
    for flags in found:
        assert flags.any()
        assert not set(whole.groups[flags]) & set(whole.groups[~flags])
        assert set(whole.labels[~flags]) == set(labels)
    again = cross_validation_folds(whole, folds, seed)
    assert all((one == other).all() for one, other in zip(found, again, strict=True))


@pytest.mark.parametrize("folds", [2, 3, 4])
def test_folds_have_every_class_where_groups_are_of_one_class(folds: int) -> None:
    labels = np.repeat([0] * 5 + [1] * 7, 8)
    whole = by_group(labels.tolist(), np.repeat(np.arange(12), 8).tolist())
    found = cross_validation_folds(whole, folds, 0)
    assert len(found) == folds
    assert all(set(whole.labels[flags]) == {0, 1} for flags in found)


def test_classes_have_nearly_equal_shares_in_the_folds() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 60, 48)
    groups = np.repeat(np.arange(48), sizes)
    labels = np.repeat([0] * 32 + [1] * 16, sizes)
    whole = by_group(labels.tolist(), groups.tolist())
    for flags in cross_validation_folds(whole, 4, 1):
        for code in (0, 1):
            share = (labels[flags] == code).sum() / (labels == code).sum()
            assert share == pytest.approx(0.25, abs=0.03)


def test_folds_are_of_equal_size_where_the_wells_of_a_class_are_odd() -> None:
    whole = by_group([0] * 12 + [1] * 12, np.repeat(np.arange(6), 4).tolist())
    assert [flags.sum() for flags in cross_validation_folds(whole, 2, 1)] == [12, 12]


def test_cells_without_groups_are_dealt_class_by_class() -> None:
    whole = some_cells([0] * 201 + [1] * 21 + [2] * 3)
    found = cross_validation_folds(whole, 3, 0)
    assert [np.bincount(whole.labels[flags]).tolist() for flags in found] == [[67, 7, 1]] * 3


def test_there_are_fewer_folds_where_a_class_has_fewer_groups() -> None:
    labels, groups = [0] * 6 + [1] * 3, [0, 1, 2, 3, 4, 5, 6, 7, 7]
    assert len(cross_validation_folds(by_group(labels, groups), 4, 0)) == 2
    with pytest.raises(DataError, match="class 'class 1' is in one group only"):
        cross_validation_folds(by_group([0, 0, 1, 1], [0, 1, 2, 2]), 4, 0)


def test_three_folds_where_two_would_leave_a_class_untrained() -> None:
    # Any two of the three groups hold a class between them that the third lacks.
    labels, groups = [0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 0]
    assert len(cross_validation_folds(by_group(labels, groups), 2, 0)) == 3


def test_another_seed_is_another_deal() -> None:
    whole = by_group(np.repeat([0, 1], 40).tolist(), np.repeat(np.arange(20), 4).tolist())
    one, other = (np.argmax(cross_validation_folds(whole, 4, seed), axis=0) for seed in (0, 1))
    assert (one != other).any()


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(DataError, match="folds must be 2 or more, not 1"):
        cross_validation_folds(some_cells([0, 1] * 4), 1, 0)
