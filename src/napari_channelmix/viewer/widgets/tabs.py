"""Docks stand as tabs in one place: side by side, eight of them would leave room for none."""

from __future__ import annotations

from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

__all__ = ["join"]


def join(widget: QWidget, kind: type[QWidget]) -> None:
    """Put a dock that was just opened in front of the docks of the same kind, as one more tab.

    Nothing happens where there is none in the same area of the window, or where it is their tab
    already.

    Parameters
    ----------
    widget : QWidget
        What the dock shows.
    kind : type
        The class of what the others show.
    """
    dock = widget.parent()
    window = dock.parent() if isinstance(dock, QDockWidget) else None
    if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
        return
    area, tabs = window.dockWidgetArea(dock), window.tabifiedDockWidgets(dock)
    all_docks = [
        candidate.parent() for candidate in window.findChildren(kind) if candidate is not widget
    ]
    others = [candidate for candidate in all_docks if isinstance(candidate, QDockWidget)]
    if dock.isFloating() or any(other in tabs for other in others):
        return
    for other in others:
        # What is closed or floats has no place to share.
        there = not other.isHidden() and not other.isFloating()
        if there and window.dockWidgetArea(other) == area:
            window.tabifyDockWidget(other, dock)
            dock.show()
            dock.raise_()
            return
