"""Prior correction and its estimate, by values worked out by hand; the same rule at every call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, evaluate
from napari_channelmix.classify.priors import (
    Prior,
    corrected,
    estimated_prior,
    estimated_shares,
    given_prior,
    prior_argument,
)
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import explain

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

CLASSES = ("low", "high")


def skewed(model: Classifier, shares: dict[str, float] | None = None) -> Classifier:
    """The same, as if its training cells had been mostly of one class."""
    assert model.training_data is not None
    data = replace(model.training_data, class_shares=shares or {"low": 0.9, "high": 0.1})
    return replace(model, training_data=data)


def test_probabilities_are_corrected_by_equation_2_4() -> None:
    # .8 x .2 = .16 and .2 x .8 = .16: even.
    np.testing.assert_allclose(corrected([[0.8, 0.2]], [0.2, 0.8]), [[0.5, 0.5]])
    # .6 x 9 : .4 x 1 = 5.4 : .4.
    np.testing.assert_allclose(corrected([[0.6, 0.4]], [0.9, 0.1])[0, 0], 5.4 / 5.8, rtol=1e-6)
    back = corrected(corrected([[0.6, 0.4]], [0.9, 0.1]), [0.5, 0.5], old=[0.9, 0.1])
    np.testing.assert_allclose(back, [[0.6, 0.4]], rtol=1e-6)
    three = corrected([[0.5, 0.3, 0.2]], [0.1, 0.3, 0.6])
    np.testing.assert_allclose(three, [[5 / 26, 9 / 26, 12 / 26]], rtol=1e-6)
    # What is ruled out stays so, and where nothing else is likely the prior is left.
    np.testing.assert_allclose(corrected([[1.0, 0.0]], [0.0, 1.0]), [[0.0, 1.0]])


def test_em_finds_the_share_of_the_highest_likelihood() -> None:
    """Four of ten cells say .8, six say .2: .8 f + .2 (1 - f) = .4, so f = 1/3."""
    said = np.repeat([[0.2, 0.8], [0.8, 0.2]], [4, 6], axis=0)
    np.testing.assert_allclose(estimated_shares(said), [2 / 3, 1 / 3], atol=1e-5)
    np.testing.assert_allclose(estimated_shares(np.eye(2)[[0, 0, 0, 1]]), [0.75, 0.25], atol=1e-9)
    # Nine of ten say .2: below what a plate without any would give, so none.
    assert estimated_shares(np.repeat([[0.2, 0.8], [0.8, 0.2]], [1, 9], axis=0))[1] < 1e-3
    np.testing.assert_allclose(estimated_shares(np.zeros((0, 2))), [0.5, 0.5])
    # Under the prior the probabilities have, whatever it is.
    under = corrected(said, [0.9, 0.1])
    np.testing.assert_allclose(estimated_shares(under, [0.9, 0.1]), [2 / 3, 1 / 3], atol=1e-4)


def test_shares_are_read_and_refused_in_a_line() -> None:
    assert given_prior(CLASSES, {"high": 0.05}).shares == pytest.approx((0.95, 0.05))
    assert prior_argument(["low=.9", "high=.1"]) == {"low": 0.9, "high": 0.1}
    assert prior_argument(["estimated"]) == "estimated"
    assert prior_argument(None) is None
    for shares, why in (
        ({"dead": 1.0}, "'dead' is none of the classes low"),
        ({"low": 0.5, "high": 0.4}, "sum 1, not 0.9"),
        ({"low": -0.1, "high": 1.1}, "0 or more"),
        ({"low": 1.4}, "sum 1, not 1.4"),
    ):
        with pytest.raises(ModelError, match=why):
            given_prior(CLASSES, shares)
    with pytest.raises(ModelError, match="a share for b"):
        given_prior(("a", "b", "c"), {"a": 0.5})
    for texts in (["low"], ["low=much"], ["=1"], ["training", "balanced"]):
        with pytest.raises(ModelError, match="CLASS=SHARE"):
            prior_argument(texts)


def test_a_prior_is_said_and_taken_back() -> None:
    prior = Prior("given", CLASSES, (0.8, 0.2))
    assert prior.text() == "prior given shares (low 80.0 %, high 20.0 %)"
    balanced = np.float32([[0.3, 0.7], [0.999, 0.001]])
    np.testing.assert_allclose(prior.removed(prior.applied(balanced)), balanced, rtol=1e-5)
    assert Prior("training", CLASSES, (0.5, 0.5)).applied(balanced) is balanced


def test_probabilities_have_the_prior_of_training_unless_asked_otherwise(
    on_plate: Classifier, other_plate: Cells
) -> None:
    model = skewed(on_plate)
    even = model.predict_proba(other_plate, prior="balanced")
    np.testing.assert_array_equal(even, on_plate.predict_proba(other_plate))
    shown = model.predict_proba(other_plate)
    np.testing.assert_allclose(shown, corrected(even, [0.9, 0.1]), rtol=1e-6)
    np.testing.assert_array_equal(shown, model.predict_proba(other_plate, prior="training"))
    given = model.predict_proba(other_plate, prior={"low": 0.9, "high": 0.1})
    np.testing.assert_allclose(given, shown, rtol=1e-6)
    # Half of the cells are of each class, and the plate tells.
    estimated = model.prior_of("estimated", even)
    assert estimated.shares[1] == pytest.approx(0.5, abs=0.08)
    with pytest.raises(ModelError, match="'flat' is unknown; use training, balanced, estimated"):
        model.predict_proba(other_plate, prior="flat")


def test_calls_follow_what_is_shown_and_accuracy_the_balanced_prior(
    on_plate: Classifier, other_plate: Cells
) -> None:
    model = skewed(on_plate, {"low": 0.9999, "high": 0.0001})
    shown = model.predict_proba(other_plate)
    np.testing.assert_array_equal(model.predict(other_plate), shown.argmax(axis=1))
    assert (model.predict(other_plate) != on_plate.predict(other_plate)).any()
    found, plain = evaluate(model, other_plate), evaluate(on_plate, other_plate)
    assert (found.accuracy, found.recall) == (plain.accuracy, plain.recall)
    np.testing.assert_array_equal(found.confusion.counts, plain.confusion.counts)
    assert found.prior is not None and found.prior.kind == "training"
    # The plate is not like such training data, and its probabilities are worse for it.
    assert found.calibration is not None and plain.calibration is not None
    assert found.calibration.brier > plain.calibration.brier
    assert "prior as in training (low 100.0 %" in found.probability_lines[0]


def test_an_explanation_shows_the_same_probabilities_and_the_same_map(
    on_plate: Classifier, other_plate: Cells
) -> None:
    model, some = skewed(on_plate, {"low": 0.9999, "high": 0.0001}), other_plate.read([0, 21, 45])
    shown = explain(model, some, method="saliency", check=False)
    np.testing.assert_allclose(shown.probabilities, model.predict_proba(some), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(shown.target, shown.probabilities.argmax(axis=1))
    assert shown.prior is not None and shown.provenance["prior"]["kind"] == "training"
    other = explain(model, some, 1, method="saliency", check=False, prior="balanced")
    same = explain(model, some, 1, method="saliency", check=False)
    np.testing.assert_array_equal(other.maps, same.maps)
    assert not np.allclose(other.probabilities, same.probabilities)
    by_all = explain(
        model, other_plate, method="saliency", check=False, only=[3], prior="estimated"
    )
    assert by_all.prior is not None and by_all.prior.shares[1] == pytest.approx(0.5, abs=0.08)


def test_an_old_bundle_and_a_model_made_elsewhere_say_that_their_prior_is_not_known(
    on_plate: Classifier, other_plate: Cells
) -> None:
    from napari_channelmix.classify import ForeignClassifier

    old = replace(on_plate, training_data=None)
    assert old.prior_of().kind == "balanced" and "does not say" in old.prior_of().text()

    def by_light(crops: np.ndarray) -> np.ndarray:
        light = crops.mean(axis=(1, 2, 3))
        share = light / (1 + light)
        return np.stack([share, 1 - share], axis=1)

    other = ForeignClassifier(
        by_light,
        ("DNA", "GFP"),
        CLASSES,
        np.zeros(2),
        np.ones(2),
        "probabilities",
        "other",
    )
    crops = other_plate.read([0, 1])
    np.testing.assert_allclose(other.predict_proba(crops), by_light(crops), rtol=1e-6)
    assert "as the model gives them" in other.prior_of("balanced").text()
    with pytest.raises(ModelError, match=r"other: the class shares .* leave the prior out"):
        other.predict_proba(other_plate, prior="estimated")


def test_a_prior_that_cannot_be_meant_is_one_line() -> None:
    for shares in ({"a": "much"}, {"a": None}):
        with pytest.raises(ModelError, match="shares must be numbers of 0 or more"):
            given_prior(("a", "b"), shares)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="'a' has two shares"):
        prior_argument(["a=0.2", "a=0.8"])
    with pytest.raises(ModelError, match="it is of the classes b, a, not of a, b"):
        given_prior(("b", "a"), {"a": 0.9}).checked(("a", "b"))


def test_a_cell_without_probabilities_does_not_get_those_of_the_prior() -> None:
    assert np.isnan(corrected([[np.nan, 0.5]], [0.2, 0.8])).all()


def test_an_estimate_that_rules_a_class_out_says_so() -> None:
    # The likelihood rises to the corner: every cell is rather of the first class.
    found = estimated_prior(("a", "b"), [[0.8, 0.2]] * 10)
    assert found.shares == pytest.approx((1, 0), abs=1e-5)
    assert found.text().endswith("; so almost no cell can be predicted as b")
    assert estimated_prior(("a", "b"), [[0.9, 0.1], [0.1, 0.9]]).note == ""
    assert estimated_prior(("a", "b"), np.zeros((0, 2))).note == ""
