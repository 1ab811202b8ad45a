"""A window of a laptop with the workspace, and the ways to a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QLineEdit

from napari_channelmix.viewer.page_parts.open_page import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Cells

SMALL = (1280, 800)


@pytest.fixture
def workspace(viewer: Any, qtbot: Any, registered: Any) -> Any:
    viewer.window.resize(*SMALL)
    opened = open_workspace(viewer)
    qtbot.waitUntil(lambda: opened.frames["data"].shows_page)
    return opened


@pytest.fixture
def filled(workspace: Any, qtbot: Any, plate: Cells) -> Any:
    """The workspace with the plate in it."""
    data = workspace.page("data")
    data.open_cells(plate, "plate.toml")
    qtbot.waitUntil(lambda: workspace.session.shown is not None)
    qtbot.waitUntil(lambda: not data.preview.task.busy)
    qtbot.wait(80)
    return workspace


@pytest.fixture
def menu(registered: Any, qtbot: Any) -> Callable[[str], None]:
    """Do what an entry of napari's menus does."""

    def chosen(command: str) -> None:
        from napari._app_model import get_app_model

        get_app_model().commands.execute_command(f"napari-channelmix.{command}").result()
        qtbot.wait(30)

    return chosen


@pytest.fixture
def palette(viewer: Any, qtbot: Any) -> Callable[[str], None]:
    """Type into napari's command palette and press Enter."""

    def typed(words: str) -> None:
        from qtpy.QtCore import Qt

        window = viewer.window._qt_window  # no public way to it
        viewer.window._toggle_command_palette()
        line = window._command_palette.findChild(QLineEdit)
        qtbot.keyClicks(line, words)
        qtbot.keyClick(line, Qt.Key.Key_Return)
        qtbot.wait(30)

    return typed


def in_front(widget: Any) -> bool:
    return widget.isVisible() and not widget.visibleRegion().isEmpty()
