"""Classifiers and crops whose neighbours are hidden, or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, TrainingSettings, load_model, train_classifier
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.classify.neighbours import neighbours_warning
from napari_channelmix.classify.predictor import training_marks_job
from napari_channelmix.classify.shift import Observer
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


@pytest.fixture(scope="module")
def cells() -> Cells:
    labels = np.zeros((72, 72), int)
    for number in range(36):
        y, x = 2 + 12 * (number // 6), 2 + 12 * (number % 6)
        labels[y : y + 8, x : x + 8] = number + 1
    plane = np.random.default_rng(0).normal(100, 5, labels.shape) + 50 * (labels % 2)
    made = Cells.from_labels([plane], ["A"], labels, crop=16)
    return made.with_labels(made.table["object"].to_numpy() % 2, ["dim", "bright"])


def test_a_bundle_says_how_crops_were_prepared(cells: Cells, tmp_path: Path) -> None:
    hidden = cells.without_neighbours()
    trained = train_classifier(hidden, settings=TrainingSettings(epochs=1), device="cpu")
    again = load_model(trained.save(tmp_path / "m.cmx"))
    assert isinstance(again, Classifier) and again.neighbours == "hide"
    assert neighbours_warning(again, hidden) is None
    said = neighbours_warning(again, cells)
    assert said is not None and "trained on crops whose neighbours are hidden" in said
    # A bundle of an earlier version was trained on crops as they were.
    record = {name: value for name, value in again.record.items() if name != "neighbours"}
    before = replace(again, record=record)
    assert neighbours_warning(before, cells) is None
    said = neighbours_warning(before, hidden)
    assert said is not None and "here they are hidden" in said
    observer = Observer(again, cells)
    observer.add(cells.read(), 0)
    assert any("neighbours" in line for line in observer.shift().warnings)


def test_a_classifier_of_cells_alone_sees_every_cell_alone(cells: Cells, tmp_path: Path) -> None:
    trained = train_classifier(cells, epochs=1, outside="hide", margin=1, device="cpu")
    again = load_model(trained.save(tmp_path / "m.cmx"))
    alone = cells.without_surroundings(1)
    assert isinstance(again, Classifier) and again.neighbours == alone.neighbours
    # Cells as they are get prepared as those of training were, so nothing is to be warned of.
    np.testing.assert_array_equal(again.predict_proba(cells), again.predict_proba(alone))
    assert again.compare(cells).warnings == again.compare(alone).warnings
    marks = drain(training_marks_job(again, cells))
    assert (marks == "yes").all()
    plain = train_classifier(cells, epochs=1, device="cpu")
    said = neighbours_warning(plain, alone)
    assert said is not None and "1 pixels around it" in said
    points = Cells.from_points([np.zeros((64, 64))], ["A"], [(20, 20), (40, 40)], crop=16)
    with pytest.raises(DataError, match="surroundings can be hidden only"):
        again.predict_proba(points)


def test_held_out_cells_are_shown_alone_too(cells: Cells) -> None:
    trained = drain(measured_training_job(cells, epochs=1, outside="hide", margin=0, device="cpu"))
    assert trained.neighbours == cells.without_surroundings(0).neighbours
    assert trained.accuracy is not None
    assert trained.provenance["cells"] == cells.fingerprint
