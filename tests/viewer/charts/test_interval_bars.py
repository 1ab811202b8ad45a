from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint

from napari_channelmix.viewer.charts.interval_bars import Bar, Bars
from napari_channelmix.viewer.widgets.theme import chart_colors


@pytest.fixture
def bars(qtbot: Any) -> Bars:
    found = Bars("figures", "dark", (0.0, 1.0))
    qtbot.addWidget(found)
    found.resize(340, 100)
    found.show()
    return found


def color(bars: Bars, point: Any) -> str:
    return bars.grab().toImage().pixelColor(QPoint(round(point.x()), round(point.y()))).name()


def test_a_longer_bar_is_a_larger_value(bars: Bars) -> None:
    bars.show_bars([Bar("latents", 0.9, "0.90"), Bar("hand-crafted", 0.45, "0.45")])
    assert bars.bar_rect(0).width() == pytest.approx(2 * bars.bar_rect(1).width(), rel=0.02)
    middle = bars.bar_rect(0).center()
    assert color(bars, middle) == chart_colors("dark").bar.lower()


def test_negative_values_go_to_the_left_and_intervals_fit(bars: Bars) -> None:
    bars.show_bars([Bar("a", -2.0, "-2"), Bar("b", 2.0, "2", (1.0, 5.0))])
    assert bars.scale == (-2.0, 5.0)
    assert bars.bar_rect(0).right() == pytest.approx(bars.bar_rect(1).left())


def test_what_stands_out_has_another_colour(bars: Bars) -> None:
    bars.show_bars([Bar("a", 0.5, "0.5", strong=True)])
    assert color(bars, bars.bar_rect(0).center()) == chart_colors("dark").second.lower()


def test_figures_can_be_heard(bars: Bars) -> None:
    bars.show_bars([Bar("latents", 0.9, "0.90"), Bar("chance", 0.5, "0.50")])
    assert bars.accessibleDescription() == "latents 0.90, chance 0.50"


def test_an_interval_and_a_level_are_drawn(bars: Bars) -> None:
    bars.show_bars([Bar("a", 0.2, "0.2")])
    plain = bars.grab().toImage()
    bars.show_bars([Bar("a", 0.2, "0.2", (0.1, 0.8))])
    ranged = bars.grab().toImage()
    bars.show_bars([Bar("a", 0.2, "0.2")], level=0.5)
    assert plain != ranged != bars.grab().toImage() != plain


def test_without_rows_nothing_is_drawn(bars: Bars) -> None:
    empty = bars.grab().toImage()
    bars.show_bars([Bar("a", 0.2, "0.2")])
    bars.show_bars([])
    assert bars.height() == 1 and bars.grab().toImage().size().height() == 1
    assert bars.grab().toImage().pixelColor(120, 0) == empty.pixelColor(0, 0)


def test_short_names_leave_their_room_to_the_bars(bars: Bars) -> None:
    bars.show_bars([Bar("a", 1.0, "1")])
    short = bars.bar_rect(0)
    bars.show_bars([Bar("a name longer than any bar has room for", 1.0, "1")])
    assert short.left() < bars.bar_rect(0).left() and short.right() == bars.bar_rect(0).right()
