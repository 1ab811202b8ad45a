"""What was given is found again: after a crash, in another folder, with other cells."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QDialog

from napari_channelmix.data import open_dataset, save_dataset
from napari_channelmix.viewer.autosave import autosave
from napari_channelmix.viewer.autosave.autosave import autosave_of
from napari_channelmix.viewer.autosave.location import Places
from napari_channelmix.viewer.pages.annotate.page import AnnotatePage
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.session.session import Shown, session_of

from ..annotating import key, press, rows_of, show_squares, squares
from ..conftest import canvas_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_channelmix.data import Cells


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave, "PAUSE", 150)


@pytest.fixture
def data_set(plate: Cells, tmp_path: Path) -> Path:
    return save_dataset(plate, tmp_path / "set")


@pytest.fixture
def opened(
    make_napari_viewer: Callable[..., Any], qtbot: Any
) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """Open a data set in a window of its own: on the first day, on the next..."""
    docks: list[Any] = []

    def open_in(path: Path) -> tuple[Any, Any]:
        window = make_napari_viewer(show=True)
        images, annotate = DataPage(window), AnnotatePage(window)
        for name, one in (("Images and cells", images), ("Annotate", annotate)):
            window.window.add_dock_widget(one, name=name, tabify=True)
        docks[:] = images, annotate
        images.open_file(path)
        qtbot.waitUntil(lambda: images.session.shown is not None)
        qtbot.waitUntil(lambda: not images.session.running)
        return window, annotate

    yield open_in
    for one in docks:
        # Those of a window that was closed are gone.
        with contextlib.suppress(RuntimeError):
            one.halt()
    QThreadPool.globalInstance().waitForDone(20_000)
    QApplication.processEvents()


def crash(window: Any, annotate: Any) -> None:
    """Nothing more is written by this window."""
    annotate.autosave._dirty = False
    annotate.autosave._clock.stop()
    window.close()


def test_annotations_come_back_after_a_crash_and_can_be_taken_back(
    opened: Any, data_set: Path, qtbot: Any, click: Any, plate: Cells
) -> None:
    window, annotate = opened(data_set)
    session, canvas = annotate.session, canvas_of(window)
    session.classify(session.cells.labels, (*session.cells.classes, "debris"))
    session.select(2, 3)
    annotate.parent().raise_()
    qtbot.waitUntil(lambda: annotate.clicks.active)
    key(qtbot, canvas, "3")
    session.select(0)
    key(qtbot, canvas, "0")
    beside = data_set.with_name("dataset.annotations.csv")
    qtbot.waitUntil(lambda: "3 annotations saved" in annotate.autosave.state)
    assert "in dataset.annotations.csv" in annotate.state.text()
    kept = rows_of(beside)
    assert kept == {
        ("images/A01.ome.tif", 1): "",
        ("images/A01.ome.tif", 3): "debris",
        ("images/A01.ome.tif", 4): "debris",
    }
    expected = session.cells.labels.tolist()
    crash(window, annotate)

    window, annotate = opened(data_set)
    qtbot.waitUntil(lambda: bool(annotate.news.text()))
    assert annotate.session.cells.labels.tolist() == expected
    assert annotate.session.cells.classes == (*plate.classes, "debris")
    assert annotate.news.text().startswith("Restored 3 annotations saved 20")
    assert annotate.session.edits.undoable == 1
    annotate.parent().raise_()
    qtbot.wait(50)
    click(annotate.take_back)
    assert annotate.session.cells.labels.tolist() == plate.labels.tolist()
    assert not annotate.take_back.isVisible()
    # What is taken back is not lost on the disk either.
    qtbot.waitUntil(lambda: rows_of(beside) == {})
    assert rows_of(beside.with_name("dataset.annotations.previous.csv")) == kept


def test_the_last_seconds_are_written_when_the_window_closes(
    opened: Any, data_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave, "PAUSE", 60_000)
    window, annotate = opened(data_set)
    annotate.session.assign([5], 1)
    beside = data_set.with_name("dataset.annotations.csv")
    assert not beside.exists()
    window.close()
    assert list(rows_of(beside).values()) == ["treated"]


def test_cells_of_layers_are_known_again_whatever_their_channels_and_crop(
    viewer: Any, dock: Any, qtbot: Any, tmp_path: Path
) -> None:
    annotate = dock(AnnotatePage)
    cells = show_squares(viewer, annotate.session)
    qtbot.wait(200)
    press(qtbot, viewer, 4)
    key(qtbot, canvas_of(viewer), "2")
    qtbot.waitUntil(lambda: "1 annotation saved" in annotate.autosave.state)
    (path,) = (tmp_path / "user" / "annotations").glob("*.csv")
    assert list(rows_of(path).values()) == ["dead"]
    from napari_channelmix.data import Cells

    fields = cells.fields[0]
    again = Cells.from_labels(fields.planes, cells.channels, squares(), crop=32, name="image")
    session = session_of(viewer)
    session.open(
        again.with_channels(["GFP"]),
        "layers of the viewer",
        Shown(0, dict(session.shown.images), session.shown.objects),
    )
    qtbot.waitUntil(lambda: bool(session.cells.classes))
    assert session.cells.labels.tolist() == [-1, -1, -1, 1, -1, -1]
    assert session.cells.classes == ("alive", "dead")


def test_rows_that_fit_no_cell_stay_in_the_file(opened: Any, data_set: Path, qtbot: Any) -> None:
    beside = data_set.with_name("dataset.annotations.csv")
    beside.write_text(
        "field,object,y,x,class\nimages/A01.ome.tif,999,5,5,treated\n"
        "images/gone.ome.tif,1,5,5,mitotic\nA02.ome.tif,2,{},{},mitotic\n"
    )
    window, annotate = opened(data_set)
    cell = 11
    y, x = annotate.session.cells.centres[cell]
    assert "cannot be read" in annotate.news.text()
    moved = next(data_set.parent.glob("dataset.annotations.unreadable-*.csv"))
    assert "{}" in moved.read_text() and moved.name in annotate.news.text()
    assert not beside.exists()
    moved.rename(beside)
    beside.write_text(beside.read_text().format(y, x))
    crash(window, annotate)

    window, annotate = opened(data_set)
    qtbot.waitUntil(lambda: bool(annotate.news.text()))
    assert "Restored 1 annotation saved" in annotate.news.text()
    assert "2 more fit no cell that is there now; they stay in the file." in annotate.news.text()
    cells = annotate.session.cells
    assert cells.classes[cells.labels[cell]] == "mitotic"
    annotate.session.assign([0], -1)
    qtbot.waitUntil(lambda: len(rows_of(beside)) == 4)
    assert rows_of(beside)["images/gone.ome.tif", 1] == "mitotic"
    assert rows_of(beside)["images/A01.ome.tif", 999] == "treated"


def no_writing(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """These folders cannot be written, also where tests run as root."""
    from pathlib import Path as Real

    whole = Real.open

    def refuse(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "w" in mode and any(folder in self.parents for folder in folders):
            raise PermissionError(13, "Permission denied", str(self))
        return whole(self, mode, *rest, **more)

    monkeypatch.setattr("pathlib.Path.open", refuse)
    monkeypatch.setattr("pathlib.Path.write_bytes", lambda self, data: self.open("wb").write(data))


def test_a_folder_that_is_read_only_is_said_once_and_the_users_folder_taken(
    opened: Any, data_set: Path, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_set.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    no_writing(monkeypatch, data_set.parent)
    window, annotate = opened(data_set)
    heard: list[str] = []
    annotate.autosave.reported.connect(lambda text, kind: heard.append(text))
    for cell in (1, 2):
        annotate.session.assign([cell], 1)
        qtbot.waitUntil(lambda n=cell: f"{n} annotation" in annotate.autosave.state)
    assert len(heard) == 1
    assert "could not save" in heard[0] and "Your annotations are saved in" in heard[0]
    assert "in your own data folder" in annotate.state.text()
    (own,) = (tmp_path / "user" / "annotations").glob("*.csv")
    assert len(rows_of(own)) == 2
    crash(window, annotate)
    window, annotate = opened(data_set)
    qtbot.waitUntil(lambda: "Restored 2" in annotate.news.text())
    data_set.parent.chmod(stat.S_IRWXU)


def asked_at_close(window: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What napari asks when the user closes its window; the answer is no."""
    from qtpy.QtWidgets import QLabel

    class Closed(QCloseEvent):
        def spontaneous(self) -> bool:
            return True

    texts: list[str] = []

    def answer(self: QDialog) -> int:
        texts.append(" ".join(one.text() for one in self.findChildren(QLabel)))
        return int(QDialog.DialogCode.Rejected.value)

    from napari._qt.dialogs.confirm_close_dialog import ConfirmCloseDialog

    monkeypatch.setattr(ConfirmCloseDialog, "exec_", answer)
    main = window.window._qt_window  # no public way to it
    event = Closed()
    main.closeEvent(event)
    assert not event.isAccepted()
    return texts


