"""A pattern from the parts that were marked in one name."""

import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Pattern, learn_pattern


@pytest.mark.parametrize(
    ("name", "marks", "other", "parts"),
    [
        (
            "plate7 B03-site4.w2.tif",
            {"well": "B03", "channel": "w2"},
            "plate 12 new C11-site10.w1.tif",
            {"well": "C11", "channel": "w1"},
        ),
        # Nothing but a letter between the parts.
        (
            "Exp7_B03f01d2.TIF",
            {"well": "B03", "channel": "d2", "field": "01"},
            "Exp8_C12f11d0.tif",
            {"well": "C12", "channel": "d0", "field": "11"},
        ),
        # Digits side by side have their widths.
        (
            "01030-1.tif",
            {"row": (0, 2), "column": (2, 4), "field": (4, 5), "channel": (6, 7)},
            "02124-2.tif",
            {"row": "02", "column": "12", "field": "4", "channel": "2"},
        ),
        (
            "day3/wellB03/DAPI_004.tif",
            {"well": "B03", "channel": "DAPI", "field": "004"},
            "day12/wellC4/Texas Red_12.tif",
            {"well": "C4", "channel": "Texas Red", "field": "12"},
        ),
        (
            "x_B03_w2_5F3A2C10-1111-2222-3333-444455556666.tif",
            {"well": "B03", "channel": "w2"},
            "x_B04_w1_00000000-1111-2222-3333-44445555ffff.tif",
            {"well": "B04", "channel": "w1"},
        ),
        # A part marked within a word: the letters before it belong to the style.
        ("B03-site4.tif", {"well": "B03", "field": "4"}, "C1-site14.tif", {"field": "14"}),
        # Roles by the words that are shown.
        ("B_3.tif", {"well row": "B", "well column": "3"}, "C_12.tif", {"row": "C"}),
    ],
)
def test_names_of_the_same_style_are_understood(name, marks, other, parts):
    pattern = learn_pattern(name, marks)
    read = pattern.matches([other])[0]
    assert read is not None
    assert {part: read[part] for part in parts} == parts


def test_the_text_of_a_learnt_pattern_is_a_template():
    pattern = learn_pattern("scan7~B03~q2.tif", {"well": "B03", "channel": "q2"})
    again = Pattern.from_template(pattern.text)
    assert again.matches(["scan8~C1~q10.tif"]) == pattern.matches(["scan8~C1~q10.tif"])


def test_a_text_that_is_there_twice_is_marked_by_its_place():
    with pytest.raises(DataError, match="more than once; give its place"):
        learn_pattern("B03_w2_B03.tif", {"well": "B03"})
    assert learn_pattern("B03_w2_B03.tif", {"well": (0, 3)}).fits("C04_w1_C04.tif")


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ({}, "nothing is marked"),
        ({"well": "Q99"}, "not in the name"),
        ({"well": (0, 90)}, "outside the name"),
        ({"well": (0, 3), "channel": (2, 5)}, "overlap"),
        ({"well": (0, 3), "Well": (4, 6)}, "marked as the same"),
        ({"a-b": (0, 3)}, "no name of a part"),
    ],
)
def test_marks_that_cannot_be_are_refused(marks, why):
    with pytest.raises(DataError, match=why):
        learn_pattern("B03_w2.tif", marks)
