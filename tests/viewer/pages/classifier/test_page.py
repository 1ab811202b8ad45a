"""The dock 'Classifier' beside several data sets: whose training, whose classifier."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.pages.classifier import page as classifier_dock
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.session.session import Predictions, Trained

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


def model_of(cells: Cells) -> Trained:
    model = SimpleNamespace(channels=cells.channels, classes=cells.classes, record={})
    return Trained(model, f"trained on {cells.name}")  # type: ignore[arg-type]


@pytest.fixture
def trainer(dock: Any, plate: Cells, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The dock, with two data sets open, and trainings that last until they are let through."""
    gate = SimpleNamespace(open=False)

    def train_job(cells: Cells, _: Any) -> Job[Trained]:
        while not gate.open:
            yield Progress(0, 1, "training")
        return model_of(cells)

    monkeypatch.setattr(classifier_dock, "train_job", train_job)
    found = dock(ClassifierPage)
    found.gate = gate
    found.session.open(plate.subset(slice(20)), "controls")
    found.session.open(plate, "plate")
    return found


def test_a_training_ends_with_the_data_set_that_it_was_started_on(trainer: Any) -> None:
    session = trainer.session
    first, second = (one.key for one in session.data_sets)
    session.switch(first)
    trainer.start()
    assert session.running_on(first) == ("training",)
    session.switch(second)
    assert trainer.task.busy
    session.close(first)
    assert not trainer.task.busy and "its cells were closed" in trainer.notice.text()
    assert session.trained is None and session.running == ()


def test_a_training_that_ends_elsewhere_is_told_and_changes_nothing_in_sight(
    trainer: Any, qtbot: Any
) -> None:
    session = trainer.session
    first, second = (one.key for one in session.data_sets)
    session.put_classifier(second, own := model_of(session.cells))
    given = Predictions(own.classifier.classes, np.full((60, 2), 0.5, np.float32), trained=own)
    session.predictions = given
    session.switch(first)
    trainer.start()
    session.switch(second)
    trainer.gate.open = True
    qtbot.waitUntil(lambda: not trainer.task.busy)
    late = session.of(first).classifier
    assert late is not None and session.trained is own and session.predictions is given
    assert "is trained; choose it under 'In use'" in trainer.notice.text()
    # Chosen, it leaves the predictions to the one that gave them.
    trainer.use(late)
    assert session.trained is late and session.predictions is given


def test_the_prior_of_another_classifiers_predictions_is_not_that_of_an_explanation(
    trainer: Any,
) -> None:
    session = trainer.session
    other, own = model_of(session.cells), model_of(session.cells)
    session.trained, session.prior = own, "estimated"
    sure = np.full((60, 2), 0.5, np.float32)
    known = SimpleNamespace(text=lambda: "balanced")
    session.predictions = Predictions(own.classifier.classes, sure, prior=known, trained=other)  # type: ignore[arg-type]
    assert explained_prior(session) is None
    session.predictions = Predictions(own.classifier.classes, sure, prior=known, trained=own)  # type: ignore[arg-type]
    assert explained_prior(session) is known


def test_what_limits_a_classifier_stands_beside_its_figures(trainer: Any) -> None:
    few = "class positive has only 3 held-out cells: its figures are rough"
    model = model_of(trainer.session.cells)
    model.classifier.record["warnings"] = [few]
    trainer.session.trained = model
    assert trainer.doubts.text() == few.capitalize()
    assert trainer.doubts.kind == "warning" and not trainer.doubts.isHidden()
    trainer.session.trained = model_of(trainer.session.cells)
    assert trainer.doubts.isHidden()


def test_a_training_that_ends_in_use_says_its_limits_once(trainer: Any, qtbot: Any) -> None:
    trainer.gate.open = True
    trainer.start()
    qtbot.waitUntil(lambda: not trainer.task.busy)
    few = "in one image only: a"
    trained = model_of(trainer.session.cells)
    trained.classifier.record["warnings"] = [few]
    trainer._trained(trained)
    assert trainer.session.trained.classifier is trained.classifier
    assert few.capitalize() in trainer.doubts.text()
    assert few not in trainer.notice.text()
