from __future__ import annotations

from typing import Any

import pytest

from napari_channelmix.viewer.pages.annotate.page import AnnotatePage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.data.page import DataPage


def tabs(viewer: Any, of: Any) -> list[Any]:
    return viewer.window._qt_window.tabifiedDockWidgets(of.parent())


@pytest.fixture
def apart(viewer: Any, qtbot: Any) -> Any:
    """Open a dock as the menus do, in a place of its own."""

    def opened(kind: type, area: str = "right") -> Any:
        widget = kind(viewer)
        viewer.window.add_dock_widget(widget, name=f"{kind.__name__} {area}", area=area)
        qtbot.wait(100)
        return widget

    return opened


def test_a_dock_opened_from_a_menu_is_a_tab_in_front_of_those_before(
    viewer: Any, apart: Any
) -> None:
    one, two, three = (apart(kind) for kind in (DataPage, ClassifierPage, AnnotatePage))
    assert {*tabs(viewer, three)} == {one.parent(), two.parent()}
    assert not three.visibleRegion().isEmpty()
    assert one.visibleRegion().isEmpty() and two.visibleRegion().isEmpty()


def test_docks_elsewhere_stay_where_they_are(viewer: Any, apart: Any, qtbot: Any) -> None:
    one = apart(DataPage)
    two = apart(ClassifierPage, "left")
    assert tabs(viewer, two) == []
    two.parent().setFloating(True)
    one.parent().setFloating(True)
    qtbot.wait(100)
    three = apart(AnnotatePage)
    assert tabs(viewer, three) == []
