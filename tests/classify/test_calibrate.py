"""A temperature for held-out groups, and what a classifier remembers of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, load_model
from napari_channelmix.classify.calibrate import held_out_calibration
from napari_channelmix.classify.calibration import Calibration
from napari_channelmix.classify.calibration_metrics import calibration_of
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.temperature import fit_temperature, scaled, scores_of
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_figures_are_of_groups_that_the_temperature_was_not_fitted_on(overconfident: Any) -> None:
    scores, labels, groups = overconfident()
    found = held_out_calibration(scores, labels, groups, ("a", "b"), [0.5, 0.5], prior="even")
    raw = calibration_of(scaled(scores), labels, groups, ("a", "b"))
    assert found.cross_fitted and found.prior == "even" and found.n_groups == 20
    assert found.temperature == pytest.approx(fit_temperature(scores, labels))
    assert found.ece < 0.5 * raw.ece and found.brier < raw.brier
    same = calibration_of(scaled(scores, found.temperature), labels, groups, ("a", "b"))
    assert found.brier > same.brier
    assert found.ece_interval[0] <= found.ece <= found.ece_interval[1]
    assert found.brier_interval[0] < found.brier < found.brier_interval[1]
    assert found.by_chance == pytest.approx(found.ece, abs=0.03)
    # Each class in one group: nothing is left to fit on.
    alone = held_out_calibration(scores[:60], labels[:60], labels[:60], ("a", "b"), [0.5, 0.5])
    assert not alone.cross_fitted and "too good" in alone.text()


def test_a_classifier_is_calibrated_kept_and_says_so(
    on_plate: Classifier, other_plate: Cells, tmp_path: Path
) -> None:
    assert on_plate.temperature == 1.0 and "not calibrated" in on_plate.calibration_text
    model = on_plate.calibrate(other_plate)
    before = on_plate.predict_proba(other_plate, prior="balanced")
    expected = scaled(scores_of(before), model.temperature)
    after = model.predict_proba(other_plate, prior="balanced")
    np.testing.assert_allclose(after, expected, atol=1e-5)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert "calibrated on 120 held-out cells of 6 groups" in model.calibration_text
    assert model_hash(model) != model_hash(on_plate)
    loaded = load_model(model.save(tmp_path / "m.cmx"))
    assert loaded.calibration == model.calibration and model_hash(loaded) == model_hash(model)
    np.testing.assert_allclose(
        loaded.predict_proba(other_plate), model.predict_proba(other_plate), rtol=1e-5
    )
    # What fractions of groups are adjusted by, as if training had measured it.
    calls = model.record["held_out"]["confusion"]
    counts = np.zeros((2, 2), int)
    np.add.at(counts, (other_plate.labels, after.argmax(axis=1)), 1)
    assert on_plate.held_out_calls is None and calls == counts.tolist()
    assert len(model.held_out_calls.counts) == 6
    assert model.accuracy.n_cells == 120
    # Calibrating again begins at the scores, not at what was made of them.
    assert model.calibrate(other_plate).temperature == pytest.approx(model.temperature)
    with pytest.raises(DataError, match="no cell has a class"):
        model.calibrate(other_plate.with_labels(np.full(120, -1), other_plate.classes))


def test_cells_that_were_trained_on_are_left_out_of_calibration(
    trained: Classifier, make_cells: Callable[..., Cells]
) -> None:
    seen, others = make_cells(), make_cells(seed=1)
    with pytest.raises(DataError, match="trained on every cell that has a class, so none is held"):
        trained.calibrate(seen)
    # Two of the cells, and ten that it never saw: wells 0 and 1.
    crops = np.concatenate([seen.read(range(2)), others.read(range(2, 12))])
    labels = np.concatenate([seen.labels[:2], others.labels[2:12]])
    groups = [f"well {at // 6}" for at in range(12)]
    mixed = Cells.from_array(crops, seen.channels, labels, seen.classes, groups)
    model = trained.calibrate(mixed)
    assert model.calibration.n_cells == model.accuracy.n_cells == 10
    says = (
        "2 cells that it was trained on left out; 10 cells share a group with training cells, so "
        "figures may be too good"
    )
    assert model.calibration.doubt == says and says in model.accuracy.warning
    assert says in model.calibration.text() and "held-out" not in model.calibration_text
    again = Calibration.from_dict(json.loads(json.dumps(model.calibration.as_dict())))
    assert again.doubt == says


def test_that_it_is_not_known_which_cells_were_trained_on_is_said(
    trained: Classifier, make_cells: Callable[..., Cells]
) -> None:
    model = replace(trained, training_cells=None).calibrate(make_cells())
    assert "is not known" in model.accuracy.warning
    assert "is not known" in model.calibration_text and "held-out" not in model.calibration_text
