"""From files to cells in the window: what was understood is seen, changed, and opened."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QLabel

from napari_channelmix.data.description import read_description
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.scan import Choice, Role
from napari_channelmix.scan.plate_layout import PlateLayout
from napari_channelmix.scan.well_classes import with_layout
from napari_channelmix.viewer.pages.data.importing import file_import
from napari_channelmix.viewer.pages.data.importing.jobs import open_saved_job, source_of
from napari_channelmix.viewer.pages.data.importing.preview import preview_job
from napari_channelmix.viewer.pages.data.importing.window import SIZE
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.widgets import file_dialogs

from ....importing import plate_folder, scan_by_hand, scan_of_rows

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plate_folder(tmp_path / "Plåte 7")


@pytest.fixture
def images(dock: Any) -> Any:
    return dock(DataPage)


@pytest.fixture
def show(images: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Open a folder that is understood as a scan, and give the preview."""

    def shown(scan: Any) -> Any:
        def job(_: Any) -> Any:
            yield from ()
            return scan() if callable(scan) else scan

        monkeypatch.setattr(file_import, "scan_job", job)
        images.files.open((scan.folder if not callable(scan) else Path.cwd(),))
        qtbot.waitUntil(lambda: not images.task.busy)
        window = images.files.window
        if window is not None:
            qtbot.waitExposed(window)
        return window

    return shown


def settle(window: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not window.task.busy)
    qtbot.wait(20)


def drag(widget: Any, qtbot: Any, start: QPoint, stop: QPoint) -> None:
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(widget, stop)
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=stop)


def give(window: Any, qtbot: Any, first: str, last: str, name: str) -> None:
    """Drag from one well to another, and type their class."""
    wells = window.wells
    start, stop = (wells.map.well_rect(well).center() for well in (first, last))
    drag(wells.map, qtbot, start, stop)
    # Windows of other tests may take the focus of the screen, not that within this window.
    assert window.focusWidget() is wells.name
    qtbot.keyClicks(wells.edit, name)
    qtbot.keyClick(wells.edit, Qt.Key.Key_Return)
    settle(window, qtbot)


def test_a_folder_of_single_channel_images_becomes_cells_with_classes(
    images: Any, show: Any, folder: Path, qtbot: Any, click: Any
) -> None:
    window = show(scan_by_hand(folder))
    assert "8 wells" in window.sentence.text() and "2 channels: DNA, GFP" in window.sentence.text()
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Classes of wells"
    assert window.tabs.tabText(3) == "Left out (1)"
    give(window, qtbot, "A01", "B02", "untreated")
    give(window, qtbot, "A03", "B04", "treated")
    assert "2 classes: untreated, treated" in window.sentence.text()
    assert window.path.text() == str(folder / "dataset.toml")
    click(window.open)
    qtbot.waitUntil(lambda: images.session.cells is not None)
    cells = images.session.cells
    assert len(cells) == 32 and cells.channels == ("DNA", "GFP")
    assert {name: int((cells.labels == code).sum()) for code, name in enumerate(cells.classes)} == {
        "untreated": 16,
        "treated": 16,
    }
    assert len(set(cells.groups)) == 8
    assert images.files.window is None and images.session.source == str(folder / "dataset.toml")
    description = read_description(folder / "dataset.toml")
    assert description.cells.channel == "DNA" and description.label == "class"


def test_wells_without_a_class_are_proposed_next(show: Any, folder: Path, qtbot: Any) -> None:
    window = show(scan_by_hand(folder))
    give(window, qtbot, "A01", "A04", "control")
    assert window.wells.map.selection == ("B01", "B02", "B03", "B04")
    assert "4 wells without a class selected" in window.wells.state.text()
    # Nothing is given before a name is typed.
    qtbot.keyClick(window.wells.edit, Qt.Key.Key_Return)
    assert set(window.preview.scan.entries["class"]) == {"control", ""}
    assert window.focusWidget() is window.wells.name
    qtbot.keyClicks(window.wells.edit, "treated")
    qtbot.keyClick(window.wells.edit, Qt.Key.Key_Return)
    settle(window, qtbot)
    assert set(window.preview.scan.entries["class"]) == {"control", "treated"}
    assert window.wells.map.selection == ()


