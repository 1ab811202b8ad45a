"""Levels of channels, by hand: how they are measured, given to other cells, and read."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.whatif.crops import CellCrops
from napari_channelmix.whatif.stain_levels import (
    at_levels,
    donors_of,
    levels_of,
    share_of_mixed_groups,
    stain_check,
)


def two() -> CellCrops:
    """Two crops of 4 x 4; the cell is 2 x 2 and 20 and 50 above a background of 10."""
    cell = np.zeros((2, 4, 4), bool)
    cell[:, 1:3, 1:3] = True
    pixels = np.full((2, 1, 4, 4), 10, np.float32)
    pixels[:, 0][cell] += np.repeat([20, 50], 4)
    pixels[:, 0, 0, 0] = 12
    return CellCrops(
        pixels,
        ("DNA",),
        cell,
        np.zeros_like(cell),
        np.array(["label", "label"]),
        None,
        np.full((2, 1), 10, np.float32),
        np.arange(2),
    )


def test_a_level_is_the_mean_light_above_the_background_in_the_outline() -> None:
    assert levels_of(two()).ravel().tolist() == [20, 50]


def test_another_level_scales_all_light_of_the_channel() -> None:
    crops = two()
    levels = levels_of(crops)[:, 0]
    pixels = at_levels(crops, 0, levels, np.array([50.0, 50.0]))
    # 20 becomes 50; the 2 above the background in the corner become 5; what has it stays.
    assert pixels[0, 0, 1, 1] == 60
    assert pixels[0, 0, 0, 0] == 15
    assert np.array_equal(pixels[1], crops.pixels[1])
    # No factor brings a level to one of another sign, or to none: the cell stays.
    for target in (-5.0, 0.0, np.nan):
        same = at_levels(crops, 0, levels, np.full(2, target))
        assert np.array_equal(same, crops.pixels)


def test_donors_are_of_the_class_that_is_farthest_and_of_the_own_one() -> None:
    levels = np.array([[1.0], [2.0], [11.0], [12.0], [100.0], [101.0]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    other, same = donors_of(levels, labels, seed=0)
    assert set(other[:4, 0]) <= {100.0, 101.0}
    assert set(other[4:, 0]) <= {1.0, 2.0}
    for code in range(3):
        own = labels == code
        assert sorted(same[own, 0]) == sorted(levels[own, 0])
    # The sham is another cell; a class of one cell has none.
    assert (same != levels).all()
    assert np.isnan(donors_of(levels[:3], labels[:3], seed=0)[1][2, 0])


def test_a_level_that_no_factor_gives_is_not_green() -> None:
    labels, groups = np.repeat([0, 1], 40), np.repeat([f"w{number}" for number in range(8)], 10)
    right = estimate_accuracy(labels, labels, groups, ("a", "b"))
    none = [np.zeros(80, bool)]
    answers = [
        stain_check(["BF"], [right], right, none, none, groups, 0.0, [given]).answer
        for given in (0.2, 1.0)
    ]
    assert answers == ["amber", "green"]


def test_groups_that_hold_several_classes_are_counted_by_cells() -> None:
    groups = np.array(["a", "a", "b", "b", "b", "c"])
    assert share_of_mixed_groups(np.array([0, 1, 0, 0, 0, 1]), groups) == pytest.approx(2 / 6)


@pytest.mark.parametrize(("mixed", "answer"), [(0.0, "amber"), (1.0, "green")])
def test_a_level_that_decides_is_a_question_unless_groups_hold_both(
    mixed: float, answer: str
) -> None:
    labels = np.repeat([0, 1], 40)
    groups = np.repeat([f"w{number}" for number in range(8)], 10)
    right = estimate_accuracy(labels, labels, groups, ("a", "b"))
    guess = estimate_accuracy(labels, np.zeros(80, int), groups, ("a", "b"))
    all_of_them, none = np.ones(80, bool), np.zeros(80, bool)
    check = stain_check(
        ("DNA", "actin", "ER"),
        (right, right, guess),
        right,
        (all_of_them, none, all_of_them),
        (none, none, none),
        groups,
        mixed,
    )
    assert check.answer == answer
    # Actin tells the classes and moves no call; ER moves calls and tells nothing.
    assert "DNA" in check.line
    assert "actin" not in check.line
    assert "ER" not in check.line
    assert check.figure == 1
    assert len(check.figures) == 9
