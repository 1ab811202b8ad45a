"""Choose what marks the cells in the channels: a Labels or Points layer, or nuclei found here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Points
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.page_parts.base_page import form, no_wider
from napari_channelmix.viewer.pages.data.crop_chooser import CropChooser
from napari_channelmix.viewer.pages.data.layer_cells import TRACKS, CellsPlan, check_plan
from napari_channelmix.viewer.pages.data.neighbours_preview import NeighboursPreview
from napari_channelmix.viewer.pages.data.samples import CLASSES, PART
from napari_channelmix.viewer.pages.data.segmenting.panel import SegmentationPanel
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["CellsPanel"]


# The column that is called as ids are: index, label, object...
BY_NAME = "by its name, if there is any"


class CellsPanel(QWidget):
    """Source of the cells, size of the crops, and where classes are already written."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.source = QComboBox()
        self.source.setToolTip("The Labels or Points layer with the cells")
        self.segmentation = SegmentationPanel(viewer)
        self.nuclei_channel = self.segmentation.channel
        self.find_button = self.segmentation.use
        self.crop_size = CropChooser(viewer)
        self.crop = self.crop_size.spin
        self.column = QComboBox()
        self.column.setToolTip(
            "A column of the layer's features that names the class of each cell; without one, "
            "give cells their classes on the page 'Annotate'"
        )
        self.unit = QComboBox()
        self.unit.addItems(["each label", "each connected region"])
        self.unit.setToolTip(
            "Of a label in several pieces the largest is the cell; of a mask of one value every "
            "connected region is one"
        )
        self.inside = QCheckBox("Leave out cells at the border")
        self.inside.setToolTip(
            "Crops that reach over the border of the image are filled with background. Default: off"
        )
        self.hide_neighbours = QCheckBox("Hide neighbours")
        self.hide_neighbours.setToolTip(
            "Other cells within a crop are filled with its background, where they have an outline. "
            "A classifier then needs cells prepared in the same way. Default: off"
        )
        self.tracks = QCheckBox(TRACKS)
        self.tracks.setToolTip(
            "Its cells are one group: a split never puts one slice of an object into training and "
            "another into the held-out cells. Else each slice is a group. Default: off"
        )
        self.neighbours = NeighboursPreview(viewer)
        # The layer and the column that were proposed, in words.
        self.source_note, self.column_note = QLabel(), QLabel()
        for note in (self.source_note, self.column_note):
            note.setWordWrap(True)
            note.setVisible(False)
        # The layer that the user chose, and the layer whose column the user chose.
        self._source_by_hand = False
        self._column_of: Any = None
        self.ids = QComboBox()
        self.ids.setToolTip(
            "The column of the layer's features that holds the id of each row: its label, or the "
            "name of its point"
        )
        no_wider(self.source, self.unit, self.column, self.ids)
        rows = self.rows = form()
        rows.addRow("Cells from", _with_note(self.source, self.source_note))
        rows.addRow(self.segmentation)
        rows.addRow("A cell is", self.unit)
        rows.addRow("", self.tracks)
        rows.addRow("Crop", self.crop_size)
        rows.addRow("", self.inside)
        rows.addRow("", self.hide_neighbours)
        rows.addRow(self.neighbours)
        self._classes = _with_note(self.column, self.column_note)
        rows.addRow("Classes", self._classes)
        rows.addRow("Row ids", self.ids)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(rows)
        self.source.currentIndexChanged.connect(lambda _: self._source_chosen())
        self.crop_size.changed.connect(self.changed.emit)
        self.hide_neighbours.toggled.connect(lambda _: self.changed.emit())
        self.unit.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.inside.toggled.connect(lambda _: self.changed.emit())
        self.tracks.toggled.connect(lambda _: self.changed.emit())
        self.column.currentIndexChanged.connect(lambda _: self._column_changed())
        self.ids.currentIndexChanged.connect(lambda _: self._fill_columns())
        self.fill()

    def fill(self, _: object = None) -> None:
        """List the layers that may mark cells, keeping what the user chose."""
        before, fresh = self.source.currentData(), False
        with QSignalBlocker(self.source):
            self.source.clear()
            self.source.addItem("choose a layer…", None)
            for layer in self.viewer.layers:
                if isinstance(layer, (Labels, Points)) and not layers.is_own(layer):
                    self.source.addItem(layer.name, layer)
                    tip = f"{layer.name} ({type(layer).__name__} layer)"
                    row = self.source.count() - 1
                    self.source.setItemData(row, tip, Qt.ItemDataRole.ToolTipRole)
                    sample = before is None and layer.metadata.get(PART) == "cells"
                    fresh |= sample
                    if layer is before or sample:
                        self.source.setCurrentIndex(self.source.count() - 1)
        if self.source.count() == 1:
            self._source_by_hand = False
        if before is not None and self.source.currentData() is None:
            # The layer is gone: another may be the one now.
            self._source_by_hand = False
            self._note_source("")
        self._fill_columns(fresh)

    def _source_chosen(self) -> None:
        self._source_by_hand = True
        self._note_source("")
        self._fill_columns(fresh=True)

    def _note_source(self, text: str) -> None:
        self.source_note.setText(text)
        self.source_note.setVisible(bool(text))

    def propose_source(self, chosen: ChosenChannels) -> None:
        """Take the one layer that marks cells in the channels, where the user has chosen none."""
        taken = self.source.currentData() is not None
        if self._source_by_hand or (taken and not self.source_note.text()):
            return
        fitting = [row for row in range(1, self.source.count()) if self._fits(chosen, row)]
        if taken:
            # Layers have come or gone since it was taken.
            if len(fitting) > 1:
                self._note_source(f"proposed; {len(fitting)} layers fit the channels")
            return
        if len(fitting) != 1:
            many = f"{len(fitting)} layers fit the channels: choose one"
            self._note_source(many if fitting else "")
            return
        with QSignalBlocker(self.source):
            self.source.setCurrentIndex(fitting[0])
        others = "the only one that fits" if self.source.count() > 2 else "the only one there is"
        self._note_source(f"chosen: {others}")
        self._fill_columns(fresh=True)

    def _fits(self, chosen: ChosenChannels, row: int) -> bool:
        try:
            check_plan(CellsPlan(chosen, self.source.itemData(row), None))
        except DataError:
            return False
        return True

    def choose_source(self, layer: Any) -> None:
        """Mark the cells by this layer."""
        for row in range(self.source.count()):
            if self.source.itemData(row) is layer:
                self.source.setCurrentIndex(row)

    def _fill_columns(self, fresh: bool = False) -> None:
        """List the columns; ``fresh``: of a layer that was chosen just now."""
        layer, before = self.source.currentData(), self.column.currentText()
        self._fill_ids(layer)
        with QSignalBlocker(self.column):
            self.column.clear()
            self.column.addItem("none yet", None)
            if layer is not None:
                for name in layers.columns_of(layer, self.ids.currentData()):
                    self.column.addItem(f"column {name!r}", name)
                if fresh and layer.metadata.get(PART) == "cells":
                    before = f"column {CLASSES!r}"
                elif layer is not self._column_of and self.column.findText(before) < 1:
                    sure = layers.class_column_of(layer, self.ids.currentData())
                    before = "" if sure is None else f"column {sure!r}"
            self.column.setCurrentIndex(max(0, self.column.findText(before)))
        labels = isinstance(layer, Labels)
        self.rows.setRowVisible(self.unit, labels)
        self.rows.setRowVisible(self.hide_neighbours, labels)
        # Shown where every slice is a field of view, see `check`.
        self.rows.setRowVisible(self.tracks, False)
        self._note_classes()
        self._name_ids()
        self.changed.emit()

    def _column_changed(self) -> None:
        self._column_of = self.source.currentData()
        self._note_classes()
        self._name_ids()
        self.changed.emit()

    def _note_classes(self) -> None:
        """Which classes the column names, and that it was proposed."""
        layer, column, text = self.source.currentData(), self.column.currentData(), ""
        if layer is not None and column is not None:
            names = layers.class_names_of(layer, column)
            text = f"{len(names)} classes: {listed(names, 6)}"
            if layer is not self._column_of:
                text += " (proposed; 'none yet' leaves them out)"
        self.column_note.setText(breakable(text))
        self.column_note.setVisible(bool(text))

    def _name_ids(self) -> None:
        """Say which column is taken for the ids, where the user chose none."""
        layer, name = self.source.currentData(), None
        if layer is not None:
            # Where it cannot be told, the reason is given when a class column is chosen.
            with suppress(DataError):
                name = layers.FeatureTable.of(layer).id_column_in_use(self.column.currentData())
        self.ids.setItemText(0, BY_NAME if name is None else f"column {name!r}, by its name")

    def _fill_ids(self, layer: Any) -> None:
        """List the columns that may hold ids, keeping what the user chose."""
        names = () if layer is None else layers.id_columns_of(layer)
        with QSignalBlocker(self.ids):
            before = self.ids.currentData()
            self.ids.clear()
            self.ids.addItem(BY_NAME, None)
            for name in names:
                self.ids.addItem(f"column {name!r}", name)
            self.ids.setCurrentIndex(max(0, self.ids.findData(before)))
        self.rows.setRowVisible(self.ids, bool(names))

    def plan(self, chosen: ChosenChannels) -> CellsPlan:
        """What the form says.

        Raises
        ------
        DataError
            No layer chosen.
        """
        layer = self.source.currentData()
        if layer is None:
            raise DataError("choose the layer that marks the cells, or segment nuclei")
        return CellsPlan(
            chosen,
            layer,
            self.crop_size.side,
            self.column.currentData(),
            self.ids.currentData() if self.rows.isRowVisible(self.ids) else None,
            labelled=self.unit.currentIndex() == 0 or not isinstance(layer, Labels),
            border=not self.inside.isChecked(),
            hide=self.hide_neighbours.isChecked() and isinstance(layer, Labels),
            tracks=self.tracks.isChecked() and _may_be_tracks(layer, chosen),
        )

    def check(self, chosen: ChosenChannels) -> None:
        """Refuse what can be known to be wrong without reading pixels.

        Raises
        ------
        DataError
            With the reason.
        """
        self.propose_source(chosen)
        self.rows.setRowVisible(self.tracks, _may_be_tracks(self.source.currentData(), chosen))
        plan = self.plan(chosen)
        try:
            check_plan(replace(plan, crop=None, column=None))
        except DataError:
            self.look(None)
            raise
        self.look(plan)
        check_plan(plan)

    def halt(self) -> None:
        """Stop what is measured and drawn."""
        self.crop_size.task.stop()
        self.neighbours.task.stop()

    def look(self, plan: CellsPlan | None) -> None:
        """Measure the cells of a plan and show some of them; None: of no cells."""
        self.crop_size.measure(plan)
        self.neighbours.preview(
            plan if plan is not None and plan.hide else None, self.crop_size.painted
        )


def _with_note(control: QWidget, note: QLabel) -> QWidget:
    """A control with a line below it."""
    both = QWidget()
    column = QVBoxLayout(both)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    column.addWidget(control)
    column.addWidget(note)
    return both


def _may_be_tracks(layer: Any, chosen: ChosenChannels) -> bool:
    """Whether ids can be the same objects in several fields of view."""
    return isinstance(layer, Labels) and layer.ndim > 2 and chosen.stacked
