"""Fractions per group, with an interval that is known from tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.phenotypes.adjusted import Adjusted
from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of
from napari_channelmix.phenotypes.held_out import NO, SAME_GROUP, YES


def of(groups: list[str] | None, count: int = 6) -> Cells:
    return Cells.from_array(np.zeros((count, 1, 4, 4), np.float32), ["DNA"], groups=groups)


def test_fractions_are_of_the_cells_that_have_a_class() -> None:
    grouping = grouping_of(of(["A1", "A1", "A1", "B2", "B2", "C3"]))
    found = fractions_of(grouping, [0, 1, -1, 1, 1, -1], ("x", "y"))
    assert found.groups == ("A1", "B2", "C3")
    assert found.cells.tolist() == [3, 2, 1]
    np.testing.assert_allclose(found.fractions, [[0.5, 0.5], [0, 1], [np.nan, np.nan]])
    frame = found.to_frame()
    assert frame.columns[0] == "group"
    assert frame["n y"].tolist() == [1, 2, 0]
    assert (frame["low y"] <= frame["fraction y"].fillna(1)).all()


def test_cells_without_groups_are_told_by_field_or_stay_together() -> None:
    alone = grouping_of(of(None))
    assert (alone.kind, len(alone.names)) == ("data set", 1)
    plane = np.zeros((32, 32), np.float32)
    labels = np.zeros((32, 32), np.int32)
    labels[4:8, 4:8], labels[20:24, 20:24] = 1, 2
    here = Cells.from_labels([plane], ["DNA"], labels, crop=8, name="picture")
    by_field = grouping_of(here)
    assert (by_field.kind, by_field.names) == ("field of view", ("picture",))
    assert grouping_of(of(["one"], count=1)).names == ("one",)


def test_no_classes_are_no_fractions() -> None:
    found = fractions_of(grouping_of(of(["A", "A"], 2)), [-1, -1], ())
    assert found.fractions.shape == (1, 0) and found.cells.tolist() == [2]


def test_cells_that_were_trained_on_are_left_out_or_counted_and_marked() -> None:
    grouping = grouping_of(of(["A1", "A1", "A1", "B2", "B2", "C3"]))
    codes, marks = [0, 1, 1, 1, 0, 0], [YES, SAME_GROUP, SAME_GROUP, NO, NO, YES]
    counted = fractions_of(grouping, codes, ("x", "y"), training=marks)
    assert counted.counts.tolist() == [[1, 2], [1, 1], [1, 0]]
    assert counted.to_frame()["trained on"].tolist() == [1, 0, 1]
    held_out = fractions_of(grouping, codes, ("x", "y"), training=marks, only="held-out")
    assert held_out.counts.tolist() == [[0, 2], [1, 1], [0, 0]]
    assert (held_out.cells.tolist(), held_out.classed.tolist()) == ([3, 2, 1], [2, 2, 0])
    assert "trained on" not in fractions_of(grouping, codes, ("x", "y")).to_frame()
    with pytest.raises(ModelError, match="use held-out or all"):
        fractions_of(grouping, codes, ("x", "y"), training=marks, only="some")


def test_adjusted_fractions_stay_in_groups_without_training_cells() -> None:
    grouping = grouping_of(of(["A1", "A1", "A1", "B2", "B2", "C3"]))
    codes, marks = [0, 1, 1, 1, 0, 0], [YES, NO, NO, NO, NO, NO]
    counted = fractions_of(grouping, codes, ("x", "y"), training=marks)
    shares = np.array([[0.2, 0.8], [0.4, 0.6], [1.0, 0.0]])
    known = replace(counted, adjusted=Adjusted(shares, shares, shares))
    np.testing.assert_array_equal(known.best, shares)
    held_out = known.of_held_out(codes, marks)
    assert held_out.adjusted is not None
    np.testing.assert_array_equal(
        held_out.adjusted.fractions, [[np.nan, np.nan], [0.4, 0.6], [1.0, 0.0]]
    )
    # A1 has two held-out cells and no adjusted fraction: what leaves no group out is of the calls.
    assert held_out.has_adjusted and held_out.not_adjusted == 1 and not held_out.is_adjusted
    np.testing.assert_array_equal(held_out.best, [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    assert held_out.to_frame()["adjusted fraction x"].tolist()[1:] == [0.4, 1.0]
    # A group whose cells were all trained on counts no cell, so nothing is missing.
    whole = known.of_held_out(codes, [YES, YES, YES, NO, NO, NO])
    assert whole.is_adjusted and not whole.not_adjusted
    np.testing.assert_array_equal(whole.best, [[np.nan, np.nan], [0.4, 0.6], [1.0, 0.0]])
    refused = replace(counted, adjusted=Adjusted(shares * np.nan, shares, shares, "no calls"))
    assert not refused.is_adjusted
    np.testing.assert_array_equal(refused.best, counted.fractions)
