"""Whether pixels are clipped, put through arcsinh, or brought to percentiles, before all else."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QVBoxLayout, QWidget

from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.viewer.widgets.folding import Folding

__all__ = ["ScalingBox"]

# What the controls stand at when they are first ticked.
CLIP, COFACTOR, LOW, HIGH = 99.9, 5.0, 1.0, 99.8


class ScalingBox(Folding):
    """Three steps, none of them by default; layers in the picture stay as they are."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Scale pixels: no", parent)
        self.setToolTip(
            "Crops are scaled when they are read; layers and files stay as they are. A classifier "
            "keeps the scaling of its training cells"
        )
        self.clip = QCheckBox("Clip above percentile")
        self.arcsinh = QCheckBox("arcsinh, cofactor")
        self.percentiles = QCheckBox("Percentiles to 0 and 1")
        self.clip_at = _number(50, 100, CLIP, 2)
        self.cofactor = _number(0.01, 100_000, COFACTOR, 2)
        self.low, self.high = _number(0, 50, LOW, 1), _number(50, 100, HIGH, 1)
        tips = (
            (self.clip, "Hot pixels: what is brighter counts as this percentile. Default: off"),
            (self.arcsinh, "x becomes arcsinh(x / cofactor), as for counts. Default: off"),
            (self.percentiles, "Channel by channel, for stains of unlike strength. Default: off"),
            (self.clip_at, f"Percentile of each channel's pixels. Default: {CLIP:g}"),
            (self.cofactor, f"In units of the images. Default: {COFACTOR:g}"),
            (self.low, f"Percentile that becomes 0. Default: {LOW:g}"),
            (self.high, f"Percentile that becomes 1. Default: {HIGH:g}"),
        )
        for control, tip in tips:
            control.setToolTip(tip)
        inside = QWidget()
        # What stands below the steps is added to it.
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(6)
        grid = QGridLayout()
        self.column.addLayout(grid)
        rows = (
            (self.clip, (self.clip_at,)),
            (self.arcsinh, (self.cofactor,)),
            (self.percentiles, (self.low, self.high)),
        )
        for row, (tick, boxes) in enumerate(rows):
            grid.addWidget(tick, row, 0, 1, 1 if len(boxes) == 1 else 2)
            line = row if len(boxes) == 1 else row + 1
            for column, box in enumerate(boxes):
                grid.addWidget(box, line, column if len(boxes) > 1 else 1)
                box.setEnabled(False)
                tick.toggled.connect(box.setEnabled)
                box.valueChanged.connect(lambda _: self._say())
            tick.toggled.connect(lambda _: self._say())
        self.addWidget(inside)

    @property
    def settings(self) -> ScalingSettings:
        """The steps that are ticked.

        Raises
        ------
        ModelError
            Percentiles in the wrong order.
        """
        both = self.percentiles.isChecked()
        return ScalingSettings(
            clip=self.clip_at.value() if self.clip.isChecked() else None,
            arcsinh=self.cofactor.value() if self.arcsinh.isChecked() else None,
            low=self.low.value() if both else None,
            high=self.high.value() if both else None,
        )

    def take(self, settings: ScalingSettings) -> None:
        """Tick these steps, and no others."""
        steps = (
            (self.clip, ((self.clip_at, settings.clip),)),
            (self.arcsinh, ((self.cofactor, settings.arcsinh),)),
            (self.percentiles, ((self.low, settings.low), (self.high, settings.high))),
        )
        for tick, boxes in steps:
            for box, value in boxes:
                if value is not None:
                    box.setValue(value)
            tick.setChecked(boxes[0][1] is not None)

    def _say(self) -> None:
        ticked = any(box.isChecked() for box in (self.clip, self.arcsinh, self.percentiles))
        self.setText(f"Scale pixels: {'yes' if ticked else 'no'}")
        self.changed.emit()


def _number(low: float, high: float, value: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(decimals)
    box.setRange(low, high)
    box.setValue(value)
    return box
