"""How models are asked: in pieces, in their dtype, in the manner of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

from napari_channelmix import explain
from napari_channelmix.classify.callables import cast_to, in_pieces, refuse_no_model, refuse_size
from napari_channelmix.errors import ModelError


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
def test_a_model_of_a_fixed_batch_answers_any_number_in_order(count: int) -> None:
    sizes = []

    def four_at_once(x: Any) -> Any:
        sizes.append(len(x))
        level = x.mean(axis=(1, 2, 3))
        return {"z": np.stack([level, -level], 1), "pair": (level, torch.from_numpy(level))}

    crops = np.arange(count, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 3, 3), "f4")
    found = in_pieces(four_at_once, 4)(crops)
    np.testing.assert_array_equal(found["z"][:, 0], np.arange(count))
    np.testing.assert_array_equal(found["pair"][1], np.arange(count))
    assert set(sizes) == {4}


def test_whole_numbers_are_rounded_and_what_does_not_fit_is_refused() -> None:
    crops = np.array([-3.0, 0.4, 1.6, 254.9, 262.0], np.float32)
    np.testing.assert_array_equal(cast_to(crops, np.uint8, "m"), [0, 0, 2, 255, 255])
    assert cast_to(crops, np.float64, "m").dtype == np.float64
    with pytest.raises(ModelError, match=r"uint8 \(0 to 255\).* from -3 to 4095; give the mean"):
        cast_to(np.array([-3.0, 4095.0], np.float32), np.uint8, "m")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["n", 2, 24, 32], ""),
        ([None, 2, None, None], ""),
        ([8, 2, 24, 32], ""),
        ([0, -1, 24, 32], ""),
        (["n", 2, 16, 16], "takes crops of 16 x 16 pixels, and these are 24 x 32"),
        (["n", 3, 24, 32], "takes 3 channels, and 2 are named"),
        (["n", 24, 32, 2], r"channels last \(N, 24, 32, 2\)"),
        (["n", "h", "w", 2], r"channels last \(N, any, any, 2\)"),
        (["n", 48], "arrays of 2 axes"),
    ],
)
def test_sizes_that_a_model_states_are_held_against_the_crops(wanted: Any, says: str) -> None:
    if not says:
        refuse_size((5, 2, 24, 32), wanted, "m")
        return
    with pytest.raises(ModelError, match=says):
        refuse_size((5, 2, 24, 32), wanted, "m")


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 2, 3)

    def forward(self, x: Any) -> Any:
        return self.convolution(x.permute(0, 3, 1, 2)).mean((2, 3)) * 1000


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Flat, "Flat is a class, not a model; make one of it first"),
        (Flat().state_dict(), "this is a state dict: weights without a network"),
        ({"epoch": 3, "state_dict": Flat().state_dict()}, "this is a state dict"),
        (5, "a classifier or a function is needed, not int"),
        (Flat(), r"the network failed: .*takes crops with the channels last \(N, H, W, C\)"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(100, 2)),
            r"the network failed: .*given crops of 4 x 2 x 12 x 12: N, C, H, W",
        ),
    ],
)
def test_what_is_no_model_or_takes_something_else_is_one_line(model: Any, says: str) -> None:
    crops = np.random.default_rng(0).normal(size=(4, 2, 12, 12)).astype(np.float32)
    with pytest.raises(ModelError, match=says) as raised:
        explain(model, crops, device="cpu")
    assert "\n" not in str(raised.value)


def test_models_pass() -> None:
    refuse_no_model(Flat())
    refuse_no_model(lambda x: x)
    refuse_no_model(LogisticRegression())


# ------------------------------------------------------------------ in the manner of scikit-learn


@pytest.fixture
def pictures() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    crops = np.random.default_rng(0).normal(size=(40, 2, 6, 6)).astype(np.float32)
    labels = np.array(["up", "down"])[np.arange(40) % 2]
    crops[labels == "up", 1, :3] += 3
    return crops, labels


def test_an_estimator_of_pixels_gets_rows_and_brings_its_classes(pictures: Any) -> None:
    crops, labels = pictures
    rows = crops.reshape(40, -1)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
    found = explain(model, crops, forwards=200)
    assert found.classes == ("down", "up")
    np.testing.assert_allclose(found.probabilities, model.predict_proba(rows), atol=1e-6)
    assert found.output.startswith("probabilities")
    assert any("as a row of numbers, channel by channel" in line for line in found.warnings)
    up = np.abs(found.maps[labels == "up"])
    assert up[:, :3].mean() > 2 * up[:, 3:].mean()


def test_a_decision_function_is_one_logit_and_that_is_said(pictures: Any) -> None:
    crops, labels = pictures
    model = LinearSVC().fit(crops.reshape(40, -1), labels)
    found = explain(model, crops, forwards=20)
    margin = model.decision_function(crops.reshape(40, -1))
    np.testing.assert_allclose(found.probabilities[:, 1], 1 / (1 + np.exp(-margin)), atol=1e-6)
    assert any("decision function and no probabilities" in line for line in found.warnings)


def test_an_estimator_of_crops_is_asked_as_it_is(pictures: Any) -> None:
    crops, _ = pictures

    class Own:
        classes_ = np.array([3, 7])

        def predict_proba(self, x: Any) -> Any:
            p = 1 / (1 + np.exp(-x[:, 1].mean(axis=(1, 2))))
            return np.stack([1 - p, p], axis=1)

    found = explain(Own(), crops, forwards=20)
    assert found.classes == ("3", "7")
    np.testing.assert_allclose(found.probabilities, Own().predict_proba(crops), atol=1e-6)


def test_an_estimator_of_other_features_names_both_sizes(pictures: Any) -> None:
    crops, labels = pictures
    model = LogisticRegression().fit(crops.mean(axis=(2, 3)), labels)
    with pytest.raises(ModelError, match=r"rows of 2 numbers, and a crop of 2 x 6 x 6 has 72"):
        explain(model, crops)
