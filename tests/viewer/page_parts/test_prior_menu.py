"""The prior is chosen in the dock 'Classifier'; predictions, groups and explanations follow it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.classify import TrainingSettings
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.jobs import drain
from napari_channelmix.phenotypes.adjusted import HeldOutCalls, adjusted_fractions
from napari_channelmix.viewer.page_parts.prior_menu import PriorBox, explained_prior
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.phenotypes.groups_tab import GroupsPage
from napari_channelmix.viewer.session.session import Predictions, Trained

from ..phenotype_cases import CLASSES, facts

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


@pytest.fixture(scope="module")
def trained(plate: Cells) -> Trained:
    settings = TrainingSettings(epochs=2, batch=16)
    job = measured_training_job(plate, network="tiny", settings=settings, device="cpu")
    return Trained(drain(job), "trained on the plate")


def test_predictions_follow_the_prior_without_being_made_anew(
    dock: Any, qtbot: Any, plate: Cells, trained: Trained
) -> None:
    classifier = dock(ClassifierPage)
    classifier.session.open(plate, "plate")
    assert not classifier.prior.isEnabled()
    session = classifier.session
    session.trained = trained
    assert "prior as in training" in classifier.probabilities.line.text()
    assert "calibrated on" in classifier.probabilities.line.text()
    assert "Brier score" in classifier.probabilities.figures.text()
    classifier.classify()
    qtbot.waitUntil(lambda: session.predictions is not None)
    qtbot.waitUntil(lambda: not classifier.task.busy)
    before = session.predictions
    assert before.prior.kind == "training" and explained_prior(session) is None
    box = classifier.prior.box
    box.setCurrentIndex(box.findData("estimated"))
    qtbot.waitUntil(lambda: session.predictions is not before)
    assert session.predictions.prior.kind == "estimated"
    assert explained_prior(session) == session.predictions.prior
    np.testing.assert_array_equal(session.predictions.balanced, before.balanced)
    qtbot.waitUntil(lambda: classifier.prior.isEnabled())
    box.setCurrentIndex(box.findData("given"))
    assert classifier.prior.shares.isVisible()
    names = trained.classifier.classes
    classifier.prior.shares.setText(f"{names[0]}=0.25, {names[1]}=0.75")
    classifier.prior.shares.editingFinished.emit()
    qtbot.waitUntil(lambda: session.predictions.prior.kind == "given")
    assert session.prior == {names[0]: 0.25, names[1]: 0.75}
    assert session.predictions.prior.shares == (0.25, 0.75)
    # Shares of these classes mean nothing to a classifier of others.
    session.trained = replace(trained, classifier=replace(trained.classifier, classes=("x", "y")))
    assert session.prior is None


def test_shares_that_are_none_are_refused_in_a_line(qtbot: Any, trained: Trained) -> None:
    box = PriorBox()
    qtbot.addWidget(box)
    box.show_choice(None, trained, False)
    told: list[str] = []
    box.refused.connect(told.append)
    box.box.setCurrentIndex(box.box.findData("given"))
    box.shares.setText("treated=2")
    box.shares.editingFinished.emit()
    assert told == ["prior: the shares must have the sum 1, not 2"]
    # It is not taken away while it is typed.
    box.show_choice("balanced", trained, False)
    assert box.box.currentData() == "given"


def test_adjusted_fractions_stand_beside_the_raw_ones(qtbot: Any) -> None:
    known = facts()
    held_out = HeldOutCalls(CLASSES, np.eye(3, dtype=int)[None] * 18 + np.ones((4, 3, 3), int))
    codes = known.predictions.codes
    calls = np.stack(
        [
            np.bincount(codes[known.grouping.codes == at], minlength=3)
            for at in range(len(known.grouping.names))
        ]
    )
    adjusted = adjusted_fractions(calls, held_out, draws=100)
    from napari_channelmix.classify.priors import balanced_prior

    found = replace(known.predictions, adjusted=adjusted, prior=balanced_prior(CLASSES))
    assert isinstance(found, Predictions)
    page = GroupsPage("dark")
    qtbot.addWidget(page)
    page.show_facts(replace(known, predictions=found))
    model = page.table.model()
    heads = [
        page.table.figures.headerData(at, page.table.horizontalHeader().orientation())
        for at in range(model.columnCount())
    ]
    assert heads == [
        "group",
        "cells",
        "round",
        "adj.\nround",
        "long",
        "adj.\nlong",
        "dead",
        "adj.\ndead",
    ]
    assert model.index(0, 3).data() == f"{adjusted.fractions[0, 0]:.1%}"
    assert "95 % interval" in model.index(0, 3).data(3)
    assert "prior balanced" in page.note.toolTip() and "Adjusted" in page.note.toolTip()
    assert "prior balanced" in replace(known, predictions=found).describe(0)
    frame = page.fractions.to_frame()
    assert "adjusted fraction dead" in frame


def test_cells_without_its_channels_cannot_be_classified_and_the_page_says_why(
    dock: Any, qtbot: Any, plate: Cells, trained: Trained
) -> None:
    classifier = dock(ClassifierPage)
    session = classifier.session
    session.open(plate, "plate")
    session.trained = trained
    assert classifier.apply.isEnabled() and not classifier.misfit.isVisible()
    session.open(plate.with_channels(plate.channels[:2]), "fewer")
    session.trained = trained
    assert not classifier.apply.isEnabled() and not classifier.evaluate.isEnabled()
    assert "the classifier needs the channels" in classifier.misfit.text()
    assert f"missing: {', '.join(plate.channels[2:])}" in classifier.misfit.text()
