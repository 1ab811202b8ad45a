from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.classify.accuracy import (
    AccuracyDifference,
    AccuracyEstimate,
    estimate_accuracy,
)
from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.dcmix.single_channels import ChannelsAlone, ChannelSet
from napari_channelmix.viewer.pages.channels.chart import ImportanceChart
from napari_channelmix.viewer.pages.channels.page import verdict
from napari_channelmix.viewer.pages.channels.table import FiguresTable, measured_alone
from napari_channelmix.viewer.widgets.theme import chart_colors

NAMES = (
    "DAPI",
    "a channel with a very long name indeed",
    "GZMB",
    "PD1",
    "CK",
    "CD8a",
    "FOXP3",
    "DF",
)


def made(gate: str = "ok", shapley: bool = True) -> ChannelImportance:
    share = (0.05, 0.3, 0.2, 0.1, 0.1, 0.15, 0.06, 0.04)
    values = (0.0, 0.01, 0.3, 0.0, 0.02, 0.1, -0.01, 0.0)
    return ChannelImportance(
        NAMES,
        share,
        (0.01,) * 8,
        values if shapley else None,
        (0.01,) * 8 if shapley else None,
        {},
        (0.04,) * 8,
        None,
        {"mixed": 0.8, "plain": 0.9},
        {"mixed": {}, "plain": {}},
        gate,
        (0, 1, 2, 3),
        (share,) * 4,
        100,
        30,
        (),
        {},
    )


@pytest.fixture
def chart(qtbot: Any) -> ImportanceChart:
    widget = ImportanceChart("dark")
    qtbot.addWidget(widget)
    widget.resize(360, 400)
    widget.show_importance(made())
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.wait(50)
    return widget


def test_bars_stand_in_order_of_share(chart: ImportanceChart) -> None:
    assert chart.rows[:3] == (NAMES[1], "GZMB", "CD8a")


@pytest.mark.parametrize("name", ["GZMB", "DF"])
def test_a_click_on_a_bar_chooses_its_channel(
    chart: ImportanceChart, qtbot: Any, name: str
) -> None:
    with qtbot.waitSignal(chart.channel_chosen) as heard:
        qtbot.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=chart.bar_center(name))
    assert heard.args == [name]


def test_keys_choose_a_channel(chart: ImportanceChart, qtbot: Any) -> None:
    chosen: list[str] = []
    chart.channel_chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(chart, key)
    assert chosen == ["CD8a"]


def test_figures_are_read_in_words(chart: ImportanceChart) -> None:
    expected = "GZMB: share 0.200 ± 0.010, Shapley value 0.300, its negative control 0.040"
    assert chart.describe("GZMB") == expected


def test_p_values_stand_beside_the_figures(chart: ImportanceChart, qtbot: Any) -> None:
    found = replace(made(), p_value=(1.0, 0.0004, 0.021, 1.0, 1.0, 1.0, 1.0, 1.0))
    chart.show_importance(found)
    assert chart.describe("GZMB").endswith(", p = 0.021")
    assert chart.describe(NAMES[1]).endswith(", p < 0.001")
    table = FiguresTable()
    qtbot.addWidget(table)
    table.show_importance(made())
    assert table.columnCount() == 5
    table.show_importance(found)
    assert table.horizontalHeaderItem(5).text() == "p"
    tip = table.horizontalHeaderItem(5).toolTip()
    assert "larger of two" in tip and "permuted labels" in tip and "Holm" in tip
    assert [table.item(row, 5).text() for row in range(2)] == ["<0.001", "0.021"]


def test_the_chart_follows_the_theme(chart: ImportanceChart) -> None:
    def corner() -> str:
        return chart.grab().toImage().pixelColor(2, 2).name()

    dark = corner()
    assert dark == chart_colors("dark").ground.lower()
    chart.follow_theme("light")
    assert corner() == chart_colors("light").ground.lower() != dark


def test_bars_are_paler_where_the_gate_is_closed(chart: ImportanceChart) -> None:
    def blue() -> int:
        point = chart.bar_center("GZMB")
        return int(chart.grab().toImage().pixelColor(point).blue())

    opened = blue()
    chart.show_importance(made("blending to one image costs accuracy"))
    assert blue() < opened - 40


def test_a_closed_gate_puts_both_answers_side_by_side() -> None:
    text = verdict(made("blending to one image costs accuracy"))
    assert text.startswith("Not reliable: blending to one image costs accuracy.")
    assert "Most by Shapley value: GZMB, CD8a, CK" in text
    assert "channel-mixing 0.80, all-channel 0.90" in text


