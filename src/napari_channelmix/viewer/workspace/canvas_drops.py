"""Tables and folders that are dropped on the picture of a viewer with the workspace.

They come to the page 'Data'. napari reads CSV files and folders itself and, without the workspace,
would ask which plugin is meant whenever one of its own is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDragLeaveEvent
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

from napari_channelmix.viewer.pages.data.importing.file_import import dropped_paths
from napari_channelmix.viewer.workspace.file_reader import is_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CanvasDrops"]

ENDINGS = (".csv", ".txt")
# Characters of metadata that tell whether they are of a plate.
HEAD = 2**16


class CanvasDrops(QObject):
    """Takes tables and folders dropped on a window; everything else stays napari's.

    Parameters
    ----------
    parent : QWidget
        It ends with it.
    take : callable
        Gets the path of a table or a folder.
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
        """Take one table or folder that is not of a kind which napari shows as layers."""
        if event.type() != QEvent.Type.Drop:
            return False
        paths = dropped_paths(event)
        if len(paths) != 1 or not (_is_table(paths[0]) or _is_folder(paths[0])):
            return False
        event.acceptProposedAction()
        # napari's welcome screen is marked while something is dragged over it, until that leaves.
        QApplication.sendEvent(watched, QDragLeaveEvent())
        self._take(paths[0])
        return True


def _is_table(path: Path) -> bool:
    """A name alone is no reason, since napari has tables of its own."""
    return path.suffix.lower() in ENDINGS and is_table(path)


def _is_folder(path: Path) -> bool:
    """A folder, or a plate; other OME-Zarr images are layers of other plugins."""
    if not path.is_dir():
        return False
    if path.suffix.lower() != ".zarr":
        return True
    for name in (".zattrs", "zarr.json"):
        try:
            with (path / name).open(encoding="utf-8", errors="replace") as file:
                if '"plate"' in file.read(HEAD):
                    return True
        except OSError:
            continue
    return False
