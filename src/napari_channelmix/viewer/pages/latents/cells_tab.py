"""All cells: a scatter of two axes, and the cells in the viewer coloured by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.charts.latent_axes import figure
from napari_channelmix.viewer.page_parts.base_page import form, group
from napari_channelmix.viewer.pages.latents.scatter import Scatter
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.charts.latent_axes import Axis

__all__ = ["CellsPage", "telling"]


class CellsPage(QWidget):
    """Scatter and colouring.

    Signals
    -------
    cell_chosen(int)
        A point was clicked.
    coloring_changed()
        Another axis is to colour the cells, or none; see `coloring`.
    """

    cell_chosen = Signal(int)
    coloring_changed = Signal()

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axes: tuple[Axis, ...] = ()
        self._latents: Latents | None = None
        self.across = choice("The axis from left to right")
        self.up = choice("The axis from bottom to top")
        self.scatter = Scatter(theme)
        self.legend = ClassLegend()
        self.color_axis = choice("The axis whose value colours the cells")
        self.color = QPushButton("Colour the cells")
        self.color.setCheckable(True)
        self.color.setToolTip(
            "One layer that shows the value of every cell of this field of view; press again to "
            "remove it"
        )
        self.scale = QLabel()
        self.table = QLabel()
        for words in (self.scale, self.table):
            words.setWordWrap(True)
        self._build()
        # The lists in which the user chose; until then, the axes that tell most are shown.
        self._chosen: set[QComboBox] = set()
        for box in (self.across, self.up, self.color_axis):
            box.activated.connect(lambda _, box=box: self._chosen.add(box))
        for box in (self.across, self.up):
            box.currentIndexChanged.connect(self._draw)
        self.scatter.cell_chosen.connect(self.cell_chosen)
        self.color.toggled.connect(self._toggled)
        self.color_axis.currentIndexChanged.connect(self._axis_changed)
        self.show_latents(None, ())

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        box, inside = group("Where the cells lie")
        rows = form()
        rows.addRow("Across", self.across)
        rows.addRow("Up", self.up)
        inside.addLayout(rows)
        inside.addWidget(self.scatter)
        inside.addWidget(self.legend)
        column.addWidget(box)
        box, inside = group("In the viewer")
        row = QHBoxLayout()
        row.addWidget(self.color_axis, 1)
        row.addWidget(self.color, 1)
        inside.addLayout(row)
        inside.addWidget(self.scale)
        inside.addWidget(self.table)
        column.addWidget(box)

    @property
    def coloring(self) -> Axis | None:
        """The axis that is to colour the cells, if any."""
        if not self.color.isChecked():
            return None
        name = self.color_axis.currentData()
        return next((axis for axis in self.axes if axis.name == name), None)

    def show_latents(self, latents: Latents | None, axes: Sequence[Axis]) -> None:
        """Offer the axes of other latents; first those that tell most."""
        self._latents, self.axes = latents, tuple(axes)
        first = telling(latents, self.axes) if latents is not None else ()
        for place, box in enumerate((self.across, self.up, self.color_axis)):
            with QSignalBlocker(box):
                before = box.currentData()
                box.clear()
                for axis in axes:
                    box.addItem(axis.title, axis.name)
                proposed = first[min(place % 2, len(first) - 1)] if first else None
                index = box.findData(before)
                box.setCurrentIndex(index if index >= 0 else box.findData(proposed))
            box.setEnabled(bool(axes))
        self.color.setEnabled(bool(axes))
        if not axes:
            self.color.setChecked(False)
        self._say_scale()
        self._draw()

    def show_separation(self, latents: Latents) -> None:
        """The same latents, now with what separates the classes: other axes may tell most."""
        self._latents = latents
        first = telling(latents, self.axes)
        for place, box in enumerate((self.across, self.up, self.color_axis)):
            # What is in the picture stays.
            taken = box in self._chosen or (box is self.color_axis and self.color.isChecked())
            if first and not taken:
                with QSignalBlocker(box):
                    box.setCurrentIndex(box.findData(first[min(place % 2, len(first) - 1)]))
        self._draw()

    def show_classes(self, latents: Latents) -> None:
        """The same cells with other classes."""
        self._latents = latents
        self._draw()

    def show_cell(self, cell: int) -> None:
        """Mark a cell."""
        self.scatter.mark(cell)

    def say_columns(self, layer: str) -> None:
        """Say where the numbers are to be found; an empty name says nothing."""
        text = f"All latents are columns of the features of layer '{layer}'." if layer else ""
        self.table.setText(text)
        self.table.setVisible(bool(text))

    def uncolor(self) -> None:
        """The colours are gone from the picture."""
        self.color.setChecked(False)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.scatter.follow_theme(theme)

    def _draw(self, _: object = None) -> None:
        latents, across, up = self._latents, self.across.currentIndex(), self.up.currentIndex()
        if latents is None or min(across, up) < 0:
            self.scatter.clear_cells()
            self.legend.show_classes((), "")
            return
        cells = latents.cells
        self.scatter.name_of = lambda cell: cell_name(cells, cell)
        self.scatter.show_axes(self.axes[across], self.axes[up], cells.labels, cells.classes)
        unlabelled = bool(cells.classes) and bool((cells.labels < 0).any())
        self.legend.show_classes(cells.classes, "Points", no_class=unlabelled)

    def _toggled(self, on: bool) -> None:
        self.color.setText("Remove the colours" if on else "Colour the cells")
        self._say_scale()
        self.coloring_changed.emit()

    def _axis_changed(self, _: object) -> None:
        self._say_scale()
        if self.color.isChecked():
            self.coloring_changed.emit()

    def _say_scale(self) -> None:
        """What the colours in the picture mean."""
        axis = self.coloring
        self.scale.setText("" if axis is None else _scale(axis))
        self.scale.setVisible(axis is not None)


def _scale(axis: Axis) -> str:
    if axis.cyclic:
        return "Dark: 0° and 360°. Bright: 180°."
    return f"Dark: {figure(axis, axis.low)} and less. Bright: {figure(axis, axis.high)} and more."


def telling(latents: Latents, axes: Sequence[Axis]) -> tuple[str, ...]:
    """Names of the axes, those first that separate the classes, or else spread the cells."""
    tested = latents.separation

    def worth(axis: Axis) -> tuple[float, float]:
        spread = 0.0 if axis.cyclic else float(axis.values.std())
        known = tested.importance.get(axis.name, (0.0, 0.0))[0] if tested is not None else 0.0
        return known, spread

    return tuple(axis.name for axis in sorted(axes, key=worth, reverse=True))
