"""Tab 'Colours': what the cells in the viewer are coloured by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.pages.phenotypes.coloring import COLORINGS
from napari_channelmix.viewer.pages.phenotypes.sorting import REASONS
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts

__all__ = ["ColorsPage"]

TIPS = {
    "disagreement": "Cells whose prediction is not their label, in the colour of the prediction",
    "margin": "How far the most probable class lies ahead of the next one, 0 to 1",
}
NOTHING = "nothing"


class ColorsPage(QWidget):
    """A choice, and what the colours mean; `changed` tells that it is another one."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: Facts | None = None
        self.what = choice("Colour the cells in the viewer by this; one layer for all of them")
        for name in COLORINGS:
            self.what.addItem(name, name)
        self.of = choice("Which class, or which latent")
        self.legend, self.words = ClassLegend(), QLabel()
        self.words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.addWidget(QLabel("Colour by"))
        row.addWidget(self.what, 3)
        row.addWidget(self.of, 2)
        column.addLayout(row)
        column.addWidget(self.legend)
        column.addWidget(self.words)
        self.what.currentIndexChanged.connect(self._chosen)
        self.of.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.show_facts(None)

    @property
    def coloring(self) -> tuple[str, str]:
        """What is chosen, and of which class or latent."""
        return self.what.currentData(), self.of.currentText()

    def choose(self, what: str) -> None:
        """Colour by something else."""
        self.what.setCurrentIndex(self.what.findData(what))

    def forget(self) -> None:
        """The layer is gone: the user took it away."""
        with QSignalBlocker(self.what):
            self.choose(NOTHING)
        self._offer()
        self.say("")

    def show_facts(self, facts: Facts | None) -> None:
        """Offer what is possible."""
        self._facts = facts
        model = self.what.model()
        assert isinstance(model, QStandardItemModel)
        for index, (name, needs) in enumerate(COLORINGS.items()):
            why = _reason_not_possible(needs, facts)
            model.item(index).setEnabled(not why)
            model.item(index).setToolTip(f"Not possible: {why}" if why else TIPS.get(name, ""))
            self.what.setItemText(index, f"{name} ({why.split(':')[0]})" if why else name)
        if _reason_not_possible(COLORINGS[self.what.currentData()], facts):
            with QSignalBlocker(self.what):
                self.choose(NOTHING)
        self._offer()

    def say(self, layer: str) -> None:
        """Name the layer, and what its colours mean."""
        facts, (what, _) = self._facts, self.coloring
        self.words.setText(
            f"Shown in the viewer as layer '{layer}'."
            if layer
            else "The layers 'classes' (rings) and 'predicted' (tint) are there in any case."
        )
        legend = ""
        palette: tuple[str, ...] = ()
        if facts is not None and layer and COLORINGS[what] in ("classes", "predictions", "both"):
            if what in ("labels", "predictions", "disagreement"):
                palette = facts.palette
                if what == "disagreement":
                    count = int(np.count_nonzero(facts.differs))
                    legend = f"{count:,} cells are predicted as another class than their label."
            else:
                legend = "Dark: 0. Bright: 1."
        elif layer and what == "latent":
            legend = "Dark: low. Bright: high."
        self.legend.show_classes(palette, "Cells", note=legend)

    def _chosen(self, _: object) -> None:
        self._offer()
        self.changed.emit()

    def _offer(self) -> None:
        facts, what = self._facts, self.what.currentData()
        names: list[str] = []
        if facts is not None and what == "probability of a class":
            names = list(facts.predicted_classes)
        elif facts is not None and what == "latent" and facts.latents is not None:
            names = list(facts.latents.axes())
        with QSignalBlocker(self.of):
            before = self.of.currentText()
            self.of.clear()
            self.of.addItems(names)
            if before in names:
                self.of.setCurrentIndex(names.index(before))
        self.of.setVisible(bool(names))


def _reason_not_possible(needs: str, facts: Facts | None) -> str:
    if not needs:
        return ""
    if facts is None:
        return "no cells yet"
    if needs in ("classes", "both") and not facts.cells.classes:
        return REASONS["classes"]
    if needs in ("predictions", "both") and facts.predictions is None:
        return REASONS["predictions"]
    if needs == "latents" and (facts.latents is None or not facts.latents.axes()):
        return REASONS["latents"]
    return ""
