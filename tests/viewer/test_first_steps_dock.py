from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_channelmix.jobs import Progress
from napari_channelmix.viewer import first_steps_dock
from napari_channelmix.viewer.launch import open_dock

from .conftest import canvas_of, canvas_point

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.first_steps_dock import FirstStepsDock

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def steps(viewer: Any, qtbot: Any, plate: Cells, monkeypatch: pytest.MonkeyPatch) -> FirstStepsDock:
    """The dock, with a small sample and little to learn."""

    def small() -> Any:
        yield Progress(0, 1, "making the sample")
        return SimpleNamespace(cells=plate)

    monkeypatch.setattr("napari_channelmix.data.samples.synthetic_plate_job", small)
    monkeypatch.setattr(first_steps_dock, "QUICK_EPOCHS", 3)
    found: FirstStepsDock = open_dock(viewer, "First steps")
    qtbot.wait(100)
    return found


def marks(steps: FirstStepsDock) -> list[str]:
    return [row.mark.state for row in steps.rows]


def in_front(widget: Any) -> bool:
    return not widget.visibleRegion().isEmpty()


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    def waited(true: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=60_000)
        qtbot.wait(80)

    return waited


def test_from_an_empty_window_to_an_explained_cell(
    viewer: Any, steps: FirstStepsDock, qtbot: Any, click: Any, until: Any
) -> None:
    session = steps.session
    assert marks(steps) == ["next"] + ["open"] * 6
    click(steps.rows[0].buttons[0])
    until(lambda: session.shown is not None)
    assert in_front(steps) and marks(steps)[:3] == ["done", "next", "open"]
    assert not steps.rows[2].buttons[0].isEnabled()
    assert steps.rows[2].reason.text() == "Needs step 2."

    click(steps.rows[1].buttons[0])
    until(lambda: session.trained is not None)
    assert in_front(steps) and marks(steps)[:3] == ["done", "done", "next"]
    assert len(session.history) == 3

    click(steps.rows[2].buttons[0])
    explain = open_dock(viewer, "Explain a cell")
    until(lambda: not explain.task.busy)
    assert in_front(explain) and not in_front(steps) and explain.toggle.isChecked()
    cells, reference = session.cells, session.shown.reference
    rows = cells.table[cells.table["field"] == session.shown.field]
    cell = int(rows.index[0])
    box = rows.loc[cell]
    world = reference.data_to_world(
        ((box["y0"] + box["y1"] - 1) / 2, (box["x0"] + box["x1"] - 1) / 2)
    )
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=canvas_point(viewer, world))
    until(lambda: session.explained)
    until(lambda: not explain.task.busy)
    assert marks(steps)[:4] == ["done", "done", "done", "next"]


def test_it_stands_right_when_it_is_opened_last(viewer: Any, open_plate: Any, qtbot: Any) -> None:
    images = open_plate()
    steps = open_dock(viewer, "First steps")
    assert steps.session is images.session
    assert marks(steps)[:2] == ["done", "next"]
    viewer.layers.clear()
    qtbot.wait(100)
    assert marks(steps)[:2] == ["next", "open"]
    assert "removed" in steps.rows[0].line.text()


def test_two_viewers_are_told_apart(
    steps: FirstStepsDock, make_napari_viewer: Any, qtbot: Any, plate: Cells
) -> None:
    other = make_napari_viewer(show=True)
    second = open_dock(other, "First steps")
    steps.rows[0].buttons[0].click()
    qtbot.waitUntil(lambda: steps.session.shown is not None, timeout=20_000)
    qtbot.wait(100)
    assert marks(steps)[0] == "done" and marks(second)[0] == "next"
    second.halt()


def test_a_second_quick_click_does_nothing_else(
    viewer: Any, steps: FirstStepsDock, click: Any, until: Any
) -> None:
    button = steps.rows[0].buttons[0]
    click(button)
    click(button)
    assert in_front(steps)
    until(lambda: steps.session.shown is not None)
    assert in_front(steps) and len(steps.session.cells) == 60


def test_a_dock_that_is_closed_follows_no_more(
    viewer: Any, steps: FirstStepsDock, qtbot: Any, plate: Cells
) -> None:
    session = steps.session
    viewer.window.remove_dock_widget(steps)
    steps.deleteLater()
    QApplication.processEvents()
    qtbot.wait(50)
    session.open(plate, "later")
    qtbot.wait(50)
    assert not session.running


def test_the_keyboard_reaches_every_button_in_order(steps: FirstStepsDock) -> None:
    buttons = [one for row in steps.rows for one in row.buttons]
    chain: list[Any] = [buttons[0]]
    # Not once round the window: PySide would keep all that was passed.
    while chain[-1] is not buttons[-1] and steps.isAncestorOf(chain[-1]):
        chain.append(chain[-1].nextInFocusChain())
    assert [one for one in chain if one in buttons] == buttons
    for one in buttons:
        if one.isVisible():
            assert one.focusPolicy() & Qt.FocusPolicy.TabFocus
            assert one.accessibleName() and one.toolTip()


def test_the_theme_is_followed(viewer: Any, steps: FirstStepsDock, qtbot: Any) -> None:
    mark = steps.rows[0].mark
    before = mark.grab().toImage().pixelColor(4, 12)
    viewer.theme = "light"
    qtbot.wait(50)
    assert mark.grab().toImage().pixelColor(4, 12) != before
