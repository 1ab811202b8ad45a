"""From predictions for held-out cells to what the gate is decided from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix import Cells
from napari_channelmix.dcmix.divisions import Division, divided, given
from napari_channelmix.dcmix.evidence import against_chance, evidence_of
from napari_channelmix.dcmix.pooled import pooled_of
from napari_channelmix.dcmix.reliability import judge
from napari_channelmix.dcmix.repeats import RepeatResult
from napari_channelmix.dcmix.summary import summarised


def wells(each: tuple[int, ...], cells: int = 6) -> Cells:
    labels = np.repeat(np.repeat(np.arange(len(each)), each), cells)
    groups = np.repeat(np.arange(sum(each)), cells)
    crops = np.random.default_rng(0).random((len(labels), 2, 4, 4))
    return Cells.from_array(
        crops, ["x", "y"], labels, ["a", "b", "c"][: len(each)], [f"w{g}" for g in groups]
    )


def called(division: Division, plain: Any, mixed: Any = None, **more: Any) -> list[RepeatResult]:
    """Repeats in which ``plain`` and ``mixed`` say what each cell is called."""
    results = []
    for number, sides in enumerate(division.sides):
        test = sides.test.cells
        calls = [np.asarray(one(test)).tolist() for one in (mixed or plain, plain)]
        results.append(RepeatResult(number, [0.6, 0.4], {}, {}, *calls, **more))
    return results


def judged(division: Division, plain: Any, mixed: Any = None) -> Any:
    pooled = pooled_of(called(division, plain, mixed), division)
    estimates = {kind: pooled.estimate(kind) for kind in ("mixed", "plain")}
    evidence = evidence_of(pooled, estimates, against_chance(pooled))
    return judge(evidence), evidence, estimates


def right(test: Cells) -> Any:
    return test.labels


def wrong_for(*groups: str) -> Any:
    """All right but for the cells of some wells, which are called the next class."""

    def call(test: Cells) -> Any:
        missed = np.isin(test.groups, groups)
        return np.where(missed, (test.labels + 1) % len(test.classes), test.labels)

    return call


def test_figures_are_of_all_folds_together():
    division = divided(wells((6, 6)), 4)
    gate, evidence, estimates = judged(division, wrong_for("w0"))
    assert estimates["plain"].balanced == pytest.approx((5 / 6 + 1) / 2)
    assert (estimates["plain"].n_cells, estimates["plain"].n_groups) == (72, 12)
    assert evidence.cost == 0 and evidence.losses == {"a": 0, "b": 0}
    assert gate.verdict == "Reliable"


def test_intervals_over_folds_are_wider_than_over_one_split():
    cells = wells((6, 6))
    folds = divided(cells, 4)
    pooled = pooled_of(called(folds, wrong_for("w0", "w7")), folds)
    once = given(cells, cells, 1)
    same = pooled_of(called(once, wrong_for("w0", "w7")), once)
    wide, narrow = pooled.estimate("plain"), same.estimate("plain")
    assert wide.balanced == narrow.balanced
    assert wide.balanced - wide.low == pytest.approx(
        np.sqrt(5 / 3) * (narrow.balanced - narrow.low)
    )


def test_four_wells_are_too_few_however_right_the_calls():
    gate, _, _ = judged(divided(wells((2, 2)), 2), right)
    assert gate.verdict == "Nothing can be read: too few groups"


def test_a_class_that_was_never_learnt_is_named_and_nothing_is_said_of_it():
    cells = wells((6, 6, 2))
    division = divided(cells, 4)

    def missed(test: Cells) -> Any:
        return np.where(test.labels == 2, 0, test.labels)

    gate, evidence, _ = judged(division, missed)
    assert evidence.not_learnt == ("c",)
    assert gate.verdict == "Reliable but for what was not learnt: c"
    repeats = called(division, missed, shapley=[0.3, 0.1], shapley_per_class=[[0.1, 0.1]] * 3)
    found = summarised(repeats, division, (), {})
    assert set(found.per_class) == {"a", "b"}
    assert found.not_learnt["c"].startswith("not learnt: recall 0.00 of 12 held-out cells is at")
    assert any(line.startswith("class c was not learnt") for line in found.warnings)


def test_a_class_in_one_held_out_group_is_named_with_it():
    cells = wells((4, 4, 4))
    held = np.isin(cells.groups, ["w3", "w4", "w5", "w6", "w8", "w9", "w10"])
    gate, evidence, _ = judged(given(cells.subset(~held), cells.subset(held), 1), right)
    assert evidence.lone == {"a": "w3"}
    assert "a (w3)" in gate.reason
    # Where no groups are known, every cell is its own.
    alone = Cells.from_array(cells.read(), ["x", "y"], cells.labels, cells.classes)
    _, evidence, _ = judged(given(alone.subset(~held), alone.subset(held), 1), right)
    assert evidence.lone == {}


def test_classes_that_lose_through_mixing_are_named():
    division = divided(wells((8, 8)), 4)
    gate, evidence, _ = judged(division, right, wrong_for("w0", "w1"))
    assert evidence.losses == pytest.approx({"a": 0.25, "b": 0.0})
    assert "recall lost: a -0.25)" in gate.reason


def test_a_class_without_held_out_cells_is_null(tmp_path):
    cells = wells((4, 4, 4))
    held = np.isin(cells.groups, ["w0", "w1", "w4", "w5"])
    division = given(cells.subset(~held), cells.subset(held), 4)
    found = summarised(called(division, right), division, (), {})
    assert found.recall["mixed"] == {"a": 1.0, "b": 1.0, "c": None}
    assert found.to_dict()["recall"]["plain"]["c"] is None
