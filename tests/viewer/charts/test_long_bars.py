from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.viewer.charts.interval_bars import Bar
from napari_channelmix.viewer.charts.long_bars import LongBars, tick_values


def bars_of(count: int, **more: Any) -> list[Bar]:
    """The first is the largest."""
    return [Bar(f"CD{row}", 1.0 - row / count, f"{row}", **more) for row in range(count)]


@pytest.fixture
def bars(qtbot: Any) -> LongBars:
    widget = LongBars("figures", "dark", (0.0, 0.1))
    qtbot.addWidget(widget)
    widget.resize(300, 500)
    widget.show()
    return widget


def test_few_rows_are_all_shown_and_nothing_else_is(bars: LongBars) -> None:
    bars.show_bars(bars_of(12))
    assert bars.shown == tuple(range(12)) and bars.bars.row_height == 22
    assert bars.choice.name.isHidden() and bars.choice.more.isHidden() and bars.axis.isHidden()


def test_of_forty_rows_twelve_are_shown_and_the_button_tells_of_the_others(bars: LongBars) -> None:
    bars.show_bars(bars_of(40, floor=0.5))
    assert bars.shown == tuple(range(12)) and len(bars.rows) == 40
    assert 14 <= bars.bars.row_height < 22
    # Rows 20 to 39 are at .5 or below it.
    assert bars.choice.more.text() == "Show 28 more; 20 not above the control"
    assert not bars.axis.isHidden()
    bars.choice.more.click()
    assert len(bars.bars.rows) == 40
    assert bars.area.height() <= 340 < bars.bars.height()


def test_rows_whose_interval_holds_zero_are_counted_where_there_is_no_control(
    bars: LongBars,
) -> None:
    bars.show_bars(
        [Bar(f"m{row}", 0.1, ".1", (-0.1 if row > 30 else 0.05, 0.2)) for row in range(40)]
    )
    assert bars.choice.more.text() == "Show 28 more; 9 with 0 in the interval"


def test_the_scale_is_that_of_all_rows_whichever_are_shown(bars: LongBars) -> None:
    bars.show_bars(bars_of(40))
    scale = bars.scale
    bars.choice.name.setText("cd39")
    assert [bar.name for bar in bars.bars.rows] == ["CD39"]
    assert bars.scale == scale and bars.choice.more.isHidden()
    bars.choice.name.setText("cd38, CD7")
    assert bars.shown == (7, 38)


def test_a_row_that_is_clicked_is_told_by_its_place_among_all(bars: LongBars, qtbot: Any) -> None:
    bars.show_bars(bars_of(40))
    bars.make_pressable()
    bars.choice.name.setText("CD39")
    with qtbot.waitSignal(bars.chosen) as heard:
        qtbot.mouseClick(bars.bars, Qt.MouseButton.LeftButton, pos=QPoint(100, 5))
    assert heard.args == [39]


def test_ticks_are_round_and_zero_is_one_of_them() -> None:
    assert tick_values(-0.25, 1.0) == (0.0, 0.5, 1.0)
    assert tick_values(0.0, 0.07) == (0.0, 0.02, 0.04, 0.06)
    assert tick_values(2.0, 2.0) == (2.0,)
