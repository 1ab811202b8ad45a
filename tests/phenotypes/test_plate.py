"""Plates: names of wells are read strictly, and lie where they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.plate import is_plate, plates_of, row_name, well_place


@pytest.mark.parametrize(
    ("name", "place"),
    [("A01", (0, 0)), ("H12", (7, 11)), ("P24", (15, 23)), ("Z09", (25, 8)), ("AF48", (31, 47))],
)
def test_wells_lie_where_they_say(name: str, place: tuple[int, int]) -> None:
    assert well_place(name) == place
    assert row_name(place[0]) == name[:-2]


@pytest.mark.parametrize(
    "name", ["A1", "a01", "A00", "A49", "AG01", "01A", "A001", "A01 ", "", "field 3", "AA", "A-01"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="is no well of a plate"):
        well_place(name)
    assert not is_plate(["A01", name])


@pytest.mark.parametrize(
    ("last", "shape"), [("H12", (8, 12)), ("I01", (16, 24)), ("A13", (16, 24)), ("Q01", (32, 48))]
)
def test_the_smallest_plate_that_holds_all_wells(last: str, shape: tuple[int, int]) -> None:
    (plate,) = plates_of(["A01", last, "B02"])
    assert plate.shape == shape
    laid = plate.arranged([0.25, 0.75, 0.5])
    assert laid[0, 0] == 0.25 and laid[well_place(last)] == 0.75 and laid[1, 1] == 0.5
    assert np.isnan(laid).sum() == laid.size - 3


def test_names_of_one_row_are_wells_only_where_a_column_says_so() -> None:
    patients = [f"P{number:02d}" for number in range(1, 21)]
    with pytest.raises(DataError, match="are all of one row, so they may be something else"):
        plates_of(patients)
    ages = pd.DataFrame({"age": ["40"] * 20}, index=pd.Index(patients, name="patient"))
    assert not is_plate(patients, ages)
    # The rows of a plate, and whatever the data set calls wells, or says to lie on a plate.
    assert is_plate([*patients, "A01"]) and is_plate(patients, ages.rename_axis("Well"))
    assert is_plate(patients, ages.assign(plate="1"))
    assert is_plate([*"ab"], pd.DataFrame({"well": ["P01", "P02"]}, index=[*"ab"]))


def test_no_groups_are_no_plate() -> None:
    assert not is_plate([]) and plates_of([]) == ()


def test_wells_and_plates_of_a_table() -> None:
    conditions = pd.DataFrame(
        {"Well": ["A01", "A01", "B02"], "plate": ["P2", "P1", "P2"]}, index=["x", "y", "z"]
    )
    first, second = plates_of(["x", "y", "z"], conditions)
    assert (first.name, second.name) == ("P2", "P1")
    assert first.groups[0, 0] == 0 and first.groups[1, 1] == 2 and second.groups[0, 0] == 1
    with pytest.raises(DataError, match="two groups lie in well A01: x and y"):
        plates_of(["x", "y", "z"], conditions[["Well"]])


@pytest.mark.filterwarnings("error")
def test_a_plate_may_be_a_number_and_missing() -> None:
    conditions = pd.DataFrame({"well": ["A01", "A01"], "plate": [1.0, np.nan]}, index=["x", "y"])
    assert [plate.shape for plate in plates_of(["x", "y"], conditions)] == [(8, 12), (8, 12)]


def test_digits_of_other_scripts_are_no_wells() -> None:
    with pytest.raises(DataError, match="no well of a plate"):
        plates_of(["A\u0660\u0661", "B01"])


def test_rows_of_one_name_count_once_or_are_refused() -> None:
    conditions = pd.DataFrame({"well": ["A01", "A01", "B02"]}, index=["x", "x", "z"])
    (plate,) = plates_of(["x", "z"], conditions)
    assert plate.groups[0, 0] == 0 and plate.groups[1, 1] == 1
    conditions.iloc[1] = "C03"
    with pytest.raises(DataError, match="several rows say different things of group 'x'"):
        plates_of(["x", "z"], conditions)
    assert not is_plate(["x", "z"], conditions)
