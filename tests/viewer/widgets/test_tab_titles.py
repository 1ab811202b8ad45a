from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTabBar, QWidget

from napari_channelmix.viewer.page_parts.open_page import DOCKS, open_docks

pytestmark = pytest.mark.usefixtures("registered")


def bars(viewer: Any) -> list[QTabBar]:
    window = viewer.window._qt_window
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    found = window.findChildren(QTabBar, options=direct)
    return [bar for bar in found if bar.isVisible() and bar.count()]


def test_the_tabs_of_all_docks_are_spelt_out(viewer: Any, qtbot: Any) -> None:
    docks = open_docks(viewer)
    qtbot.waitUntil(lambda: len(bars(viewer)) == 1)
    qtbot.wait(150)
    (bar,) = bars(viewer)
    assert tuple(bar.tabText(at) for at in range(bar.count())) == DOCKS
    assert tuple(bar.tabToolTip(at) for at in range(bar.count())) == DOCKS
    for at in range(bar.count()):
        width = bar.fontMetrics().horizontalAdvance(bar.tabText(at))
        assert bar.tabRect(at).width() > width, bar.tabText(at)
    assert bar.usesScrollButtons() and bar.elideMode() == Qt.TextElideMode.ElideNone
    # Wider tabs do not make the docks wider.
    assert bar.width() <= docks[0].width() + 20

    # The last one is out of sight until it is brought to the front.
    last = docks[-1].parent()
    last.raise_()
    qtbot.wait(150)
    assert bar.currentIndex() == len(DOCKS) - 1
    assert bar.rect().contains(bar.tabRect(bar.currentIndex()).center())


def test_tabs_of_other_plugins_stay_as_they_are(viewer: Any, qtbot: Any) -> None:
    for name in ("one", "another"):
        viewer.window.add_dock_widget(QWidget(), name=name, area="bottom", tabify=name != "one")
    open_docks(viewer)
    qtbot.waitUntil(lambda: len(bars(viewer)) == 2)
    qtbot.wait(150)
    modes = {bar.tabText(0): bar.elideMode() for bar in bars(viewer)}
    assert modes["one"] != Qt.TextElideMode.ElideNone
    assert modes[DOCKS[0]] == Qt.TextElideMode.ElideNone
