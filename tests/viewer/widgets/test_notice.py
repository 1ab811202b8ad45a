from __future__ import annotations

from typing import Any, get_args

import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.notice import Kind, Notice, tinted

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


def test_many_entries_are_folded_and_unfold_by_a_click(qtbot: Any) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    notice.setFixedWidth(330)
    entries = [
        f"{n} of 132 rows have no class & are <left> out, as their column is empty"
        for n in range(1, 9)
    ]
    notice.say("\n".join(entries), "warning")
    # Whoever reads the notice reads it all; what is drawn is the first three, of two lines each.
    assert notice.text().splitlines() == entries
    assert notice.folded == 5
    shown = QLabel.text(notice)
    assert "Show 5 more" in shown and "3 of 132" in shown and "4 of 132" not in shown
    assert "&lt;left&gt;" in shown
    low = notice.heightForWidth(330)
    notice.linkActivated.emit("#")
    assert "8 of 132" in QLabel.text(notice) and "Show less" in QLabel.text(notice)
    assert notice.heightForWidth(330) > 1.5 * low
    # Of a long entry that would not fit, the beginning is shown.
    notice.say(
        "\n".join(["Predicted: 30 treated", "values are shifted: " + "DNA " * 200]), "warning"
    )
    cut = QLabel.text(notice)
    assert notice.folded == 1 and "values are shifted: DNA" in cut and "…" in cut
    assert "Show 1 more" in cut and len(cut) < 600
    # A new text is folded again.
    notice.say("\n".join(reversed(entries)), "warning")
    assert "Show 5 more" in QLabel.text(notice)


def test_few_entries_are_not_folded(qtbot: Any) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    # The last alone is a single line: as much as the link would take.
    notice.say("\n".join(["x" * 40 + " " + "y" * 40] * 3 + ["short"]), "warning")
    assert notice.folded == 0 and "Show" not in QLabel.text(notice)
    notice.say("One <line> of 1 & 2", "error")
    assert QLabel.text(notice) == notice.text() == "One <line> of 1 & 2"


def test_a_long_name_does_not_make_the_dock_wider(qtbot: Any) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    path = "C:\\screens\\" + "plate_0003_reimaged" * 6 + "\\model.cmx"
    notice.say(f"{path}: not a bundle", "error")
    assert notice.minimumSizeHint().width() < 340
    assert path in notice.toolTip() and path in notice.text()


def test_a_notice_may_take_fewer_lines(qtbot: Any) -> None:
    entries = "\n".join(f"• {number} says something" for number in range(5))
    short, long = Notice(lines=2), Notice()
    for notice in (short, long):
        qtbot.addWidget(notice)
        notice.say(entries, "warning")
    assert (short.folded, long.folded) == (3, 0)
    short.unfold(True)
    assert "4 says something" in QLabel.text(short)
