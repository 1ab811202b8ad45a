"""What all names begin with is left out, as long as they can still be told apart."""

from __future__ import annotations

import pytest

from napari_channelmix.data.short_names import short_names


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (("20260211_plate3_exp7_DAPI", "20260211_plate3_exp7_GFP"), ("DAPI", "GFP")),
        (("exp7-DAPI", "exp7-DAPI-2"), ("DAPI", "DAPI-2")),
        (("Image", "Image [1]"), ("Image", "Image [1]")),
        (("exp7 channel 1", "exp7 channel 12"), ("channel 1", "channel 12")),
        (("stack 0", "stack 1"), ("stack 0", "stack 1")),
        (("DAPI", "DAPI"), ("DAPI", "DAPI")),
        (("a_DAPI",), ("a_DAPI",)),
        (("DNA", "DNA2"), ("DNA", "DNA2")),
        (("Größe a: DAPI", "Größe a: GFP"), ("DAPI", "GFP")),
        ((), ()),
    ],
)
def test_common_words_are_left_out(names: tuple[str, ...], short: tuple[str, ...]) -> None:
    assert short_names(names) == short


def test_names_that_differ_stay_different() -> None:
    names = ["x_a_b", "x_a_c", "x_d_b"]
    assert short_names(names) == ("a_b", "a_c", "d_b")
