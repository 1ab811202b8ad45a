"""Colours of charts in napari's themes, light or dark."""

from __future__ import annotations

from dataclasses import dataclass

from napari.utils.theme import get_theme

__all__ = ["ChartColors", "chart_colors"]


@dataclass(frozen=True)
class ChartColors:
    """Hexadecimal colours that keep their contrast on the theme's ground."""

    ground: str
    text: str
    line: str
    bar: str
    second: str
    good: str


def chart_colors(theme: str) -> ChartColors:
    """Okabe and Ito's blue and vermilion: the lighter ones on dark grounds."""
    napari_theme = get_theme(theme)
    dark = napari_theme.type == "dark"
    return ChartColors(
        ground=_hex(napari_theme.background),
        text=_hex(napari_theme.text),
        line="#9AA0A8" if dark else "#66666B",
        bar="#56B4E9" if dark else "#0072B2",
        second="#E69F00" if dark else "#C24F00",
        good="#2FBF8F" if dark else "#00795A",
    )


def _hex(color: object) -> str:
    """Six digits: Qt reads the short form, pyqtgraph's fourth digit pair would be alpha."""
    red, green, blue = color.as_rgb_tuple()[:3]
    return f"#{red:02X}{green:02X}{blue:02X}"