def test_wells_are_selected_by_keys_one_after_the_other(
    show: Any, folder: Path, qtbot: Any
) -> None:
    wells = show(scan_by_hand(folder)).wells
    wells.map.setFocus()
    for key, modifier in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier),
    ):
        # To whatever has the focus, as a keyboard does.
        qtbot.keyClick(QApplication.focusWidget(), key, modifier)
    assert wells.map.selection == ("A02", "A03", "B03")
    assert wells.window().focusWidget() is wells.map
    qtbot.keyClick(wells.map, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(wells.map.selection) == 8


def test_a_question_without_an_answer_keeps_open_off(show: Any, folder: Path, qtbot: Any) -> None:
    question = Choice("order", "Which order?", ("wells first", "fields first"))
    window = show(scan_by_hand(folder, choices=(question,)))
    assert not window.open.isEnabled() and not window.save.isEnabled()
    assert "Which order?" in window.notice.text()
    assert next(iter(window.questions.boxes)) == "order"
    box = window.questions.boxes["order"]
    assert box.currentIndex() == -1
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    box.activated.emit(box.currentIndex())
    settle(window, qtbot)
    assert window.preview.scan.choices[0].chosen == "wells first"
    assert window.open.isEnabled() and not window.notice.isVisible()


def test_a_role_is_chosen_in_the_head_of_its_column(show: Any, folder: Path, qtbot: Any) -> None:
    window = show(scan_by_hand(folder))
    window.tabs.setCurrentIndex(0)
    head = window.table.horizontalHeader()
    place = window.table.entries.columns.index("site")
    menus: list[Any] = []

    def choose() -> None:
        menu = QApplication.activePopupWidget()
        menus.append(menu)
        action = next(each for each in menu.actions() if each.text() == "class")
        qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())

    QTimer.singleShot(100, choose)
    x = head.sectionViewportPosition(place) + 10
    qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, 8))
    qtbot.waitUntil(lambda: bool(menus))
    settle(window, qtbot)
    assert window.preview.scan.roles["site"] is Role.CLASS
    assert "class ▾" in window.table.entries.headerData(place, Qt.Orientation.Horizontal)
    assert "1 class: 1" in window.sentence.text()


def test_a_channel_gets_another_name(show: Any, folder: Path, qtbot: Any) -> None:
    window = show(scan_by_hand(folder))
    window.channels.item(1, 1).setText("actin")
    settle(window, qtbot)
    assert "2 channels: DNA, actin" in window.sentence.text()
    window.channels.item(1, 1).setText("DNA")
    settle(window, qtbot)
    assert "two channels are called 'DNA'" in window.notice.text()
    assert not window.open.isEnabled()


def test_two_quick_changes_are_both_made(show: Any, folder: Path, qtbot: Any) -> None:
    window = show(scan_by_hand(folder))
    window.channels.renamed.emit("DNA", "nuclei")
    window.channels.renamed.emit("GFP", "actin")
    settle(window, qtbot)
    assert dict(window.preview.scan.channels) == {"DNA": "nuclei", "GFP": "actin"}


def test_a_change_that_cannot_be_made_says_why_and_changes_nothing(
    show: Any, folder: Path, qtbot: Any
) -> None:
    window = show(scan_by_hand(folder))
    window.channels.item(0, 1).setText("  ")
    settle(window, qtbot)
    assert "its name is empty" in window.notice.text()
    assert window.channels.item(0, 1).text() == "DNA"
    assert window.open.isEnabled()


