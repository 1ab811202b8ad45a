"""What follows from labels and predictions, where their classes are others as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.sorting import Choice, Filter, arranged
from napari_channelmix.viewer.session.session import Predictions, Session

from ...phenotype_cases import CLASSES, cells, facts, predictions


def test_cells_differ_where_another_class_is_predicted() -> None:
    known = facts()
    assert np.flatnonzero(known.differs).tolist() == [4, 7]
    said = known.describe(7)
    for part in ("Cell 7", "Group: W1", "Class: long", "Predicted: dead", "Margin"):
        assert part in said


def test_predicted_classes_that_no_cell_can_have_get_colours_of_their_own() -> None:
    of = cells(2, ("a", "b"))
    known = Facts(of, Predictions(("b", "x"), np.array([[1, 0], [0, 1]], np.float32)))
    assert known.palette == ("a", "b", "x")
    assert known.predicted_colors.tolist() == [1, 2]
    assert known.differs.tolist() == [True, True]
    assert known.class_name(-1) == "no class"


def test_predictions_of_other_cells_are_not_held_against_these() -> None:
    session = Session()
    assert Facts.of(session) is None
    session.open(cells(6))
    session.predictions = predictions(cells(12))
    known = Facts.of(session)
    assert known is not None and known.predictions is None
    assert not known.differs.any() and (known.predicted_colors == -1).all()


def test_groups_are_kept_while_only_classes_change() -> None:
    session = Session()
    session.open(cells())
    before = Facts.of(session)
    assert before is not None
    grouping = before.grouping
    session.assign([0, 1], 2)
    after = Facts.of(session, before)
    assert after is not None and after.grouping is grouping
    assert after.labels[:2].tolist() == [2, 2]
    session.open(cells(6))
    other = Facts.of(session, after)
    assert other is not None and len(other.grouping.codes) == 6


def test_thirty_classes_and_one() -> None:
    names = tuple(f"class {at}" for at in range(30))
    known = facts(60, classes=names)
    assert len(known.palette) == 30 and known.differs.sum() == 2
    of = cells(3, ("only",))
    alone = Facts(of, Predictions(("only",), np.ones((3, 1), np.float32)))
    assert not alone.differs.any() and (alone.margin == 1).all()
    assert CLASSES[0] not in alone.palette


def test_what_judges_the_classifier_is_of_cells_that_it_was_not_trained_on() -> None:
    of = cells()
    marks = ("yes",) * 4 + ("no",) * 8
    known = Facts(of, replace(predictions(of), training=marks))
    assert known.held_out.chosen.tolist() == [False] * 4 + [True] * 8
    assert arranged(known, Choice("margin"), Filter(held_out=True)).min() == 4
    assert len(arranged(known, Choice("margin"), Filter())) == 12
    assert "trained on it" in known.describe(0)
    assert "trained on it" not in known.describe(5)
    assert Facts(of, predictions(of)).held_out.chosen.all()
