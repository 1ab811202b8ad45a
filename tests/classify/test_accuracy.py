"""Accuracy with its interval: counted by hand, in words, as JSON and back, refused in a line."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import (
    AccuracyEstimate,
    accuracy_difference,
    estimate_accuracy,
)
from napari_channelmix.classify.intervals import accuracy_interval, difference_interval
from napari_channelmix.errors import DataError

NAMES = ("negative", "positive")


def twelve_wells() -> AccuracyEstimate:
    labels = np.repeat([0, 1] * 6, 10)
    groups = np.repeat(np.arange(12), 10)
    guess = np.where(np.arange(120) % 20 == 0, 1 - labels, labels)
    return estimate_accuracy(labels, guess, groups, NAMES)


def test_figures_are_counted_by_hand_and_intervals_are_those_over_groups() -> None:
    labels, guess = [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 0, 0]
    groups = ["a", "a", "b", "b", "c", "c", "d", "d"]
    found = estimate_accuracy(labels, guess, groups, NAMES)
    assert (found.balanced, found.chance) == (0.625, 0.5)
    assert (found.n_cells, found.n_groups, found.level) == (8, 4, 0.95)
    assert (found.low, found.high) == accuracy_interval(labels, guess, groups, 2)
    assert [(row.name, row.recall, row.n_cells, row.n_groups) for row in found.per_class] == [
        ("negative", 0.75, 4, 2),
        ("positive", 0.5, 4, 2),
    ]
    for row in found.per_class:
        assert 0 <= row.low < row.recall < row.high <= 1
        assert row.high - row.low > found.high - found.low
    narrow = estimate_accuracy(labels, guess, groups, NAMES, level=0.8)
    assert found.low < narrow.low < narrow.high < found.high
    assert "(80 % interval" in narrow.text()


def test_the_line_tells_accuracy_interval_groups_and_cells() -> None:
    found = twelve_wells()
    assert found.warning == ""
    assert re.fullmatch(
        r"balanced accuracy 0\.950 \(95 % interval 0\.8\d to 0\.9\d; 12 held-out groups, "
        r"120 cells\)",
        found.text(),
    )
    assert re.fullmatch(
        r"negative 0\.90 \(0\.\d\d to 0\.\d\d; 6 groups, 60 cells\)", found.per_class[0].text()
    )


@pytest.mark.parametrize(
    ("groups", "line"),
    [
        (["a"] * 6, "1 group is too few to say anything about other groups"),
        ([0, 0, 0, 1, 1, 1], "2 groups are too few to say anything about other groups"),
        ([0, 1, 1, 2, 3, 3], "4 groups say little about other groups"),
        (
            [0, 1, 1, 2, 2, 2],
            "3 groups say little about other groups; class positive in one group only",
        ),
    ],
)
def test_too_few_groups_are_said_and_a_perfect_score_looks_weak(groups: list[int], line: str):
    labels = [0, 0, 0, 1, 1, 1]
    found = estimate_accuracy(labels, labels, groups, NAMES)
    assert found.balanced == 1
    assert found.low < 0.6
    assert found.warning == line
    assert found.text().endswith(f"cells): {line}")


@pytest.mark.parametrize("groups", [None, list("abcdef")])
def test_cells_without_groups_are_said_to_be_taken_as_independent(groups: list[str] | None):
    labels = [0, 0, 0, 1, 1, 1]
    assert estimate_accuracy(labels, labels, groups, NAMES).text() == (
        "balanced accuracy 1.000 (95 % interval 0.60 to 1.00; 6 held-out cells, no groups): no "
        "groups are known, so the cells are taken as independent and the interval may be too narrow"
    )


def test_a_class_without_cells_has_no_recall_and_is_said() -> None:
    labels, groups = np.repeat([0, 2], 30), np.repeat(np.arange(6), 10)
    found = estimate_accuracy(labels, labels, groups, ("a", "b", "c"))
    row = found.per_class[1]
    assert (row.recall, row.low, row.high, row.n_cells, row.n_groups) == (None, None, None, 0, 0)
    assert row.text() == "b: no cells"
    assert found.chance == 0.5
    assert found.warning == "no cell of class b"


def test_what_is_stored_is_read_again() -> None:
    labels, groups = np.repeat([0, 2], 30), np.repeat(np.arange(6), 10)
    for found in (twelve_wells(), estimate_accuracy(labels, labels, groups, ("a", "b", "c"))):
        stored = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert AccuracyEstimate.from_dict(stored) == found
    with pytest.raises(DataError, match="accuracy: balanced"):
        AccuracyEstimate.from_dict({**stored, "balanced": 7})


def test_a_difference_of_two_on_the_same_cells() -> None:
    labels = np.repeat([0, 1] * 6, 10)
    groups = np.repeat(np.arange(12), 10)
    first = np.where(np.arange(120) % 20 == 0, 1 - labels, labels)
    second = np.where(np.arange(120) % 5 == 0, 1 - labels, labels)
    found = accuracy_difference(labels, first, second, groups, 2)
    assert (found.difference, found.low, found.high) == difference_interval(
        labels, first, second, groups, 2
    )
    assert found.difference == pytest.approx(0.15)
    assert (found.n_cells, found.n_groups) == (120, 12)
    assert re.fullmatch(r"\+0\.150 \(95 % interval [+-]0\.\d{3} to \+0\.\d{3}\)", found.text())
    assert found.as_dict()["low"] == found.low


def test_a_prediction_that_is_no_class_is_wrong() -> None:
    assert estimate_accuracy([0, 1], [0, -1], None, NAMES).balanced == 0.5


@pytest.mark.parametrize(
    ("labels", "predicted", "groups", "message"),
    [
        ([], [], [], "at least one held-out cell with a class"),
        ([0, 1], [0], None, "2 labels, 1 predictions and 2 groups"),
        ([0, -1], [0, 1], None, "labels must be 0 to 1; leave out cells without a class"),
        ([0, 2], [0, 1], None, "labels must be 0 to 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    labels: list[int], predicted: list[int], groups: list[int] | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        estimate_accuracy(labels, predicted, groups, NAMES)


@pytest.mark.parametrize("groups", [np.arange(40), np.arange(40) // 5])
def test_a_cell_that_was_predicted_four_times_is_no_four_cells(groups: np.ndarray) -> None:
    labels, cells = np.arange(40) // 5 % 2, np.arange(40)
    predicted = np.where(np.arange(40) % 13 == 0, 1 - labels, labels)
    again = [np.tile(values, 4) for values in (labels, predicted, groups, cells)]
    once = estimate_accuracy(labels, predicted, groups, ("a", "b"))
    often = estimate_accuracy(*again[:3], ("a", "b"), cells=again[3])
    assert (often.n_cells, often.warning) == (40, once.warning)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    ahead = accuracy_difference(labels, labels, predicted, groups, 2)
    ahead_often = accuracy_difference(again[0], again[0], again[1], again[2], 2, cells=again[3])
    assert (ahead_often.low, ahead_often.high) == pytest.approx((ahead.low, ahead.high))
    assert ahead_often.n_cells == 40
