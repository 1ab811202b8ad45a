from __future__ import annotations

from typing import Any, get_args

import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_channelmix.viewer.notice import Kind, Notice, tinted

KINDS: tuple[Kind, ...] = get_args(Kind)


def lightness(color: QColor) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines define it."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.getRgbF()[:3]
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    dark, light = sorted((lightness(one), lightness(other)))
    return (light + 0.05) / (dark + 0.05)


def of(color: Any) -> QColor:
    return QColor(*color.as_rgb_tuple()[:3])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_text_is_readable_and_the_ground_is_calm(theme: str, kind: Kind) -> None:
    found = get_theme(theme)
    ground = tinted(of(found.background), kind)
    assert contrast(ground, of(found.text)) >= 4.5
    # Calm: near to the ground of the dock, and yet not the same.
    assert 1.0 < contrast(ground, of(found.background)) < 1.6
    assert ground != of(found.background)


def test_a_change_of_theme_is_followed(viewer: Any, qtbot: Any) -> None:
    around = QWidget()
    notice = Notice()
    QVBoxLayout(around).addWidget(notice)
    viewer.window.add_dock_widget(around, name="said")
    notice.say("What went wrong", "error")
    seen = {}
    for theme in ("dark", "light", "dark"):
        viewer.theme = theme
        qtbot.wait(80)
        picture = notice.grab().toImage()
        ground = picture.pixelColor(picture.width() - 2, 1)
        text = notice.palette().windowText().color()
        assert contrast(ground, text) >= 4.5
        assert ground == tinted(of(get_theme(theme).background), "error")
        assert picture.pixelColor(1, 1) == QColor("#D55E00")
        seen[theme] = ground
    assert lightness(seen["light"]) > 0.5 > lightness(seen["dark"])


def test_nothing_to_say_takes_no_room(qtbot: Any) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    notice.say("Saved", "good")
    assert not notice.isHidden()
    notice.clear_line()
    assert notice.isHidden()
