"""Choose channels among the viewer's layers: several layers, or one layer and its channel axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.dock import form
from napari_channelmix.viewer.samples import PART

__all__ = ["ChannelsPanel", "ChosenChannels"]

LAYER = Qt.ItemDataRole.UserRole
OWN_NAME = Qt.ItemDataRole.UserRole + 1
# Height of a row in pixels, and how many are shown without scrolling.
ROW, ROWS_SHOWN = 21, 7
# Along an axis; more are no channels.
MOST_CHANNELS = 200


@dataclass(frozen=True)
class ChosenChannels:
    """The channels as they stand now: lazy planes with their names and where they lie."""

    names: tuple[str, ...]
    planes: tuple[layers.LayerPlane, ...]
    images: dict[str, Any]
    axes: tuple[int, int]
    at: dict[int, int]

    @property
    def reference(self) -> Any:
        """The layer whose geometry counts."""
        return next(iter(self.images.values()))


class ChannelsPanel(QWidget):
    """A list of channels in order, with names that can be changed, and what to do with T and Z."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.kind = QComboBox()
        self.kind.addItems(["Every channel is a layer", "One layer with a channel axis"])
        self.kind.setToolTip("How the channels stand in the viewer")
        self.list = QListWidget()
        self.list.setToolTip(
            "Tick the channels; drag to reorder; double-click to give a channel another name"
        )
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.layer = QComboBox()
        self.layer.setToolTip("The layer that holds all channels")
        self.axis = QComboBox()
        self.axis.setToolTip("Which of its axes holds the channels; this is never guessed")
        self.rest = QWidget()
        self._rest_rows = form()
        self.rest.setLayout(self._rest_rows)
        self.note = QLabel(
            "Cells are 2-D: a slice, or the maximum over an axis, is taken when you press 'Use'."
        )
        self.note.setWordWrap(True)
        self._slices: dict[int, QComboBox] = {}
        # Layer, axis and length whose channels the list holds.
        self._listed: tuple[int, int, int] | None = None
        self.rows = form()
        self.rows.addRow("Layer", self.layer)
        self.rows.addRow("Axis", self.axis)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.kind)
        column.addLayout(self.rows)
        column.addWidget(self.list)
        column.addWidget(self.rest)
        column.addWidget(self.note)
        self.kind.currentIndexChanged.connect(lambda _: self._refill())
        self.layer.currentIndexChanged.connect(lambda _: self._fill_axes())
        self.axis.currentIndexChanged.connect(lambda _: self._fill_axis_names())
        self.list.itemChanged.connect(lambda _: self._chosen_changed())
        self.list.model().rowsMoved.connect(lambda *_: self.changed.emit())
        self.fill()

    # ---------------------------------------------------------------- what stands in the viewer

    @property
    def by_axis(self) -> bool:
        """Whether the channels are an axis of one layer."""
        return self.kind.currentIndex() == 1

    @property
    def available(self) -> bool:
        """Whether there is an image layer that the user brought."""
        return bool(self._images())

    def _images(self) -> list[Any]:
        return [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Image) and not layers.is_own(layer)
        ]

    def fill(self, _: object = None) -> None:
        """List the layers of the viewer, keeping what the user chose."""
        with QSignalBlocker(self.layer):
            before = self.layer.currentData()
            self.layer.clear()
            for image in self._images():
                self.layer.addItem(image.name, image)
            self.layer.setCurrentIndex(self._place_of(before))
        if self.by_axis:
            self._fill_axes()
        else:
            self._fill_layers()

    def _place_of(self, layer: Any) -> int:
        places = [i for i in range(self.layer.count()) if self.layer.itemData(i) is layer]
        return places[0] if places else min(0, self.layer.count() - 1)

    def _refill(self) -> None:
        self._list_axis(None, None)
        self.fill()

    def _fill_layers(self) -> None:
        for row in range(self.rows.rowCount()):
            self.rows.setRowVisible(row, False)
        images = self._images()
        known = {id(self.list.item(i).data(LAYER)): self.list.item(i) for i in range(self._count)}
        with QSignalBlocker(self.list):
            for row in reversed(range(self._count)):
                if not any(self.list.item(row).data(LAYER) is image for image in images):
                    self.list.takeItem(row)
            for image in images:
                item = known.get(id(image))
                if item is None:
                    sample = image.metadata.get(PART) == "channel"
                    self._add(image.name, image, refused="RGB" if image.rgb else "", checked=sample)
                else:
                    self._follow_name(item, image.name)
        self._chosen_changed()

    def _fill_axes(self) -> None:
        for row in range(self.rows.rowCount()):
            self.rows.setRowVisible(row, True)
        layer = self.layer.currentData()
        with QSignalBlocker(self.axis):
            before = self.axis.currentData() if self.axis.count() else None
            self.axis.clear()
            self.axis.addItem("choose the channel axis…", None)
            if layer is not None and not layer.rgb:
                for axis in layers.axes_of(layer):
                    self.axis.addItem(str(axis), axis.number)
                    if axis.is_channel or axis.number == before:
                        self.axis.setCurrentIndex(self.axis.count() - 1)
        self._fill_axis_names()

    def _fill_axis_names(self) -> None:
        layer, axis = self.layer.currentData(), self.axis.currentData()
        listed = None
        if layer is not None and axis is not None:
            listed = (id(layer), axis, min(layers.axes_of(layer)[axis].length, MOST_CHANNELS))
        # Other layers come and go, as nuclei that are found: names and ticks of this one stay.
        if listed is None or listed != self._listed:
            self._list_axis(layer, listed)
        else:
            self._rename_axis(layer)
        self._chosen_changed()

    def _list_axis(self, layer: Any, listed: tuple[int, int, int] | None) -> None:
        self._listed = listed
        with QSignalBlocker(self.list):
            self.list.clear()
            for place in range(listed[2] if listed is not None else 0):
                self._add(f"{layer.name} {place}", place, checked=True)

    def _rename_axis(self, layer: Any) -> None:
        with QSignalBlocker(self.list):
            for row in range(self._count):
                item: Any = self.list.item(row)
                self._follow_name(item, f"{layer.name} {item.data(LAYER)}")

    @staticmethod
    def _follow_name(item: QListWidgetItem, name: str) -> None:
        """Take the name the viewer has, unless another was given by hand."""
        if item.text() == item.data(OWN_NAME):
            item.setText(name)
            item.setData(OWN_NAME, name)

    def _add(self, name: str, what: Any, *, refused: str = "", checked: bool = False) -> None:
        item = QListWidgetItem(name)
        item.setData(LAYER, what)
        item.setData(OWN_NAME, name)
        item.setSizeHint(QSize(0, ROW))
        flags = item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable
        item.setFlags(flags & ~Qt.ItemFlag.ItemIsDropEnabled)
        item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
        if refused:
            item.setToolTip(
                "An RGB picture is no channel: split it (right click, Split RGB) or unmix it"
            )
            item.setText(f"{name}  (RGB: no channel)")
        self.list.addItem(item)

    @property
    def _count(self) -> int:
        return int(self.list.count())

    def _ticked(self) -> list[QListWidgetItem]:
        items: list[Any] = [self.list.item(row) for row in range(self._count)]
        return [item for item in items if item.checkState() == Qt.CheckState.Checked]

    def _chosen_changed(self) -> None:
        self.list.setFixedHeight(ROW * min(max(self._count, 2), ROWS_SHOWN) + 8)
        self._fill_slices()
        self.changed.emit()

    # ---------------------------------------------------------------- T and Z

    def _stack(self) -> Any:
        if self.by_axis:
            return self.layer.currentData() if self.axis.currentData() is not None else None
        ticked = self._ticked()
        return ticked[0].data(LAYER) if ticked else None

    def _fill_slices(self) -> None:
        """A choice for every axis that is neither channel, row nor column."""
        layer = self._stack()
        wanted: list[layers.Axis] = []
        if layer is not None and not layer.rgb:
            channel = self.axis.currentData() if self.by_axis else None
            plane = layers.plane_axes(layer, channel) if layer.ndim > 1 else ()
            skipped = {channel, *plane}
            wanted = [one for one in layers.axes_of(layer) if one.number not in skipped]
        if [one.number for one in wanted] != list(self._slices):
            while self._rest_rows.rowCount():
                self._rest_rows.removeRow(0)
            self._slices = {}
            for one in wanted:
                choice = QComboBox()
                choice.addItems(["current slice", "maximum over all slices"])
                choice.setToolTip("Take the slice the viewer shows, or the maximum projection")
                choice.currentIndexChanged.connect(lambda _: self.changed.emit())
                self._rest_rows.addRow(str(one).capitalize(), choice)
                self._slices[one.number] = choice
        self.rest.setVisible(bool(wanted))
        self.note.setVisible(bool(wanted))

    @property
    def slice_choices(self) -> tuple[QComboBox, ...]:
        """For each further axis: current slice (0) or maximum over all (1)."""
        return tuple(self._slices.values())

    # ---------------------------------------------------------------- what was chosen

    def choose(self) -> ChosenChannels:
        """The channels as chosen, nothing read yet.

        Raises
        ------
        DataError
            Why they cannot be used.
        """
        ticked = self._ticked()
        names = tuple(item.text() for item in ticked)
        position = self.viewer.dims.point
        project = frozenset(n for n, choice in self._slices.items() if choice.currentIndex() == 1)
        if self.by_axis:
            layer = self.layer.currentData()
            if layer is None:
                raise DataError("there is no image layer yet; open an image first")
            axis = self.axis.currentData()
            every = layers.planes_from_axis(layer, axis, position, project)
            planes = tuple(every[item.data(LAYER)] for item in ticked)
            images = dict.fromkeys(names, layer)
            axes = layers.plane_axes(layer, axis)
        else:
            chosen = [item.data(LAYER) for item in ticked]
            planes = layers.planes_from_layers(chosen, position, project)
            images = dict(zip(names, chosen, strict=True))
            axes = layers.plane_axes(chosen[0])
        if not names:
            raise DataError("tick at least one channel")
        if len(set(names)) < len(names):
            raise DataError("channel names must differ; double-click one to change it")
        channel = self.axis.currentData() if self.by_axis else None
        at = {
            axis: index
            for axis, index in enumerate(planes[0].index)
            if index is not None and index != layers.PROJECT and axis != channel
        }
        return ChosenChannels(names, planes, images, axes, at)
