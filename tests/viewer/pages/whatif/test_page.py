"""Cells that are clicked and edited in a real window."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.classify.priors import Prior
from napari_channelmix.data import Cells
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.settings import TransplantSettings
from napari_channelmix.viewer.pages.whatif import all_cells, live_edit, run_tab, transplants_tab
from napari_channelmix.viewer.pages.whatif.edit_layers import AFTER, BEFORE
from napari_channelmix.viewer.pages.whatif.page import WhatIfPage
from napari_channelmix.viewer.session.session import Shown, Trained, session_of
from napari_channelmix.whatif import transplants

from ...conftest import canvas_of, canvas_point

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, CROP = 120, 24
CLASSES = ("dim", "bright")
ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "rotate": 20.0,
    "affine": np.array([[1.0, 0.1, 5.0], [-0.1, 1.0, -3.0], [0.0, 0.0, 1.0]]),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


def squares() -> Any:
    """Six cells."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number in range(6):
        y, x = divmod(number, 3)
        labels[20 + 50 * y : 36 + 50 * y, 8 + 36 * x : 24 + 36 * x] = number + 1
    return labels


def planes() -> tuple[Any, Any]:
    """GFP rises from cell to cell; DNA is the same in all."""
    noise = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    labels = squares()
    return 10 + 90 * (labels > 0) + noise, 10 + 15.0 * labels.astype(np.float32) + noise


def rule(crops: Any) -> Any:
    """Bright where the middle of GFP is above 62."""
    bright = 1 / (1 + np.exp((62 - crops[:, 1, 8:16, 8:16].mean(axis=(1, 2))) / 4))
    return np.stack([1 - bright, bright], axis=1).astype(np.float32)


def model(answer: Callable[[Any], Any] = rule) -> Any:
    return ForeignClassifier(
        answer, ("DNA", "GFP"), CLASSES, np.zeros(2), np.ones(2), "probabilities", "a rule"
    )


def finished(page: WhatIfPage, qtbot: Any) -> None:
    tasks = [page.asking, *(task for task, _ in page.tasks)]
    qtbot.waitUntil(lambda: not any(task.busy or task.threads for task in tasks), timeout=60_000)


@pytest.fixture
def made(viewer: Any, dock: Any, qtbot: Any) -> Callable[..., WhatIfPage]:
    """The page with six cells of two layers and a rule that answers."""

    def opened(geometry: dict[str, Any] | None = None, points: bool = False, **given: Any) -> Any:
        geometry, labels = geometry or {}, squares()
        dna, gfp = planes()
        first = viewer.add_image(dna, name="DNA", **geometry)
        second = viewer.add_image(gfp, name="GFP", **geometry)
        own = np.array([0, 0, 0, 1, 1, 1])
        if points:
            centres = [np.argwhere(labels == number + 1).mean(axis=0) for number in range(6)]
            marked = viewer.add_points(np.array(centres), name="cells", size=4, **geometry)
            cells = Cells.from_points((dna, gfp), ("DNA", "GFP"), centres, crop=CROP).with_labels(
                own, CLASSES
            )
        else:
            marked = viewer.add_labels(labels, name="cells", **geometry)
            cells = Cells.from_labels((dna, gfp), ("DNA", "GFP"), labels, crop=CROP)
            cells = cells.with_labels(own, CLASSES)
        session = session_of(viewer)
        page = dock(WhatIfPage)
        session.open(cells, "layers", Shown(0, {"DNA": first, "GFP": second}, marked))
        session.trained = Trained(model(**given), "a rule")
        viewer.reset_view()
        finished(page, qtbot)
        qtbot.wait(100)
        return page

    return opened


def click(viewer: Any, qtbot: Any, number: int) -> None:
    middle = np.argwhere(squares() == number).mean(axis=0)
    place = canvas_point(viewer, viewer.layers["cells"].data_to_world(middle))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=place)


def drag(qtbot: Any, page: WhatIfPage, name: str, amount: float) -> None:
    slider = page.cell_tab.sliders.sliders[name]
    place = slider.place(amount).toPoint()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place)
    QApplication.processEvents()


