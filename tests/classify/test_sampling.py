"""What a choice of cells leaves in doubt: few cells of a class, of one group, in one image."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.classify.sampling import (
    classes_in_one_image,
    classifier_limits,
    sampling_warnings,
)
from napari_channelmix.data import Cells


def cells_of(*counts: int, groups: int = 0, first_in_one: bool = False) -> Cells:
    """Cells of classes a, b, ...; with ``groups`` of each class, or only one of the first."""
    labels = np.repeat(np.arange(len(counts)), counts)
    names = None
    if groups:
        names = [
            f"{code}-{0 if first_in_one and code == 0 else row % groups}"
            for row, code in enumerate(labels.tolist())
        ]
    pixels = np.random.default_rng(0).random((len(labels), 1, 4, 4), np.float32)
    return Cells.from_array(pixels, ["x"], labels, list("abc"[: len(counts)]), names)


def test_enough_cells_of_every_class_leave_nothing_to_be_said() -> None:
    cells = cells_of(20, 20, groups=4)
    assert sampling_warnings(cells, cells, np.repeat([0, 1], 10)) == ()


@pytest.mark.parametrize(("trained", "tested", "lines"), [(19, 10, 1), (20, 9, 1), (19, 9, 2)])
def test_one_cell_too_few_is_said_of_its_class(trained: int, tested: int, lines: int) -> None:
    cells = cells_of(30, trained, groups=4)
    said = sampling_warnings(cells, cells, np.repeat([0, 1], [10, tested]))
    assert len(said) == lines
    assert all(line.startswith("class b ") for line in said)
    if trained < 20:
        assert "trained on only 19 cells" in said[-1]
    if tested < 10:
        assert said[0] == "class b has only 9 held-out cells: its figures are rough"


def test_several_classes_with_too_few_cells_are_one_line_the_rarest_first() -> None:
    cells = cells_of(30, 12, 5, groups=4)
    said = sampling_warnings(cells, cells, np.repeat([0, 1, 2], [10, 6, 3]))
    assert said == (
        "2 classes have fewer than 10 held-out cells: c (3), b (6); their figures are rough",
        "2 classes were trained on fewer than 20 cells: c (5), b (12); what was learnt of them may "
        "be true of these alone",
    )


def test_a_class_without_held_out_cells_is_said_and_cells_without_a_class_are_not_counted() -> None:
    cells = cells_of(30, 30, groups=4)
    said = sampling_warnings(cells, cells, np.array([0] * 10 + [-1] * 10))
    assert said == ("class b has only 0 held-out cells: its figures are rough",)


def test_training_cells_of_one_group_are_said_where_groups_are_known() -> None:
    cells = cells_of(30, 30, groups=4, first_in_one=True)
    (line,) = sampling_warnings(cells, cells, np.repeat([0, 1], 10))
    assert line.startswith("trained on one group only: a; ")
    alone = cells_of(30, 30)
    assert sampling_warnings(alone, alone, np.repeat([0, 1], 10)) == ()


def test_a_group_or_an_image_of_all_classes_tells_none_of_them_apart() -> None:
    cells = cells_of(30, 30)
    one_group = replace(cells, table=cells.table.assign(group="w"))
    (line,) = sampling_warnings(one_group, one_group, np.repeat([0, 1], 10))
    assert line == "all 60 training cells are of one group: nothing is known of others"
    # Cells without a class are in the other image.
    table = cells.table.assign(
        field=np.repeat([0, 1], 30), label=np.repeat([0, 1, -1], [15, 15, 30])
    )
    assert classes_in_one_image(replace(cells, table=table)) == ()


def test_classes_in_one_image_each_are_said_where_no_groups_are_known() -> None:
    pixels = np.random.default_rng(0).normal(size=(6, 2, 8, 8)).astype(np.float32)
    cells = Cells.from_array(pixels, ["x", "y"], [0, 0, 0, 1, 1, 1], ("a", "b"))

    def in_images(*fields: int, group: Any = None) -> Cells:
        table = cells.table.assign(field=list(fields))
        return replace(cells, table=table if group is None else table.assign(group=group))

    (line,) = classes_in_one_image(in_images(0, 0, 0, 1, 2, 2))
    assert line.startswith("in one image only: a; ")
    # All in one image says nothing of a class, and known groups are judged by the gate.
    assert not (classes_in_one_image(in_images(0, 0, 0, 0, 0, 0)))
    assert not (classes_in_one_image(in_images(0, 1, 0, 1, 0, 1)))
    assert not (classes_in_one_image(in_images(0, 0, 0, 1, 1, 1, group=list("uuuvvv"))))


def test_classes_in_one_image_each_are_said_of_all_cells() -> None:
    cells = cells_of(20, 20)
    fields = np.repeat([0, 1], 20)
    cells = replace(cells, table=cells.table.assign(field=fields))
    (line,) = sampling_warnings(cells, cells, np.repeat([0, 1], 10))
    assert line.startswith("in one image only: a, b; ")


def classifier(right: int, cells: int, trained: int | None = 100) -> Any:
    """What `classifier_limits` asks of one: accuracy, and how many cells of each class it knows."""
    labels = np.repeat([0, 1], cells)
    guess = np.concatenate([np.arange(cells) >= right, np.arange(cells) < right]).astype(int)
    data = None
    if trained is not None:
        data = SimpleNamespace(n=2 * trained, class_shares={"a": 0.5, "b": 0.5})
    return SimpleNamespace(
        accuracy=estimate_accuracy(labels, guess, None, ("a", "b")), training_data=data
    )


def test_a_good_classifier_of_many_cells_has_no_limits() -> None:
    assert classifier_limits(classifier(40, 40)) == ()


def test_a_classifier_at_chance_is_said_with_interval_and_n() -> None:
    (line,) = classifier_limits(classifier(22, 40))
    assert line.startswith("the classifier is not clearly better than chance (0.50): balanced")
    assert "accuracy 0.55 (0.4" in line and "80 held-out cells" in line


def test_of_few_groups_it_is_not_known_whether_there_is_more_than_chance() -> None:
    labels = np.repeat([0, 1], 20)
    groups = np.repeat(["a", "b"], 20)
    estimate = estimate_accuracy(labels, labels, groups, ("a", "b"))
    (line,) = classifier_limits(SimpleNamespace(accuracy=estimate, training_data=None))
    assert line.startswith("whether the classifier is better than chance is not known: balanced ")
    assert "2 held-out groups, 40 cells" in line


def test_a_classifier_of_eighteen_cells_says_so() -> None:
    (line,) = classifier_limits(classifier(40, 40, trained=9))
    assert line == ("the classifier knows few cells: trained on 9 of a, 9 of b (n = 18 in all)")
    (line,) = classifier_limits(classifier(9, 9))
    assert line == "the classifier knows few cells: tested on 9 of a, 9 of b (n = 18 in all)"


def test_of_what_a_record_does_not_hold_nothing_is_said() -> None:
    assert classifier_limits(SimpleNamespace(accuracy=None, training_data=None)) == ()
