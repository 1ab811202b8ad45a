"""Twenty classes are told apart, also by people who see fewer colours."""

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_channelmix.class_palette import CLASS_COLORS
from napari_channelmix.report.class_colors import class_color

# Machado, Oliveira and Fernandes 2009, severity 1: what is left of linear red, green and blue.
SIGHTS = {
    "usual": np.eye(3),
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


def seen(rgb, sight):
    """Lab of colours (n, 3) in 0 .. 1 as they are seen."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    left = np.clip(linear @ np.array(SIGHTS[sight]).T, 0, 1)
    coded = np.where(left <= 0.0031308, 12.92 * left, 1.055 * left ** (1 / 2.4) - 0.055)
    return rgb2lab(coded[None])[0]


def parsed(text):
    return [int(text[start : start + 2], 16) / 255 for start in (1, 3, 5)]


IN_WINDOW = np.array([parsed(text) for text in CLASS_COLORS])
IN_FILES = np.array([class_color(code) for code in range(20)]) / 255


@pytest.mark.parametrize("colors", [IN_WINDOW, IN_FILES], ids=["window", "files"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_twenty_colors_are_apart(sight, colors):
    assert len(colors) == 20
    lab = seen(colors, sight)
    apart = deltaE_ciede2000(lab[:, None], lab[None])[np.triu_indices(20, 1)]
    least = 16 if sight == "usual" else 8
    assert apart.min() > least


def test_colors_are_seen_on_black_and_on_white():
    lightness = seen(IN_WINDOW, "usual")[:, 0]
    assert lightness.min() > 25 and lightness.max() < 92
