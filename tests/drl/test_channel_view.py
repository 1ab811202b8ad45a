"""Views: every channel has a colour or a weight, and what cannot be is refused."""

import numpy as np
import pytest

from napari_channelmix.drl.channel_view import PALETTE, View
from napari_channelmix.errors import DataError

SIX = ["a", "b", "c", "d", "e", "f"]


def test_channels_without_colors_take_those_of_the_palette_in_order():
    view = View.colors(SIX)
    assert view.weights == PALETTE
    assert len(set(PALETTE)) == 6
    assert view.depth == 3
    assert not view.natural
    assert View.colors(["a", "b"]).weights == PALETTE[:2]


@pytest.mark.parametrize("names", [("R", "G", "B"), ("red", "Green", "BLUE")])
def test_red_green_and_blue_are_the_picture_they_are(names):
    view = View.colors(names)
    assert view.natural
    np.testing.assert_array_equal(view.matrix, np.eye(3))
    assert not View.colors(names[::-1]).natural


def test_a_single_channel_is_grey():
    assert View.colors(["DNA"]).weights == ((1, 1, 1),)
    assert View.one("DNA", 3) == View.colors(["DNA"])
    assert View.one("DNA").depth == 1


def test_own_colors_are_kept():
    view = View.colors(["a", "b"], {"b": (0, 0.5, 1), "a": [1, 0, 0], "c": (1, 1, 1)})
    assert view.weights == ((1.0, 0.0, 0.0), (0.0, 0.5, 1.0))


def test_more_channels_than_colors_are_refused():
    with pytest.raises(DataError, match="7 channels, but only 6 colours; choose some of a, b"):
        View.colors([*SIX, "g"])
    assert View.colors([*SIX, "g"], dict.fromkeys([*SIX, "g"], (1, 1, 1))).depth == 3


def test_a_channel_without_a_color_is_refused():
    with pytest.raises(DataError, match="channel 'b' has no colour"):
        View.colors(["a", "b"], {"a": (1, 0, 0)})


@pytest.mark.parametrize(
    "color", [(1, 0), (1, 0, -0.1), (255, 0, 0), (1, 0, float("nan")), "red", 3]
)
def test_a_color_that_is_none_is_refused(color):
    with pytest.raises(DataError, match="the colour of 'a' must be three numbers from 0 to 1"):
        View.colors(["a"], {"a": color})


def test_a_blend_is_the_shares_made_to_sum_to_1():
    view = View.blend({"a": 3, "b": 0, "c": 1})
    assert view.channels == ("a", "b", "c")
    assert view.matrix.ravel().tolist() == [0.75, 0, 0.25]
    assert View.blend({"a": 1}, 3).depth == 3


@pytest.mark.parametrize(
    "shares", [{}, {"a": 0.0}, {"a": 1.5, "b": -0.5}, {"a": float("nan")}, {"a": float("inf")}]
)
def test_a_blend_of_nothing_or_less_is_refused(shares):
    with pytest.raises(DataError, match="shares of 0 or more, one of them above 0"):
        View.blend(shares)


@pytest.mark.parametrize("view", [View.colors(["R", "G", "B"]), View.blend({"a": 1, "b": 2})])
def test_a_view_goes_through_json(view):
    import json

    assert View.from_dict(json.loads(json.dumps(view.as_dict()))) == view