def test_the_verdict_stands_first_with_intervals_below() -> None:
    estimate = estimate_accuracy([0, 0, 1, 1] * 3, [0, 0, 1, 0] * 3, np.arange(12) // 2, ["a", "b"])
    found = replace(
        made("accuracy is at chance"),
        verdict="Nothing can be read: accuracy is at chance",
        estimates={"mixed": estimate, "plain": estimate},
        division="4 folds; each of 6 groups",
    )
    lines = verdict(found).splitlines()
    assert lines[0] == "Nothing can be read: accuracy is at chance."
    assert lines[1].startswith("Accuracy is at chance. ") or lines[1] == "Accuracy is at chance."
    assert "4 folds; each of 6 groups" in lines
    assert any("95 % interval" in line and "6 held-out groups, 12 cells" in line for line in lines)


def test_axes_name_shares_not_thousandths(chart: ImportanceChart) -> None:
    chart.follow_theme("light")
    for side in ("bottom", "top"):
        axis = chart.getPlotItem().getAxis(side)
        assert "0.001" not in axis.labelString() and axis.autoSIPrefixScale == 1.0


def test_zero_stands_on_the_axis_of_shares(chart: ImportanceChart) -> None:
    chart.show_importance(made(shapley=False))
    assert chart.getViewBox().viewRange()[0][0] < 0


def test_channels_not_above_their_control_are_grey_in_chart_and_table(
    chart: ImportanceChart, qtbot: Any
) -> None:
    above = tuple(name != "CK" for name in NAMES)
    chart.show_importance(replace(made(), above_decoy=above))
    grey = chart_colors("dark").line.lower()
    assert chart._brush("CK", True).color().name() == grey
    assert chart._brush("GZMB", True).color().name() != grey
    assert "not above its control" in chart.legend()
    assert chart.describe("CK").endswith("not above its negative control")
    table = FiguresTable()
    qtbot.addWidget(table)
    table.show_importance(chart.importance)
    rows = {table.item(row, 0).text(): table.item(row, 1) for row in range(table.rowCount())}
    assert rows["CK"].foreground().color() != rows["GZMB"].foreground().color()
    assert rows["CK"].toolTip() == "Not above its negative control"


def test_a_closed_gate_orders_bars_by_shapley_value(chart: ImportanceChart) -> None:
    chart.show_importance(made(gate="blending to one image costs accuracy"))
    assert chart.rows[:2] == ("GZMB", "CD8a")


def test_each_bar_has_the_line_of_its_own_decoy(chart: ImportanceChart) -> None:
    decoys = tuple(0.01 * at for at in range(len(NAMES)))
    found = replace(made(), decoy=decoys)
    chart.show_importance(found)
    items = chart.getPlotItem().items
    (line,) = [item for item in items if isinstance(item, pg.PlotDataItem)]
    drawn = [decoys[NAMES.index(name)] for name in chart.rows]
    assert np.allclose(line.xData[::2], drawn) and np.allclose(line.xData[1::2], drawn)
    assert np.allclose(line.yData.reshape(-1, 2).mean(axis=1), range(len(NAMES)))


def test_without_shapley_values_there_is_no_axis_for_them(chart: ImportanceChart) -> None:
    axis = chart.getPlotItem().getAxis("top")
    assert axis.isVisible()
    chart.show_importance(made(shapley=False))
    assert not axis.isVisible()


def test_names_of_channels_are_not_cut_off_for_the_figures(qtbot: Any) -> None:
    table = FiguresTable()
    qtbot.addWidget(table)
    table.resize(200, 200)
    table.show_importance(made())
    table.show()
    qtbot.waitExposed(table)
    assert table.columnWidth(0) >= table.fontMetrics().horizontalAdvance("a channel with")


def heads(low: float, groups: int = 8, warning: str = "") -> ChannelsAlone:
    """Linear classifiers of each channel; ``low`` is the lower end of all of them together."""
    behind = AccuracyDifference(0.1, 0.05, 0.15, 96, 8)
    whole = AccuracyEstimate(0.8, low, 0.9, 0.5, 96, groups, (), warning)
    alone = tuple(
        ChannelSet((name,), AccuracyEstimate(0.6 + 0.01 * at, 0.52, 0.7, 0.5, 96, 8, ()), behind)
        for at, name in enumerate(NAMES)
    )
    return ChannelsAlone(NAMES, whole, alone, alone, None, ())


def test_accuracies_alone_and_without_have_their_intervals_and_what_they_are_of(qtbot: Any) -> None:
    table = FiguresTable()
    qtbot.addWidget(table)
    importance = replace(made(), alone=heads(0.7))
    table.show_importance(importance)
    titles = [table.horizontalHeaderItem(at).text() for at in range(table.columnCount())]
    assert titles[-2:] == ["alone", "without"]
    items = {
        table.item(row, 0).text(): table.item(row, titles.index("alone"))
        for row in range(table.rowCount())
    }
    assert items["GZMB"].text() == ".62 (.52 to .70)"
    assert "8 held-out groups, 96 cells" in items["GZMB"].toolTip()
    assert "8 held-out groups, 96 cells" in measured_alone(importance)
    assert "Not to be read" not in measured_alone(importance)
    frame = importance.to_frame()
    assert frame.loc["GZMB", ["accuracy_alone_low", "accuracy_alone_high"]].tolist() == [0.52, 0.7]


def test_a_warning_about_cells_without_groups_makes_nothing_grey() -> None:
    importance = replace(made(), alone=heads(0.7, 96, "no groups are known"))
    assert "Not to be read" not in measured_alone(importance)
    assert measured_alone(importance) == f"alone, without: {importance.alone.measured_on}."


@pytest.mark.parametrize(
    ("low", "groups", "verdict"),
    [
        (0.45, 8, ""),
        (0.7, 2, ""),
        (0.7, 8, "Nothing can be read: too few groups"),
    ],
)
def test_what_must_not_be_read_is_grey_and_says_so(
    qtbot: Any, low: float, groups: int, verdict: str
) -> None:
    table = FiguresTable()
    qtbot.addWidget(table)
    importance = replace(made(), alone=heads(low, groups), verdict=verdict)
    if verdict:
        importance = replace(importance, gate="too few: nothing can be read")
    table.show_importance(importance)
    last = table.columnCount() - 1
    assert table.item(0, last).toolTip().startswith("Not to be read: ")
    assert table.item(0, last).foreground().color() != table.item(0, 1).foreground().color()
    assert "Not to be read: " in measured_alone(importance)
    assert measured_alone(made()) == "" and measured_alone(None) == ""
