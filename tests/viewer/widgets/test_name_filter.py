"""The button that empties a filter says what it does, and empties it."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QToolButton

from napari_channelmix.viewer.widgets.name_filter import NameFilter


def test_its_button_has_a_tool_tip_and_empties_it(qtbot: Any) -> None:
    line = NameFilter()
    qtbot.addWidget(line)
    line.setText("CD")
    button = line.findChild(QToolButton)
    assert button.toolTip() == "Show all again"
    button.click()
    assert line.text() == ""
