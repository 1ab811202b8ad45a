"""Docks that napari makes for pages: who asked for them, by the name napari gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QDockWidget

__all__ = ["FROM_PYTHON", "TITLE", "made_by_menu", "made_by_python", "to_front"]

#: What the dock of the workspace is called.
TITLE = "ChannelMix"
# What napari puts behind the name of a dock that its menus open, and that Python opens.
FROM_MENU, FROM_PYTHON = f" ({TITLE})", " (napari-channelmix)"


def made_by_menu(dock: QDockWidget) -> bool:
    """Whether napari's menus or its command palette made a dock."""
    return dock.objectName().endswith(FROM_MENU)


def made_by_python(dock: QDockWidget) -> bool:
    """Whether `add_plugin_dock_widget` made a dock, or the workspace took a page out into it."""
    return dock.objectName().endswith(FROM_PYTHON)


def to_front(dock: QDockWidget) -> None:
    """Bring a dock before all others, also where it was hidden."""
    dock.show()
    dock.raise_()
    if dock.isFloating():
        dock.activateWindow()
