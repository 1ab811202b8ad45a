"""Classifiers and crops whose neighbours are hidden, or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, TrainingSettings, load_model, train_classifier
from napari_channelmix.classify.neighbours import neighbours_warning
from napari_channelmix.classify.shift import Observer
from napari_channelmix.data import Cells


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
