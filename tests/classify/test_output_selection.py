"""Several outputs: one is chosen, or all are listed."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from napari_channelmix.classify.output_selection import selected
from napari_channelmix.errors import ModelError

Z, V = torch.zeros(3, 2), torch.zeros(3)
Pair = namedtuple("Pair", ["loss", "scores"])


@dataclasses.dataclass
class Answer:
    embedding: Any
    scores: Any


@pytest.mark.parametrize(
    "result",
    [
        Z,
        (Z,),
        [Z],
        (Z, None),
        {"out": Z},
        {"logits": Z, "features": V},
        OrderedDict(loss=V, logits=Z),
        SimpleNamespace(logits=Z, hidden=V),
        {"logits": Z, "note": "text"},
        {"out": Z, "note": "text"},
    ],
)
def test_the_only_table_or_the_one_called_logits_is_taken(result: Any) -> None:
    assert selected(result, None, "m") is Z


def test_rows_of_one_table_stay_together() -> None:
    for rows in ([[1.0, 2.0], [3.0, 4.0]], [(1.0, 2.0), (3.0, 4.0)], [np.ones(2), np.ones(2)]):
        assert selected(rows, None, "m") is rows


@pytest.mark.parametrize(
    ("result", "select"),
    [
        ((V, Z), 1),
        ((V, Z), "1"),
        ((V, Z), -1),
        ([V, Z], 1),
        ({"a": V, "b": Z}, "b"),
        ({"a": V, "b": Z}, 1),
        ({"logits": V, "b": Z}, "b"),
        (Pair(V, Z), "scores"),
        (Pair(V, Z), 1),
        (Answer(V, Z), "scores"),
    ],
)
def test_an_output_is_chosen_by_name_or_position(result: Any, select: Any) -> None:
    assert selected(result, select, "m") is Z


@pytest.mark.parametrize(
    ("result", "select", "says"),
    [
        ((Z, V), None, r"m gives 2 outputs \(0: \(3, 2\) float32, 1: \(3,\) float32\).*select=0"),
        ({"a": Z, "b": V}, None, r"'a': \(3, 2\) float32, 'b'.*select='a'"),
        ({"a": Z, "b": V}, "c", r"no output 'c'; it gives 'a'"),
        ((Z, V), 2, r"no output 2; it gives 0:"),
        ((Z, V), -3, "no output -3"),
        ({"a": (Z, V)}, None, r"gives 1 output \('a': tuple\)"),
        ({"a": (Z, V)}, "a", "holds several outputs itself"),
        (Z, "logits", "one output only, not 'logits'"),
        (None, None, r"nothing \(None\)"),
        ({}, None, "an empty dict"),
        ({str(k): Z for k in range(20)}, None, r"20 outputs .* and 12 more"),
    ],
)
def test_several_outputs_without_a_choice_are_listed(result: Any, select: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says) as raised:
        selected(result, select, "m")
    assert "\n" not in str(raised.value)
