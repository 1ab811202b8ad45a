"""Colours that colour-blind people can tell apart, for classes and charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.class_palette import CLASS_COLORS
from napari_channelmix.data.channel_colors import channel_colors, is_photo

__all__ = ["channel_colors", "class_color", "class_hex", "is_photo", "palette_of"]

NO_CLASS = "#9A9A9A"
# More classes than colours: lightness is what every eye tells apart. Ground and its share.
TURNS = ((0, 0.0), (0, 0.45), (255, 0.55))


def palette_of(classes: Sequence[str], predicted: Sequence[str] = ()) -> tuple[str, ...]:
    """The classes of the cells, then those that are predicted only: positions are colours.

    Every layer, chart and legend takes its colours by this order, so that a class has one colour
    whatever the order in which a classifier knows it.
    """
    return tuple(dict.fromkeys((*classes, *predicted)))


def class_hex(code: int) -> str:
    """Colour of a class by its position, grey for -1.

    After the twenty colours come the same ones darker, then lighter; more than 60 begin anew.
    """
    if code < 0:
        return NO_CLASS
    turn, place = divmod(code, len(CLASS_COLORS))
    ground, share = TURNS[turn % len(TURNS)]
    mixed = (
        round((1 - share) * int(CLASS_COLORS[place][start : start + 2], 16) + share * ground)
        for start in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02X}" for part in mixed)


def class_color(code: int) -> npt.NDArray[np.float64]:
    """The same as (4,) red, green, blue, alpha between 0 and 1."""
    text = class_hex(code)
    return np.array([*(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0])
