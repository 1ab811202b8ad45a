from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from napari_channelmix.drl import separation
from napari_channelmix.drl.latents import UNDER_WAY
from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.classes_tab import CHANGED, LAST, ClassesPage
from napari_channelmix.viewer.session.session import Trained

from ...latent_cases import cells, latents


@pytest.fixture
def page(qtbot: Any) -> ClassesPage:
    found, given = ClassesPage("dark"), latents()
    qtbot.addWidget(found)
    found.resize(350, 600)
    found.show_latents(given, axes_of(given))
    found.show_accuracies(None)
    found.show()
    return found


def test_latents_stand_beside_hand_crafted_features_with_intervals(page: ClassesPage) -> None:
    latent, crafted, _ = page.accuracy.rows
    assert (latent.name, latent.figure, latent.interval) == ("latents", "0.81", (0.7, 0.9))
    assert (crafted.name, crafted.figure, crafted.interval) == ("hand-crafted", "0.90", (0.8, 0.95))
    assert "a small neural network 0.750" in latent.tip
    assert page.accuracy.level == 0.5
    assert "Hand-crafted features separate these classes better" in page.note.text()
    assert "better than latents, by 0.090 (95 % interval 0.020 to 0.150)" in page.note.text()
    assert "3 folds" in page.line.text()


def test_the_classifier_of_the_session_stands_beside_them(page: ClassesPage) -> None:
    page.show_accuracies(Trained(None, "trained on x", 0.97, 0.5, {}, 60, 20))
    assert [one.name for one in page.accuracy.rows] == ["latents", "hand-crafted", "pixels"]
    assert "20 held-out cells" in page.accuracy.rows[-1].tip
    page.show_accuracies(Trained(None, "a file"))
    assert page.accuracy.rows[-1].figure == "–"
    assert "Train a classifier" in page.accuracy.rows[-1].tip


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "Latents separate these classes better"), (-0.1, 0.2, "is not known whether")],
)
def test_what_is_better_is_said_only_where_the_cells_can_tell(
    page: ClassesPage, low: float, high: float, said: str
) -> None:
    found = latents()
    tested = dataclasses.replace(
        found.separation, ahead={"hand-crafted": separation.Tested(0.05, low, high)}
    )
    found = dataclasses.replace(found, separation=tested)
    page.show_latents(found, axes_of(found))
    assert said in page.note.text()


def test_axes_stand_in_the_order_of_their_importance(page: ClassesPage) -> None:
    assert page.importance.rows[0].name == "Position y"
    values = [one.value for one in page.importance.rows]
    assert values == sorted(values, reverse=True)
    assert page.importance.rows[0].interval == pytest.approx((0.24, 0.26))


def test_a_cell_is_held_against_its_own_class_first(page: ClassesPage) -> None:
    assert page.unusual_label.text() == "Click a cell in the image."
    height = page.unusual.height()
    page.show_cell(9)
    assert page.unusual.height() == height
    assert page.against.currentText() == "bright"
    page.against.setCurrentText("dim")
    z = latents().against_class(9, "dim")
    at = latents().names.index("Scale")
    row = next(one for one in page.unusual.rows if one.name == "Scale")
    assert row.value == pytest.approx(z[at])
    assert [abs(one.value) for one in page.unusual.rows] == sorted(
        (abs(one.value) for one in page.unusual.rows), reverse=True
    )


def test_what_is_unusual_is_said_in_words(page: ClassesPage) -> None:
    found = latents()
    found.values[9, found.names.index("Scale")] = 40.0
    page.show_latents(found, axes_of(found))
    page.show_cell(9)
    assert "is unusual for class 'bright': Scale" in page.unusual_label.text()
    assert page.unusual.rows[0].strong


def test_a_class_of_too_few_cells_is_a_line(page: ClassesPage) -> None:
    found = latents(cells().with_labels([0, 1] + [-1] * 10, ("dim", "bright")))
    page.show_latents(found, axes_of(found))
    page.show_cell(0)
    assert page.unusual_label.text() == "Class 'dim' has fewer than three other cells."
    assert not any(one.figure for one in page.unusual.rows)


def test_without_classes_that_is_said(page: ClassesPage) -> None:
    found = latents(cells().with_labels([-1] * 12, ()))
    found = dataclasses.replace(found, unseparated="the cells have no two classes")
    page.show_latents(found, axes_of(found))
    page.show_accuracies(None)
    assert page.line.text() == (
        "The classes were not compared: the cells have no two classes. "
        "Give cells classes on the page 'Annotate', then run again."
    )
    assert not page.accuracy.rows
    assert not page.cell_box.isVisible() and not page.importance_box.isVisible()


def test_cells_without_groups_are_held_out_by_themselves(page: ClassesPage) -> None:
    assert "on held-out cells: 3 folds, 12 cells;" in page.line.text()
    found = latents()
    tested = dataclasses.replace(found.separation, groups=4)
    found = dataclasses.replace(found, separation=tested)
    page.show_latents(found, axes_of(found))
    assert "on held-out groups: 3 folds, 4 groups, 12 cells;" in page.line.text()


def test_classes_that_are_still_compared_are_said_to_come_last(page: ClassesPage) -> None:
    found = latents()
    early = dataclasses.replace(found, separation=None, unseparated=UNDER_WAY)
    page.show_latents(early, axes_of(early))
    page.show_accuracies(None)
    page.show_cell(9)
    assert page.line.text() == LAST
    assert page.importance_box.isHidden() and not page.accuracy.rows
    page.show_separation(found)
    page.show_accuracies(None)
    assert "3 folds" in page.line.text() and page.accuracy.rows
    assert not page.importance_box.isHidden()
    # The cell that is looked at stays.
    assert "Cell 10" in page.unusual_label.text()


def test_figures_of_other_classes_are_said_to_be_old(page: ClassesPage) -> None:
    found = latents()
    repainted = found.cells.with_labels(np.zeros(12, int), ("dim", "bright"))
    page.show_classes(dataclasses.replace(found, cells=repainted))
    assert page.line.text() == CHANGED
