"""Controls for how objects are segmented: few in sight, the others folded away."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_channelmix.settings import SegmentationSettings
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.viewer.widgets.log_slider import LogSlider

__all__ = ["SegmentationForm"]

# Ends of the sliders; the boxes go further.
DIAMETERS, THRESHOLDS = (4.0, 400.0), (0.1, 10.0)
NO_BODY = "none"


class SegmentationForm(QWidget):
    """A control for each of `SegmentationSettings`; ``changed`` tells that one was changed."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.diameter, self.threshold = _box(2, 5000, 0), _box(0.05, 20, 2)
        self.diameter.setSpecialValueText("auto")
        self.diameter.setSuffix(" px")
        self.diameter.setToolTip(
            "Of a typical object, in pixels; of a long one its width. The least value estimates it "
            "from the image"
        )
        self.threshold.setValue(1)
        self.threshold.setSingleStep(0.05)
        splitting = QDoubleSpinBox()
        splitting.setDecimals(1)
        splitting.setRange(0, 4)
        splitting.setValue(1)
        splitting.setSingleStep(0.5)
        self.uneven, self.dark = QCheckBox("Uneven background"), QCheckBox("Dark objects")
        self.body = choice("Channel of the cell bodies: objects are grown to them")
        self.body.addItem(NO_BODY, None)
        self.settings = JobForm(
            SegmentationSettings,
            self,
            controls={
                "diameter": self.diameter,
                "threshold": self.threshold,
                "splitting": splitting,
                "uneven": self.uneven,
                "dark": self.dark,
            },
            leave_out=("body_channel",),
        )
        self.sizes = LogSlider(self.diameter, *DIAMETERS)
        self.sizes.setToolTip("Diameter of a typical object. Default: auto")
        self.levels = LogSlider(self.threshold, *THRESHOLDS)
        self.levels.setToolTip("Threshold: to the left dimmer objects are found too. Default: 1")
        self._build()
        self.settings.changed.connect(self.changed.emit)
        self.body.currentIndexChanged.connect(lambda _: self.changed.emit())

    def _build(self) -> None:
        rows, ticks = form(), QHBoxLayout()
        rows.addRow("Diameter", _beside(self.sizes, self.diameter))
        rows.addRow("Threshold", _beside(self.levels, self.threshold))
        ticks.addWidget(self.dark)
        ticks.addWidget(self.uneven)
        ticks.addStretch(1)
        self.settings.leave("diameter", "threshold", "dark", "uneven")
        self.more = Folding("Size, splitting, growth")
        self.more.setToolTip(
            "Smallest size, splitting, growth to cell bodies, objects at the border"
        )
        inside = QWidget()
        below = form()
        self.settings.add_to(below, ["min_area", "splitting", "expand"])
        self.settings["min_area"].setSuffix(" px")
        self.settings["expand"].setSuffix(" px")
        below.addRow("Cell bodies in", self.body)
        self.settings.add_to(below)
        inside.setLayout(below)
        self.more.addWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(rows)
        column.addLayout(ticks)
        column.addWidget(self.more)

    @property
    def value(self) -> SegmentationSettings:
        """What the controls say."""
        return SegmentationSettings(**self.settings.values, body_channel=self.body.currentData())

    def fill_bodies(self, names: tuple[str, ...]) -> None:
        """Offer these channels for the cell bodies, keeping the choice."""
        if names == tuple(self.body.itemText(i) for i in range(1, self.body.count())):
            return
        before = self.body.currentData()
        with QSignalBlocker(self.body):
            self.body.clear()
            self.body.addItem(NO_BODY, None)
            for name in names:
                self.body.addItem(name, name)
            self.body.setCurrentIndex(max(0, self.body.findData(before)))
        if self.body.currentData() != before:
            self.changed.emit()

    def show_diameter(self, pixels: float) -> None:
        """Say which diameter was estimated, where it was not given; NaN: it could not be."""
        if not np.isfinite(pixels):
            self.diameter.setSpecialValueText("auto")
            return
        if self.diameter.value() > self.diameter.minimum():
            return
        self.diameter.setSpecialValueText(f"auto ({pixels:.0f} px)")
        self.sizes.place(pixels)


def _box(least: float, most: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(decimals)
    box.setRange(least, most)
    # Typing a number is one change, not one for each digit.
    box.setKeyboardTracking(False)
    # A slider stands beside it, and its buttons would leave no room for the text.
    box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    box.setFixedWidth(96)
    return box


def _beside(slider: LogSlider, box: QDoubleSpinBox) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(slider, 1)
    row.addWidget(box)
    return row
