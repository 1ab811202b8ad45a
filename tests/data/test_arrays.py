"""Arrays handed over as cells: labels of any kind, names, types: right, or refused in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError


def made(labels: Any = None, **more: Any) -> Cells:
    given: dict[str, Any] = {"crops": np.zeros((4, 2, 8, 8)), "channels": ["a", "b"]} | more
    return Cells.from_array(labels=labels, **given)


@pytest.mark.parametrize(
    ("labels", "classes", "codes"),
    [
        (["b", "a", "b", "a"], ("a", "b"), [1, 0, 1, 0]),
        (np.array(["dose 10", "dose 9", " dose 9", ""]), ("dose 9", "dose 10"), [1, 0, 0, -1]),
        (np.array([b"n", b"p", b"p", b"n"]), ("n", "p"), [0, 1, 1, 0]),
        (pd.Series(["x", None, "NA", "y"]), ("x", "y"), [0, -1, -1, 1]),
        (pd.Categorical(["x", "y", None, "x"]), ("x", "y"), [0, 1, -1, 0]),
        (["1.0", "1", "2", "10"], ("1", "2", "10"), [0, 0, 1, 2]),
        ([0, 2, 1, 0], ("0", "1", "2"), [0, 2, 1, 0]),
        ([0.0, 1.0, np.nan, -1.0], ("0", "1"), [0, 1, -1, -1]),
        (np.array([1, None, 0, 1], object), ("0", "1"), [1, -1, 0, 1]),
        (pd.Series([1, None, 0, 1], dtype="Int64"), ("0", "1"), [1, -1, 0, 1]),
        ([True, False, True, True], ("False", "True"), [1, 0, 1, 1]),
        (np.array([0, 1, 1, 0], np.uint8), ("0", "1"), [0, 1, 1, 0]),
        (None, (), [-1, -1, -1, -1]),
    ],
)
def test_labels_are_names_or_positions(labels: Any, classes: Any, codes: list[int]) -> None:
    cells = made(labels)
    assert cells.classes == classes
    assert cells.labels.tolist() == codes and cells.labels.dtype == np.int64


def test_names_are_looked_up_among_the_classes_that_are_given() -> None:
    cells = made(["p", "n", "p", ""], classes=["p", "n", "more"])
    assert cells.classes == ("p", "n", "more") and cells.labels.tolist() == [0, 1, 0, -1]
    assert made([True, False, True, False], classes=["n", "p"]).labels.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": [0.7, 1.7, 0.7, 1.7]}, "label 0.7 of cell 0 is not a whole number"),
        ({"labels": [0, 1, np.inf, 0]}, "label inf of cell 2 is not a whole number"),
        ({"labels": [0, 1, -2, 0]}, "between -1 and 9999, that of cell 2 is -2"),
        ({"labels": [0, 1, 2**40, 0]}, "that of cell 2 is .*; give names of classes instead"),
        ({"labels": [0, 1, 2, 0], "classes": ["x", "y"]}, "between -1 and 1, that of cell 2 is 2"),
        ({"labels": ["x", "z", "x", "x"], "classes": ["x", "y"]}, "'z' of cell 1 is not among"),
        ({"labels": ["x" * 900] * 4, "classes": ["x"]}, "label 'x{37}...' of cell 0"),
        ({"labels": np.zeros((4, 2))}, r"an array \(4, 2\) of labels for 4 cells"),
        ({"labels": 3}, r"an array \(\) of labels for 4 cells"),
        ({"labels": [0, 1, 0]}, "3 labels for 4 cells"),
        ({"labels": [1j, 0, 0, 0]}, "names or positions of classes, not complex128"),
        ({"labels": [[0], [0, 1], [0], [0]]}, "labels must be one value for each cell"),
        ({"classes": "np"}, "classes must be a list of names, not the text 'np'"),
        ({"classes": ["n", "n"]}, "two classes are called 'n'"),
        ({"classes": ["n", " "]}, "class 1 has no name"),
        ({"channels": "ab"}, "channels must be a list of names, not the text 'ab'"),
        ({"channels": ["a", " a "]}, "two channels are called 'a'"),
        ({"channels": ["a", ""]}, "channel 1 has an empty name"),
        ({"channels": ["a"]}, "1 channel names for 2 channels"),
        ({"groups": ["w"]}, "1 groups for 4 cells"),
        ({"groups": "wwww"}, "a text for 4 cells"),
        ({"groups": ["w", None, "w", "w"]}, "cell 1 has no group"),
        ({"crops": np.zeros((4, 2, 0, 0))}, r"none of them 0, not \(4, 2, 0, 0\)"),
        ({"crops": np.zeros((4, 2, 8, 8), complex)}, "whole numbers or floats, not complex128"),
        ({"crops": np.full((4, 2, 8, 8), None)}, "whole numbers or floats, not object"),
        ({"crops": np.full((4, 2, 8, 8), "7")}, "whole numbers or floats, not <U1"),
        ({"crops": [[[[1, 2], [3]]]]}, r"crops must be an \(N, C, H, W\) array"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        made(**change)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float64, ">u2"])
@pytest.mark.parametrize("side", [1, 3, 8])
def test_crops_of_any_number_type_and_size_are_read(dtype: Any, side: int) -> None:
    crops = (np.arange(2 * side * side).reshape(1, 2, side, side) % 2).astype(dtype)
    cells = made(crops=crops)
    np.testing.assert_array_equal(cells.read(), crops.astype(np.float32))
    middle = (side - 1) / 2
    assert cells.centres.tolist() == [[middle, middle]] and not cells.at_border.any()


def test_nan_and_infinity_in_crops_are_refused_when_they_are_read() -> None:
    crops = np.zeros((4, 2, 8, 8))
    crops[2, 1, 3, 4] = np.nan
    with pytest.raises(DataError, match=r"channel 'b' has NaN or infinite pixels in cell 2"):
        made(crops=crops).read()


def test_names_are_trimmed_and_groups_may_be_numbers() -> None:
    cells = made(channels=[" a", "b "], groups=[1, 1.0, "1", 2])
    assert cells.channels == ("a", "b") and cells.groups.tolist() == ["1", "1", "1", "2"]


def test_other_labels_are_checked_alike() -> None:
    cells = made([0, 1, 0, 1])
    with pytest.raises(DataError, match=r"label 0\.7 of cell 0 is not a whole number"):
        cells.with_labels([0.7, 0, 0, 0], ["x", "y"])
    with pytest.raises(DataError, match="positions of classes, not <U1"):
        cells.with_labels(["x", "y", "x", "y"], ["x", "y"])
    assert cells.with_labels([1.0, np.nan, -1, 0], ["x", "y"]).labels.tolist() == [1, -1, -1, 0]


def test_data_sets_are_equal_to_themselves_only() -> None:
    one, other = made([0, 1, 0, 1]), made([0, 1, 0, 1]).subset([0, 1])
    assert one == one and (one == other) is False and one != other
    assert len({one, other}) == 2 and one in [other, one]


def test_names_that_may_be_one_and_texts_that_mean_none_are_said() -> None:
    crops = np.ones((5, 1, 8, 8), np.float32)
    cells = Cells.from_array(crops, ("a",), ["Live", "live", "live", "NA", ""])
    gaps, alike = cells.warnings
    assert gaps == "2 of 5 cells have no class (1 'NA', 1 empty)"
    assert alike.startswith("classes 'Live' (1 cell) and 'live' (2 cells) differ only in case")
    assert Cells.from_array(crops, ("a",), [0, 1, -1, np.nan, 0]).warnings == ()


def test_names_that_may_be_one_class_and_numbers_that_are_rounded_are_said() -> None:
    cells = made(["Live", "live", "dead", "dead"])
    assert any("'Live' (1 cell) and 'live' (1 cell)" in line for line in cells.warnings)
    large = np.zeros((4, 2, 8, 8), np.uint32)
    large[0, 0, 0, 0] = 2**24 + 1
    assert any("rounded above 16,777,216" in line for line in made(crops=large).warnings)
    assert made(crops=large - large).warnings == ()
