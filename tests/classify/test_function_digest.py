"""A function is known again by its code and by what it refers to, or not at all."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.function_digest import function_digest

SOURCE = """
import numpy as np
WEIGHTS = np.array([1.0, {weight}])
LIMIT = {limit}
def helper(x):
    return x * {factor}
def scores(crops, power={power}):
    middle = helper(crops.mean(axis=(2, 3))) ** power
    return np.tanh(middle @ WEIGHTS - LIMIT)
def own(crops):
    return open("weights.npy")
def of_object(crops):
    return THING.predict(crops)
def made(number):
    def inside(crops):
        return crops * number
    return inside
class THING:
    pass
"""
USUAL = {"weight": 2.0, "limit": 3, "factor": 4, "power": 1}


def session(**changes: Any) -> Any:
    """The names of a script that was run anew."""
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(SOURCE.format(**{**USUAL, **changes}), "script.py", "exec"), names)
    return types.SimpleNamespace(**names)


def test_the_same_function_of_another_session_is_known_again() -> None:
    first, second = session(), session()
    assert first.scores is not second.scores
    assert function_digest(first.scores) == function_digest(second.scores) != ""
    assert function_digest(first.made(2)) == function_digest(second.made(2)) != ""


@pytest.mark.parametrize("change", [{"weight": 2.5}, {"limit": 4}, {"factor": 5}, {"power": 2}])
def test_whatever_decides_its_answers_makes_it_another_one(change: dict[str, Any]) -> None:
    assert function_digest(session(**change).scores) != function_digest(session().scores)


def test_a_closure_over_another_value_is_another_function() -> None:
    made = session().made
    assert function_digest(made(2)) != function_digest(made(3))
    assert function_digest(made(np.ones(3))) != function_digest(made(np.zeros(3)))


def test_what_cannot_be_known_has_no_digest() -> None:
    names = session()
    assert function_digest(names.own) == ""
    assert function_digest(names.of_object) == ""
    assert function_digest(names.made(object())) == ""
    assert function_digest(np.tanh) == ""
    assert function_digest([].append) == ""


@pytest.mark.parametrize(
    "source",
    [
        "look = {0: 1}.get\ndef scores(crops):\n    return look(0)",
        "draw = np.random.default_rng(0).random\ndef scores(crops):\n    return draw()",
        "made = np.frompyfunc(lambda x: x, 1, 1)\ndef scores(crops):\n    return made(crops)",
        "def scores(crops):\n    import rules\n    return rules.scores(crops)",
        "def scores(crops):\n    return crops @ np.load('weights.npy')",
        "def scores(crops):\n    return (lambda: getattr(np, crops))()",
    ],
)
def test_what_hides_something_that_may_change_has_no_digest(source: str) -> None:
    names: dict[str, Any] = {"__name__": "script", "np": np}
    exec(source, names)
    assert function_digest(names["scores"]) == ""


def test_libraries_are_known_wherever_they_are_imported() -> None:
    source = (
        "def scores(crops):\n    import numpy as np\n    from math import exp\n    return exp(1)"
    )
    names: dict[str, Any] = {"__name__": "script"}
    exec(source, names)
    assert function_digest(names["scores"]) != ""
