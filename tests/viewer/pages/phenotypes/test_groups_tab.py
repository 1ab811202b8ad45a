"""Groups and doses: the table, the plot, and columns that are no doses."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_channelmix.data import Cells
from napari_channelmix.phenotypes.adjusted import Adjusted
from napari_channelmix.phenotypes.held_out import NO, SAME_GROUP, UNKNOWN, YES
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.groups_tab import GroupsPage, dose_columns
from napari_channelmix.viewer.session.session import Predictions

from ...phenotype_cases import facts

WELLS, EACH = 24, 50


def plate(**columns: Any) -> Facts:
    """Wells of 50 cells; the fraction of responders follows a curve with an EC50 of 4."""
    doses = np.repeat([0, 0.1, 0.3, 1, 3, 10, 30, 100], 3)
    with np.errstate(divide="ignore"):
        share = 0.05 + 0.9 / (1 + (4 / doses) ** 1.5)
    names = [f"W{at:02d}" for at in range(WELLS)]
    labels = np.concatenate([np.arange(EACH) < round(EACH * one) for one in share]).astype(int)
    of = Cells.from_array(
        np.zeros((WELLS * EACH, 1, 2, 2), np.float32),
        ["DNA"],
        labels,
        ("rest", "responds"),
        np.repeat(names, EACH).tolist(),
    )
    conditions = pd.DataFrame({"dose": doses.astype(str), **columns}, index=names)
    return Facts(replace(of, conditions=conditions))


@pytest.fixture
def page(qtbot: Any) -> Any:
    found = GroupsPage("dark")
    qtbot.addWidget(found)
    found.resize(360, 700)
    found.show()
    return found


def test_the_planted_ec50_is_said_and_drawn(page: Any) -> None:
    page.show_facts(plate())
    assert page.dose.currentText() == "dose" and page.of.currentText() == "responds"
    fit = page.response.fit
    assert fit is not None and fit.interval[0] < 4 < fit.interval[1]
    assert "EC50 4" in page.words.text() or "EC50 3.9" in page.words.text()
    # Dose 0 has no logarithm: it stands left of all others.
    x = page.plot.places[:, 0]
    assert np.isfinite(x).all() and x[:3].max() < x[3:].min()


def test_a_point_and_a_row_show_their_group_and_again_all(page: Any, qtbot: Any) -> None:
    page.show_facts(plate())
    told: list[Any] = []
    page.group_chosen.connect(told.append)
    qtbot.wait(50)
    point = page.plot.point_of(13)
    qtbot.mouseClick(
        page.plot.viewport(),
        Qt.MouseButton.LeftButton,
        pos=QPoint(round(point.x()), round(point.y())),
    )
    assert page.response.doses[told[0]] == page.response.doses[13]
    table = page.table
    index = table.model().index(2, 0)
    middle = table.visualRect(index).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    page.mark(told[-1])
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert told[1:] == [2, None]


def test_rows_are_sorted_by_number_and_still_lead_to_their_group(page: Any) -> None:
    page.show_facts(plate())
    page.table.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    model = page.table.model()
    shown = [model.index(row, 3).data() for row in range(3)]
    assert shown[0].startswith("9")
    told: list[int] = []
    page.group_chosen.connect(told.append)
    page.table.clicked.emit(model.index(0, 0))
    assert page.fractions.fractions[told[0], 1] == page.fractions.fractions[:, 1].max()
    tip = model.index(0, 3).data(Qt.ItemDataRole.ToolTipRole)
    assert "of 50 cells" in tip and "Wilson" in tip


def test_the_table_is_copied_with_intervals_and_conditions(page: Any, qtbot: Any) -> None:
    page.show_facts(plate(drug=["x"] * WELLS))
    page.copy.click()
    copied = pd.read_csv(StringIO(QApplication.clipboard().text()))
    assert len(copied) == WELLS
    assert {"group", "cells", "fraction responds", "low responds", "dose", "drug"} <= set(copied)
    assert copied["n responds"].sum() == int(page.fractions.counts[:, 1].sum())


def test_texts_and_gaps_among_the_doses_are_left_out_and_said(page: Any) -> None:
    known = plate()
    rows = known.cells.conditions.copy()
    rows.iloc[:4, 0] = ["DMSO", "", "nan", "-1"]
    rows["plate"] = "P1"
    rows["drug"] = "wortmannin"
    odd = Facts(replace(known.cells, conditions=rows))
    assert list(dose_columns(odd)) == ["dose"]
    page.show_facts(odd)
    assert "4 groups have no dose that is a number" in page.words.text()
    assert len(page.response.groups) == WELLS - 4


def test_what_is_missing_is_said(page: Any) -> None:
    page.show_facts(None)
    assert "No cells yet" in page.words.text()
    bare = Facts(Cells.from_array(np.zeros((3, 1, 4, 4), np.float32), ["DNA"]))
    page.show_facts(bare)
    assert "no predictions" in page.words.text() and not page.copy.isEnabled()
    page.show_facts(facts(predicted=False))
    assert "No dose-response" in page.words.text() and not page.doses.isVisible()
    alone = Cells.from_array(np.zeros((3, 1, 4, 4), np.float32), ["DNA"], [0, 0, 0], ("only",))
    page.show_facts(Facts(alone))
    assert "no groups" in page.words.text()
    assert page.table.model().rowCount() == 1


def test_predicted_classes_come_first_and_labels_can_be_chosen(page: Any) -> None:
    known = plate()
    sure = np.tile(np.float32([1, 0]), (len(known), 1))
    page.show_facts(Facts(known.cells, Predictions(("rest", "responds"), sure)))
    assert page.what.currentText() == "predicted classes"
    assert page.fractions.counts[:, 1].sum() == 0
    assert "same at all doses" in page.words.text()
    page.what.setCurrentText("labels")
    assert page.fractions.counts[:, 1].sum() > 0


def test_thirty_classes_fit_the_table(page: Any) -> None:
    page.show_facts(facts(60, classes=tuple(f"class {at}" for at in range(30))))
    assert page.table.model().columnCount() == 32
    assert page.table.width() <= 360
    assert not page.table.horizontalScrollBar().isVisible()


def test_a_narrow_page_shows_adjusted_fractions_and_a_menu_brings_back_the_others(
    page: Any, qtbot: Any
) -> None:
    of = facts(12, classes=("untreated", "treated"))
    groups = len(of.grouping.names)
    share = np.full((groups, 2), 0.5)
    known = replace(of.predictions, adjusted=Adjusted(share, share - 0.1, share + 0.1))
    page.resize(315, 700)
    page.show_facts(Facts(of.cells, known))
    qtbot.wait(50)
    table = page.table
    assert table.figures.columnCount() == 6

    def shown() -> list[str]:
        heads = table.model()
        return [
            heads.headerData(column, Qt.Orientation.Horizontal)
            for column in range(6)
            if not table.isColumnHidden(column)
        ]

    assert shown() == ["group", "cells", "adj.\nuntreated", "adj.\ntreated"]
    assert not table.horizontalScrollBar().isVisible()
    head = table.horizontalHeader()
    for column in (3, 5):
        words = table.model().headerData(column, Qt.Orientation.Horizontal).splitlines()
        widest = max(head.fontMetrics().horizontalAdvance(word) for word in words)
        assert head.sectionSize(column) >= widest + 16
    assert table.columns.isVisible() and table.columns.text() == "2 more columns"
    table.columns.menu().actions()[0].trigger()
    assert "untreated" in shown()
    table.columns.menu().actions()[0].trigger()
    # Where there is room, nothing is hidden.
    page.resize(900, 700)
    qtbot.wait(50)
    assert "treated" in shown()


def predicted(adjusted: Adjusted | None = None, training: Any = None) -> Facts:
    """The plate, called as it is labelled."""
    known = plate()
    sure = np.eye(2, dtype=np.float32)[known.cells.labels]
    marks = None if training is None else tuple(training)
    return Facts(
        known.cells, Predictions(("rest", "responds"), sure, adjusted=adjusted, training=marks)
    )


def test_cells_that_were_trained_on_are_left_out_and_counted_where_asked_for(page: Any) -> None:
    training = np.full(WELLS * EACH, NO, dtype="<U10")
    # A well that was trained on as a whole, and ten cells of another.
    training[:EACH], training[EACH : EACH + 10] = YES, YES
    training[EACH + 10 : 2 * EACH] = SAME_GROUP
    page.show_facts(predicted(training=training))
    assert page.held_out.isVisible() and page.held_out.isChecked()
    assert page.fractions.classed[:3].tolist() == [0, 40, 50]
    assert page.fractions.cells[:3].tolist() == [50, 50, 50]
    model = page.table.model()
    assert [model.index(row, 1).data() for row in range(3)] == ["0", "40", "50"]
    assert model.index(0, 2).data() == "–"
    assert "trained on 10 of 50 cells" in model.index(1, 1).data(Qt.ItemDataRole.ToolTipRole)
    assert "60 training cells left out" in page.note.text()
    # The curve is of the others too: the well without held-out cells has no fraction.
    assert len(page.response.groups) == WELLS - 1
    page.held_out.setChecked(False)
    assert page.fractions.classed[:3].tolist() == [50, 50, 50]
    assert [model.index(row, 1).data() for row in range(3)] == ["50*", "50*", "50"]
    assert "counted" in page.note.text() and "too good" in page.note.toolTip()


def test_a_classifier_that_knows_none_or_all_of_the_cells_leaves_no_choice(page: Any) -> None:
    for mark in (NO, YES):
        page.show_facts(predicted(training=[mark] * (WELLS * EACH)))
        assert not page.held_out.isVisible()
        assert page.fractions.classed.tolist() == [EACH] * WELLS
    assert "training cells counted" in page.note.text()
    page.show_facts(predicted(training=[UNKNOWN] * (WELLS * EACH)))
    assert "training cells not known" in page.note.text() and not page.held_out.isVisible()
    assert "trained on" not in page.fractions.to_frame()


def test_the_curve_is_of_adjusted_fractions_and_of_the_calls_on_demand(page: Any) -> None:
    calls = predicted().predicted_fractions.fractions
    shares = np.clip((calls - 0.05) / 0.9, 0, 1)
    page.show_facts(predicted(Adjusted(shares, shares - 0.01, shares + 0.01)))
    assert page.adjust.isVisible()
    np.testing.assert_allclose(page.response.fractions, shares[:, 1])
    assert "through adjusted fractions of 24 groups" in page.words.text()
    assert page.response.fit.low == pytest.approx(0, abs=0.02)
    page.adjust.setChecked(False)
    np.testing.assert_allclose(page.response.fractions, calls[:, 1])
    assert "adjusted" not in page.words.text()
    assert page.response.fit.low == pytest.approx(0.05, abs=0.02)


def test_what_the_fractions_are_of_takes_one_line(page: Any) -> None:
    shares = predicted().predicted_fractions.fractions
    page.show_facts(predicted(Adjusted(shares, shares, shares, "", "one held-out group only")))
    assert page.note.height() < 2 * page.note.fontMetrics().lineSpacing()
    assert "one held-out group only" in page.note.toolTip()


def test_no_well_is_left_out_of_curve_and_plate_for_its_training_cells(page: Any) -> None:
    calls = predicted().predicted_fractions.fractions
    shares = np.clip((calls - 0.05) / 0.9, 0, 1)
    training = np.full(WELLS * EACH, NO, dtype="<U10")
    # An annotated cell in three of four wells.
    training[[at * EACH for at in range(WELLS) if at % 4]] = YES
    page.show_facts(predicted(Adjusted(shares, shares, shares), training))
    assert page.fractions.has_adjusted and not page.fractions.is_adjusted
    assert len(page.response.groups) == WELLS
    assert not page.adjust.isVisible()
    assert "curve and plate of the predictions" in page.note.text()
    without = sum(at % 4 > 0 for at in range(WELLS))
    assert f"{without} groups have no adjusted fraction" in page.words.text()
    # The table has those that are known.
    assert page.table.model().headerData(3, Qt.Orientation.Horizontal) == "adj.\nrest"


def test_what_the_adjusted_intervals_leave_out_is_in_sight(page: Any) -> None:
    of = facts(12)
    groups, kinds = len(of.grouping.names), len(of.predicted_classes)
    share = np.full((groups, kinds), 1 / kinds)
    note = "2 held-out groups of treated: the intervals may be too narrow"
    known = replace(of.predictions, adjusted=Adjusted(share, share - 0.1, share + 0.1, note=note))
    page.show_facts(Facts(of.cells, known))
    assert note in page.doubt.text() and page.doubt.isVisible()
    page.what.setCurrentText("labels")
    assert not page.doubt.isVisible()


def test_four_columns_of_fractions_need_no_bar(page: Any, qtbot: Any) -> None:
    of = plate()
    probabilities = np.eye(2, dtype=np.float32)[of.labels]
    share = np.full((WELLS, 2), 0.5)
    known = Predictions(
        ("a class with a long name", "another long name"),
        probabilities,
        "",
        adjusted=Adjusted(share, share, share),
    )
    page.show_facts(Facts(of.cells, known))
    qtbot.wait(50)
    table = page.table
    assert table.model().columnCount() == 6
    assert table.horizontalScrollBar().maximum() == 0
    for column in range(2, 6):
        tip = table.model().headerData(
            column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
        )
        assert "long name" in tip


def test_the_class_that_was_chosen_stays_and_else_the_one_that_responds(page: Any) -> None:
    of = plate()
    labels = 1 - of.labels
    other = Facts(
        replace(
            of.cells.with_labels(labels, ("responds", "untreated")), conditions=of.cells.conditions
        )
    )
    page.show_facts(other)
    assert page.of.currentText() == "responds"
    page.of.setCurrentText("untreated")
    page.of.activated.emit(1)
    page.show_facts(other)
    assert page.of.currentText() == "untreated"
