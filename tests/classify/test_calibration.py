"""Temperature, Brier score and calibration errors by values worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, load_model
from napari_channelmix.classify.calibration import (
    Calibration,
    brier_score,
    calibration_error,
    calibration_of,
    confidence_error,
    fit_temperature,
    held_out_calibration,
    scaled,
    scores_of,
)
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.data import Cells
from napari_channelmix.errors import BundleError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Four cells of which one is of class 1 say .25, four of which two are say .75.
SAID = np.repeat([[0.75, 0.25], [0.25, 0.75]], 4, axis=0)
TRUE = np.array([1, 0, 0, 0, 1, 1, 0, 0])


def overconfident(groups: int = 20, each: int = 30, sharper: float = 3.0, seed: int = 0):
    """Scores that are three times too large, their labels, and groups; classes alike often."""
    rng = np.random.default_rng(seed)
    right = rng.normal(0, 1.5, groups * each)
    labels = (rng.random(len(right)) < 1 / (1 + np.exp(-right))).astype(int)
    scores = sharper * np.stack([np.zeros_like(right), right], axis=1)
    return scores, labels, np.repeat(np.arange(groups), each)


def test_brier_score_and_errors_by_hand() -> None:
    # 2 x .75^2 + 3 x 2 x .25^2 = 1.5, and 2 x 2 x .25^2 + 2 x 2 x .75^2 = 2.5, of 8 cells.
    assert brier_score(SAID, TRUE) == pytest.approx(0.5)
    # Of class 1: |1 - 4 x .25| = 0 and |2 - 4 x .75| = 1, of 8 cells; of class 0 the same.
    assert calibration_error(SAID, TRUE) == pytest.approx(1 / 8)
    assert calibration_error(SAID, TRUE, bins=2, adaptive=True) == pytest.approx(1 / 8)
    # All say .75 of the called class, and five of eight are right.
    assert confidence_error(SAID, TRUE) == pytest.approx(0.75 - 5 / 8)
    assert calibration_error(np.eye(2)[TRUE], TRUE) == 0


def test_the_temperature_by_hand() -> None:
    """Margins of 2, ten cells of each class, eight of ten right.

    With Platt's targets (11/12 and 1/12) sigma(2 / T) = .8 x 11/12 + .2 x 1/12 = 3/4, T = 2 / ln 3.
    """
    labels = np.repeat([0, 1], 10)
    called = labels.copy()
    called[[0, 1, 10, 11]] = 1 - called[[0, 1, 10, 11]]
    scores = 2.0 * np.eye(2)[called]
    assert fit_temperature(scores, labels) == pytest.approx(2 / np.log(3), rel=1e-4)
    # A constant on all scores of a cell says nothing.
    assert fit_temperature(scores + 7.0, labels) == pytest.approx(2 / np.log(3), rel=1e-4)
    assert fit_temperature(scores[:10], labels[:10]) == 1.0


def test_a_few_cells_that_are_all_right_do_not_make_it_sure_without_limit() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    # sigma(2 / T) = 4/5.
    assert fit_temperature(2.0 * np.eye(2)[labels], labels) == pytest.approx(
        2 / np.log(4), rel=1e-4
    )


def test_how_often_the_classes_occur_is_no_fault_of_the_scores() -> None:
    scores, labels, _ = overconfident(groups=60, each=50)
    rare = np.flatnonzero((labels == 0) | (np.arange(len(labels)) % 9 == 0))
    found = fit_temperature(scores[rare], labels[rare]), fit_temperature(scores, labels)
    assert found[1] == pytest.approx(3.0, rel=0.1)
    assert found[0] == pytest.approx(found[1], rel=0.15)


def test_scores_of_probabilities_give_them_back() -> None:
    said = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(scaled(scores_of(said)), said, atol=1e-30)
    np.testing.assert_allclose(scaled([[0.0, np.log(9.0)]], 2.0), [[0.25, 0.75]])


def test_figures_are_of_groups_that_the_temperature_was_not_fitted_on() -> None:
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


def test_the_curve_counts_every_cell_once_and_groups_widen_its_intervals() -> None:
    _, labels, groups = overconfident(groups=6, each=50)
    said = np.full((len(labels), 2), 0.5)
    # Each group is of one class: 50 cells of it say no more than one.
    labels = (groups % 2).astype(int)
    found = calibration_of(said, labels, groups, ("a", "b"))
    (only,) = found.curve["b"]
    assert (only.n, only.predicted, only.observed) == (300, 0.5, 0.5)
    assert only.high - only.low > 0.6
    single = calibration_of(said, labels, np.arange(300), ("a", "b")).curve["b"][0]
    assert single.high - single.low < 0.15
    assert calibration_of(said, labels, np.zeros(300), ("a", "b")).ece_interval is None


def test_intervals_of_the_brier_score_cover_it() -> None:
    """Groups that differ: the mean over many of them lies in 95 % of the intervals."""
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shift = np.repeat(rng.normal(0, 1, 12), 20)
        p = 1 / (1 + np.exp(-rng.normal(0, 1.5, 240)))
        labels = (rng.random(240) < 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))).astype(int)
        found = calibration_of(
            np.stack([1 - p, p], 1), labels, np.repeat(np.arange(12), 20), ("a", "b"), seed=seed
        )
        hits += found.brier_interval[0] <= TRUTH <= found.brier_interval[1]
    assert 52 <= hits <= 60


def _brier_of_many() -> float:
    rng = np.random.default_rng(99)
    logit, shift = rng.normal(0, 1.5, 400_000), rng.normal(0, 1, 400_000)
    p, true = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-(logit + shift)))
    return float((2 * (true * (1 - p) ** 2 + (1 - true) * p**2)).mean())


TRUTH = _brier_of_many()


def test_it_survives_json() -> None:
    scores, labels, groups = overconfident(groups=4)
    found = held_out_calibration(scores, labels, groups, ("a", "b"), [0.5, 0.5])
    again = Calibration.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again.as_dict() == found.as_dict() and again.text() == found.text()


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


def test_a_temperature_that_none_could_be_is_refused(on_plate: Classifier, tmp_path: Path) -> None:
    scores, labels, groups = overconfident(groups=4)
    content = held_out_calibration(scores, labels, groups, ("a", "b"), [0.5, 0.5]).as_dict()
    odd = replace(on_plate, record={"calibration": {**content, "temperature": 0.0}})
    path = tmp_path / "odd.cmx"
    with pytest.raises((BundleError, ZeroDivisionError)):
        load_model(odd.save(path))


def test_intervals_end_where_figures_do() -> None:
    # Two groups, one all right and one all wrong: Student's t alone would reach far beyond.
    sure = np.array([[1.0, 0.0], [0.0, 1.0]] * 4)
    found = calibration_of(sure, [0, 1, 0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1], ("a", "b"))
    assert found.ece_interval is not None and found.brier_interval is not None
    assert found.ece_interval[1] == 1.0 and found.brier_interval[1] == 2.0


def test_few_groups_are_said_with_the_figures() -> None:
    def text(groups: list[str]) -> str:
        labels = np.tile([0, 1], 6)
        return calibration_of(np.full((12, 2), 0.5), labels, groups, ("a", "b")).text()

    assert text(list("xy") * 6).endswith("2 groups are too few to say anything of other groups")
    assert text(list("wxyz") * 3).endswith("4 groups say little of other groups")
    assert "of other groups" not in text(list("uvwxyz") * 2)
    # Where every cell is a group of its own, none are known.
    assert "of other groups" not in text([str(at) for at in range(12)])


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
