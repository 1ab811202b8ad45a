"""The confusion matrix: fields under the mouse, thirty classes, and honest words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.data import Cells
from napari_channelmix.phenotypes import confusion_of
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.confusion_tab import (
    ConfusionPage,
    honesty,
    summary,
)
from napari_channelmix.viewer.pages.phenotypes.confusion_view import ConfusionView
from napari_channelmix.viewer.session.session import Predictions, Trained

from ...phenotype_cases import CLASSES, cells, facts


def view(qtbot: Any, kinds: int, width: int = 350) -> Any:
    rng = np.random.default_rng(0)
    names = tuple(f"a rather long class name {at}" for at in range(kinds))
    found = ConfusionView("dark")
    qtbot.addWidget(found)
    found.resize(width, 100)
    found.show_confusion(
        confusion_of(rng.integers(0, kinds, 900), names, rng.integers(0, kinds, 900), names)
    )
    found.show()
    return found


@pytest.mark.parametrize("kinds", [1, 3, 30])
def test_every_field_is_where_it_is_painted_and_can_be_pressed(qtbot: Any, kinds: int) -> None:
    found = view(qtbot, kinds)
    pressed: list[Any] = []
    found.pressed.connect(lambda row, column: pressed.append((row, column)))
    for pair in {(0, 0), (kinds - 1, 0), (kinds // 2, kinds - 1)}:
        place = found.field(*pair)
        assert found.rect().contains(place) and place.height() >= 12
        qtbot.mouseClick(found, Qt.MouseButton.LeftButton, pos=place.center())
        assert pressed[-1] == pair
    assert found.field_at(found.rect().topLeft()) is None
    picture = found.grab().toImage()
    assert not picture.isNull()
    said = found.describe(0, 0)
    assert "of" in said and "%" in said


def test_keys_reach_every_field(qtbot: Any) -> None:
    found = view(qtbot, 3)
    pressed: list[Any] = []
    found.pressed.connect(lambda row, column: pressed.append((row, column)))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        qtbot.keyClick(found, key)
    qtbot.keyClick(found, Qt.Key.Key_Return)
    assert pressed == [(1, 2)]


def test_a_field_pressed_again_shows_all(qtbot: Any) -> None:
    page = ConfusionPage("light")
    qtbot.addWidget(page)
    page.resize(350, 500)
    page.show_facts(facts(), None)
    page.show()
    told: list[Any] = []
    page.pair_chosen.connect(told.append)
    place = page.view.field(1, 2).center()
    qtbot.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=place)
    page.frame((1, 2))
    qtbot.mouseClick(page.view, Qt.MouseButton.LeftButton, pos=place)
    assert told == [(1, 2), None]
    assert page.view.confusion.counts[1, 2] == 2
    page.follow_theme("dark")
    found = facts().accuracy(np.ones(12, bool))
    said = page.summary_label.text()
    assert f" ({found.interval_text}) over 12 cells with a class, in 3 groups. 3 groups say" in said
    assert page.recalls.bars.rows[0].interval == (found.low, found.high)


def test_what_cannot_be_compared_is_said(qtbot: Any) -> None:
    page = ConfusionPage("dark")
    qtbot.addWidget(page)
    bare = Cells.from_array(np.zeros((4, 1, 4, 4), np.float32), ["DNA"])
    page.show_facts(None, None)
    assert "Classify all cells" in page.summary_label.text()
    page.show_facts(Facts(bare, Predictions(CLASSES, np.eye(4, 3, dtype=np.float32))), None)
    assert "No cell has a class yet" in page.summary_label.text()
    assert page.honest.text() == ""
    strange = Predictions(("x", "y", "z"), np.eye(12, 3, dtype=np.float32))
    page.show_facts(Facts(cells(), strange), None)
    assert "no accuracy" in page.summary_label.text()
    some = confusion_of([0, 1, -1], ("a", "b"), [0, 0, 0], ("a",))
    assert "1.000 over 2 cells" in summary(some) and "know them: b" in summary(some)
    assert "1 without one" in summary(some)


def test_cells_that_were_trained_on_are_not_taken_for_held_out_ones() -> None:
    known = facts()
    source = f"trained on {known.cells.name}"
    mine = Trained(None, source, accuracy=0.81, n_train=9, n_test=3)  # type: ignore[arg-type]
    said = honesty(mine, source, known)
    assert "trained on 9 of them" in said and "0.810" in said and "3 cells held out" in said
    opened = Trained(None, "model.cmx", n_train=9)  # type: ignore[arg-type]
    assert "opened from a file" in honesty(opened, "model.cmx", known)
    assert "another classifier" in honesty(mine, "model.cmx", known)
    elsewhere = Trained(None, "trained on B", n_train=5)  # type: ignore[arg-type]
    assert "other cells" in honesty(elsewhere, "trained on B", known)
    assert honesty(None, "", known)


def test_the_matrix_counts_held_out_cells_unless_all_are_asked_for(qtbot: Any) -> None:
    known = facts()
    assert known.predictions is not None
    marks = ("yes",) * 4 + ("no",) * 8
    known = replace(known, predictions=replace(known.predictions, training=marks))
    page = ConfusionPage("dark")
    qtbot.addWidget(page)
    page.show_facts(known, None)
    assert "over 8 cells" in page.summary_label.text()
    assert page.recalls.bars.rows[0].figure.endswith("(8 cells)")
    assert page.honest.text() == "4 of 12 cells were trained on: the figures are of the other 8."
    page.show_facts(known, None, held_out=False)
    assert "over 12 cells" in page.summary_label.text()
    assert page.recalls.bars.rows[0].figure.endswith("(12 cells)")
    assert "and too good" in page.honest.text()
