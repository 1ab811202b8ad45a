"""Controls and plate below the groups: chosen by class or column, and clicked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.controls_box import CLASS
from napari_channelmix.viewer.pages.phenotypes.groups_tab import GroupsPage
from napari_channelmix.viewer.session.session import Predictions

NAMES = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
EACH = 20


def plate(names: list[str] = NAMES, **columns: Any) -> Facts:
    """A plate whose outer columns are controls, labelled; the others have no label."""
    control = np.array([int(name[-2:]) if name[-2:].isdigit() else 1 for name in names])
    labels = np.select([control == 1, control == 12], [0, 1], -1)
    share = np.linspace(0.05, 0.95, 12)[control - 1]
    share = np.clip(share + np.random.default_rng(0).normal(0, 0.03, len(names)), 0, 1)
    cells = Cells.from_array(
        np.zeros((len(names) * EACH, 1, 2, 2), np.float32),
        ["DNA"],
        np.repeat(labels, EACH),
        ("negative", "positive"),
        np.repeat(names, EACH).tolist(),
    )
    called = np.concatenate([np.arange(EACH) < round(EACH * one) for one in share])
    sure = np.stack([~called, called], axis=1).astype(np.float32)
    if columns:
        cells = replace(cells, conditions=pd.DataFrame(columns, index=names))
    return Facts(cells, Predictions(("negative", "positive"), sure))


@pytest.fixture
def page(qtbot: Any) -> Any:
    found = GroupsPage("dark")
    qtbot.addWidget(found)
    found.resize(360, 900)
    found.show()
    found.more.expand(animate=False)
    return found


def test_labelled_controls_are_found_and_told_apart(page: Any) -> None:
    page.show_facts(plate())
    box = page.controls
    assert (box.column.currentText(), box.negative.currentText(), box.positive.currentText()) == (
        CLASS,
        "negative",
        "positive",
    )
    assert box.quality.n_negative == box.quality.n_positive == 8
    assert 0.6 < box.quality.z_prime < 1
    assert "8 wells of negative against 8 of positive" in box.words.text()
    # Z' is of the fraction of either class, and the same; the SSMD changes its sign.
    before = box.quality
    page.of.setCurrentText("negative")
    assert box.quality.z_prime == pytest.approx(before.z_prime)
    assert box.quality.ssmd == pytest.approx(-before.ssmd)


def test_controls_of_a_column_are_chosen(page: Any) -> None:
    drug = [
        "DMSO" if name.endswith("01") else "drug" if name.endswith("12") else "" for name in NAMES
    ]
    page.show_facts(plate(drug=drug))
    box = page.controls
    box.column.setCurrentText("drug")
    assert box.negative.currentText() == "–" and "Choose the wells" in box.words.text()
    box.negative.setCurrentText("DMSO")
    box.positive.setCurrentText("drug")
    assert "8 wells of DMSO against 8 of drug" in box.words.text()
    # The same facts again, as after an edit: what was chosen stays.
    page.show_facts(plate(drug=drug))
    assert box.column.currentText() == "drug" and box.negative.currentText() == "DMSO"


def test_a_well_is_clicked_ringed_and_told(page: Any, qtbot: Any) -> None:
    page.show_facts(plate())
    assert page.plates.isVisible() and not page.plate_name.isVisible()
    told: list[Any] = []
    page.group_chosen.connect(told.append)
    qtbot.wait(50)
    # Anywhere in the square, not only in its middle.
    point = page.plate.point_of(NAMES.index("C07"))
    where = QPoint(round(point.x()) + 6, round(point.y()) - 6)
    qtbot.mouseClick(page.plate.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told == [NAMES.index("C07")]
    assert page.plate.describe(NAMES.index("C07")).startswith("C07: fraction positive ")
    assert page.plate.values[2, 6] == page.fractions.fractions[NAMES.index("C07"), 1]


def test_names_that_are_no_wells_have_no_plate(page: Any) -> None:
    page.show_facts(plate([f"W{at:02d}" for at in range(1, 13)] + ["W01b"]))
    assert not page.plates.isVisible()
    assert page.plate.plate is None


def test_several_plates_are_told_by_their_column(page: Any) -> None:
    names = [f"{plate} {well}" for plate in ("P1", "P2") for well in NAMES]
    page.show_facts(plate(names, plate=["P1"] * 96 + ["P2"] * 96, well=NAMES * 2))
    assert page.plate_name.isVisible()
    assert page.plate.describe(0).startswith("A01, P1 A01: ")
    page.plate_name.setCurrentText("P2")
    assert page.plate.describe(0).startswith("A01, P2 A01: ")


def test_predictions_come_first_when_they_arrive_unless_labels_were_chosen(page: Any) -> None:
    known = plate()
    page.show_facts(Facts(known.cells))
    assert page.what.currentText() == "labels"
    page.show_facts(known)
    assert page.what.currentText() == "predicted classes"
    page.what.setCurrentText("labels")
    page.what.activated.emit(page.what.currentIndex())
    page.show_facts(known)
    assert page.what.currentText() == "labels"


def test_labels_that_the_dose_gave_have_no_curve(page: Any) -> None:
    dose = [str(2.0 ** int(name[-2:])) for name in NAMES]
    page.show_facts(plate(dose=dose))
    assert page.response.fit is not None
    page.what.setCurrentText("labels")
    assert page.response.fit is None
    assert "the labels were given by the dose" in page.words.text()


def test_controls_have_room_in_a_dock_of_a_small_window(page: Any) -> None:
    page.controls.column.addItem("a column of the table with a long name")
    assert page.controls.minimumSizeHint().width() < 320
