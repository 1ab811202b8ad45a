from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import QCoreApplication, QEvent

from napari_channelmix.jobs import Progress
from napari_channelmix.viewer.workspace import workspace as module
from napari_channelmix.viewer.workspace.steps import SAMPLE
from napari_channelmix.viewer.workspace.workspace import Workspace, find_workspace

from .conftest import in_front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    def waited(true: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(true()), timeout=60_000)
        qtbot.wait(60)

    return waited


def long_job() -> Job[None]:
    for step in range(10**7):
        # As work in NumPy or PyTorch does, it leaves the interpreter to the window.
        time.sleep(0.002)
        yield Progress(step % 100, 100, "working")


def kinds(workspace: Workspace) -> dict[str, str]:
    return {key: button.state.kind for key, button in workspace.rail.buttons.items()}


def test_from_an_empty_window_to_an_explained_cell(
    viewer: Any,
    workspace: Workspace,
    click: Any,
    until: Any,
    plate: Cells,
    press: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def small() -> Iterator[Progress]:
        yield Progress(0, 1, "making the sample")
        return SimpleNamespace(cells=plate)

    monkeypatch.setattr(f"napari_channelmix.data.samples.{SAMPLE}_job", small)
    monkeypatch.setattr(module, "QUICK_EPOCHS", 3)
    session, header = workspace.session, workspace.header
    # What is missing for a map is a classifier, and for that cells: buttons lead there.
    click(workspace.rail.buttons["pixels"])
    assert kinds(workspace)["pixels"] == "blocked" and workspace.frames["pixels"].page is None
    click(workspace.frames["pixels"].guide.button)
    assert workspace.current == "data"
    click(workspace.frames["data"].page.ways.sample)
    until(lambda: session.shown is not None)
    assert kinds(workspace)["data"] == "done" and "60 cells" in header.cells.text()
    assert not workspace.frames["data"].guide.isVisible()

    click(header.next)
    assert workspace.current == "classifier"
    click(workspace.frames["classifier"].guide.button)
    until(lambda: session.trained is not None)
    assert kinds(workspace)["classifier"] == "done" and len(session.history) == 3
    assert "accuracy" in header.model.text().lower()

    click(header.next)
    explain = workspace.page("pixels")
    until(lambda: not explain.task.busy)
    assert in_front(explain) and explain.toggle.isChecked() and not header.next.isVisible()
    cells, reference = session.cells, session.shown.reference
    box = cells.table[cells.table["field"] == session.shown.field].iloc[0]
    world = reference.data_to_world(
        ((box["y0"] + box["y1"] - 1) / 2, (box["x0"] + box["x1"] - 1) / 2)
    )
    press(world)
    until(lambda: session.explained)
    until(lambda: not explain.task.busy)
    assert kinds(workspace)["pixels"] == "done"


def test_a_second_quick_click_does_nothing_else(
    workspace: Workspace, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    data = workspace.page("data")
    monkeypatch.setattr(data, "open_sample", begun.append)
    action = workspace.frames["data"].state.actions[0]
    workspace.do(action)
    workspace.session.begin("making the sample")
    workspace.do(action)
    assert begun == [SAMPLE]


def test_a_page_that_waits_can_be_looked_at_all_the_same(workspace: Workspace, click: Any) -> None:
    frame = workspace.frames["classifier"]
    workspace.show_page("classifier")
    assert frame.page is None and frame.guide.missing.text().startswith("Cells are missing")
    click(frame.guide.anyway)
    assert in_front(frame.page) and frame.page.open.isEnabled()
    assert not frame.page.train.isEnabled()


def test_only_the_page_in_front_listens_to_clicks(filled: Workspace, qtbot: Any) -> None:
    filled.show_page("phenotypes")
    gallery = filled.page("phenotypes").toggle
    assert gallery.front
    filled.show_page("report")
    assert not gallery.front
    filled.show_page("phenotypes")
    filled.fold(True)
    assert not gallery.front
    filled.show_page("phenotypes")
    assert gallery.front and not filled.folded
    filled.parent().hide()
    assert not gallery.front


def test_a_page_is_taken_out_and_put_back_with_its_work(
    viewer: Any, filled: Workspace, click: Any, qtbot: Any, menu: Callable[[str], None]
) -> None:
    page = filled.show_page("classifier")
    page.epochs.setValue(7)
    page.task.run("working", long_job(), print)
    click(filled.frames["classifier"].take_out)
    qtbot.wait(50)
    frame, dock = filled.frames["classifier"], page.parent()
    assert frame.dock is dock and dock.isFloating() and in_front(page) and page.task.busy
    assert in_front(frame.to_front) and not frame.take_out.isEnabled()
    dock.setFloating(False)
    assert filled.parent() in filled.window().tabifiedDockWidgets(dock)
    dock.setFloating(True)
    filled.show_page("data")
    menu("classify")
    assert page.parent() is dock and in_front(page)
    click(frame.put_back)
    qtbot.wait(50)
    assert page.task.busy and in_front(page) and page.window() is filled.window()
    # By napari's own buttons, which close or hide a dock.
    for button in ("close_button", "hide_button"):
        filled.take_out("classifier")
        qtbot.wait(30)
        getattr(page.parent().title, button).click()
        qtbot.waitUntil(lambda: filled.isAncestorOf(page))
        assert page.task.busy and filled.page("classifier") is page
        assert list(viewer.window.dock_widgets) == ["ChannelMix"]
    assert page.epochs.value() == 7 and in_front(page)
    page.halt()


def test_work_on_another_page_is_shown_and_cancelled_above(
    filled: Workspace, click: Any, until: Any
) -> None:
    page = filled.show_page("classifier")
    page.task.run("working", long_job(), print)
    until(lambda: page.task_bar.bar.value() > 0)
    assert not filled.header.running.isVisible()
    filled.show_page("data")
    assert in_front(filled.header.cancel) and "Classifier: working" in filled.header.work.text()
    click(filled.header.cancel)
    until(lambda: not page.task.busy)
    assert not filled.header.running.isVisible()


def test_the_page_folds_away_for_the_picture(filled: Workspace, click: Any, qtbot: Any) -> None:
    width = filled.width()
    click(filled.rail.fold)
    qtbot.waitUntil(lambda: filled.width() < 80)
    picture = filled.window().centralWidget()
    qtbot.waitUntil(lambda: picture.width() > 0.6 * 1280)
    click(filled.rail.buttons["latents"])
    qtbot.waitUntil(lambda: filled.width() == width)
    assert in_front(filled.page("latents"))


def test_closing_the_workspace_stops_its_work_and_leaves_pages_that_are_out(
    viewer: Any, filled: Workspace, qtbot: Any, menu: Callable[[str], None]
) -> None:
    inside, out = filled.page("classifier"), filled.page("report")
    filled.take_out("report")
    for page in (inside, out):
        page.task.run("working", long_job(), print)
    viewer.window.remove_dock_widget(filled)
    qtbot.wait(30)
    assert not inside.task.busy and out.task.busy and in_front(out)
    menu("workspace")
    again = find_workspace(viewer)
    assert again is not None and again is not filled and again.page("report") is out
    out.parent().close()
    qtbot.waitUntil(lambda: again.isAncestorOf(out))
    assert out.task.busy
    again.halt()
    # Out of the window it is a window of its own, which would outlive the test.
    filled.deleteLater()
    QCoreApplication.sendPostedEvents(filled, QEvent.Type.DeferredDelete.value)


def test_another_open_data_set_is_chosen_above_the_page(
    filled: Workspace, plate: Cells, until: Any
) -> None:
    session, sets = filled.session, filled.header.data_sets
    assert not sets.isVisible()
    filled.page("data").open_cells(plate.with_channels(["DNA"]), "other.toml")
    until(lambda: len(session.data_sets) == 2)
    filled.show_page("annotate")
    assert in_front(sets) and sets.text() == "2 of 2" and "1 channel" in filled.header.cells.text()
    sets.menu().actions()[0].trigger()
    until(lambda: len(session.cells.channels) == 4)
    assert sets.text() == "1 of 2" and filled.current == "annotate"
