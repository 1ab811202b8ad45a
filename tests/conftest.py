"""Fixtures that every test shares."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process is left with one while others rest."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def one_torch_thread() -> None:
    """Make figures repeat from run to run, and keep small networks from waiting on each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real image sets; tests that need it are skipped where it is absent."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("CHANNELMIX_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real image sets: {folder} is no folder (CHANNELMIX_DATA names another)")
    return folder


@pytest.fixture(autouse=True)
def no_widget_outlives_its_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a window or an unowned widget behind."""
    before = _unowned_widgets()
    failures = request.session.testsfailed
    yield
    if request.session.testsfailed > failures:
        return  # its traceback keeps widgets alive
    if any(widget not in before for widget in _unowned_widgets()):
        # Cycles between Python and Qt objects are no leak: the collector frees them.
        gc.collect()
    left = [widget for widget in _unowned_widgets() if widget not in before]
    names = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in left]
    for widget in left:
        widget.close()
        widget.deleteLater()
    if names:
        pytest.fail(f"widgets left behind: {', '.join(names)}", pytrace=False)


def _unowned_widgets() -> list[Any]:
    """Top-level widgets without a parent, once Qt has done the deletions it put off."""
    if "qtpy" not in sys.modules:
        return []
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    if application is None:
        return []
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    application.processEvents()
    return [
        widget
        for widget in application.topLevelWidgets()
        # Qt keeps one hidden tool tip for the whole application.
        if widget.parent() is None and type(widget).__name__ != "QTipLabel"
    ]


@pytest.fixture(scope="session")
def sprites_once() -> Callable[..., Any]:
    """`Sprites` whose outlines are drawn once for all tests; in place of the class."""
    from napari_channelmix.drl.sprites import Sprites

    drawn: dict[Any, Any] = {}

    def sprites(of: Any, **settings: int) -> Any:
        key = (of.name, *settings.items())
        if key not in drawn:
            drawn[key] = Sprites(of, **settings)
        return drawn[key]

    return sprites


@pytest.fixture
def quick_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes told apart by nearest neighbours: trees and networks are `test_separation`'s."""
    _tell_apart_by_nearest_neighbours(monkeypatch)


@pytest.fixture(scope="module")
def quick_learners_of_module() -> Iterator[None]:
    """The same for fixtures that several tests of a file share."""
    with pytest.MonkeyPatch.context() as patch:
        _tell_apart_by_nearest_neighbours(patch)
        yield


def _tell_apart_by_nearest_neighbours(patch: pytest.MonkeyPatch) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    from napari_channelmix.jobs import Progress

    def nearest(x: Any, y: Any, seed: int) -> Any:
        yield Progress(0, 1, "")
        return KNeighborsClassifier(1).fit(x, y)

    for name in ("_trees", "_network"):
        patch.setattr(f"napari_channelmix.drl.separation.{name}", nearest)


@pytest.fixture(scope="session")
def multiplex_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small planted multiplex set: 400 cells in 8 fields, 40 channels, seven types."""
    from napari_channelmix.data.multiplex_sample import multiplex_sample

    return multiplex_sample(tmp_path_factory.mktemp("multiplex"), cells=400)
