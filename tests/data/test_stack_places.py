"""Which planes of a stack are fields of view, in which order, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.stack_places import StackPlace, in_words, places_in_stack
from napari_channelmix.errors import DataError

FILE = Path("film.tif")


def test_every_plane_of_two_axes_in_the_order_of_the_file() -> None:
    places = places_in_stack({"T": 2, "Z": 3}, {"Z": "each", "T": "each"}, FILE)
    assert [place.short for place in places] == [f"t{t}_z{z}" for t in (0, 1) for z in (0, 1, 2)]
    assert places[4].text == "t=1, z=1" and places[4].index(("Z",)) == (1, None, None)


def test_axes_that_are_projected_or_chosen_tell_nothing_apart() -> None:
    places = places_in_stack({"T": 2, "Z": 3}, {"Z": "maximum", "T": 1}, FILE)
    assert places == [StackPlace((("T", 1), ("Z", PROJECT)))]
    assert places[0].text == places[0].short == ""
    assert places_in_stack({}, {"Z": "each"}, FILE) == [StackPlace()]


def test_a_plane_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match=r"film\.tif: has 3 planes along Z, .* no plane 3"):
        places_in_stack({"Z": 3}, {"Z": 3}, FILE)


def test_planes_in_words() -> None:
    assert in_words({"T": 2, "Z": 3}) == "2 planes along T and 3 planes along Z"
    assert in_words({}) == "one plane"
