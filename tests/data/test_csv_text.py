"""Names in exported tables are never formulas, and come back as they were."""

from __future__ import annotations

import csv
import doctest
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_channelmix.data import csv_text as module
from napari_channelmix.data.csv_text import csv_text, escaped, unescaped
from napari_channelmix.data.table_files import read_table

# Texts that a table can hold at all: no NUL, no half characters.
TEXTS = st.text(
    st.one_of(
        st.sampled_from("=+-@'\t\r\n\"; ,|0a\uff1d"),
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
    ),
    max_size=8,
)


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-", "--1", "@a", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str) -> None:
    assert escaped(text) == f"'{text}" and unescaped(escaped(text)) == text


@pytest.mark.parametrize("value", [-1.5, "-1.5", "+3", "-.5e-3", "it's", "'a'", "", 7, None])
def test_numbers_and_plain_text_are_as_they_were(value: object) -> None:
    assert escaped(value) is value


@given(TEXTS)
def test_no_text_becomes_another(text: str) -> None:
    assert unescaped(escaped(text)) == text
    shown = escaped(text)
    number = shown.lstrip("+-")[:1].isdigit() or shown.lstrip("+-")[:1] == "."
    assert not shown or (shown[0] not in "=@\t\r\n" and (shown[0] not in "+-" or number))


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), TEXTS)
def test_a_table_that_is_written_is_read_again(rows: list[tuple[str, str]], head: str) -> None:
    table = pd.DataFrame(rows, columns=["a", "b"], dtype=object).assign(n=-1.5, whole=3)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(csv_text(table).encode())
        back = read_table(path).rows
    assert list(map(tuple, back[["a", "b"]].to_numpy().tolist())) == rows
    assert set(back["n"]) == {"-1.5"} and set(back["whole"]) == {"3"}


def test_heads_and_rows_by_name_are_escaped_too() -> None:
    table = pd.DataFrame(
        {"=a": [1.25, -2.0], "b": ["@x", "y"]}, index=pd.Index(["-p", "q"], name="+i")
    )
    lines = list(csv.reader(io.StringIO(csv_text(table, index=True))))
    assert lines == [["'+i", "'=a", "b"], ["'-p", "1.25", "'@x"], ["q", "-2.0", "y"]]
    tabs = csv_text(table, index=True, separator="\t")
    assert tabs.startswith("'+i\t'=a\tb\r\n")
    assert table.index.name == "+i" and table["b"].tolist() == ["@x", "y"]


def test_numbers_keep_their_types_and_digits() -> None:
    table = pd.DataFrame({"f": np.array([0.1, np.nan], np.float32), "b": [True, False]})
    assert csv_text(table) == table.to_csv(index=False, lineterminator="\r\n")


def test_every_table_of_the_package_is_written_by_one_function() -> None:
    package = Path(module.__file__).parents[1]
    writers = {
        f"{path.relative_to(package).as_posix()}: {line.strip()}"
        for path in package.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "to_csv(" in line or "csv.writer(" in line
    }
    # The table of a signature is no file; annotations escape every value themselves.
    known = ("data/csv_text.py: ", "data/annotation_files.py: writer = csv.writer(")
    rest = [one for one in writers if not one.startswith(known) and "signature.update(" not in one]
    assert not rest


def test_blocks_of_rows_are_the_text_of_the_whole(monkeypatch):
    table = pd.DataFrame(
        {
            "=a": ["x", "", "=1", "two\nlines", "-1.5", "-b"],
            "n": [1.5, np.nan, 3, 4, 5, 6],
            "plain": ["it's", "", "b", "'c", 'q"q', "d,e"],
        }
    )
    whole = csv_text(table)
    assert "'=1" in whole and "'-b" in whole and ",-1.5" not in whole.replace("\r\n-1.5", "")
    for block in (1, 2, 4):
        monkeypatch.setattr("napari_channelmix.data.csv_text.BLOCK", block)
        assert csv_text(table) == whole
    assert csv_text(table.iloc[:0]) == "'=a,n,plain\r\n"
