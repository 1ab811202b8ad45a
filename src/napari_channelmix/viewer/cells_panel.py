"""Choose what marks the cells in the channels: a Labels or Points layer, or nuclei found here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Points
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.dock import form
from napari_channelmix.viewer.samples import CLASSES, PART

if TYPE_CHECKING:
    from napari_channelmix.viewer.channels_panel import ChosenChannels

__all__ = ["CellsPanel"]


class CellsPanel(QWidget):
    """Source of the cells, size of the crops, and where classes are already written."""

    changed = Signal()
    nuclei_wanted = Signal(str)

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.source = QComboBox()
        self.source.setToolTip("The Labels or Points layer that marks the cells")
        self.nuclei_channel = QComboBox()
        self.nuclei_channel.setToolTip("The channel in which the nuclei are bright")
        self.find_button = QPushButton("Find nuclei")
        self.find_button.setToolTip(
            "Smooth, threshold (Otsu), split touching nuclei; the result is a new Labels layer "
            "that you can correct"
        )
        self.find_button.clicked.connect(
            lambda: self.nuclei_wanted.emit(self.nuclei_channel.currentText())
        )
        self.crop = QSpinBox()
        self.crop.setRange(8, 512)
        self.crop.setValue(48)
        self.crop.setSuffix(" pixels")
        self.crop.setToolTip("Side of the square cut out around each cell")
        self.column = QComboBox()
        self.column.setToolTip(
            "A column of the layer's features that names the class of each cell; without one, "
            "give cells their classes in 'Annotate'"
        )
        finder = QHBoxLayout()
        finder.addWidget(self.nuclei_channel, 1)
        finder.addWidget(self.find_button)
        rows = form()
        rows.addRow("Marked by", self.source)
        rows.addRow("or in", finder)
        rows.addRow("Crop", self.crop)
        rows.addRow("Classes", self.column)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        self.source.currentIndexChanged.connect(lambda _: self._fill_columns(fresh=True))
        self.crop.valueChanged.connect(lambda _: self.changed.emit())
        self.fill()

    def fill(self, _: object = None) -> None:
        """List the layers that may mark cells, keeping what the user chose."""
        before, fresh = self.source.currentData(), False
        with QSignalBlocker(self.source):
            self.source.clear()
            self.source.addItem("choose a layer…", None)
            for layer in self.viewer.layers:
                if isinstance(layer, (Labels, Points)) and not layers.is_own(layer):
                    kind = "labels" if isinstance(layer, Labels) else "points"
                    self.source.addItem(f"{layer.name} ({kind})", layer)
                    sample = before is None and layer.metadata.get(PART) == "cells"
                    fresh |= sample
                    if layer is before or sample:
                        self.source.setCurrentIndex(self.source.count() - 1)
        self._fill_columns(fresh)

    def choose_source(self, layer: Any) -> None:
        """Mark the cells by this layer."""
        for row in range(self.source.count()):
            if self.source.itemData(row) is layer:
                self.source.setCurrentIndex(row)

    def fill_channels(self, names: tuple[str, ...]) -> None:
        """Offer these channels to find nuclei in."""
        if names == tuple(
            self.nuclei_channel.itemText(i) for i in range(self.nuclei_channel.count())
        ):
            return
        before = self.nuclei_channel.currentText()
        self.nuclei_channel.clear()
        self.nuclei_channel.addItems(list(names))
        if before in names:
            self.nuclei_channel.setCurrentText(before)
        self.find_button.setEnabled(bool(names))

    def _fill_columns(self, fresh: bool = False) -> None:
        """List the columns; ``fresh``: of a layer that was chosen just now."""
        layer, before = self.source.currentData(), self.column.currentText()
        self.column.clear()
        self.column.addItem("none yet", None)
        if layer is not None:
            for name in layers.columns_of(layer):
                self.column.addItem(f"column {name!r}", name)
            if fresh and layer.metadata.get(PART) == "cells":
                before = f"column {CLASSES!r}"
        self.column.setCurrentIndex(max(0, self.column.findText(before)))
        self.changed.emit()

    def check(self, chosen: ChosenChannels) -> None:
        """Refuse what can be known to be wrong without reading pixels.

        Raises
        ------
        DataError
            With the reason.
        """
        layer = self.source.currentData()
        if layer is None:
            raise DataError("choose the layer that marks the cells, or find nuclei")
        shape = chosen.planes[0].shape
        if self.crop.value() > min(shape):
            raise DataError(
                f"a crop of {self.crop.value()} pixels is larger than the image "
                f"({shape[0]} x {shape[1]})"
            )
        if isinstance(layer, Labels):
            layers.label_plane(layer, chosen.reference, shape, self.viewer.dims.point)

    def job(self, chosen: ChosenChannels) -> Job[Cells]:
        """The cells as a job; layers are looked at now, pixels are read in the job.

        Raises
        ------
        DataError
            As `check`.
        """
        self.check(chosen)
        layer, crop = self.source.currentData(), self.crop.value()
        column = self.column.currentData()
        classes = layers.classes_in_column(layer, column) if column else None
        geometry = layers.like(chosen.reference, chosen.axes)
        name = _called(chosen)
        size = tuple(float(step) for step in geometry["scale"])
        unit = str(geometry["units"][0])
        if isinstance(layer, Labels):
            shape, point = chosen.planes[0].shape, self.viewer.dims.point
            marked = layers.label_plane(layer, chosen.reference, shape, point)
            return _from_labels(chosen, marked, crop, classes, name, size, unit)
        where, numbers = layers.points_plane(layer, chosen.reference, chosen.planes[0])
        return _from_points(chosen, where, numbers, crop, classes, name, size, unit)


def _called(chosen: ChosenChannels) -> str:
    """What the cells are called: after their image, or after all channels that are layers."""
    first, rest = chosen.reference.name, len(set(map(id, chosen.images.values()))) - 1
    if not rest:
        return str(first)
    return f"{first} and {rest} other channel{'s' if rest > 1 else ''}"


def _from_labels(
    chosen: ChosenChannels, marked: Any, crop: int, classes: dict[int, str] | None, name: str,
    size: Any, unit: str,
) -> Job[Cells]:  # fmt: skip
    yield Progress(0, 2, "reading the labels")
    height, width = marked.shape
    # A copy: what is painted in the layer later is no cell of these.
    labels = np.array(marked[0:height, 0:width])
    yield Progress(1, 2, "measuring the cells")
    cells = Cells.from_labels(
        chosen.planes, chosen.names, labels, crop=crop, classes_of=classes, name=name
    )
    return replace(cells, fields=(replace(cells.fields[0], pixel_size=size, unit=unit),))


def _from_points(
    chosen: ChosenChannels, where: Any, numbers: Any, crop: int, classes: dict[int, str] | None,
    name: str, size: Any, unit: str,
) -> Job[Cells]:  # fmt: skip
    yield Progress(0, 1, "cutting around the points")
    cells = Cells.from_points(chosen.planes, chosen.names, where, crop=crop, name=name)
    field = replace(cells.fields[0], pixel_size=size, unit=unit)
    # The number of its point is a cell's name where there are no outlines.
    cells = replace(cells, fields=(field,), table=cells.table.assign(object=numbers))
    if classes is None:
        return cells
    names = tuple(dict.fromkeys(classes.values()))
    codes = [names.index(classes[n]) if n in classes else -1 for n in np.asarray(numbers).tolist()]
    return cells.with_labels(codes, names)
