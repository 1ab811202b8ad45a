"""Values in messages are short and on one line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from napari_channelmix.wording import brief, counted, fraction, listed, path_shown, problem, quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", r"'a\nb'"),
        ("x" * 41, f"'{'x' * 37}...'"),
        ("x" * 40, f"'{'x' * 40}'"),
        ("\ud800", r"'\ud800'"),
        (3, "3"),
        (float("nan"), "nan"),
        (-(10**100), "-2**332 or so"),
    ],
)
def test_values_are_quoted_short(value: object, text: str) -> None:
    assert quoted(value) == text


def test_a_number_of_many_digits_and_deep_lists_can_be_quoted() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for value in (10**10_000, deep, ["x" * 10**6] * 10, {"a" * 10**6: 1}, b"\0" * 1000):
        assert len(quoted(value)) <= 42
        assert "\n" not in quoted(value)


def test_text_is_brief_without_its_quotes() -> None:
    assert brief("pcim") == "pcim"
    assert brief(7) == "7"
    assert brief("x" * 1000) == "x" * 37 + "..."


def test_paths_are_cut_in_the_middle_and_escaped() -> None:
    assert path_shown("a/b.toml") == "a/b.toml"
    shown = path_shown("a" * 500 + "/b.toml")
    assert len(shown) == 243
    assert shown.endswith("/b.toml")
    assert path_shown("a\0\udcff") == r"a\x00\udcff"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class _Outer(BaseModel):
    cells: _Inner


@pytest.mark.parametrize(
    ("content", "section", "dotted"),
    [
        ({"cells": {}}, "[cells] size is missing", "cells.size is missing"),
        (
            {"cells": {"size": 1, "big": 2}},
            "[cells] big is not a key of it",
            "cells.big is not a key of it",
        ),
        (
            {"cells": {"size": "x" * 99}},
            "[cells] size input should be a valid integer",
            "cells.size: input should be a valid integer",
        ),
    ],
)
def test_the_first_problem_is_said_with_its_key(
    content: dict[str, Any], section: str, dotted: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(content)
    assert problem(caught.value, "it", sections=True).startswith(section)
    assert problem(caught.value, "it").startswith(dotted)
    assert len(problem(caught.value)) < 200


def test_lists_and_counts_are_short_and_read_well() -> None:
    assert listed(range(14)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert listed(["a" * 50]) == f"{'a' * 39}..."
    assert (counted(1, "row"), counted(2000, "row")) == ("1 row", "2,000 rows")
    assert counted(1, "row", "have") == "1 row has" and counted(0, "row", "end") == "0 rows end"


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, ".20"), (-0.034, "-.03"), (-0.001, ".00"), (1.0, "1.00")]
)
def test_fractions_have_two_digits_and_no_leading_zero(value, text):
    assert fraction(value) == text
