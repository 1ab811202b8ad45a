"""One rule for what a value of a table, a features column or an array means."""

import doctest

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import values
from napari_channelmix.data.values import class_name, similar_names, whole_number
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
    [None, "", "  ", "NA", "n/a", "NaN", "nan", "None", "NULL", "<NA>", float("nan"), pd.NA, pd.NaT,
     np.float32("nan")],
)  # fmt: skip
def test_missing_values_name_no_class_and_no_id(value):
    assert class_name(value) is None
    assert whole_number(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (" 12 ", 12), ("12.0", 12), (12.0, 12), (np.uint64(2**63 - 1), 2**63 - 1),
     ("9223372036854775807", 2**63 - 1), (-3, -3), ("+4", 4)],
)  # fmt: skip
def test_a_value_gives_an_id(value, number):
    assert whole_number(value) == number


@pytest.mark.parametrize(
    "value",
    ["1,000", "1 000", "1e3", "0x10", "a", 1.5, "1.5", True, float("inf"), np.uint64(2**63),
     "9" * 5000, "9223372036854775808"],
)  # fmt: skip
def test_what_is_no_id_is_refused_in_one_short_line(value):
    with pytest.raises(DataError) as caught:
        whole_number(value)
    assert len(str(caught.value)) < 120


def test_names_that_differ_in_case_or_blanks_are_listed():
    assert similar_names(["a b", "ab", "c", "C", "d"]) == [("a b", "ab"), ("c", "C")]
    assert similar_names(["a", "b", "a"]) == []
