"""Secondary text can be read on the ground of both themes."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QLabel

from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.viewer.widgets.theme import chart_colors


def luminance(color: str) -> float:
    """WCAG 2.1, relative luminance."""
    parts = [value / 255 for value in QColor(color).getRgb()[:3]]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_its_contrast_is_at_least_four_and_a_half(qtbot: Any, theme: str) -> None:
    label = QLabel("why")
    qtbot.addWidget(label)
    show_secondary(label, theme)
    color = label.styleSheet().split("color: ")[1].split(";")[0]
    light, dark = sorted((luminance(color), luminance(chart_colors(theme).ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert label.isEnabled()
