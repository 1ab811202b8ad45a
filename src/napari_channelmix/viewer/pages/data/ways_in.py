"""Three ways to cells, while there are none: files, layers, a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow
from napari_channelmix.viewer.widgets.secondary_text import show_secondary

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMenu

__all__ = ["WaysIn"]

FILES = "A folder of images, a plate, a table or a data-set file; or drop it onto this page"
LAYERS = "Images that are open in the viewer"
SAMPLE = "A plate of synthetic cells, made on this computer; File > Open Sample has others"


class WaysIn(QWidget):
    """A button and a line for each way.

    Parameters
    ----------
    files : QMenu
        What the first button opens.
    theme : str
    """

    layers_chosen = Signal()
    sample_chosen = Signal()

    def __init__(self, files: QMenu, theme: str) -> None:
        super().__init__()
        self.files, self.layers = QPushButton("From files"), QPushButton("From layers")
        self.sample = QPushButton("Sample")
        self._lines: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        for button, menu, line in (
            (self.files, files, FILES),
            (self.layers, None, LAYERS),
            (self.sample, None, SAMPLE),
        ):
            button.setToolTip(line)
            if menu is not None:
                button.setMenu(menu)
                leave_room_for_arrow(button)
            words = QLabel(line)
            words.setWordWrap(True)
            words.setIndent(2)
            self._lines.append(words)
            column.addWidget(button)
            column.addWidget(words)
            column.addSpacing(8)
        self.layers.clicked.connect(self.layers_chosen)
        self.sample.clicked.connect(self.sample_chosen)
        self.follow_theme(theme)

    def follow_theme(self, theme: str) -> None:
        """Write the lines in the theme's secondary colour."""
        for line in self._lines:
            show_secondary(line, theme)