def test_without_a_classifier_the_page_says_what_to_do(dock: Any) -> None:
    page = dock(WhatIfPage)
    assert "No cells yet" in page.needs.line.text() and not page.cell_tab.isVisible()


def test_a_click_opens_the_cell_and_a_slider_changes_its_call(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    page = made()
    click(viewer, qtbot, 3)
    finished(page, qtbot)
    tab = page.cell_tab
    assert page.cell == 2 and "Cell 3" in tab.title.text() and "labelled dim" in tab.title.text()
    assert tab.verdict.text().startswith("Predicted as dim")
    before = tab.pictures.tiles[1].below
    assert before == tab.pictures.tiles[0].below
    drag(qtbot, page, "GFP brightness", 0.6)
    assert tab.pictures.tiles[1].below != before == tab.pictures.tiles[0].below
    assert "predicted as bright instead of dim" in tab.verdict.text()
    np.testing.assert_allclose(tab.after, rule(tab.crops.pixels)[0], atol=1e-6)
    assert {name: now for name, _, now in tab.bars.rows}["bright"] == tab.after[1]
    qtbot.mouseClick(tab.reset, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    assert tab.moves == {} and tab.crops.pixels is tab.opened.crops.pixels
    assert tab.pictures.tiles[1].below == before


def test_a_channel_that_decides_nothing_is_said_to_change_nothing(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    page = made()
    page.open(2)
    finished(page, qtbot)
    drag(qtbot, page, "DNA brightness", 0.3)
    assert page.cell_tab.verdict.text().startswith("Still dim: nothing changes")


def test_the_smallest_change_sets_the_sliders(viewer: Any, made: Any, qtbot: Any) -> None:
    page = made()
    page.open(2)
    finished(page, qtbot)
    page.cell_tab.smallest.click()
    finished(page, qtbot)
    QApplication.processEvents()
    tab = page.cell_tab
    assert tab.sentences.text().startswith("Would be predicted as bright if its GFP")
    assert len(tab.moves) == 1 and next(iter(tab.moves)).startswith("GFP")
    assert tab.after[1] > 0.5
    # By bisection: half of it does not do.
    half = {name: amount / 2 for name, amount in tab.moves.items()}
    assert tab.opened.asker(tab.opened.edited(half).pixels)[0, 1] < 0.5


def test_neighbours_and_cell_are_edited_apart(viewer: Any, made: Any, qtbot: Any) -> None:
    page = made()
    page.open(2)
    finished(page, qtbot)
    tab = page.cell_tab
    outline = tab.pictures.tiles[0].over
    tab.scope_box.setCurrentIndex(tab.scope_box.findData("neighbours"))
    assert tab.pictures.tiles[0].over != outline
    drag(qtbot, page, "GFP brightness", 0.6)
    cell = tab.opened.crops.cell[0]
    same = tab.crops.pixels[0] == tab.opened.crops.pixels[0]
    assert same[:, cell].all()


def test_the_layers_lie_on_the_cell_follow_the_sliders_and_go(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    page = made(ODD)
    page.open(4)
    finished(page, qtbot)
    drag(qtbot, page, "GFP brightness", -0.3)
    page.cell_tab.layers.click()
    source = viewer.layers["DNA"]
    y0, x0, y1, _ = page.cell_tab.opened.box
    for name in (BEFORE, AFTER):
        layer = viewer.layers[name]
        assert layer.rgb and layer.data.shape == (CROP, CROP, 3)
        for corner, pixel in (((0, 0), (y0, x0)), ((CROP - 1, 3), (y1 - 1, x0 + 3))):
            np.testing.assert_allclose(layer.data_to_world(corner), source.data_to_world(pixel))
        assert layer.units == source.units and layer.axis_labels == source.axis_labels
    edited = viewer.layers[AFTER].data.copy()
    assert (edited != viewer.layers[BEFORE].data).any()
    drag(qtbot, page, "GFP brightness", 0.3)
    qtbot.waitUntil(lambda: (viewer.layers[AFTER].data != edited).any())
    page.open(1)
    assert not {BEFORE, AFTER} & {layer.name for layer in viewer.layers}
    assert not page.cell_tab.layers.isChecked()


def test_the_user_may_remove_the_layers(viewer: Any, made: Any, qtbot: Any) -> None:
    page = made()
    page.open(4)
    finished(page, qtbot)
    page.cell_tab.layers.click()
    for name in (BEFORE, AFTER):
        viewer.layers.remove(name)
    qtbot.waitUntil(lambda: not page.cell_tab.layers.isChecked())
    page.cell_tab.layers.click()
    assert {BEFORE, AFTER} <= {layer.name for layer in viewer.layers}


def test_a_slow_classifier_is_asked_beside_the_window(
    viewer: Any, made: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[Any] = []

    def slow(crops: Any) -> Any:
        import threading

        threads.append(threading.current_thread())
        time.sleep(0.03)
        return rule(crops)

    page = made(answer=slow)
    page.open(2)
    finished(page, qtbot)
    assert page.cell_tab.opened.seconds > live_edit.FAST
    threads.clear()
    drag(qtbot, page, "GFP brightness", 0.6)
    finished(page, qtbot)
    QApplication.processEvents()
    import threading

    assert threads and threading.main_thread() not in threads
    assert "predicted as bright instead of dim" in page.cell_tab.verdict.text()


def test_points_have_a_disc_and_that_is_said(viewer: Any, made: Any, qtbot: Any) -> None:
    page = made(points=True)
    session = page.session
    # Nothing stands out: no outline can be found by light either.
    flat = np.full((SIDE, SIDE), 50.0, np.float32)
    cells = Cells.from_points((flat, flat), ("DNA", "GFP"), [[60.0, 60.0], [30.0, 30.0]], crop=CROP)
    session.open(cells, "layers", session.shown)
    finished(page, qtbot)
    page.open(0)
    finished(page, qtbot)
    assert "a disc of 22 pixels" in page.cell_tab.lines.text()


def test_a_classifier_that_changes_its_answers_is_refused(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    draws = np.random.default_rng(0)

    def unsteady(crops: Any) -> Any:
        p = draws.random((len(crops), 1))
        return np.concatenate([p, 1 - p], axis=1).astype(np.float32)

    page = made(answer=unsteady)
    assert "changes its answer from call to call" in page.notice.text()


def test_other_cells_or_another_classifier_leave_nothing_behind(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    page = made()
    page.open(2)
    finished(page, qtbot)
    page.cell_tab.layers.click()
    page.session.trained = Trained(model(lambda crops: rule(crops)[:, ::-1]), "another")
    assert page.cell is None and page.cell_tab.opened is None
    assert BEFORE not in {layer.name for layer in viewer.layers}
    finished(page, qtbot)
    page.open(2)
    finished(page, qtbot)
    assert page.cell_tab.opened.called == "bright"


def test_all_cells_are_edited_and_the_answers_stay_with_the_session(
    viewer: Any, made: Any, qtbot: Any
) -> None:
    page = made()
    page.tabs.setCurrentIndex(1)
    run = page.runs.all_cells
    assert run.tab.isVisible() and not page.cell_tab.isVisible()
    run.tab.form.show({"steps": 3, "compare_scopes": False})
    run.tab.run.click()
    finished(page, qtbot)
    answers = page.session.what_if
    assert answers is not None, page.notice.text()
    tab = run.tab
    assert tab.boxes[0].isVisible() and tab.run.text() == "Run again"
    tab.class_box.setCurrentText("dim")
    first = tab.bars.rows[0]
    assert first.name.startswith("GFP") and first.value > 0
    tab.choose("DNA brightness", "bright")
    assert tab.class_box.currentText() == "bright"
    assert "DNA brightness" in tab.plot.title.text() and "3 cells" in tab.plot.title.text()
    assert "prior" not in tab.warnings.text()
    about = {"prior": {"kind": "balanced", "shares": {"dim": 0.5, "bright": 0.5}}}
    balanced = replace(answers, result=replace(answers.result, provenance=about))
    page.session.update(what_if=balanced)
    assert "The prior of these answers is balanced, not the one" in tab.warnings.text()
    page.session.trained = Trained(model(), "another")
    assert page.session.what_if is None and not tab.boxes[0].isVisible()


def test_answers_of_a_classifier_that_was_replaced_meanwhile_are_dropped(
    made: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = made()
    going = threading.Event()

    def waiting(*_: Any, **__: Any) -> Any:
        while not going.is_set():
            time.sleep(0.01)
            yield Progress(0, 1, "editing")
        return "answers"

    monkeypatch.setattr(all_cells, "_all_cells_job", waiting)
    run = page.runs.all_cells
    run.run()
    page.session.trained = Trained(model(), "another")
    going.set()
    finished(page, qtbot)
    assert page.session.what_if is None
    assert page.notice.text() == run_tab.REPLACED


def test_answers_go_to_the_data_set_that_was_asked_about(
    made: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = made()
    session, first = page.session, page.session.data_set
    going = threading.Event()

    def waiting(*_: Any, **__: Any) -> Any:
        while not going.is_set():
            time.sleep(0.01)
            yield Progress(0, 1, "editing")
        return result

    run = page.runs.all_cells
    run.tab.form.show({"steps": 3, "compare_scopes": False, "limit": 2})
    run.run()
    finished(page, qtbot)
    result = session.what_if.result
    session.update(what_if=None)
    monkeypatch.setattr(all_cells, "_all_cells_job", waiting)
    run.run()
    page.open(1)
    # Another data set is opened while both are at work.
    others = Cells.from_labels(planes(), ("DNA", "GFP"), squares()[::-1].copy(), crop=CROP)
    session.open(others.with_labels(np.array([0, 0, 0, 1, 1, 1]), CLASSES), "others", session.shown)
    going.set()
    finished(page, qtbot)
    assert session.data_set != first and session.what_if is None
    assert page.cell_tab.opened is None and not run.tab.boxes[0].isVisible()
    session.switch(first, session.shown)
    finished(page, qtbot)
    assert session.what_if is not None and session.what_if.result is result
    page.tabs.setCurrentIndex(1)
    assert run.tab.boxes[0].isVisible()


def test_all_tabs_ask_with_the_prior_that_is_chosen(
    made: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = made()
    rare = Prior(CLASSES, (0.9, 0.1), "given")
    monkeypatch.setattr(transplants_tab, "explained_prior", lambda _: rare)
    asked = []

    def noted(*_: Any, settings: Any) -> Any:
        asked.append(settings.prior)
        yield Progress(0, 1, "asked")

    monkeypatch.setattr(transplants, "transplant_job", noted)
    session = page.session
    drain(
        transplants_tab.transplants_of_session_job(
            session, session.trained, session.cells, TransplantSettings()
        )
    )
    assert asked == [rare]


def test_a_run_is_cancelled_within_a_second(
    viewer: Any, made: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: Any, **__: Any) -> Any:
        for step in range(10_000):
            time.sleep(0.01)
            yield Progress(step, 10_000, "editing")

    page = made()
    monkeypatch.setattr(all_cells, "_all_cells_job", endless)
    page.tabs.setCurrentIndex(1)
    run = page.runs.all_cells
    run.run()
    qtbot.wait(100)
    start = time.monotonic()
    run.task.stop()
    finished(page, qtbot)
    assert time.monotonic() - start < 1
    assert page.notice.text() == "Stopped."


def test_shortcuts_and_transplants_have_their_cards(viewer: Any, made: Any, qtbot: Any) -> None:
    page = made()
    for place, run in ((2, page.runs.transplants), (3, page.runs.shortcuts)):
        page.tabs.setCurrentIndex(place)
        assert run.tab.isVisible() and not run.tab.boxes[0].isVisible()
        run.run()
        finished(page, qtbot)
        assert run.result is not None, page.notice.text()
        assert run.tab.boxes[0].isVisible()
    words = [notice.text() for notice in page.runs.shortcuts.tab.notices]
    assert len(words) == len(page.runs.shortcuts.result.checks)
    assert any(text.startswith("Not tested: ") for text in words)
    # The session keeps both, so that the report has them; with the classifier they go.
    answers = page.session.what_if
    assert answers.words == ("transplants", "shortcut audit")
    assert answers.audit is page.runs.shortcuts.result
    page.session.trained = replace(page.session.trained, source="another")
    finished(page, qtbot)
    assert page.session.what_if is None and page.runs.transplants.result is None
    assert not page.runs.transplants.tab.boxes[0].isVisible()
