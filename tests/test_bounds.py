"""Settings lie within their bounds at every entrance, and are refused in the same words."""

from __future__ import annotations

import argparse
import math

import numpy as np
import pytest

from napari_channelmix.bounds import BOUNDS, argument, hold
from napari_channelmix.computing import Computing
from napari_channelmix.config import Config, DataPart, ExplanationPart
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.wording import problem

REFUSED = [
    ("seed", -1, "the seed must be 0 or more, not -1"),
    ("seed", 2**32, "the seed must be 4294967295 or less, not 4294967296"),
    ("seed", 99999999999999999999, "the seed must be 4294967295 or less, not 9999"),
    ("seed", 1.5, "the seed must be a whole number, not 1.5"),
    ("seed", True, "the seed must be a whole number, not True"),
    ("seed", "3", "the seed must be a whole number, not '3'"),
    ("epochs", 0, "epochs must be 1 or more, not 0"),
    ("epochs", 1e9, "epochs must be a whole number, not 1000000000.0"),
    ("epochs", 10**9, "epochs must be 100000 or less"),
    ("threads", 10**6, "threads must be 1024 or less, not 1000000"),
    ("rate", math.nan, "rate must lie between 0 and 1, not nan"),
    ("rate", 1, "rate must lie between 0 and 1, not 1"),
    ("decay", math.inf, "decay must be a finite number, not inf"),
    ("decay", -0.1, "decay must be 0 or more, not -0.1"),
    ("clip", 0.0, "clip must lie between 0 and 1e+09, not 0.0"),
    ("forwards", 1, "forwards must be 2 or more, not 1"),
    ("finetune", -1, "epochs of fine-tuning must be 0 or more, not -1"),
]


@pytest.mark.parametrize(("name", "value", "says"), REFUSED)
def test_functions_refuse_in_one_line(name: str, value: object, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        hold(**{name: value})
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_not_given_or_within_is_taken(name: str) -> None:
    bounds = BOUNDS[name]
    middle = 0.5 if bounds.between else bounds.least + 1
    for value in (None, middle, np.float64(middle) if not bounds.whole else np.int64(middle)):
        hold(**{name: value})
    if not bounds.between:
        for edge in (bounds.least, bounds.most):
            hold(**{name: edge})


def test_the_error_is_of_the_type_that_the_room_raises() -> None:
    with pytest.raises(DataError, match="limit must be 1 or more, not 0"):
        hold(DataError, limit=0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-1", "the seed must be 0 or more, not -1"),
        ("1e9", "the seed must be a whole number, not '1e9'"),
        ("9" * 5000, "the seed must be a whole number, not '9999"),
        ("9" * 20, "the seed must be 4294967295 or less"),
    ],
)
def test_the_command_line_refuses_the_same(text: str, says: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        argument("seed")(text)
    assert str(caught.value).startswith(says)
    assert len(str(caught.value)) < 120
    assert argument("seed")("7") == 7


def test_a_config_refuses_the_same() -> None:
    from pydantic import ValidationError

    for name in ("seed", "epochs", "threads", "rate", "decay", "clip"):
        for key, value, says in REFUSED:
            if key != name:
                continue
            with pytest.raises(ValidationError) as caught:
                Config.model_validate(
                    {"data": {"dataset": "d.toml"}, "classifier": {"training": {name: value}}}
                )
            text = problem(caught.value)
            assert text.startswith(f"classifier.training.{name}: must {says.split(' must ')[1]}")
            assert "must" in problem(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"dataset": "x" * 5000}},
        {"data": {"dataset": "a\0b"}},
        {"data": {"dataset": ""}},
        {"notes": ["x" * 10**6]},
        {"explanations": [{"cells": [-1]}], "classifier": {"file": "m.cmx"}},
        {"explanations": [{"cells": [10**30]}], "classifier": {"file": "m.cmx"}},
        {"classifier": {"file": "m.onnx", "std": [0.0]}},
        {"classifier": {"file": "m.onnx", "mean": [float("inf")]}},
        {"latents": {"view": {"channels": ["a"], "weights": [], "natural": False}}},
        {"latents": {"view": {"channels": ["a"], "weights": [[1], [2]], "natural": False}}},
        {"latents": {"view": {"weights": [[1]], "natural": 1}}},
        {"importance": {"shapley": "yes"}},
        {"importance": {"held_out": 1}},
    ],
)
def test_a_config_with_absurd_values_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Config.model_validate({"data": {"dataset": "d.toml"}, **change})


def test_usual_values_are_taken() -> None:
    Config(
        data=DataPart(dataset="d.toml"),
        classifier={"file": "m.cmx"},
        explanations=(ExplanationPart(cells=(0, 5)),),
        latents={"view": {"channels": ["a"], "weights": [[1]], "natural": False}},
    )


def test_preferences_are_within_bounds_too() -> None:
    with pytest.raises(ModelError, match="threads must be 1024 or less"):
        Computing(threads=10**6)
    with pytest.raises(ModelError, match="memory must be a finite number"):
        Computing(memory=math.nan)
