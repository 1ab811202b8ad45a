"""What labels say against a model is said with each cell, and looked at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix import Cells
from napari_channelmix.classify import Classifier, ForeignClassifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.jobs import drain
from napari_channelmix.phenotypes.held_out import NO, SAME_GROUP, UNKNOWN, YES
from napari_channelmix.viewer.pages.pixels.explain_job import explain_cell_job
from napari_channelmix.viewer.session.cell_sources import Sources
from napari_channelmix.viewer.session.explanation import Question
from napari_channelmix.viewer.session.session import Trained

if TYPE_CHECKING:
    import pytest


def test_labels_that_speak_against_the_model_are_said_with_every_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crops = np.random.default_rng(0).normal(0, 1, (60, 1, 8, 8)).astype(np.float32)
    labels = np.arange(60) % 2
    cells = Cells.from_array(crops, ["DNA"], labels, ["a", "b"])
    sizes: list[int] = []

    def predict(x: Any) -> Any:
        sizes.append(len(x))
        v = x[:, 0].mean(axis=(1, 2))
        return np.stack([-v, v], axis=1)

    model = ForeignClassifier(
        predict, ("DNA",), ("a", "b"), np.zeros(1), np.ones(1), "logits", "mine"
    )
    trained, sources = Trained(model, "a test"), Sources()
    question = Question(method="blackbox")
    found = drain(explain_cell_job(sources, trained, cells, 3, question))
    assert "not clearly better than chance" in found.doubts[0]
    assert found.output == "logits (declared)"
    assert sizes.count(60) == 1
    again = drain(explain_cell_job(sources, trained, cells, 4, question))
    assert again.doubts == found.doubts and sizes.count(60) == 1
    # With other labels it is another question.
    bright = (crops.mean(axis=(1, 2, 3)) > 0).astype(np.int64)
    right = cells.with_labels(bright, ["a", "b"])
    asked = len(sizes)
    last = drain(explain_cell_job(sources, trained, right, 3, question, known=again))
    # Neither the map nor its tests are made again.
    assert sizes[asked:] == [60]
    assert last.doubts == () and last.reliability is again.reliability


def test_an_explained_cell_says_whether_the_classifier_was_trained_on_it() -> None:
    crops = np.random.default_rng(0).normal(0, 1, (8, 1, 16, 16)).astype(np.float32)
    wells = ["A1"] * 3 + ["A2"] * 5
    cells = Cells.from_array(crops, ["DNA"], [0, 1] * 4, ["a", "b"], wells)
    spec = NetworkSpec("tiny", 1, 2)
    # Two cells of A1 were trained on.
    known = TrainingCells.of(cells.subset(np.array([0, 1])), crop_digests(crops[:2]))
    model = Classifier(
        spec.build(seed=1).eval(),
        spec,
        ("DNA",),
        ("a", "b"),
        np.zeros(1),
        np.ones(1),
        16,
        training_cells=known,
    )
    trained, sources = Trained(model, "a test"), Sources()
    explained = [
        drain(explain_cell_job(sources, trained, cells, cell, Question())) for cell in (1, 2, 5)
    ]
    assert [found.training for found in explained] == [YES, SAME_GROUP, NO]
    bundle = Trained(replace(model, training_cells=None), "an older bundle")
    assert drain(explain_cell_job(Sources(), bundle, cells, 1, Question())).training == UNKNOWN
    # Known from before, it is known before the map is tested.
    before = replace(explained[0], training="", reliability=None)
    steps = explain_cell_job(sources, trained, cells, 1, Question(), known=before)
    tested = next(step.partial for step in steps if step.partial is not None)
    assert tested.training == YES and tested.reliability is None
    steps.close()