def test_an_answer_that_is_refused_is_taken_back(
    show: Any, folder: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Choice("order", "Which order?", ("wells first", "fields first"), "wells first")
    window = show(scan_by_hand(folder, choices=(question,)))

    def refuse(*_: Any) -> Any:
        raise DataError("no field is left")

    monkeypatch.setattr(type(window.preview.scan), "with_choice", refuse)
    box = window.questions.boxes["order"]
    box.setCurrentIndex(1)
    box.activated.emit(1)
    settle(window, qtbot)
    assert "no field is left" in window.notice.text()
    assert box.currentText() == "wells first"


def test_classes_of_wells_can_be_left_out_and_outlive_another_pattern(folder: Path) -> None:
    scan, layout = scan_by_hand(folder), PlateLayout({("", "A01"): "treated"})
    given = drain(preview_job(scan, (lambda scan: with_layout(scan, layout),), layout)).scan
    ignored = drain(
        preview_job(given, (lambda scan: scan.with_role("class", Role.IGNORE),), layout)
    )
    assert ignored.scan.roles["class"] is Role.IGNORE and "1 class" not in ignored.sentence

    def anew(_: Any) -> Any:
        yield from ()
        return scan

    assert "1 class: treated" in drain(preview_job(given, (anew,), layout)).sentence

    def without_wells(_: Any) -> Any:
        yield from ()
        return scan.with_role("well", Role.IGNORE)

    assert drain(preview_job(given, (without_wells,), layout)).wells.empty


def test_a_folder_that_cannot_be_written_to_is_opened_without_a_file(
    images: Any, show: Any, folder: Path, qtbot: Any, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr("os.access", lambda path, how: how != os.W_OK and access(path, how))
    window = show(scan_by_hand(folder))
    assert window.path.text() == "" and "Nothing can be written" in window.notice.text()
    click(window.open)
    qtbot.waitUntil(lambda: images.session.cells is not None)
    assert len(images.session.cells) == 32 and not list(folder.glob("dataset*"))


def test_a_data_set_file_that_is_there_is_offered_and_never_overwritten(
    images: Any, show: Any, folder: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scan_by_hand(folder).save()
    before = first.read_bytes()
    window = show(scan_by_hand(folder))
    assert window.path.text() == str(folder / "dataset-2.toml")
    window.path.setText(str(first))
    window.open.click()
    settle(window, qtbot)
    assert "is not overwritten" in window.notice.text() and window.isVisible()
    assert first.read_bytes() == before
    window.existing.linkActivated.emit("#")
    qtbot.waitUntil(lambda: images.session.cells is not None)
    assert images.session.source == str(first)


def test_a_plate_whose_images_are_missing_says_so_and_leaves_no_file(
    show: Any, folder: Path, qtbot: Any
) -> None:
    window = show(scan_by_hand(folder))
    for path in folder.glob("*GFP.tif"):
        path.unlink()
    window.open.click()
    settle(window, qtbot)
    assert window.isVisible() and window.notice.kind == "error"
    assert "GFP" in window.notice.text()
    assert not list(folder.glob("dataset*"))


def test_save_writes_without_opening(
    images: Any,
    show: Any,
    folder: Path,
    tmp_path: Path,
    qtbot: Any,
    click: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = show(scan_by_hand(folder))
    target = tmp_path / "sets" / "one"
    target.parent.mkdir()
    monkeypatch.setattr(file_dialogs, "ask_save", lambda *_: target)
    click(window.save)
    settle(window, qtbot)
    assert target.with_suffix(".toml").is_file()
    assert "8 rows" in window.notice.text() and images.session.cells is None
    from napari_channelmix.data import open_dataset

    assert len(open_dataset(target.with_suffix(".toml"))) == 32


def test_escape_closes_the_preview_unless_something_was_changed(
    show: Any, folder: Path, qtbot: Any
) -> None:
    window = show(scan_by_hand(folder))
    window.channels.item(0, 1).setText("nuclei")
    settle(window, qtbot)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible() and "is lost then" in window.notice.text()
    window = show(scan_by_hand(folder))
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_label_images_that_were_drawn_go_where_opening_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = replace(scan_by_hand(folder), drawn={"a_mask.tif": lambda: None, "own.tif": None})
    (folder / "own.tif").touch()

    def save(_: Any, path: Path) -> Path:
        for name in (path.name, path.with_suffix(".csv").name, "a_mask.tif"):
            (folder / name).touch()
        return path

    monkeypatch.setattr(type(scan), "save", save)
    with pytest.raises(DataError):
        drain(open_saved_job(scan, folder / "new.toml"))
    assert not list(folder.glob("new.*")) and not (folder / "a_mask.tif").exists()
    assert (folder / "own.tif").exists()


def test_classes_of_wells_are_imported_from_a_table(
    show: Any,
    folder: Path,
    tmp_path: Path,
    qtbot: Any,
    click: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "layout.csv"
    path.write_text("well,compound,batch\nA1,DMSO,1\nB4,drug,2\n", encoding="utf-8")
    window = show(scan_by_hand(folder))
    monkeypatch.setattr(file_dialogs, "ask_open", lambda *_: path)
    said: list[str] = []
    # 'compound' is a known name, and so the only one: it needs no question.
    click(window.wells.import_button)
    settle(window, qtbot)
    assert "2 classes: DMSO, drug" in window.sentence.text()
    assert "from column 'compound' of layout.csv" in window.side.notes.text()
    path.write_text("well,one,two\nA1,DMSO,1\nB4,drug,2\n", encoding="utf-8")
    QTimer.singleShot(200, lambda: answer_with("two", said))
    click(window.wells.import_button)
    settle(window, qtbot)
    assert said == ["Choose the column of the class.", "2 of 8 wells get one of 2 classes."]
    assert "2 classes: 1, 2" in window.sentence.text()


def answer_with(column: str, said: list[str]) -> None:
    dialog: Any = QApplication.activeModalWidget()
    said.append(dialog.notice.text())
    box = dialog.mapping.boxes["value"]
    box.setCurrentIndex(box.findText(column))
    box.activated.emit(box.currentIndex())
    said.append(dialog.notice.text())
    dialog.ok.click()


def test_what_was_dropped_on_the_page_is_read(
    images: Any, folder: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []

    def job(source: Any) -> Any:
        yield from ()
        read.append(source)
        return scan_by_hand(folder)

    monkeypatch.setattr(file_import, "scan_job", job)
    table = folder / "cells.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    pictures = sorted(folder.glob("A01*.tif"))
    for paths, kind in (((folder,), "folder"), ((table,), "table"), (pictures, "images")):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        place = QPointF(images.rect().center())
        how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
        QApplication.sendEvent(images, QDragEnterEvent(place.toPoint(), *how))
        QApplication.sendEvent(images, QDropEvent(place, *how))
        qtbot.waitUntil(lambda: not images.task.busy)
        assert read[-1].kind == kind
        assert images.files.window is not None and images.files.window.isVisible()
    assert read[-1].files == tuple(pictures) and read[-1].path == folder


def test_a_table_without_images_is_points_over_the_image_that_is_open(
    viewer: Any, images: Any, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "cells.csv"
    path.write_text("Cell,X,Y,Phenotype\n1,10,20,pos\n2,30.5,40,neg\n", encoding="utf-8")
    odd = {"scale": (0.5, 0.25), "translate": (7.0, -3.0), "units": ("um", "um")}
    viewer.add_image(np.zeros((64, 64)), name="DNA", **odd)
    viewer.add_image(np.zeros((64, 64)), name="GFP", **odd)
    images.files.open((path,))
    qtbot.waitUntil(lambda: "cells" in viewer.layers)
    points = viewer.layers["cells"]
    np.testing.assert_allclose(points.data, [[20, 10], [40, 30.5]])
    np.testing.assert_allclose(points.scale, (0.5, 0.25))
    np.testing.assert_allclose(points.translate, (7, -3))
    assert list(points.features["Phenotype"]) == ["pos", "neg"]
    assert images.origin.currentIndex() == 1
    assert "2 points over layer" in images.notice.text() and images.notice.kind == "good"
    # Which of two images of different size is meant, only the user knows.
    viewer.add_image(np.zeros((32, 32)), name="other")
    viewer.layers.selection.clear()
    images.files.open((path,))
    qtbot.waitUntil(lambda: images.notice.kind == "error")
    assert "select the image layer" in images.notice.text()


def test_a_table_without_images_needs_one_that_is_open(
    images: Any, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "cells.csv"
    path.write_text("Cell,X,Y,Phenotype\n1,10,20,pos\n", encoding="utf-8")
    images.files.open((path,))
    qtbot.waitUntil(lambda: images.notice.kind == "error")
    assert "image" in images.notice.text() and images.files.window is None


def test_a_pattern_is_learnt_from_one_name(
    images: Any, tmp_path: Path, qtbot: Any, click: Any
) -> None:
    folder = tmp_path / "odd names"
    folder.mkdir()
    for well in ("B03", "C11"):
        for channel in ("w1", "w2"):
            path = folder / f"exp4 {well}-pos7.{channel}.tif"
            tifffile.imwrite(path, np.zeros((300, 300), np.uint8))
    images.files.open((folder,))
    qtbot.waitUntil(lambda: images.files.window is not None)
    window = images.files.window
    qtbot.waitExposed(window)
    if not window.by_example.isChecked():
        click(window.by_example)
    line = window.pattern.line
    assert line.toPlainText() == "exp4 B03-pos7.w1.tif"
    for text, key in (("B03", "well"), ("w1", "channel"), ("7", "field")):
        start = line.toPlainText().index(text)
        line.select(start, start + len(text))
        click(window.pattern.buttons[key])
        settle(window, qtbot)
    roles = {role: name for name, role in window.preview.scan.roles.items()}
    entries = window.preview.scan.entries
    assert set(entries[roles[Role.WELL]]) == {"B03", "C11"}
    assert set(entries[roles[Role.FIELD]]) == {"7"}
    assert len(window.preview.scan.channels) == 2
    assert "2 wells" in window.sentence.text()
    click(window.pattern.clear)
    settle(window, qtbot)
    assert not window.pattern.spans


def test_files_that_are_no_data_set_together_are_refused(images: Any, tmp_path: Path) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.tif"
    images.files.open((one, other))
    assert "drop one folder, one table" in images.notice.text()
    assert source_of(()) is None
    images.files.open((tmp_path / "gone",))
    assert "is not there any more" in images.notice.text()
    (tmp_path / "a.pdf").touch()
    images.files.open((tmp_path / "a.pdf",))
    assert "a.pdf: no folder, table, image or data-set file" in images.notice.text()


def test_a_folder_that_vanished_or_holds_nothing_is_an_error_on_the_page(
    images: Any, show: Any, tmp_path: Path, qtbot: Any
) -> None:
    def fail() -> Any:
        raise DataError("folder: no image in it; choose another folder")

    assert show(fail) is None
    assert images.notice.kind == "error" and "no image in it" in images.notice.text()


def test_ten_thousand_files_never_hold_up_the_window(show: Any, tmp_path: Path, qtbot: Any) -> None:
    scan = scan_of_rows(tmp_path, 10_000)
    beats: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()
    window = show(scan)
    window.tabs.setCurrentIndex(0)
    qtbot.wait(100)
    window.table.role_chosen.emit("site", Role.KEY)
    start = time.perf_counter()
    settle(window, qtbot)
    took = time.perf_counter() - start
    window.table.scrollToBottom()
    qtbot.wait(100)
    timer.stop()
    longest = max(later - earlier for earlier, later in itertools.pairwise(beats))
    assert window.table.entries.rowCount() == 10_000
    # 0.2 s on a quiet machine; this one may be busy.
    assert longest < 0.6, longest
    assert took < 1.5, took


def test_a_preview_that_is_closed_stops_what_it_reads(
    images: Any, show: Any, folder: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = show(scan_by_hand(folder))
    ended: list[bool] = []

    def slow(scan: Any) -> Any:
        from napari_channelmix.jobs import Progress

        try:
            for step in range(1000):
                yield Progress(step, 1000, "slow")
                time.sleep(0.01)
            return scan
        finally:
            ended.append(True)

    window.change(slow)
    qtbot.wait(100)
    assert window.bar.isVisible() and not window.open.isEnabled()
    window.close()
    assert not window.isVisible()
    qtbot.waitUntil(lambda: bool(ended))


def test_an_open_preview_follows_the_theme(viewer: Any, show: Any, folder: Path) -> None:
    (folder / "dataset.toml").write_text("")
    window = show(scan_by_hand(folder, notes=("a note",)))
    labels = (window.existing, window.detail, window.side.notes)

    def colors() -> list[str]:
        return [f"{label.styleSheet()} {label.text()}" for label in labels]

    dark = colors()
    viewer.theme = "light"
    assert all(before != after for before, after in zip(dark, colors(), strict=True))


def test_the_preview_fits_a_small_screen(show: Any, folder: Path) -> None:
    window = show(scan_by_hand(folder))
    assert window.minimumSizeHint().width() <= 900
    assert window.minimumSizeHint().height() <= 560


def test_the_sentence_of_a_scan(folder: Path) -> None:
    preview = drain(preview_job(scan_by_hand(folder)))
    assert preview.sentence == "8 wells, 2 channels: DNA, GFP"
    assert preview.detail == "16 files, by hand"
    assert preview.path == folder / "dataset.toml" and preview.data_set is None
    assert SIZE[0] <= 1280 and SIZE[1] <= 800


def test_images_are_read_when_they_are_looked_at(show: Any, folder: Path, qtbot: Any) -> None:
    window = show(scan_by_hand(folder))
    assert window.images.grid.count() == 0
    window.tabs.setCurrentIndex(2)

    def pictures() -> list[QLabel]:
        labels = window.images.findChildren(QLabel)
        return [each for each in labels if each.isVisible() and not each.pixmap().isNull()]

    qtbot.waitUntil(lambda: len(pictures()) == 8)
    # Another name of a channel is shown at once.
    window.channels.renamed.emit("GFP", "actin")
    settle(window, qtbot)
    qtbot.waitUntil(
        lambda: "actin" in {each.text() for each in window.images.findChildren(QLabel)},
    )
