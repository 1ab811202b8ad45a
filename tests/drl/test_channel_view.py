"""Views: every channel has a colour or a weight, and what cannot be is refused."""

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.drl.channel_view import PALETTE, View, summed_channels, view_of_cells
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
    with pytest.raises(DataError, match=r"7 channels, but only 6 colours .*of a, b, c and 4 more"):
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


def test_more_different_colors_than_can_be_told_apart_are_refused_and_equal_ones_are_summed():
    names = [f"m{number}" for number in range(39)]
    hues = {name: (1.0, number / 39, 0.0) for number, name in enumerate(names)}
    with pytest.raises(DataError, match="39 channels, but only 6 colours"):
        View.colors(names, hues)
    with pytest.raises(DataError, match="39 channels, but only 6 colours"):
        View(tuple(names), tuple(hues.values())).checked()
    red_or_green = {name: PALETTE[number % 2] for number, name in enumerate(names)}
    assert View.colors(names, red_or_green).weights[:2] == PALETTE[:2]


def test_a_color_and_a_darker_one_of_its_hue_count_once():
    names = [f"m{number}" for number in range(10)]
    reds = {name: (0.1 * (number + 1), 0.0, 0.0) for number, name in enumerate(names)}
    assert View.colors(names, reds).depth == 3


def panel(*names):
    crops = np.random.default_rng(0).random((6, len(names), 8, 8))
    return Cells.from_array(crops, names, name="panel")


MANY = ["DAPI", "CD3", "CD20", "FOXP3", "PanCK", "a", "b", "c"]


def test_a_sum_adds_each_channel_in_full():
    view = view_of_cells("cell-sprites", 1, panel(*MANY), ["CD*", "foxp3"])
    assert view.channels == ("CD3", "CD20", "FOXP3")
    assert view.weights == ((1.0,), (1.0,), (1.0,))
    assert view.grey and view.text == "sum of CD3, CD20, FOXP3"


@pytest.mark.parametrize("depth", [1, 3])
def test_many_channels_are_refused_with_the_sum_of_the_membrane_markers_as_remedy(depth):
    with pytest.raises(DataError) as refused:
        view_of_cells("an encoder", depth, panel(*MANY))
    text = str(refused.value)
    assert "the membrane markers by name: CD3, CD20, PanCK" in text
    assert "view=['membrane'], --sum membrane" in text
    assert "\n" not in text
    assert view_of_cells("an encoder", depth, panel(*MANY), ["membrane"]).depth == depth


def test_without_names_of_markers_the_rims_are_the_remedy():
    with pytest.raises(DataError, match=r"brightest at the rims of the cells .*--sum rims"):
        view_of_cells("an encoder", 3, panel(*"abcdefgh"))


def test_a_channel_of_the_name_of_a_word_is_that_channel():
    assert summed_channels(panel("membrane", "CD3"), ["membrane"]) == ("membrane",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["CD*", "KI*"], r"panel: no channel fits 'KI\*'; it has DAPI, CD3"),
        ([], "panel: name the channels that are summed, such as CD"),
        (["rims"], "panel: no cell has an outline of a label image to measure rims at"),
    ],
)
def test_a_sum_of_what_is_not_there_is_refused(names, message):
    with pytest.raises(DataError, match=message):
        view_of_cells("an encoder", 1, panel(*MANY), names)


def test_a_view_of_another_depth_is_refused():
    with pytest.raises(DataError, match="need images of 3 channels, the view gives 1"):
        view_of_cells("an encoder", 3, panel(*MANY), View.one("CD3"))
