"""Along one axis: what the decoder draws, and the real cells that come nearest to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.latent_axes import Axis, figure
from napari_channelmix.viewer.charts.thumbnails import Tile
from napari_channelmix.viewer.pages.latents.pictures import Pictures, cell_image
from napari_channelmix.viewer.tasks.one_thread import one_thread
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.drl import Latents

__all__ = ["NearestStrip"]

# Pictures along the axis, and the least width at which all of them stand in one row.
COUNT, SMALLEST = 7, 38


class NearestStrip(QWidget):
    """Two rows under each other; a click on a real cell goes there."""

    cell_chosen = Signal(int)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis = choice("The axis; moving a slider above chooses its axis")
        self.drawn = Pictures("Images generated along the axis", theme, SMALLEST)
        self.real = Pictures("Real cells along the axis", theme, SMALLEST)
        self.real.make_pressable()
        self.cells: tuple[int, ...] = ()
        self._latents: Latents | None = None
        self._axes: tuple[Axis, ...] = ()
        self._cell: int | None = None
        row = QHBoxLayout()
        row.addWidget(QLabel("Axis"))
        row.addWidget(self.axis, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.drawn)
        column.addWidget(self.real)
        self.axis.currentIndexChanged.connect(self._fill)
        self.real.clicked.connect(self._clicked)

    def show_latents(self, latents: Latents | None, axes: Sequence[Axis]) -> None:
        """Offer the axes of other latents."""
        before = self.axis.currentData()
        # One cell is no neighbour of itself.
        self.real.setVisible(latents is None or len(latents.values) > 1)
        # Features have no picture: the real cells stand alone.
        self.drawn.setVisible(latents is None or latents.disentangler.draws)
        self._latents, self._axes, self._cell = latents, tuple(axes), None
        with QSignalBlocker(self.axis):
            self.axis.clear()
            for axis in axes:
                self.axis.addItem(axis.title, axis.name)
            self.axis.setCurrentIndex(max(0, self.axis.findData(before)))
        self._fill()

    def show_cell(self, cell: int) -> None:
        """Begin from a cell."""
        self._cell = cell
        self._fill()

    def turn_to(self, name: str) -> None:
        """Take another axis."""
        index = self.axis.findData(name)
        if index >= 0:
            self.axis.setCurrentIndex(index)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.drawn.follow_theme(theme)
        self.real.follow_theme(theme)

    def _clicked(self, index: int) -> None:
        if index < len(self.cells):
            self.cell_chosen.emit(self.cells[index])

    def _fill(self, _: object = None) -> None:
        latents, cell, index = self._latents, self._cell, self.axis.currentIndex()
        if latents is None or cell is None or not 0 <= index < len(self._axes):
            self.cells = ()
            # Their room is kept: the page would else jump with the first cell.
            self.drawn.show_tiles([Tile(None)] * COUNT)
            self.real.show_tiles([Tile(None, note=" ")] * COUNT)
            self.real.frame(None)
            return
        axis, of = self._axes[index], latents.disentangler
        span = latents.ranges()[axis.columns[0]]
        steps = of.steps(latents.values[cell], axis.name, COUNT, (float(span[0]), float(span[1])))
        if of.draws:
            with one_thread():
                pictures = latents.shown(latents.decoder_of(cell)(steps))
            self.drawn.show_tiles(
                [
                    Tile(
                        cell_image(picture),
                        tip=f"{axis.title} {figure(axis, _on(axis, z))}: drawn",
                    )
                    for picture, z in zip(pictures, steps, strict=True)
                ]
            )
        self.cells = tuple(int(neighbour) for neighbour in latents.nearest(cell, axis.name, COUNT))
        self.real.show_tiles(
            [
                Tile(
                    cell_image(latents.shown(latents.prepared.pictures[neighbour])),
                    note=figure(axis, float(axis.values[neighbour])),
                    tip=f"Cell {cell_name(latents.cells, neighbour)}, {axis.title} "
                    f"{figure(axis, float(axis.values[neighbour]))}; click to go there",
                )
                for neighbour in self.cells
            ]
        )
        self.real.frame(self.cells.index(cell) if cell in self.cells else None)


def _on(axis: Axis, z: np.ndarray) -> float:
    """Value of latents (Z,) on an axis."""
    if axis.cyclic:
        return float(np.arctan2(z[axis.columns[1]], z[axis.columns[0]]))
    return float(z[axis.columns[0]])
