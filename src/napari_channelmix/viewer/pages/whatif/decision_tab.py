"""All cells: which edits flip the classifier's decision, by class, with the sham as the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QLabel

from napari_channelmix.settings import WhatIfSettings
from napari_channelmix.viewer.charts.interval_bars import Bar, Bars
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.pages.whatif.decision_facts import (
    axes_by_share,
    classes_asked,
    flips_of,
    percent,
)
from napari_channelmix.viewer.pages.whatif.flip_matrix import FlipMatrix
from napari_channelmix.viewer.pages.whatif.response_plot import ResponsePlot
from napari_channelmix.viewer.pages.whatif.run_tab import CAPTION, RunTab
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.viewer.widgets.theme import chart_colors
from napari_channelmix.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.viewer.pages.whatif.decision_facts import AxisFlip
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["DecisionTab"]

# Axes that are shown before all of them are asked for.
FIRST = 8
HINT = (
    "Held-out cells are edited along every axis, as far as cells in the data go, and the "
    "classifier is asked again: whose class flips, and by which edit?"
)
LEFT_OUT = ("axes", "smallest", "workers", "scheduler", "retries", "prior")


class DecisionTab(RunTab):
    """Bars for one class, the curve of one axis, the matrix of all classes."""

    def __init__(self, theme: str, bar: TaskBar) -> None:
        super().__init__(
            WhatIfSettings,
            title="Edit all cells",
            hint=HINT,
            label="What moves the decision",
            tip="Edit the cells and ask the classifier about each edit",
            names=("limit", "scope"),
            leave_out=LEFT_OUT,
            bar=bar,
        )
        self._theme = theme
        self.result: WhatIf | None = None
        self._flips: tuple[AxisFlip, ...] = ()
        #: The axis whose curve is shown.
        self.axis = ""
        self.lines = Notice(lines=3)
        self.class_box = choice("The class that the cells are predicted as before an edit")
        self.bars = Bars(
            "Share of cells that flip, by axis", theme, (0.0, 1.0), figures=46, names=150
        )
        self.bars.make_pressable()
        self.bars.setToolTip(
            "Share of the cells that flip; line: interval over groups; dots: sham. Click a bar for "
            "its curve"
        )
        self.caption = QLabel(CAPTION)
        self.caption.setWordWrap(True)
        show_secondary(self.caption, theme)
        self.every = QCheckBox("All axes")
        self.every.setToolTip("Also the axes that flip fewer cells. Default: off")
        self.plot = ResponsePlot(theme)
        self.matrix = FlipMatrix(theme)
        inside = self.add_result("What moves the decision")
        rows = form()
        rows.addRow("Cells predicted", self.class_box)
        inside.addWidget(self.lines)
        inside.addLayout(rows)
        for widget in (self.caption, self.bars, self.every, self.plot):
            inside.addWidget(widget)
        inside = self.add_result(
            "The rule it follows",
            "Share of the cells of each class (columns) that flip along each axis (rows), and what "
            "most of them become; fields without colour are not above the sham",
        )
        inside.addWidget(self.matrix)
        self.class_box.currentIndexChanged.connect(self._show_class)
        self.every.toggled.connect(self._show_class)
        self.bars.chosen.connect(self._bar_chosen)
        self.matrix.chosen.connect(self.choose)
        self.show_result(None)

    # ---------------------------------------------------------------- the result

    def show_result(self, result: WhatIf | None) -> None:
        """Show answers about all cells; None takes them away."""
        super().show_result(result)
        before, other = self.class_box.currentText(), result is not self.result
        self.result = result
        if result is None:
            return
        self.lines.say("\n".join(map(sentence, result.lines)), "info")
        with QSignalBlocker(self.class_box):
            self.class_box.clear()
            self.class_box.addItems(list(classes_asked(result)))
            self.class_box.setCurrentIndex(max(0, self.class_box.findText(before)))
        axes, classes = axes_by_share(result), classes_asked(result)
        flips = {(flip.axis, name): flip for name in classes for flip in flips_of(result, name)}
        self.matrix.show_flips(axes[:FIRST], classes, flips)
        if other and self.axis not in axes[:FIRST]:
            # Chosen for another classifier: this one may not heed it.
            self.axis = ""
        self._show_class()

    def note_prior(self, prior: Prior | None) -> None:
        """Say where the answers are with another prior than the chosen one; None: of training."""
        if self.result is None:
            return
        its = self.result.provenance.get("prior", {})
        kind = its.get("kind", "")
        same = kind in ("", "own") or (
            kind == "training" if prior is None else its["shares"] == prior.as_dict()["shares"]
        )
        if not same:
            line = f"the prior of these answers is {kind}, not the one that is chosen now"
            self.warnings.say("\n".join(map(sentence, (*self.result.warnings, line))), "warning")

    def choose(self, axis: str, from_class: str) -> None:
        """Show an axis and a class."""
        self.axis = axis
        index = self.class_box.findText(from_class)
        if index >= 0 and index != self.class_box.currentIndex():
            self.class_box.setCurrentIndex(index)
        else:
            self._show_class()

    def _show_class(self, _: object = None) -> None:
        result, name = self.result, self.class_box.currentText()
        if result is None or not name:
            return
        flips = flips_of(result, name)
        self._flips = flips if self.every.isChecked() else flips[:FIRST]
        self.every.setVisible(len(flips) > FIRST)
        self.every.setText(f"All {len(flips)} axes")
        quiet = chart_colors(self._theme).line
        self.bars.show_bars(
            [
                Bar(
                    flip.axis,
                    flip.share,
                    percent(flip.share),
                    flip.interval,
                    tip=flip.text,
                    color="" if flip.above_sham else quiet,
                    floor=flip.floor,
                )
                for flip in self._flips
            ]
        )
        known = [flip.axis for flip in flips]
        if self.axis not in known:
            self.axis = known[0] if known else ""
        self._show_axis()

    def _bar_chosen(self, row: int) -> None:
        self.axis = self._flips[row].axis
        self._show_axis()

    def _show_axis(self) -> None:
        result, name = self.result, self.class_box.currentText()
        if result is None or not self.axis:
            return
        shown = [flip.axis for flip in self._flips]
        self.bars.frame(shown.index(self.axis) if self.axis in shown else None)
        self.matrix.frame(self.axis, name)
        self.plot.show_curve(result.curve(self.axis, name))

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        self.plot.show_palette(palette)
        self.matrix.show_palette(palette)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        show_secondary(self.caption, theme)
        for chart in (self.bars, self.plot, self.matrix):
            chart.follow_theme(theme)
        self._show_class()
