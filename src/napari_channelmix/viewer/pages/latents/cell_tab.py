"""One cell: as it is, as the decoder draws it, and what the sliders make of it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.latent_axes import (
    Axis,
    axes_of,
    inactive_of,
    moved,
)
from napari_channelmix.viewer.charts.thumbnails import Tile
from napari_channelmix.viewer.page_parts.base_page import group
from napari_channelmix.viewer.pages.latents.decoder_worker import Drawing
from napari_channelmix.viewer.pages.latents.pictures import Pictures, cell_image
from napari_channelmix.viewer.pages.latents.real_cell_box import EditsOfCell, RealCellBox
from napari_channelmix.viewer.pages.latents.sliders import Sliders
from napari_channelmix.viewer.pages.latents.traversal_strip import NearestStrip
from napari_channelmix.viewer.tasks.one_thread import one_thread

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from qtpy.QtGui import QImage

    from napari_channelmix.drl import Latents
    from napari_channelmix.drl.nearest_cells import Drawer
    from napari_channelmix.viewer.pages.latents.real_edits import EditedCell, RealCell

__all__ = ["CellPage"]

# Short: four pictures share the width of the page.
TITLES = ("original", "drawn", "modified")
MOVED = 2
ORIGINAL = "The cell that the encoder gets, cut out: {channels}"
TIPS = (
    ORIGINAL,
    "The cell as the decoder draws it from its latents; what is missing here is not in the latents",
    "The reconstruction, modified by the sliders below",
)
# Features have no picture.
TITLES_OF_FEATURES = ("original", "no picture", "nearest cell")
TIPS_OF_FEATURES = (
    ORIGINAL,
    "These are latents of features, which have no picture",
    "The real cell that lies nearest to where the sliders are",
)
EDITED = "edited cell"
HINT = (
    "The reconstruction shows what the latents hold of the cell. To bring it closer to the "
    "original, tick "
    "'Learn to draw these cells' below and run again."
)


class CellPage(QWidget):
    """Pictures, sliders, and real cells that are alike.

    Signals
    -------
    cell_chosen(int)
        A real cell was clicked.
    grid_requested(), grid_removal_requested()
        The button for the grid layer.
    """

    cell_chosen = Signal(int)
    grid_requested = Signal()
    grid_removal_requested = Signal()

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.latents: Latents | None = None
        self.axes: tuple[Axis, ...] = ()
        self.cell: int | None = None
        # What draws the cell that is shown with its residual latents.
        self._drawer: Drawer | None = None
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setToolTip("The cell that is shown, and its label")
        self.pictures = Pictures("The cell: original, reconstruction, modified, edited", theme)
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)
        self.sliders = Sliders(theme)
        self.drawing = Drawing(self)
        self.real_box = RealCellBox(theme)
        self.edits = EditsOfCell(self)
        # The cell whose own pixels are edited; None until it is read.
        self.real: RealCell | None = None
        self.reset = QPushButton("Back to the cell")
        self.reset.setToolTip("Put all sliders back to the values of the cell")
        self.grid = QPushButton("All axes as a layer")
        self.grid.setCheckable(True)
        self.grid.setToolTip(
            "A grid of all axes beside the field of view, one row each, as an image layer; rows "
            "are ordered by how much they change the image. Press again to remove it"
        )
        self.strip = NearestStrip(theme)
        self._build()
        self.sliders.moved.connect(self._moved)
        self.sliders.taken.connect(self.strip.turn_to)
        self.drawing.drawn.connect(self._drawn)
        self.edits.edited.connect(self._edited)
        self.reset.clicked.connect(self.go_back)
        self.strip.cell_chosen.connect(self.cell_chosen)
        self.grid.clicked.connect(self._grid_clicked)
        self.show_latents(None)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.box, inside = group("Modify the cell along its latents")
        buttons = QHBoxLayout()
        buttons.addWidget(self.reset, 1)
        buttons.addWidget(self.grid, 1)
        inside.addWidget(self.title)
        inside.addWidget(self.pictures)
        inside.addWidget(self.real_box)
        inside.addWidget(self.hint)
        inside.addWidget(self.sliders)
        inside.addLayout(buttons)
        column.addWidget(self.box)
        self.near, inside = group("Traversal and nearest cells")
        inside.addWidget(self.strip)
        column.addWidget(self.near)

    # ---------------------------------------------------------------- what is shown

    def show_latents(self, latents: Latents | None) -> None:
        """Show the axes of other latents; no cell is chosen yet."""
        self.drawing.drop()
        self.show_real(None)
        self.latents, self.cell, self._drawer = latents, None, None
        self.axes = () if latents is None else axes_of(latents)
        doubts = () if latents is None or latents.drawing is None else latents.drawing.doubts
        self.sliders.show_axes(self.axes, () if latents is None else inactive_of(latents), doubts)
        self.strip.show_latents(latents, self.axes)
        self.pictures.show_tiles([Tile(None, title=title) for title in titles_of(latents)])
        self.title.setText("Click a cell in the image.")
        self.near.setVisible(bool(self.axes))
        better = latents is not None and latents.drawing is None and latents.disentangler.draws
        self.hint.setVisible(better and latents is not None and len(latents.values) > 1)
        self.mark_grid(False)
        self._enable()

    def show_cell(self, cell: int) -> None:
        """Show a cell where it lies on all axes."""
        latents = self.latents
        if latents is None:
            return
        self.drawing.drop()
        self.show_real(None)
        self.cell, self._drawer = cell, None
        self.show_classes(latents)
        draws = latents.disentangler.draws
        own = latents.prepared.pictures[cell]
        with one_thread():
            again = self._drawer_of(latents).decode(latents.values[cell][None])[0] if draws else own
        pictures = (own, again if draws else None, again)
        seen = latents.prepared.how.view.text
        tips = tuple(tip.format(channels=seen) for tip in (TIPS if draws else TIPS_OF_FEATURES))
        self.pictures.show_tiles(
            [
                Tile(None if picture is None else self._image(picture), title=title, tip=tip)
                for picture, title, tip in zip(pictures, titles_of(latents), tips, strict=True)
            ]
        )
        self.sliders.show_cell(cell)
        self.strip.show_cell(cell)
        self.mark_grid(False)
        self._enable()

    def show_real(self, real: RealCell | None) -> None:
        """Show the cell itself beside the decoder's pictures; None takes it away."""
        self.edits.drop()
        self.real = real
        self.real_box.show_cell(real)
        tiles = [tile for tile in self.pictures.tiles if tile.title != EDITED]
        if real is not None and real.edits:
            below = self._image(real.edited({}).picture)
            tip = "The cell itself, its pixels edited by the sliders that have an edit"
            tiles.append(Tile(below, title=EDITED, tip=tip))
        if len(tiles) != len(self.pictures.tiles):
            self.pictures.show_tiles(tiles)
        if real is not None and self.sliders.moves:
            self.edits.ask(real, self.sliders.moves)

    def show_classes(self, latents: Latents) -> None:
        """The same cells with other classes."""
        self.latents = latents
        if self.cell is None:
            return
        code = int(latents.cells.labels[self.cell])
        label = f" · labelled {html.escape(latents.cells.classes[code])}" if code >= 0 else ""
        self.title.setText(f"<b>Cell {html.escape(cell_name(latents.cells, self.cell))}</b>{label}")

    def mark_grid(self, shown: bool) -> None:
        """Say whether the grid layer is there."""
        self.grid.setChecked(shown)
        self.grid.setText("Remove the layer" if shown else "All axes as a layer")

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.pictures.follow_theme(theme)
        self.real_box.follow_theme(theme)
        self.sliders.follow_theme(theme)
        self.strip.follow_theme(theme)

    def _enable(self) -> None:
        ready = self.cell is not None and bool(self.axes)
        # Without axes there is only the line that says so, which is not to be greyed out.
        self.sliders.setEnabled(ready or not self.axes)
        self.grid.setEnabled(ready)
        self.reset.setEnabled(ready and bool(self.sliders.moves))

    # ---------------------------------------------------------------- moving

    def _moved(self) -> None:
        latents, cell = self.latents, self.cell
        if latents is None or cell is None:
            return
        moves = self.sliders.moves
        self.drawing.ask(
            self._drawer_of(latents, tuple(moves)), moved(latents, cell, self.axes, moves)
        )
        if self.real is not None:
            self.edits.ask(self.real, self.sliders.moves)
        self.reset.setEnabled(bool(self.sliders.moves))

    def go_back(self) -> None:
        """Put all sliders back to the values of the cell."""
        self.sliders.reset()
        self._moved()

    def _drawer_of(self, latents: Latents, moves: tuple[str, ...] = ()) -> Drawer:
        """What draws the cell; its residual latents are read once."""
        if latents.drawing is None:
            return latents.drawer(moves)
        if self._drawer is None:
            self._drawer = latents.drawer(cell=self.cell)
        return self._drawer

    def _image(self, picture: npt.NDArray[Any]) -> QImage:
        latents = self.latents
        return cell_image(picture if latents is None else latents.shown(picture))

    def _drawn(self, picture: npt.NDArray[np.float32]) -> None:
        self.pictures.redraw(MOVED, self._image(picture))

    def _edited(self, edited: EditedCell) -> None:
        self.real_box.show_edit(edited)
        if self.pictures.tiles[-1].title == EDITED:
            self.pictures.redraw(len(self.pictures.tiles) - 1, self._image(edited.picture))

    def _grid_clicked(self, on: bool) -> None:
        (self.grid_requested if on else self.grid_removal_requested).emit()


def titles_of(latents: Latents | None) -> tuple[str, ...]:
    """Titles of the pictures of a cell."""
    drawn = latents is None or latents.disentangler.draws
    return TITLES if drawn else TITLES_OF_FEATURES
