"""The legend of the display channels: chips in the header that choose what is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from napari_channelmix.data import Cells
from napari_channelmix.data.display_limits import channel_sample_job
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.session.session import Session
from napari_channelmix.viewer.workspace.display_legend import DisplayLegend

NAMES = (*(f"M{number}" for number in range(100)), "DAPI", "CD4", "FOXP3", "T")


def session_of_cells(names: tuple[str, ...] = NAMES) -> Session:
    """Forty cells of two classes; T is bright in the second one."""
    rng = np.random.default_rng(0)
    crops = rng.normal(100, 3, (40, len(names), 8, 8)).astype(np.float32)
    labels = np.arange(40) % 2
    if "T" in names:
        crops[labels == 1, names.index("T")] += 50
    session = Session()
    session.open(Cells.from_array(crops, names).with_labels(labels, ["plain", "T & B"]))
    return session


def legend_of(session: Session, qtbot: Any) -> DisplayLegend:
    legend = DisplayLegend(session)
    qtbot.addWidget(legend)
    session.display.changed.connect(legend.fill)
    legend.resize(320, 60)
    return legend


def names_of(legend: DisplayLegend) -> list[str]:
    return [chip.accessibleName().removeprefix("Display channel ") for chip in legend.chips]


def test_it_is_there_where_not_all_channels_are_shown(qtbot: Any) -> None:
    assert legend_of(session_of_cells(("A", "B", "C", "D")), qtbot).isHidden()
    legend = legend_of(session_of_cells(("A", "B", "C", "D", "T")), qtbot)
    assert not legend.isHidden() and names_of(legend) == ["A", "B", "C", "D"]
    assert legend_of(Session(), qtbot).isHidden()


def test_channels_are_added_replaced_and_taken_away(qtbot: Any) -> None:
    session = session_of_cells()
    legend = legend_of(session, qtbot)
    session.display.set(["DAPI", "CD4"])
    legend.more.click()
    assert legend.list.isVisible() and legend.list.names.count() == len(NAMES) - 2
    qtbot.keyClicks(legend.list.filter, "fox")
    qtbot.keyClick(legend.list.filter, Qt.Key.Key_Return)
    assert session.display.channels == ("DAPI", "CD4", "FOXP3") and legend.list.isHidden()
    legend.chips[1].click()
    qtbot.keyClicks(legend.list.filter, "M99")
    qtbot.keyClick(legend.list.filter, Qt.Key.Key_Return)
    assert session.display.channels == ("DAPI", "M99", "FOXP3")
    legend.chips[0].click()
    legend.list.remove.click()
    assert names_of(legend) == ["M99", "FOXP3"]
    session.display.set(NAMES[:6])
    assert not legend.more.isEnabled() and len(legend.chips) == 6


def test_markers_of_a_class_are_shown_or_it_is_said_why_not(qtbot: Any) -> None:
    session = session_of_cells()
    legend = legend_of(session, qtbot)
    said: list[str] = []
    legend.refused.connect(said.append)
    legend.show_markers("T & B")
    assert len(said) == 1 and "T & B" in said[0]
    session.display.take_sample(drain(channel_sample_job(session.cells)))
    legend.menu.aboutToShow.emit()
    titles = [action.text() for action in legend.menu.actions()]
    assert titles == ["Markers of plain", "Markers of T && B"]
    legend.menu.actions()[1].trigger()
    assert session.display.channels[:2] == ("DAPI", "T") and len(said) == 1


def test_a_channel_that_went_while_the_list_was_open_is_refused_in_a_line(qtbot: Any) -> None:
    session = session_of_cells()
    legend = legend_of(session, qtbot)
    said: list[str] = []
    legend.refused.connect(said.append)
    legend.more.click()
    session.open(session_of_cells(("A", "B", "C", "D", "E")).cells)
    qtbot.keyClicks(legend.list.filter, "FOXP3")
    qtbot.keyClick(legend.list.filter, Qt.Key.Key_Return)
    assert said == ["display channels: there is no channel FOXP3"]
    assert session.display.channels == ("A", "B", "C", "D")
