"""What labels say against a model is said with each cell, and looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix import Cells
from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.explaining import Question, explain_cell_job
from napari_channelmix.viewer.session import Trained
from napari_channelmix.viewer.sources import Sources

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
