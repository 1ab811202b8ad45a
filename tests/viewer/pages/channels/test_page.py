"""The dock asks about a stain, offers to scale it away, and says what channels say alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from qtpy.QtWidgets import QScrollArea

from napari_channelmix.classify.accuracy import AccuracyDifference, AccuracyEstimate
from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.dcmix.separability import OneNumber, Separability
from napari_channelmix.settings import ImportanceSettings
from napari_channelmix.viewer.pages.channels.jobs import importance_job
from napari_channelmix.viewer.pages.channels.page import ChannelsPage, verdict
from napari_channelmix.viewer.widgets.folding import Folding

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.widgets.notice import Notice


def estimate(balanced: float) -> AccuracyEstimate:
    return AccuracyEstimate(balanced, balanced - 0.05, balanced + 0.02, 0.5, 100, 12, ())


def asking() -> ChannelImportance:
    number = OneNumber("DNA", "brightness", estimate(0.97), 0.8, 0.001)
    found = Separability(
        (number,), number, None, estimate(0.98), AccuracyDifference(0.01, -0.01, 0.03, 100, 12)
    )
    return ChannelImportance(
        ("DNA", "GFP"),
        (0.7, 0.3),
        (0.01, 0.01),
        None,
        None,
        {},
        None,
        None,
        {"mixed": 0.97, "plain": 0.98},
        {"mixed": {}, "plain": {}},
        found.sentence,
        (0, 1, 2, 3),
        ((0.7, 0.3),) * 4,
        100,
        30,
        (),
        {},
        separability=found,
        verdict=found.sentence,
    )


def test_the_question_stands_above_the_bars_and_what_to_do_beside_it() -> None:
    lines = verdict(asking()).splitlines()
    assert lines[0] == "Readable from the brightness of DNA alone (.97 of .98): stain or batch?"
    assert "'Scale' under 'More settings'" in lines[1]


def test_the_dock_asks_in_the_colour_of_a_warning(dock: Callable[[type], Any]) -> None:
    widget = dock(ChannelsPage)
    widget.session.importance = asking()
    gate: Notice = widget.gate
    assert gate.kind == "warning"
    assert "stain or batch?" not in widget.summary_label.text()
    assert "Groups of one class differ more" in widget.summary_label.text()


def test_groups_and_columns_of_the_table_are_offered(
    dock: Callable[[type], Any], open_plate: Callable[[], Any], plate: Cells
) -> None:
    widget = dock(ChannelsPage)
    offered = widget.scaled
    assert [offered.itemData(at) for at in range(offered.count())] == [""]
    open_plate()
    assert [offered.itemData(at) for at in range(offered.count())] == ["", "group"]
    offered.setCurrentIndex(1)
    names = sorted(set(plate.groups))
    conditions = pd.DataFrame({"plate": ["p1"] * len(names)}, index=names)
    widget.session.cells = replace(plate, conditions=conditions)
    assert [offered.itemText(at) for at in range(offered.count())] == [
        "channels as they are",
        "channels per group",
        "channels per plate",
    ]
    assert offered.currentData() == "group"


def test_what_was_chosen_is_what_is_run(plate: Cells) -> None:
    chosen = ImportanceSettings(
        seeds=1,
        shapley=False,
        decoys=False,
        network="tiny",
        epochs=1,
        device="cpu",
        scaled_per="group",
    )
    job = importance_job(plate, chosen)
    try:
        while True:
            next(job)
    except StopIteration as stop:
        found = stop.value
    assert found.provenance["scaled_per"] == "group"
    assert any("scaled per group" in line for line in found.warnings)


def test_the_result_stands_above_the_settings_once_there_is_one(
    dock: Callable[[type], Any],
) -> None:
    widget = dock(ChannelsPage)

    def first() -> bool:
        place = widget.column.indexOf
        return bool(place(widget.result_box) < place(widget.run_box))

    assert not first()
    widget.session.importance = asking()
    assert first()
    widget.session.importance = None
    assert not first()


def test_that_there_are_no_p_values_is_no_alarm(dock: Callable[[type], Any]) -> None:
    widget = dock(ChannelsPage)
    widget.session.importance = replace(asking(), p_value_reason="fewer than 4 repeats")
    assert widget.no_p_values.text() == "No p-values of the channels: fewer than 4 repeats."
    assert widget.no_p_values.isVisibleTo(widget) and "p-values" not in widget.warnings.text()
    widget.session.importance = replace(asking(), p_value=(0.01, 0.5))
    assert not widget.no_p_values.isVisibleTo(widget)


def test_the_settings_fit_a_dock_of_a_small_window(dock: Callable[[type], Any]) -> None:
    widget = dock(ChannelsPage)
    widget.session.importance = replace(asking(), p_value_reason="fewer than 4 repeats")
    for fold in widget.findChildren(Folding):
        fold.expand(animate=False)
    content = widget.findChild(QScrollArea).widget()
    # What a window of 1280 x 800 leaves for it.
    assert content.minimumSizeHint().width() <= 366


def test_shares_of_a_few_groups_are_a_warning_and_no_error(dock: Callable[[type], Any]) -> None:
    gate = "4 held-out groups say little about other groups"
    head = "Reliable for these 4 groups, which say little about others"
    few = replace(asking(), separability=None, gate=gate, verdict=head)
    lines = verdict(few).splitlines()
    assert lines[:2] == [f"{head}.", f"{gate}."]
    widget = dock(ChannelsPage)
    widget.session.importance = few
    assert widget.gate.kind == "warning"
    widget.session.importance = replace(few, gate="ok", verdict="Reliable")
    assert widget.gate.kind == "good"
    widget.session.importance = replace(few, gate="x", verdict="Nothing can be read: x")
    assert widget.gate.kind == "error"
