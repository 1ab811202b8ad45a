"""What holds for the controls of every dock, whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QSlider,
    QTabBar,
    QWidget,
)
from superqt import QCollapsible

from napari_channelmix.viewer.page_parts.open_page import DOCKS, open_docks, open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("registered")

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
)
# Bars that come with what they scroll, headings that are a part of their table.
PARTS = (QScrollBar, QHeaderView)


def controls(dock: QWidget) -> Iterator[QWidget]:
    """Controls that we made; not the parts that Qt and pyqtgraph make of themselves."""
    for one in dock.findChildren(QWidget):
        theirs = (
            not isinstance(one, CONTROLS)
            or isinstance(one, PARTS)
            or one.objectName().startswith("qt_")
            or isinstance(one.parentWidget(), (QTabBar, QAbstractSpinBox, QComboBox))
            or type(one).__module__.startswith("pyqtgraph")
            or one.window() is not dock.window()
        )
        unused = isinstance(one, QAbstractButton) and one.isHidden() and not one.text()
        if not theirs and not unused:
            yield one


def tips(control: QWidget) -> list[str]:
    if isinstance(control, QTabBar):
        return [control.tabToolTip(at) for at in range(control.count())]
    around = control.parentWidget()
    # Qt shows the tooltip of what is around where there is none.
    if not control.toolTip() and isinstance(around, QCollapsible):
        return [around.toolTip()]
    return [control.toolTip()]


def name(control: QWidget) -> str:
    """What a screen reader calls it."""
    if isinstance(control, QTabBar):
        return control.accessibleName() or control.tabText(0)
    text = control.text() if isinstance(control, QAbstractButton) else ""
    return control.accessibleName() or text


def without(docks: dict[str, Any], good: Callable[[QWidget], object]) -> list[str]:
    """Controls that lack something, so that a failure names all of them."""
    return [
        f"{title}: {type(one).__name__} {name(one)!r} {one.toolTip()!r}"
        for title, dock in docks.items()
        for one in controls(dock)
        if not good(one)
    ]


@pytest.fixture
def docks(viewer: Any, qtbot: Any) -> dict[str, Any]:
    found = dict(zip(DOCKS, open_docks(viewer), strict=True))
    found["Workspace"] = open_workspace(viewer)
    qtbot.wait(150)
    return found


@pytest.fixture
def filled(docks: dict[str, Any], plate: Any, qtbot: Any) -> dict[str, Any]:
    images = docks["Images and cells"]
    images.open_cells(plate)
    qtbot.waitUntil(lambda: images.session.shown is not None)
    qtbot.waitUntil(lambda: not images.preview.task.busy)
    for dock in docks.values():
        dock.parent().raise_()
        qtbot.wait(60)
    return docks


@pytest.mark.parametrize("state", ["docks", "filled"])
def test_every_control_has_a_tooltip_a_name_and_can_be_reached(
    state: str, request: pytest.FixtureRequest
) -> None:
    docks = request.getfixturevalue(state)
    assert sum(1 for dock in docks.values() for _ in controls(dock)) > 100
    assert without(docks, lambda one: all(tips(one))) == []
    assert without(docks, name) == []
    assert without(docks, lambda one: one.focusPolicy() & Qt.FocusPolicy.TabFocus) == []


def test_the_tooltip_of_a_setting_says_with_what_it_begins(filled: dict[str, Any]) -> None:
    kinds = (QAbstractSpinBox, QCheckBox, QSlider)
    settings = [one for dock in filled.values() for one in controls(dock) if isinstance(one, kinds)]
    assert len(settings) > 20
    assert (
        without(filled, lambda one: not isinstance(one, kinds) or "efault: " in tips(one)[0]) == []
    )


def test_a_control_is_called_what_stands_beside_it(filled: dict[str, Any]) -> None:
    classifier, images = filled["Classifier"], filled["Images and cells"]
    assert classifier.epochs.accessibleName() == "Epochs"
    assert images.dataset.field.accessibleName() == "Field of view"
    assert filled["Explain a cell"].number.accessibleName() == "Cell"
    # Nothing stands beside it: its tooltip tells.
    assert classifier.mixes.accessibleName() == "Number of blended channels"


def test_what_cannot_be_run_says_why(docks: dict[str, Any]) -> None:
    runs = (
        ("Classifier", docks["Classifier"].train, docks["Classifier"].reason),
        (
            "Channel importance",
            docks["Channel importance"].run_button,
            docks["Channel importance"].reason,
        ),
        (
            "Latent traversals",
            docks["Latent traversals"].settings.run,
            docks["Latent traversals"].settings.reason,
        ),
        (
            "Explain a cell",
            docks["Explain a cell"].question.target,
            docks["Explain a cell"].needs.line,
        ),
        (
            "Report and script",
            docks["Report and script"].report,
            docks["Report and script"].contents,
        ),
    )
    for title, control, reason in runs:
        dock = docks[title]
        assert not (control.isEnabled() and control.isVisibleTo(dock)), title
        assert reason.isVisibleTo(dock) and reason.text(), title


def test_no_text_is_wider_than_its_dock(filled: dict[str, Any], qtbot: Any) -> None:
    for title, dock in filled.items():
        dock.parent().raise_()
        qtbot.wait(60)
        for one in controls(dock):
            if one.isVisible():
                right = one.mapTo(dock, one.rect().topRight()).x()
                assert right <= dock.width(), f"{title}: {name(one)!r}"
