"""A real window, a small plate, and no work left behind."""

from __future__ import annotations

import gc
from functools import partialmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("qtpy")

from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt, QThreadPool
from qtpy.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.data import Cells

# So many objects that came since make it worth while to leave them out of later collections.
NEW_OBJECTS = 100_000

# Longest wait, in ms. A loaded machine needs it; a wait ends as soon as its condition holds.
LONGEST_WAIT = 60_000


class PatientBot(QtBot):
    """The robot of pytest-qt, which gives up later unless a test says when."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=LONGEST_WAIT)
    waitSignal = partialmethod(QtBot.waitSignal, timeout=LONGEST_WAIT)
    waitSignals = partialmethod(QtBot.waitSignals, timeout=LONGEST_WAIT)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """In place of the robot of pytest-qt, whose waits end after five seconds."""
    return PatientBot(request)


@pytest.fixture(scope="session")
def plate() -> Cells:
    from napari_channelmix.data.samples import synthetic_plate

    return synthetic_plate(wells=6, cells_per_well=10, side=128, crop=24).cells


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Finished seeds of these tests stay out of the user's folders."""
    folder = tmp_path / "kept"
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: folder)
    # Nor do annotations of one test come back in the next.
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "user")
    return folder


@pytest.fixture(scope="session", autouse=True)
def manifests_are_read_once() -> Iterator[None]:
    """napari looks for plugins for every new viewer; what is installed stays the same here."""
    from npe2 import PluginManifest

    results = list(PluginManifest.discover())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "discover", lambda paths=(): iter(results))
        yield


@pytest.fixture
def short_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let garbage collections pass over modules and caches, which are never garbage.

    napari makes a full collection whenever layers are removed; with all modules that is a third of
    a second. What a test makes is collected and checked as ever.
    """
    # Known here, and counting all objects with each layer that comes or goes takes its time.
    monkeypatch.setattr("napari_channelmix.viewer.layers.removing.any_set_aside", lambda: True)
    if len(gc.get_objects()) > NEW_OBJECTS:
        gc.collect()
        gc.freeze()


@pytest.fixture
def viewer(short_collections: None, make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    """A viewer in a window that is really drawn."""
    window = make_napari_viewer(show=True)
    yield window
    for one in window.window.dock_widgets.values():
        if hasattr(one, "halt"):
            one.halt()
    QThreadPool.globalInstance().waitForDone(20_000)
    QApplication.processEvents()


@pytest.fixture(scope="session")
def registered() -> Iterator[Any]:
    """The plugin as napari knows it, whether or not it is installed here."""
    from npe2 import PluginManager, PluginManifest

    import napari_channelmix

    manager = PluginManager.instance()
    manifest = PluginManifest.from_file(Path(napari_channelmix.__file__).parent / "napari.yaml")
    known = manifest.name in manager._manifests  # no public way to ask without an error
    if not known:
        manager.register(manifest)
    yield manifest
    if not known:
        manager.unregister(manifest.name)


@pytest.fixture
def dock(viewer: Any, qtbot: Any) -> Callable[[type], Any]:
    """Open a dock in the viewer."""

    def opened(kind: type) -> Any:
        widget = kind(viewer)
        viewer.window.add_dock_widget(widget, name=kind.__name__, tabify=True)
        widget.parent().raise_()
        qtbot.wait(50)
        return widget

    return opened


@pytest.fixture
def click(qtbot: Any) -> Callable[..., None]:
    """Click a widget with the mouse, in its middle or at a place."""

    def clicked(widget: QWidget, at: QPoint | None = None) -> None:
        assert widget.isEnabled(), f"{widget.toolTip()!r} is disabled"
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())

    return clicked


@pytest.fixture
def press(viewer: Any, qtbot: Any) -> Callable[[Any], None]:
    """Click a world position (y, x) in the picture."""

    def pressed(world: Any) -> None:
        place = canvas_point(viewer, world)
        qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, pos=place)

    return pressed


@pytest.fixture
def open_plate(dock: Any, qtbot: Any, plate: Cells) -> Callable[[], Any]:
    """The dock 'Images and cells' with the plate in it."""

    def opened() -> Any:
        from napari_channelmix.viewer.pages.data.page import DataPage

        images = dock(DataPage)
        images.open_cells(plate)
        qtbot.waitUntil(lambda: images.session.shown is not None, timeout=60_000)
        qtbot.waitUntil(lambda: not images.preview.task.busy, timeout=60_000)
        qtbot.wait(150)
        return images

    return opened


def canvas_point(viewer: Any, world: Any) -> QPoint:
    """Where a world position (y, x) of a 2-D view lies on the canvas, in pixels."""
    camera, size = viewer.scene.camera, viewer.canvas.size
    offset = (np.asarray(world, dtype=float)[-2:] - np.asarray(camera.center)[-2:]) * camera.zoom
    y, x = offset + np.asarray(size) / 2
    return QPointF(x, y).toPoint()


def canvas_of(viewer: Any) -> QWidget:
    """The widget the pictures are drawn in."""
    return viewer.window._qt_viewer.canvas.native  # no public way to it
