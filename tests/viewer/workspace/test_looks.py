"""A visit of every page in two sizes of the window and both themes, as `scripts/visit_pages.py`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.workspace.workspace import Workspace

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module; it belongs to no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("visit_pages")


def test_nothing_is_cut_off_while_pages_wait(workspace: Workspace, look: Any, qtbot: Any) -> None:
    assert look.picture_share(workspace) >= 0.6
    assert look.visit(workspace, lambda seconds: qtbot.wait(int(1000 * seconds))) == []


def test_nothing_is_cut_off_on_pages_with_cells_and_a_classifier(
    filled: Workspace, look: Any, plate: Cells, qtbot: Any
) -> None:
    import napari_channelmix as cm
    from napari_channelmix.viewer.session.session import Trained

    model = cm.train_classifier(plate, network="tiny", epochs=1, device="cpu")
    filled.session.trained = Trained(model, "trained on the plate")
    qtbot.wait(50)
    # The script goes through all four; each size and each theme once is cheaper.
    looks = look.LOOKS[::3]
    pause = lambda seconds: qtbot.wait(int(1000 * seconds))  # noqa: E731
    wrong = look.visit(filled, pause, looks=looks)
    assert not wrong, "\n".join(wrong)
    assert all(frame.shows_page for frame in filled.frames.values())
    filled.viewer.window.resize(*look.SIZES[0])
    # Two bars side by side: a page around the gallery that scrolls, and the gallery.
    phenotypes = filled.show_page("phenotypes")
    qtbot.waitUntil(lambda: phenotypes._scroll.verticalScrollBar().maximum() == 0)
    classes = filled.show_page("annotate").classes.table
    qtbot.waitUntil(lambda: classes.verticalScrollBar().maximum() == 0)


def test_the_look_finds_what_is_cut_off(viewer: Any, look: Any, qtbot: Any) -> None:
    around = QWidget()
    wide = QPushButton("a button that says too much to be seen", around)
    wide.resize(60, 20)
    beyond = QLabel("beyond", around)
    beyond.move(180, 40)
    beyond.resize(60, 20)
    whole = QLabel("whole", around)
    whole.move(0, 60)
    whole.resize(100, 20)
    around.setMaximumWidth(200)
    dock = viewer.window.add_dock_widget(around, name="narrow")
    dock.setMaximumWidth(200)
    qtbot.wait(50)
    around.resize(200, 100)
    lines = look.cut_off(around)
    assert len(lines) == 2 and "too much" in lines[0] and "beyond" in lines[1]
