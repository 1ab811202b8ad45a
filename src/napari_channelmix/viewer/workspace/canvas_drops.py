"""Tables that are dropped on the picture of a viewer with the workspace: the page 'Data' has them.

napari reads CSV files itself and would ask which plugin is meant, for every table of its own too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_channelmix.viewer.pages.data.import_files import dropped_paths
from napari_channelmix.viewer.workspace.file_reader import is_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CanvasDrops"]

ENDINGS = (".csv", ".txt")


class CanvasDrops(QObject):
    """Takes tables out of what is dropped on a window; everything else stays napari's.

    Parameters
    ----------
    parent : QWidget
        It ends with it.
    take : callable
        Gets the path of a table.
    """

    def __init__(self, parent: QWidget, take: Callable[[Path], object]) -> None:
        super().__init__(parent)
        self._take = take

    def watch(self, window: QMainWindow) -> None:
        """Watch what takes drops in the middle of a window."""
        middle = window.centralWidget()
        widgets = [] if middle is None else [middle, *middle.findChildren(QWidget)]
        for widget in widgets:
            if widget.acceptDrops():
                # A filter that is there already is not added again.
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take one table; its name alone is no reason, since napari has tables of its own."""
        if event.type() != QEvent.Type.Drop:
            return False
        paths = dropped_paths(event)
        if len(paths) != 1 or paths[0].suffix.lower() not in ENDINGS or not is_table(paths[0]):
            return False
        event.acceptProposedAction()  # type: ignore[attr-defined]
        self._take(paths[0])
        return True
