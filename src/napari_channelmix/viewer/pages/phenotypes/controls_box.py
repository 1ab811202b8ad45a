"""Which groups are the controls, and how well they are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.phenotypes.control_wells import (
    ControlQuality,
    control_quality,
    named_controls,
    pure_classes,
)
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_channelmix.phenotypes.fractions import Fractions
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts

__all__ = ["ControlsBox"]

CLASS = "class of the labels"
NEITHER = "–"
# Columns with more values hold names or measurements, not kinds of wells.
MOST_VALUES = 60


class ControlsBox(QWidget):
    """A column, its values for both controls, and the Z'-factor between them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quality: ControlQuality | None = None
        self._columns: dict[str, list[str]] = {}
        self._fractions: npt.NDArray[np.float64] | None = None
        self.column = choice(
            "Which wells are controls: by the class of all labelled cells of a well, or by a "
            "column of the data set's table"
        )
        self.negative = choice("Wells of the negative control, such as those without a drug")
        self.positive = choice("Wells of the positive control")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip(
            "Z' = 1 - 3 (sd+ + sd-) / |mean+ - mean-| over wells; above 0.5: excellent assay. "
            "SSMD = (mean+ - mean-) / sqrt(sd+² + sd-²)"
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(QLabel("Controls by"), 0, 0)
        grid.addWidget(self.column, 0, 1)
        # Below each other: side by side they are wider than a page in a small window.
        grid.addWidget(QLabel("negative"), 1, 0)
        grid.addWidget(self.negative, 1, 1)
        grid.addWidget(QLabel("positive"), 2, 0)
        grid.addWidget(self.positive, 2, 1)
        grid.addWidget(self.words, 3, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        self.column.currentIndexChanged.connect(self._fill_values)
        for box in (self.negative, self.positive):
            box.currentIndexChanged.connect(self._measure)

    def show_facts(self, facts: Facts | None, labelled: Fractions | None) -> None:
        """Offer what tells groups apart."""
        self._columns = {}
        if facts is not None and facts.grouping.kind == "group":
            if labelled is not None:
                self._columns[CLASS] = pure_classes(labelled.counts, labelled.classes)
            conditions = facts.cells.conditions
            if conditions is not None:
                rows = conditions.reindex(facts.grouping.names).fillna("")
                for name in rows.columns:
                    self._columns[str(name)] = [str(value) for value in rows[name]]
        self._columns = {
            name: values
            for name, values in self._columns.items()
            if 2 <= len(set(values) - {""}) <= MOST_VALUES
        }
        before = self.column.currentText()
        with QSignalBlocker(self.column):
            self.column.clear()
            self.column.addItems(list(self._columns))
            # The first column whose values are called so; it stays if the user chose another.
            named = [name for name, values in self._columns.items() if named_controls(values)]
            selected = before if before in self._columns else next(iter(named), "")
            self.column.setCurrentIndex(max(0, self.column.findText(selected)))
        self._fill_values()

    @property
    def useful(self) -> bool:
        """Whether anything tells control wells from others."""
        return bool(self._columns)

    def show_fractions(self, fractions: npt.NDArray[np.float64] | None) -> None:
        """Take the fraction (G,) of another class."""
        self._fractions = fractions
        self.setVisible(fractions is not None and self.useful)
        self._measure()

    def _fill_values(self, _: object = None) -> None:
        values = self._columns.get(self.column.currentText(), [])
        names = sorted(set(values) - {""}, key=natural_key)
        guess = named_controls(values) or (NEITHER, NEITHER)
        for box, proposed in zip((self.negative, self.positive), guess, strict=True):
            with QSignalBlocker(box):
                before = box.currentText()
                box.clear()
                box.addItems([NEITHER, *names])
                stays = before if before in names else proposed
                box.setCurrentIndex(max(0, box.findText(stays)))
        self._measure()

    def _measure(self, _: object = None) -> None:
        values = np.array(self._columns.get(self.column.currentText(), []), dtype=object)
        names = self.negative.currentText(), self.positive.currentText()
        self.quality = None
        if self._fractions is None or len(values) != len(self._fractions):
            self.words.setText("")
            return
        if NEITHER in names or names[0] == names[1]:
            self.words.setText("Choose the wells of both controls for a Z'-factor.")
            return
        negative, positive = (self._fractions[values == name] for name in names)
        self.quality = control_quality(negative, positive, names)
        self.words.setText(self.quality.text())
