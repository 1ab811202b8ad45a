"""Data sets and tables that are dropped on the picture, or opened with napari's own functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_channelmix.data import save_dataset
from napari_channelmix.viewer.page_parts.open_page import open_workspace
from napari_channelmix.viewer.workspace.file_reader import get_reader, is_data_set, is_table
from napari_channelmix.viewer.workspace.workspace import find_workspace

if TYPE_CHECKING:
    from pathlib import Path

POINTS = "index,axis-0,axis-1\n0,10.5,20.5\n1,30.0,40.0\n"
TABLE = "Image,Class,x,y\na.tif,pos,1,2\n"


@pytest.fixture
def data_set(plate: Any, tmp_path: Path) -> Path:
    return save_dataset(plate, tmp_path / "my plate")


def drop(viewer: Any, *paths: Path) -> None:
    """Drop files on the picture, as the window system does."""
    middle = viewer.window._qt_window.centralWidget()
    targets = [each for each in (middle, *middle.findChildren(QWidget)) if each.acceptDrops()]
    target = next(each for each in targets if each.isVisible())
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPointF(target.rect().center())
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    QApplication.sendEvent(target, QDragEnterEvent(place.toPoint(), *how))
    QApplication.sendEvent(target, QDropEvent(place, *how))


def cells_of(viewer: Any, qtbot: Any) -> Any:
    qtbot.waitUntil(lambda: find_workspace(viewer) is not None)
    session = find_workspace(viewer).session
    qtbot.waitUntil(lambda: session.cells is not None)
    qtbot.wait(200)
    return session.cells


@pytest.mark.usefixtures("registered")
def test_a_data_set_file_is_dropped_on_the_picture(
    viewer: Any, data_set: Path, plate: Any, qtbot: Any
) -> None:
    drop(viewer, data_set)
    cells = cells_of(viewer, qtbot)
    assert len(cells) == len(plate)
    workspace = find_workspace(viewer)
    assert workspace.current == "data"
    assert {"DNA", "classes"} <= {layer.name for layer in viewer.layers}
    # Its name is no layer's.
    assert not any("dataset" in layer.name for layer in viewer.layers)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("plugin", [None, "napari-channelmix"])
def test_a_data_set_file_is_opened_with_naparis_own_function(
    viewer: Any, data_set: Path, plate: Any, qtbot: Any, plugin: str | None
) -> None:
    assert viewer.open(data_set, plugin=plugin) == []
    assert len(cells_of(viewer, qtbot)) == len(plate)


@pytest.mark.usefixtures("registered")
def test_a_table_is_dropped_on_a_viewer_with_the_workspace(
    viewer: Any, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(viewer)
    qtbot.wait(200)
    taken: list[Path] = []
    page = workspace.page("data")
    monkeypatch.setattr(page.files, "open", lambda paths: taken.extend(paths))
    table, points = tmp_path / "cells.csv", tmp_path / "points.csv"
    table.write_text(TABLE, encoding="utf-8")
    points.write_text(POINTS, encoding="utf-8")
    drop(viewer, table)
    assert taken == [table]
    # napari's own table stays a layer.
    drop(viewer, points)
    assert taken == [table] and [layer.name for layer in viewer.layers] == ["points"]


@pytest.mark.usefixtures("registered")
def test_a_folder_is_dropped_on_a_viewer_with_the_workspace(
    viewer: Any, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(viewer)
    qtbot.wait(200)
    taken: list[Path] = []
    monkeypatch.setattr(workspace.page("data").files, "open", lambda paths: taken.extend(paths))
    folder, plate, image = (tmp_path / name for name in ("plate 1", "plate.zarr", "image.zarr"))
    for path, text in ((folder, ""), (plate, '{"plate": {}}'), (image, '{"multiscales": []}')):
        path.mkdir()
        (path / ".zattrs").write_text(text, encoding="utf-8")
    filters = workspace._drops
    for path, ours in ((folder, True), (plate, True), (image, False)):
        taken.clear()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
        # Asked directly: what is not ours would be read by napari.
        assert filters.eventFilter(viewer.window._qt_window, QDropEvent(QPointF(), *how)) is ours
        assert taken == ([path] if ours else [])


@pytest.mark.usefixtures("registered")
def test_what_was_dropped_marks_the_welcome_screen_no_more(
    viewer: Any, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(viewer)
    qtbot.wait(200)
    monkeypatch.setattr(workspace.page("data").files, "open", lambda _: None)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    seen: list[QEvent.Type] = []

    class Seen(QWidget):
        def event(self, event: QEvent) -> bool:
            seen.append(event.type())
            return True

    widget = Seen()
    qtbot.addWidget(widget)
    assert workspace._drops.eventFilter(widget, QDropEvent(QPointF(), *how))
    assert seen == [QEvent.Type.DragLeave]


def test_only_files_of_ours_are_claimed(data_set: Path, tmp_path: Path) -> None:
    other, points = tmp_path / "pyproject.toml", tmp_path / "points.tsv"
    other.write_text('[project]\nname = "x"\n', encoding="utf-8")
    points.write_text(POINTS.replace(",", "\t"), encoding="utf-8")
    table = tmp_path / "cells.tsv"
    table.write_text(TABLE.replace(",", "\t"), encoding="utf-8")
    assert get_reader(str(data_set)) is not None and get_reader(str(table)) is not None
    for path in (other, points, tmp_path / "gone.toml", tmp_path / "gone.tsv"):
        assert get_reader(str(path)) is None
    assert get_reader([str(data_set), str(data_set)]) is None
    assert is_data_set(data_set) and not is_data_set(other)
    picture = tmp_path / "picture.tsv"
    picture.write_bytes(b"II*\0\x08\0\0\0,,,")
    assert not is_table(picture)


def test_a_data_set_file_with_a_mistake_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text('name = "x"\ntabel = "y"\n', encoding="utf-8")
    assert is_data_set(path)
