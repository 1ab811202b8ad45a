"""The three pages on what was found: one cell, all cells, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QTabBar, QVBoxLayout, QWidget

from napari_channelmix.viewer.pages.latents.cell_tab import CellPage
from napari_channelmix.viewer.pages.latents.cells_tab import CellsPage
from napari_channelmix.viewer.pages.latents.classes_tab import ClassesPage

if TYPE_CHECKING:
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["Pages"]

PAGES = (
    ("One cell", "Modify a cell along its latents, and see similar real cells"),
    ("All cells", "A scatter plot of two axes, and the cells coloured by one"),
    ("Classes", "How well the latents separate the classes, and a cell compared with a class"),
)


class Pages(QWidget):
    """Pages behind tabs; all of them are kept up to date.

    Signals
    -------
    cell_chosen(int)
        A point or a picture of a cell was clicked.
    """

    cell_chosen = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tabs = QTabBar()
        for title, tip in PAGES:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self.cell_tab, self.cells_tab, self.classes_tab = (
            CellPage(theme),
            CellsPage(theme),
            ClassesPage(theme),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.tabs)
        for page in (self.cell_tab, self.cells_tab, self.classes_tab):
            column.addWidget(page)
        self.tabs.currentChanged.connect(self.turn)
        self.cell_tab.cell_chosen.connect(self.cell_chosen)
        self.cells_tab.cell_chosen.connect(self.cell_chosen)
        self.turn(0)

    def show_latents(self, latents: Latents | None) -> None:
        """Show what was found; no cell is chosen yet."""
        self.cell_tab.show_latents(latents)
        self.cells_tab.show_latents(latents, self.cell_tab.axes)
        self.classes_tab.show_latents(latents, self.cell_tab.axes)

    def show_separation(self, latents: Latents) -> None:
        """The same latents, now with what separates the classes."""
        self.cells_tab.show_separation(latents)
        self.classes_tab.show_separation(latents)

    def show_classes(self, latents: Latents) -> None:
        """The same latents of cells that were given other classes."""
        self.cell_tab.show_classes(latents)
        self.cells_tab.show_classes(latents)
        self.classes_tab.show_classes(latents)

    def show_accuracies(self, trained: Trained | None) -> None:
        """Hold the latents against the classifier of the session."""
        self.classes_tab.show_accuracies(trained)

    def show_cell(self, cell: int) -> None:
        """Show a cell on all pages."""
        for page in (self.cell_tab, self.cells_tab, self.classes_tab):
            page.show_cell(cell)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        for page in (self.cell_tab, self.cells_tab, self.classes_tab):
            page.follow_theme(theme)

    def turn(self, index: int) -> None:
        """Show one of the pages."""
        for place, page in enumerate((self.cell_tab, self.cells_tab, self.classes_tab)):
            page.setVisible(place == index)
