"""Colours of channels: what nuclei have, what a picture's red is, and that six stay apart."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_channelmix.data.channel_colors import (
    CHANNELS,
    NUCLEAR,
    PHOTO,
    TOGETHER,
    channel_colors,
    colors_together,
    is_photo,
)

# Linear light as deuteranopes and protanopes see it (Vienot, Brettel and Mollon 1999).
SIGHTS = {
    "all colours": np.eye(3),
    "no green": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    "no red": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
}


def lab(color: str, sight: np.ndarray) -> np.ndarray:
    values = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(sight @ linear, 0, 1)
    srgb = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return rgb2lab(srgb[None, None])[0, 0]


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_that_are_shown_together_are_told_apart(sight):
    colors = [lab(color, SIGHTS[sight]) for color in (NUCLEAR, *TOGETHER)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(colors, 2)) > 20


def test_nuclei_are_blue_wherever_they_stand_and_the_others_take_turns():
    assert channel_colors(("CD3", "hoechst 33342", "CD4")) == (CHANNELS[0], NUCLEAR, CHANNELS[1])
    many = channel_colors(tuple(f"marker {n}" for n in range(14)))
    assert many[12:] == many[:2] and NUCLEAR not in many


def test_only_one_channel_is_the_nuclear_one():
    assert channel_colors(("DNA", "DAPI")) == (NUCLEAR, CHANNELS[0])


def test_red_green_and_blue_of_a_picture_are_what_they_are_called():
    assert channel_colors(("R", "green", "b")) == PHOTO and is_photo(("Red", "G", "Blue"))
    assert not is_photo(("red", "green")) and not is_photo(("green", "red", "blue"))


def test_a_channel_keeps_its_colour_while_others_come_and_go():
    first = dict(zip("abc", colors_together(("a", "b", "c")), strict=True))
    then = dict(zip("cdb", colors_together(("c", "d", "b"), first), strict=True))
    assert then["c"] == first["c"] and then["b"] == first["b"] and then["d"] == first["a"]
    six = colors_together(tuple("abcdef"), first)
    assert len(set(six)) == 6
