"""Results with rows come back from JSON as they were, and nothing else does."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.whatif.stored_rows import result_from, result_of


@dataclass(frozen=True)
class Row:
    name: str
    low: float
    n: int


@dataclass(frozen=True)
class Table:
    rows: tuple[Row, ...]
    lines: tuple[str, ...] = ()


TABLE = Table((Row("DNA", math.nan, 3), Row("GFP", 0.5, 4)), ("one line",))


def test_what_is_not_known_is_null_in_json_and_comes_back():
    text = json.dumps(result_of(TABLE), allow_nan=False)
    assert json.loads(text)["rows"][0] == {"name": "DNA", "low": None, "n": 3}
    again = result_from(Table, json.loads(text))
    assert again.rows[1] == TABLE.rows[1] and again.lines == TABLE.lines
    assert isinstance(again.rows, tuple) and math.isnan(again.rows[0].low)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"rows": [3]},
        {"rows": [{"name": "DNA", "low": 0.5}]},
        {"rows": [{"name": "DNA", "low": "much", "n": 3}]},
        {"rows": [{"name": "DNA", "low": 0.5, "n": None}]},
    ],
)
def test_other_content_is_refused_in_a_line(content):
    with pytest.raises(DataError, match=r"\Anot what the command writes \(.+\)\Z"):
        result_from(Table, content)
