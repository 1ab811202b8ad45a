"""Repeats hold out different groups, each once, unless one split is asked for or given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix import Cells
from napari_channelmix.dcmix.divisions import divided, given
from napari_channelmix.errors import DataError


def wells(each: tuple[int, ...] = (4, 4), cells: int = 3) -> Cells:
    """Cells of as many wells of each class."""
    labels = np.repeat(np.repeat(np.arange(len(each)), each), cells)
    groups = np.repeat(np.arange(sum(each)), cells)
    rng = np.random.default_rng(0)
    return Cells.from_array(
        rng.random((len(labels), 2, 4, 4)),
        ["x", "y"],
        labels,
        ["a", "b", "c"][: len(each)],
        [f"w{g}" for g in groups],
    )


def held_out(division):
    return [set(one.test.cells.groups) for one in division.sides]


def test_four_repeats_hold_out_every_well_once():
    division = divided(wells(), 4)
    assert division.kind == "folds" and division.folds == 4
    assert sorted(w for one in held_out(division) for w in one) == [f"w{i}" for i in range(8)]
    for one in division.sides:
        assert not set(one.train.cells.groups) & set(one.test.cells.groups)
        assert len(one.train.rows) + len(one.test.rows) == 24
    assert division.words == "4 folds; each of 8 groups held out once"
    assert division.warnings == ()
    assert len(division.pixels) == 1


def test_more_repeats_than_folds_hold_out_other_groups_together():
    division = divided(wells(), 8)
    first, second = held_out(division)[:4], held_out(division)[4:]
    assert set.union(*second) == set.union(*first)
    assert not {frozenset(one) for one in first} & {frozenset(one) for one in second}
    assert division.words.endswith("held out twice")


def test_whole_rounds_count_every_group_alike():
    division = divided(wells(), 6)
    assert [division.rounded(repeats) for repeats in range(1, 7)] == [1, 2, 3, 4, 4, 4]


def test_the_share_held_out_makes_the_folds():
    folds = [divided(wells(), 2, held_out=share).folds for share in (0.9, 0.5, 0.34, 0.25, 0.26)]
    assert folds == [2, 2, 3, 4, 4]
    with pytest.raises(DataError, match="share of held-out cells must lie between 0 and 1"):
        divided(wells(), 2, held_out=1.0)


def test_few_groups_and_few_repeats_are_said():
    few = divided(wells((4, 2)), 4)
    assert few.folds == 2
    assert few.warnings == ("2 folds instead of 4: class b is in 2 groups only",)
    short = divided(wells(), 2)
    assert short.warnings[0].startswith("2 repeats for 4 folds: only 4 groups were ever held out")
    assert short.words == "2 of 4 folds; 4 groups held out"


def test_split_seed_deals_the_groups():
    one, same, other = (held_out(divided(wells(), 4, split_seed=seed)) for seed in (0, 0, 1))
    assert one == same != other


def test_one_split_is_that_of_the_cells_and_is_said():
    cells = wells()
    division = divided(cells, 3, split_seed=5, one_split=True)
    _, test = cells.split(test=0.25, seed=5)
    assert held_out(division) == [set(test.groups)] * 3
    assert division.kind == "one split" and len(set(division.sides)) == 1
    assert "error bars hold the chance of training" in division.warnings[0]
    assert division.words == "one split; the same 4 groups held out in every repeat"


def test_a_split_column_decides_whatever_was_asked():
    cells = wells()
    part = np.where(np.isin(cells.groups, ["w0", "w7"]), "test", "train")
    own = replace(cells, table=cells.table.assign(split=part))
    division = divided(own, 2)
    assert division.kind == "split column"
    assert held_out(division) == [{"w0", "w7"}] * 2
    assert "split column" in division.warnings[0]


def test_sets_that_were_handed_over_are_kept():
    train, test = wells().split(seed=3)
    division = given(train, test, 2)
    assert division.kind == "given" and division.facts()["seed"] is None
    assert held_out(division) == [set(test.groups)] * 2
    np.testing.assert_array_equal(division.held_out_labels, test.labels)
