"""Colours for and against a class: clear at 0, told apart by colour-blind people, on one scale."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_channelmix.evidence_colors import (
    VIEWS,
    color_table,
    evidence_legend,
    evidence_rgba,
    map_limit,
)

# Machado, Oliveira, Fernandes 2009, severity 1: what is seen of linear red, green and blue.
SEEN = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(value: float, ground: float, matrix: np.ndarray) -> np.ndarray:
    """The colour of a value over a grey ground, in CIELAB, as such an eye sees it."""
    color = evidence_rgba(np.array([value], np.float32), "signed")[0]
    over = ground * (1 - color[3]) + color[:3] * color[3]
    linear = np.where(over <= 0.04045, over / 12.92, ((over + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.asarray(matrix).T, 0, 1)
    back = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(back[None, None])[0, 0]


@pytest.mark.parametrize("eye", SEEN)
@pytest.mark.parametrize("ground", [0.05, 0.3, 0.6])
def test_for_and_against_are_told_apart_by_every_eye(eye: str, ground: float) -> None:
    # Ten of these units are plainly two colours side by side.
    apart = [
        deltaE_ciede2000(*(seen(sign * value, ground, SEEN[eye]) for sign in (1, -1)))
        for value in (0.25, 0.5, 1.0)
    ]
    assert apart[0] > 10 and apart[1] > 25 and apart[2] > 35


@pytest.mark.parametrize("view", VIEWS)
def test_no_evidence_is_clear_and_more_of_it_is_less_so(view: str) -> None:
    table = color_table(view)
    middle = len(table) // 2
    assert table[middle, 3] == 0
    assert (np.diff(table[middle:, 3]) > 0).all() and table[-1, 3] == pytest.approx(0.9)
    below = table[:middle, 3]
    assert (below == table[:middle:-1, 3]).all() if view == "signed" else not below.any()
    # Lighter with every step: an even scale without hue, too.
    light = table[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light[middle:]) > 0).all()
    assert (np.diff(light[:middle]) < 0).all() or view != "signed"


def test_values_beyond_the_scale_have_its_last_colours() -> None:
    shown = evidence_rgba(np.array([-3, -1, 1, 7], np.float32), "signed")
    assert (shown[0] == shown[1]).all() and (shown[2] == shown[3]).all()
    assert shown[0, 2] > shown[0, 0] and shown[3, 0] > shown[3, 2]


def test_for_and_against_have_one_limit() -> None:
    # 98 of the absolute values lie at 1 and two above it.
    maps = np.concatenate([np.ones(49), -np.ones(49), [-5, 9]]).astype(np.float32)
    assert map_limit(maps) == pytest.approx(map_limit(-maps))
    assert 1 <= map_limit(maps) < 5
    one = np.zeros((20, 20), np.float32)
    one[3, 4] = -5
    assert map_limit(one) == 5
    assert map_limit(np.full(4, np.nan, np.float32)) == 0


def test_the_legend_names_the_class_and_only_what_is_shown() -> None:
    words = [text for _, text in evidence_legend("signed", "G2")]
    assert words == ["speaks for G2", "speaks against G2"]
    assert [text for _, text in evidence_legend("for")] == ["speaks for the class"]
    assert [text for _, text in evidence_legend("magnitude", "G2")] == ["evidence for or against"]
