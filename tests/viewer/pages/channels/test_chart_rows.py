from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.viewer.pages.channels.chart import ImportanceChart
from napari_channelmix.viewer.pages.channels.chart_rows import ChartRows
from napari_channelmix.viewer.pages.channels.table import FiguresTable


def made(count: int) -> ChannelImportance:
    """The later a channel, the smaller its share."""
    share = tuple((count - row) / (count * (count + 1) / 2) for row in range(count))
    return ChannelImportance(
        tuple(f"marker {row}" for row in range(count)),
        share,
        (0.01,) * count,
        None,
        None,
        {},
        (0.004,) * count,
        None,
        {"mixed": 0.8, "plain": 0.9},
        {"mixed": {}, "plain": {}},
        "ok",
        (0, 1),
        (share,) * 2,
        100,
        30,
        (),
        {},
    )


@pytest.fixture
def rows(qtbot: Any) -> ChartRows:
    widget = ChartRows(ImportanceChart("dark"))
    qtbot.addWidget(widget)
    widget.resize(300, 500)
    widget.show()
    return widget


def test_few_channels_are_all_shown(rows: ChartRows) -> None:
    rows.show_importance(made(8))
    assert len(rows.chart.rows) == 8
    assert rows.choice.name.isHidden() and rows.bar.isHidden()


def test_of_forty_channels_twelve_are_shown_and_the_rest_scrolls_between_its_axes(
    rows: ChartRows,
) -> None:
    imp = made(40)
    rows.show_importance(replace(imp, above_decoy=tuple(row < 15 for row in range(40))))
    assert rows.chart.rows == tuple(f"marker {row}" for row in range(12))
    assert rows.choice.more.text() == "Show 28 more; 25 not above the control"
    height = rows.chart.height()
    assert height < 340
    rows.choice.more.click()
    assert len(rows.chart.rows) == 40 and 14 <= rows.chart.row_height < 22
    assert rows.chart.height() < 450 and not rows.bar.isHidden()
    across = rows.chart.getViewBox().viewRange()[0]
    rows.bar.setValue(10)
    (first, last) = rows.chart.getViewBox().viewRange()[1]
    assert first == pytest.approx(9.4) and last == pytest.approx(9.6 + rows.chart.in_sight)
    assert rows.chart.getViewBox().viewRange()[0] == across


def test_a_name_narrows_the_chart_down_on_the_scale_of_all(rows: ChartRows) -> None:
    rows.show_importance(made(40))
    across = rows.chart.getViewBox().viewRange()[0]
    rows.choice.name.setText("marker 39")
    assert rows.chart.rows == ("marker 39",)
    assert rows.chart.getViewBox().viewRange()[0] == pytest.approx(across)


def test_a_table_of_many_channels_scrolls_below_its_header(qtbot: Any) -> None:
    table = FiguresTable()
    qtbot.addWidget(table)
    table.show_importance(made(40))
    assert table.rowCount() == 40 and table.height() < 14 * 22 + 100
