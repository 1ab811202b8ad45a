"""One rule for what a value of a table, a features column or an array means."""

import doctest

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import values
from napari_channelmix.data.values import (
    class_name,
    number,
    similar_names,
    similar_warnings,
    whole_number,
)
from napari_channelmix.errors import DataError


def test_the_examples_of_the_docstrings_hold():
    assert doctest.testmod(values).failed == 0


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("pos", "pos"),
        (" pos\t", "pos"),
        ("n° 7 µm", "n° 7 µm"),
        ("1.0", "1"),
        ("1.", "1"),
        ("-2.00", "-2"),
        ("01", "01"),
        ("1.5", "1.5"),
        (1, "1"),
        (np.int64(2**62), str(2**62)),
        (1.0, "1"),
        (1.5, "1.5"),
        (np.float32(3), "3"),
        (True, "True"),
        (np.bool_(False), "False"),
        ("inf", "inf"),
    ],
)
def test_a_value_names_a_class(value, name):
    assert class_name(value) == name


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "NA",
        "n/a",
        "NaN",
        "nan",
        "None",
        "NULL",
        "<NA>",
        float("nan"),
        pd.NA,
        pd.NaT,
        np.float32("nan"),
    ],
)
def test_missing_values_name_no_class_and_no_id(value):
    assert class_name(value) is None
    assert whole_number(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("12.0", 12),
        (12.0, 12),
        (np.uint64(2**63 - 1), 2**63 - 1),
        ("9223372036854775807", 2**63 - 1),
        (-3, -3),
        ("+4", 4),
    ],
)
def test_a_value_gives_an_id(value, number):
    assert whole_number(value) == number


@pytest.mark.parametrize(
    "value",
    [
        "1,000",
        "1 000",
        "1e3",
        "0x10",
        "a",
        1.5,
        "1.5",
        True,
        float("inf"),
        np.uint64(2**63),
        "9" * 5000,
        "9223372036854775808",
    ],
)
def test_what_is_no_id_is_refused_in_one_short_line(value):
    with pytest.raises(DataError) as caught:
        whole_number(value)
    assert len(str(caught.value)) < 120


def test_names_that_differ_in_case_or_blanks_are_listed():
    assert similar_names(["a b", "ab", "c", "C", "d"]) == [("a b", "ab"), ("c", "C")]
    assert similar_names(["a", "b", "a"]) == []


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("1.5", 1.5),
        (" -2 ", -2.0),
        ("+.5", 0.5),
        ("3.", 3.0),
        ("1e3", 1000.0),
        ("2E-1", 0.2),
        (7, 7),
        (np.float32(0.5), 0.5),
        ("1e9", 1e9),
    ],
)
def test_a_number_is_read_as_it_stands(value, result):
    assert number(value) == number(value, decimal_comma=True) == result


def test_a_comma_is_a_decimal_sign_where_it_may_be():
    assert number("60,5", decimal_comma=True) == 60.5
    assert number(",5", decimal_comma=True) == 0.5
    with pytest.raises(DataError, match="'60,5' is not a number; write it with a decimal point"):
        number("60,5")


@pytest.mark.parametrize("comma", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "nan",
        "inf",
        "1.234,5",
        "1,234.5",
        "1,000,000",
        "1_0",
        "0x1",
        "1e",
        "--1",
        "1 000",
        "\u0661",
        "1e99999",
        "1.1e9",
        -2e9,
        float("nan"),
        True,
        None,
        "9" * 500,
    ],
)
def test_what_is_no_number_or_beyond_the_bound_is_refused(value, comma):
    with pytest.raises(DataError, match=r"is not a number|is beyond the bound of 1e"):
        number(value, decimal_comma=comma)


def test_names_that_may_be_one_are_said_with_their_rows():
    (line,) = similar_warnings({"Live": 12, "dead": 3, "live": 1}, "classes")
    assert line.startswith("classes 'Live' (12 rows) and 'live' (1 row) differ only in case")


def test_a_name_is_one_whatever_system_wrote_it():
    assert class_name("fu\u0308nf") == class_name("f\xfcnf") == "f\xfcnf"
    assert class_name("\ufeff\u200bpos\xa0") == "pos"
    assert class_name("\u200b") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.5", "0.50"),
        ("0,5", "0.5"),
        ("01", "1"),
        ("\uff10\uff11", "1"),
        ("de\xadad", "dead"),
        ("\ufb01t", "Fit"),
        ("a\u200bb", "ab"),
    ],
)
def test_names_that_look_alike_are_similar(one, other):
    assert similar_names([one, "x", other]) == [(one, other)]


def test_names_that_look_different_are_not_similar():
    assert similar_names(["1", "1.5", "-1", "10", "1e1", "a", "b", "A1", "A01"]) == []


def test_kinds_of_dashes_and_underscores_may_be_one_name() -> None:
    names = ["CD4-", "CD4\u2212", "CD4\u2013", "CD4+", "T cell", "T_cell"]
    assert values.similar_names(names) == [tuple(names[:3]), tuple(names[4:])]