def test_napari_asks_before_closing_where_nothing_could_be_saved(
    opened: Any, data_set: Path, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.settings import get_settings

    window, annotate = opened(data_set)
    with monkeypatch.context() as broken:
        no_writing(broken, data_set.parent, tmp_path / "user")
        annotate.session.assign([1], 1)
        qtbot.waitUntil(lambda: annotate.news.kind == "error")
        assert "could not be saved" in annotate.news.text()
        assert "Not saved" in annotate.autosave.state
        get_settings().application.confirm_close_window = False
        (text,) = asked_at_close(window, broken)
        assert "saving 1 annotation of cells, see the page 'Annotate'" in text
        get_settings().application.confirm_close_window = True
    # The next change is saved, and with it the one before: nothing is left to ask for.
    annotate.session.assign([2], 1)
    qtbot.waitUntil(lambda: "2 annotations saved" in annotate.autosave.state)
    qtbot.wait(300)
    (text,) = asked_at_close(window, monkeypatch)
    assert "annotations" not in text


def test_a_hundred_thousand_annotations_do_not_hold_the_window_up(
    viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    import time

    from qtpy.QtCore import QTimer

    from napari_channelmix.data import Cells

    side = 320
    places = np.argwhere(np.ones((side, side)))[:100_000] + 0.0
    cells = Cells.from_points([np.zeros((side, side), np.uint8)], ["one"], places, crop=8)
    session, kept = session_of(viewer), autosave_of(viewer)
    session.open(cells, "many")
    session.classify(np.zeros(len(cells), int), ("all",))
    beats, timer = [time.perf_counter()], QTimer()
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start(5)
    qtbot.waitUntil(lambda: "100,000 annotations saved" in kept.state)
    timer.stop()
    gaps = np.diff(beats)
    # Another process may take the core for a while: one long gap is no proof, the rest is.
    assert np.percentile(gaps, 99) < 0.15
    (path,) = (tmp_path / "user" / "annotations").glob("*.csv")
    assert len(path.read_text().splitlines()) == 100_001


def test_the_same_cells_opened_again_are_kept_too(
    viewer: Any, plate: Cells, qtbot: Any, tmp_path: Path
) -> None:
    session, kept = session_of(viewer), autosave_of(viewer)
    for _ in range(2):
        session.open(plate, "the same")
        qtbot.wait(20)
    session.classify(plate.labels, (*plate.classes, "debris"))
    session.assign([4], 2)
    qtbot.waitUntil(lambda: "1 annotation saved" in kept.state)
    session.undo()
    qtbot.waitUntil(lambda: "0 annotations saved" in kept.state)
    # A class without a cell is an annotation as well.
    session.open(plate, "once more")
    qtbot.waitUntil(lambda: "Restored your classes, saved" in kept.news[0])
    assert session.cells.classes == (*plate.classes, "debris")


def test_edits_right_after_opening_and_in_fewer_channels_are_kept(
    viewer: Any, plate: Cells, qtbot: Any, tmp_path: Path
) -> None:
    session, kept = session_of(viewer), autosave_of(viewer)
    session.open(plate, "plate")
    session.assign([3], -1)
    session.cells = session.cells.with_channels(["DNA"])
    session.assign([4], -1)
    qtbot.waitUntil(lambda: "2 annotations saved" in kept.state)
    (path,) = (tmp_path / "user" / "annotations").glob("*.csv")
    assert list(rows_of(path).values()) == ["", ""]


def test_two_windows_keep_their_cells_apart(
    viewer: Any, make_napari_viewer: Callable[..., Any], plate: Cells, qtbot: Any, tmp_path: Path
) -> None:
    other = make_napari_viewer()
    for window, cells, cell in ((viewer, plate, 1), (other, plate.subset(slice(9)), 2)):
        autosave_of(window)
        session_of(window).open(cells, "cells")
        session_of(window).assign([cell], -1)
    for window in (viewer, other):
        qtbot.waitUntil(lambda w=window: "1 annotation saved" in autosave_of(w).state)
    found = [rows_of(path) for path in (tmp_path / "user" / "annotations").glob("*.csv")]
    assert sorted(key[1] for one in found for key in one) == [2, 3]


def test_a_file_that_somebody_else_changed_is_copied_before_it_is_replaced(
    opened: Any, data_set: Path, qtbot: Any
) -> None:
    _, annotate = opened(data_set)
    beside = data_set.with_name("dataset.annotations.csv")
    other = beside.with_name("dataset.annotations.other.csv")
    for cell in (1, 2):
        annotate.session.assign([cell], 1)
        qtbot.waitUntil(lambda n=cell: f"{n} annotation" in annotate.autosave.state)
    assert not other.exists()
    beside.write_text(beside.read_text().replace("treated", "somebody's"))
    annotate.session.assign([3], 1)
    qtbot.waitUntil(lambda: "3 annotations" in annotate.autosave.state)
    assert set(rows_of(other).values()) == {"somebody's"}
    assert list(rows_of(beside).values()) == ["treated"] * 3


def test_annotations_that_were_not_read_are_copied_before_they_are_replaced(
    opened: Any, data_set: Path, qtbot: Any, plate: Cells
) -> None:
    """Two copies of a data set: the user's own folder has newer ones, of the other copy."""
    beside = data_set.with_name("dataset.annotations.csv")
    head = "field,object,y,x,class\n"
    y, x = plate.centres[0]
    beside.write_text(f"{head}images/A01.ome.tif,1,{y},{x},mitotic\n")
    os.utime(beside, (1, 1))
    own = Places(open_dataset(data_set), str(data_set)).files[1]
    own.parent.mkdir(parents=True)
    own.write_text(f"{head}images/A01.ome.tif,1,{y},{x},debris\n")
    _, annotate = opened(data_set)
    qtbot.waitUntil(lambda: "Restored 1" in annotate.news.text())
    annotate.session.assign([5], 1)
    qtbot.waitUntil(lambda: "2 annotations saved" in annotate.autosave.state)
    assert list(rows_of(beside).values()) == ["debris", "treated"]
    assert list(rows_of(beside.with_name("dataset.annotations.other.csv")).values()) == ["mitotic"]
    assert "dataset.annotations.other.csv" in annotate.news.text()


def test_what_is_given_while_annotations_are_read_is_not_overruled_by_them(
    viewer: Any, plate: Cells, qtbot: Any, tmp_path: Path
) -> None:
    session, kept = session_of(viewer), autosave_of(viewer)
    session.open(plate, "plate")
    session.classify(plate.labels, (*plate.classes, "debris"))
    session.assign([4, 5], 2)
    qtbot.waitUntil(lambda: "2 annotations saved" in kept.state)
    session.open(plate, "plate")
    session.assign([4], -1)
    qtbot.waitUntil(lambda: "Restored" in kept.news[0])
    assert session.cells.labels[[4, 5]].tolist() == [-1, 2]
    qtbot.waitUntil(lambda: "2 annotations saved" in kept.state)
    (path,) = (tmp_path / "user" / "annotations").glob("*.csv")
    assert sorted(rows_of(path).values()) == ["", "debris"]


def test_classes_of_a_data_set_that_comes_back_stay_in_its_file(
    opened: Any, data_set: Path, qtbot: Any, plate: Cells
) -> None:
    _, annotate = opened(data_set)
    session, beside = annotate.session, data_set.with_name("dataset.annotations.csv")
    first, other = session.data_set, 1 - int(session.cells.labels[0])
    session.assign([0], other)
    # What is unsaved is written as another data set comes.
    session.open(plate.subset(slice(12)), "another")
    assert len(rows_of(beside)) == 1
    session.switch(first)
    qtbot.waitUntil(lambda: not annotate.autosave._restoring)
    assert session.cells.labels[0] == other and session.edits.undoable == 1
    session.assign([2], other)
    qtbot.waitUntil(lambda: "2 annotations saved" in annotate.autosave.state)
    assert len(rows_of(beside)) == 2
