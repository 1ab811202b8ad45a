"""Columns are read as each of their texts is, and what is wrong is marked."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.column_values import (
    alike,
    first_of_each,
    identifiers_of,
    numbers_of,
    trimmed,
)
from napari_channelmix.data.values import BLANKS, number, whole_number
from napari_channelmix.errors import DataError

PLAIN = ["1", "-2.5", "+.5", "7.", "1e3", "2E-2", "0", "-0.0"]
WRONG = [
    "",
    "x",
    "1,5",
    "1_000",
    "nan",
    "inf",
    "1e10",
    "1e99999",
    "--1",
    "1 2",
    "\u0661",
    "1e",
    ".",
]
IDS = ["12", "7.0", "3.", "", "NA", "-4", "+5", "9223372036854775807"]
NO_IDS = ["1.5", "x", "9223372036854775808", ".", "1e3", "1,000", "\u00b2"]


def texts(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)


def single(text: str, *, comma: bool) -> float:
    try:
        return number(text, decimal_comma=comma)
    except DataError:
        return float("nan")


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize(
    "values",
    [PLAIN, *([*PLAIN, odd] for odd in WRONG), ["1,5", "2", ",5"], ["1,5", "1.5"], ["1,5.2"], []],
)
def test_numbers_of_a_column_are_those_of_its_texts(values: list[str], comma: bool) -> None:
    numbers = numbers_of(texts(values), decimal_comma=comma)
    np.testing.assert_array_equal(numbers, [single(text, comma=comma) for text in values])


@pytest.mark.parametrize(
    "values", [["12", "7.0"], ["1", ""], IDS, *([*IDS, odd] for odd in NO_IDS)]
)
def test_ids_of_a_column_are_those_of_its_texts(values: list[str]) -> None:
    ids = identifiers_of(texts(values))
    for place, text in enumerate(values):
        try:
            value = whole_number(text)
        except DataError:
            assert ids.wrong[place] and not ids.known[place]
        else:
            assert not ids.wrong[place]
            assert ids.known[place] == (value is not None)
            assert ids.values[place] == (value or 0)


def test_a_text_that_holds_a_line_end_is_no_number() -> None:
    numbers = numbers_of(texts(["1\n2", "3"]))
    assert np.isnan(numbers[0]) and numbers[1] == 3
    assert identifiers_of(texts(["1\n2", "3"])).wrong.tolist() == [True, False]


def test_rows_that_agree_are_numbered_by_the_first_of_them() -> None:
    codes = alike([texts(["b", "a", "b", "b"]), np.array([1.0, 1.0, 2.0, 1.0])], 4)
    assert codes.tolist() == [0, 1, 2, 0]
    assert first_of_each(codes).tolist() == [0, 1, 2]
    assert alike([], 3).tolist() == [0, 0, 0]
    assert alike([texts([])], 0).tolist() == []


def test_blanks_around_texts_are_gone_and_other_texts_are_not_copied() -> None:
    clean = texts(["a", "b-c"])
    assert trimmed(clean, BLANKS) is clean
    assert trimmed(texts(["a", "b c", "\nd"]), BLANKS).tolist() == ["a", "b c", "d"]
    assert trimmed(texts([" a\u00a0", "b"]), BLANKS).tolist() == ["a", "b"]
