"""Choose channels among the viewer's layers: several layers, or one layer and its channel axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data.short_names import short_names
from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.page_parts.base_page import form, no_wider
from napari_channelmix.viewer.pages.data.axis_question import AxisQuestion, unclear_axis
from napari_channelmix.viewer.pages.data.channel_list import (
    FULL_NAME,
    GROUP,
    LAYER,
    USED_NAME,
    ChannelList,
)
from napari_channelmix.viewer.pages.data.channel_proposal import ChannelProposal, propose
from napari_channelmix.viewer.pages.data.channel_tools import ChannelTools
from napari_channelmix.viewer.pages.data.chosen_channels import (
    CHANNEL_NAME,
    ChosenChannels,
    Slice,
)
from napari_channelmix.viewer.pages.data.chosen_planes import chosen_channels, names_of_layers
from napari_channelmix.viewer.pages.data.listed_notes import ListedNotes, question_of
from napari_channelmix.viewer.pages.data.rgb_bar import RgbBar
from napari_channelmix.viewer.pages.data.scaling_box import ScalingBox
from napari_channelmix.viewer.widgets.notice import breakable

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

__all__ = ["ChannelsPanel", "ChosenChannels", "Slice"]

# Along an axis; more are no channels.
MOST_CHANNELS = 200
# What becomes of an axis that is neither channels, rows nor columns.
CURRENT, MAXIMUM, EVERY = "current slice", "maximum of all slices", "every slice a field"


class ChannelsPanel(QWidget):
    """A list of channels in order, with names that can be changed, and what to do with T and Z."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.kind = QComboBox()
        self.kind.addItems(["Channels are separate layers", "One layer with a channel axis"])
        self.kind.setToolTip("How the channels are stored in the viewer")
        self.list = ChannelList()
        self.list.setToolTip(
            "Tick the channels, with Shift a range; drag to reorder; double-click to give a "
            "channel another name"
        )
        self.tools = ChannelTools(self.list)
        self.scaling = ScalingBox()
        self.notes = ListedNotes(
            viewer, self.tools, lambda: question_of(self.every_channel()), self
        )
        self.layer = QComboBox()
        self.layer.setToolTip("The layer that holds all channels")
        self.axis = QComboBox()
        self.axis.setToolTip("Which of its axes holds the channels")
        no_wider(self.kind, self.layer, self.axis)
        self.rest = QWidget()
        self._rest_rows = form()
        self.rest.setLayout(self._rest_rows)
        self.note = QLabel(
            "Cells are 2-D. The slice is taken when you press 'Create cell set'; in a maximum the "
            "cells are "
            "projected too."
        )
        self.note.setWordWrap(True)
        self.question = AxisQuestion()
        self.rgb = RgbBar()
        # What was ticked by itself, and why.
        self.proposed = QLabel()
        self.proposed.setWordWrap(True)
        self.proposed.setVisible(False)
        self._proposal = ChannelProposal()
        # From the first choice of the user on nothing is proposed any more.
        self._by_hand, self._proposing = False, False
        # Axes of layers that hold slices: the user said so.
        self._answered: WeakKeyDictionary[Any, set[int]] = WeakKeyDictionary()
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
        column.addWidget(self.tools)
        column.addWidget(self.list)
        column.addWidget(self.scaling)
        column.addWidget(self.rgb)
        column.addWidget(self.proposed)
        column.addWidget(self.question)
        column.addWidget(self.rest)
        column.addWidget(self.note)
        self.question.channels.connect(self._are_channels)
        self.question.slices.connect(self._are_slices)
        self.kind.currentIndexChanged.connect(lambda _: self._refill())
        self.layer.currentIndexChanged.connect(lambda _: self._fill_axes(by_hand=True))
        self.axis.currentIndexChanged.connect(lambda _: self._fill_axis_names(by_hand=True))
        self.list.itemChanged.connect(lambda _: self._chosen_changed(by_hand=True))
        self.tools.panel_applied.connect(lambda: self._chosen_changed(by_hand=True))
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

    def fill(self, *, propose: bool = True) -> None:
        """List the layers of the viewer, keeping what the user chose.

        ``propose``: look as well which of them are channels, and tick those.
        """
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
        images = self._images()
        made = [image for image in images if CHANNEL_NAME in image.metadata]
        self.rgb.offer([image for image in images if image.rgb], made)
        if propose:
            self._propose()

    def _propose(self) -> None:
        """Tick what is sure to be channels, as long as the user has chosen nothing."""
        images = self._images()
        if not images:
            self._by_hand = False
        if self._by_hand:
            return
        proposal = propose(images, self.viewer.layers.selection)
        if proposal.key == self._proposal.key:
            return
        self._proposal, self._proposing = proposal, True
        try:
            self.kind.setCurrentIndex(0 if proposal.stack is None else 1)
            if proposal.stack is not None:
                self._choose_axis(proposal.stack, proposal.axis)
            else:
                self._tick(proposal.ticked)
        finally:
            self._proposing = False
        self._say(proposal.text)

    def _say(self, text: str) -> None:
        self.proposed.setText(breakable(text))
        self.proposed.setVisible(bool(text))

    def _chosen_by_hand(self) -> None:
        if not self._proposing:
            self._by_hand = True
            self._say("")

    def accept(self) -> None:
        """Cells were made of these channels: layers that come later change nothing.

        Their names stay too, whatever all names begin with then: a classifier knows them.
        """
        self._by_hand = True
        with QSignalBlocker(self.list):
            for item in self._ticked():
                item.setData(USED_NAME, item.data(FULL_NAME))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Rows as the window has room for, and notes that were not looked for yet."""
        super().showEvent(event)
        self.list.fit()
        self.notes.listed()

    def choose_layers(self, images: Sequence[Any]) -> None:
        """Take these layers for the channels, and no others."""
        self.kind.setCurrentIndex(0)
        self._fill_layers()
        self._chosen_by_hand()
        self._tick(images)

    def _tick(self, images: Sequence[Any]) -> None:
        with QSignalBlocker(self.list):
            for row in range(self._count):
                item: Any = self.list.item(row)
                ticked = any(item.data(LAYER) is image for image in images)
                item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self._chosen_changed()

    def _choose_axis(self, layer: Any, axis: int | None) -> None:
        self.layer.setCurrentIndex(self._place_of(layer))
        self.axis.setCurrentIndex(self.axis.findData(axis))

    def _place_of(self, layer: Any) -> int:
        places = [i for i in range(self.layer.count()) if self.layer.itemData(i) is layer]
        return places[0] if places else min(0, self.layer.count() - 1)

    def _refill(self) -> None:
        self._chosen_by_hand()
        self._list_axis(None, None)
        self.fill()

    def _fill_layers(self) -> None:
        for row in range(self.rows.rowCount()):
            self.rows.setRowVisible(row, False)
        images = self._images()
        names = names_of_layers(images)
        known = {id(self.list.item(i).data(LAYER)): self.list.item(i) for i in range(self._count)}
        with QSignalBlocker(self.list):
            for row in reversed(range(self._count)):
                if not any(self.list.item(row).data(LAYER) is image for image in images):
                    self.list.takeItem(row)
            for image, name in zip(images, names, strict=True):
                item = known.get(id(image))
                if item is None:
                    self.list.add(name, image, full=image.name)
                else:
                    self.list.follow_name(item, name, image.name)
        self._chosen_changed()

    def _fill_axes(self, *, by_hand: bool = False) -> None:
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
                sure = layers.channel_axis_of(layer)
                self.axis.setCurrentIndex(
                    max(0, self.axis.findData(before if sure is None else sure))
                )
        self._fill_axis_names(by_hand=by_hand)

    def _fill_axis_names(self, *, by_hand: bool = False) -> None:
        if by_hand:
            self._chosen_by_hand()
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
            for place, (full, name) in enumerate(self._axis_names(layer, listed)):
                self.list.add(name, place, full=full, checked=True)

    def _rename_axis(self, layer: Any) -> None:
        names = self._axis_names(layer, self._listed)
        with QSignalBlocker(self.list):
            for row in range(self._count):
                item: Any = self.list.item(row)
                full, name = names[item.data(LAYER)]
                self.list.follow_name(item, name, full)

    @staticmethod
    def _axis_names(layer: Any, listed: tuple[int, int, int] | None) -> list[tuple[str, str]]:
        """Name and short name of each channel along an axis."""
        if listed is None:
            return []
        names = layers.channel_names_along(layer, listed[1])[: listed[2]]
        return list(zip(names, short_names(names), strict=True))

    @property
    def _count(self) -> int:
        return int(self.list.count())

    def _ticked(self) -> list[QListWidgetItem]:
        items: list[Any] = [self.list.item(row) for row in range(self._count)]
        return [item for item in items if item.checkState() == Qt.CheckState.Checked]

    def _chosen_changed(self, *, by_hand: bool = False) -> None:
        if by_hand:
            self._chosen_by_hand()
        self.list.fit()
        self.tools.refresh()
        self.notes.listed()
        self._fill_slices()
        self.changed.emit()

    # ---------------------------------------------------------------- channels or slices

    def _unclear(self) -> tuple[Any, layers.Axis | None]:
        """The layer in hand, and an axis of it that may hold channels though nobody said so."""
        if self.by_axis:
            layer = self.layer.currentData()
            chosen = self.axis.currentData() is not None
            return layer, None if layer is None or chosen else unclear_axis(layer)
        layer = self._stack()
        if layer is None:
            return None, None
        return layer, unclear_axis(layer, self._answered.get(layer, ()))

    def _are_channels(self) -> None:
        """The axis that was asked of holds the channels."""
        layer, axis = self._unclear()
        if axis is None:
            return
        self.kind.setCurrentIndex(1)
        self._choose_axis(layer, axis.number)

    def _are_slices(self) -> None:
        layer, axis = self._unclear()
        if axis is not None:
            self._answered.setdefault(layer, set()).add(axis.number)
            self._chosen_changed(by_hand=True)

    # ---------------------------------------------------------------- T and Z

    def _stack(self) -> Any:
        if self.by_axis:
            return self.layer.currentData() if self.axis.currentData() is not None else None
        ticked = self._ticked()
        return ticked[0].data(LAYER) if ticked else None

    def _fill_slices(self) -> None:
        """A choice for every axis that is neither channel, row nor column."""
        unclear_layer, unclear = self._unclear()
        self.question.ask(unclear_layer, unclear, slices=not self.by_axis)
        layer = self._stack()
        axes: list[layers.Axis] = []
        if layer is not None and not layer.rgb:
            channel = self.axis.currentData() if self.by_axis else None
            plane = layers.plane_axes(layer, channel) if layer.ndim > 1 else ()
            skipped = {channel, *plane, None if unclear is None else unclear.number}
            axes = [axis for axis in layers.axes_of(layer) if axis.number not in skipped]
        if [slice_axis.number for slice_axis in axes] != list(self._slices):
            while self._rest_rows.rowCount():
                self._rest_rows.removeRow(0)
            self._slices = {}
            for slice_axis in axes:
                choice = QComboBox()
                choice.addItems([CURRENT, MAXIMUM, EVERY])
                no_wider(choice)
                choice.setToolTip(
                    "Take the slice the viewer shows, the maximum projection of channels and "
                    "cells, or every slice as a field of view of its own"
                )
                choice.currentIndexChanged.connect(lambda _: self.changed.emit())
                self._rest_rows.addRow(str(slice_axis).capitalize(), choice)
                self._slices[slice_axis.number] = choice
        self.rest.setVisible(bool(axes))
        self.note.setVisible(bool(axes))

    @property
    def slice_choices(self) -> tuple[QComboBox, ...]:
        """For each further axis: current slice (0), maximum over all (1), every slice (2)."""
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
        return self._chosen(ticked, tuple(item.text() for item in ticked))

    def every_channel(self) -> ChosenChannels:
        """All channels that are listed, ticked or not, by the names of their layers or file.

        Raises
        ------
        DataError
            As `choose`.
        """
        items = [item for item in self.list.items() if not getattr(item.data(LAYER), "rgb", False)]
        return self._chosen(items, tuple(str(item.data(FULL_NAME)) for item in items))

    def _chosen(self, ticked: Sequence[QListWidgetItem], names: tuple[str, ...]) -> ChosenChannels:
        project, every = (
            tuple(n for n, choice in self._slices.items() if choice.currentIndex() == index)
            for index in (1, 2)
        )
        layer, unclear = self._unclear()
        if unclear is not None and not self.by_axis:
            raise DataError(
                f"say above whether the axis of {unclear.length} of layer {layer.name!r} holds "
                "channels or slices"
            )
        return chosen_channels(
            names,
            [item.data(LAYER) for item in ticked],
            (self.layer.currentData(), self.axis.currentData()) if self.by_axis else None,
            self.viewer.dims.point,
            project,
            every,
            {item.text(): str(item.data(GROUP)) for item in ticked if item.data(GROUP)},
        )
