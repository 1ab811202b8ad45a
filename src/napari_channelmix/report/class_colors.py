"""Colours of classes in files that other programs open."""

from __future__ import annotations

from napari_channelmix.class_palette import CLASS_COLORS

__all__ = ["class_color"]

# The order that files of earlier versions have: Okabe and Ito's with yellow, then the others of the
# palette but for its own yellow.
_FIRST = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_COLORS = tuple(
    (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
    for text in dict.fromkeys((*_FIRST, *CLASS_COLORS))
    if text != "#D1E800"
)
_GREY = (153, 153, 153)


def class_color(code: int) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a position among classes; grey for -1, which is none.

    Examples
    --------
    >>> class_color(0), class_color(20), class_color(-1)
    ((0, 114, 178), (0, 114, 178), (153, 153, 153))
    """
    return _GREY if code < 0 else _COLORS[code % len(_COLORS)]
