"""Tabs of the window that can be read, however many docks there are."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QTabBar

__all__ = ["shorten", "spell_out"]

# What napari puts behind the name of a plugin's dock: from its menus, and from Python.
BEHIND = (" (ChannelMix)", " (napari-channelmix)")


def shorten(dock: QDockWidget) -> None:
    """Leave the plugin's name out of the tab; napari's title above the dock keeps it."""
    title = dock.windowTitle()
    for behind in BEHIND:
        title = title.removesuffix(behind)
    dock.setWindowTitle(title)


def spell_out(dock: QDockWidget) -> None:
    """Cut off no title in the tab bar that a dock stands in; arrows lead to those out of sight.

    Tab bars without this dock, as those of other plugins, stay as they are.
    """
    window = dock.parent()
    if not isinstance(window, QMainWindow):
        return
    # Qt has no way from a dock to its tab; the bars of docks are children of the window itself.
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    for bar in window.findChildren(QTabBar, options=direct):
        titles = [bar.tabText(index) for index in range(bar.count())]
        if dock.windowTitle() in titles and bar.elideMode() != Qt.TextElideMode.ElideNone:
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)
