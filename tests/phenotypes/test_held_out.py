"""Cells that were not trained on, and what is said where there are few or none."""

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.phenotypes.held_out import (
    NO,
    SAME_GROUP,
    UNKNOWN,
    YES,
    cell_in_words,
    held_out_of,
    only_named,
)


@pytest.mark.parametrize(
    ("marks", "chosen", "line"),
    [
        (["no", "no"], [1, 1], ""),
        (
            ["unknown", "unknown"],
            [1, 1],
            "which cells were trained on is not known, so held-out ones "
            "cannot be told apart: figures are of all cells, and may be too good",
        ),
        (
            ["yes", "no", "no"],
            [0, 1, 1],
            "1 of 3 cells were trained on: figures are of the other 2",
        ),
        (
            ["yes", "same group", "no"],
            [0, 0, 1],
            "1 of 3 cells were trained on, 1 are of the same groups: figures are of the other 1",
        ),
        (
            ["yes", "same group"],
            [0, 1],
            "1 of 2 cells were trained on, the other 1 are of the same "
            "groups: figures are of these, and may be too good for other groups",
        ),
        (
            ["yes", "yes"],
            [1, 1],
            "all 2 cells were trained on, so none is held out: figures are of all "
            "of them, and too good",
        ),
    ],
)
def test_the_cells_that_are_meant_and_what_is_said(marks, chosen, line):
    result = held_out_of(np.array(marks))
    assert result.chosen.tolist() == [bool(one) for one in chosen]
    assert result.line == line


def test_all_are_taken_where_they_are_asked_for():
    result = held_out_of(np.array(["yes", "no"]), "maps are", "all")
    assert result.chosen.all()
    assert result.line == "1 of 2 cells were trained on: maps are of all of them, and too good"
    assert held_out_of(np.array(["no"]), only="all").line == ""
    assert only_named("all") == "all"
    with pytest.raises(ModelError, match="use held-out or all"):
        only_named("none")


def test_a_cell_is_said_to_be_trained_on_or_held_out():
    assert "was trained on this cell" in cell_in_words(YES)
    assert "other cells of this cell's group" in cell_in_words(SAME_GROUP)
    assert cell_in_words(NO).startswith("Held out")
    assert "not known" in cell_in_words(UNKNOWN)
    assert cell_in_words("") == ""
