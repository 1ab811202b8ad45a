"""Colours of classes in files that other programs open."""

from __future__ import annotations

__all__ = ["class_color"]

# Told apart with colour blindness too: Okabe and Ito, https://jfly.uni-koeln.de/color, no black.
_COLORS = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
)
_GREY = (153, 153, 153)


def class_color(code: int) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a position among classes; grey for -1, which is none.

    Examples
    --------
    >>> class_color(0), class_color(7), class_color(-1)
    ((0, 114, 178), (0, 114, 178), (153, 153, 153))
    """
    return _GREY if code < 0 else _COLORS[code % len(_COLORS)]
