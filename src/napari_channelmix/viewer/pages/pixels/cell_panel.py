"""One cell: what the classifier says of it, and its channels with the map over them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_channelmix.phenotypes.held_out import cell_in_words
from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.charts.thumbnails import grey_image, grey_levels
from napari_channelmix.viewer.pages.pixels.channel_tiles import ChannelTiles
from napari_channelmix.viewer.pages.pixels.contribution_bars import ContributionBars
from napari_channelmix.viewer.pages.pixels.evidence_switch import EvidenceSwitch
from napari_channelmix.viewer.pages.pixels.probability_bars import ClassBars
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QImage

    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ResultPanel", "composite"]


class ResultPanel(QWidget):
    """Filled step by step; only what is new is drawn again."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setToolTip("The cell, its label, and the class that is explained")
        self.training = QLabel()
        self.training.setWordWrap(True)
        self.training.setToolTip(
            "Maps of training cells may show what was memorised; held-out cells show what the "
            "classifier learnt"
        )
        self.bars = ClassBars(theme)
        self.legend = ClassLegend()
        self.prior = QLabel()
        self.prior.setToolTip("The prior: how frequent the classes are assumed to be")
        self.prior.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.contributions = ContributionBars(theme)
        self.tiles = ChannelTiles()
        self.strip = self.tiles.strip
        self.switch = EvidenceSwitch()
        self.shares = QLabel()
        self.shares.setWordWrap(True)
        self.shares.setToolTip(
            "Where the evidence lies: the sum over the pixels of the cell, of other cells in the "
            "crop, and of the rest. A cell is its outline with the margin that its light reaches "
            "beyond it, as in the shortcut audit"
        )
        # Room for its three lines: nothing below jumps when they come.
        self.shares.setMinimumHeight(3 * self.shares.fontMetrics().lineSpacing() + 2)
        self.warnings = Notice()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (
            self.title,
            self.training,
            self.bars,
            self.legend,
            self.prior,
            self.contributions,
            self.tiles,
            self.switch,
            self.shares,
            self.warnings,
        ):
            column.addWidget(widget)
        self._explanation: Explanation | None = None
        self.switch.changed.connect(self._show_view)
        self.clear()

    def clear(self) -> None:
        """No map and no figure is left in sight; the room they took is kept."""
        self._explanation = None
        self.title.setText("Click a cell in the image.")
        self.tiles.clear()
        self.bars.show_probabilities([name for name, *_ in self.bars.rows], None, None)
        self.contributions.clear()
        self.switch.show_target("")
        self.shares.setText("")
        self.training.setText("")
        self.prior.setText("")
        self.warnings.clear_line()

    def empty(self) -> None:
        """Not even the cell itself is left."""
        self.clear()
        self.tiles.empty()

    def begin(self, name: str) -> None:
        """Say which cell is about to be explained."""
        self.title.setText(f"<b>Cell {html.escape(name)}</b>")

    def show_explanation(self, explanation: Explanation, label: str) -> None:
        """Show what is known of a cell so far; ``label`` is the class it was given."""
        before, self._explanation = self._explanation, explanation
        self.tiles.show_explanation(explanation)
        if before is None or before.contributions is not explanation.contributions:
            self.contributions.show_explanation(explanation)
        if before is None or (before.target, before.output) != (
            explanation.target,
            explanation.output,
        ):
            self.title.setText(_in_words(explanation, label))
            target = explanation.target
            self.switch.show_target("" if target is None else explanation.classes[target])
            self.bars.show_probabilities(
                explanation.classes, explanation.probabilities, explanation.target
            )
        self._show_shares()
        self.training.setText(cell_in_words(explanation.training))
        # Its shares, or why it is not known, have no room in a line; the tip has them.
        brief = re.split(r" \(|: ", explanation.prior)[0]
        self.prior.setText(f"probabilities: {brief}" if brief else "")
        self.prior.setToolTip(f"probabilities: {explanation.prior}" if explanation.prior else "")
        contributions = explanation.contributions
        cautions = () if contributions is None else contributions.cautions
        lines = [*explanation.doubts, *explanation.warnings, *cautions]
        self.warnings.say("\n".join(lines), "warning")

    def _show_view(self, _: str) -> None:
        self.tiles.show_view(self.switch.view)
        self._show_shares()

    def _show_shares(self) -> None:
        shares = None if self._explanation is None else self._explanation.shares
        magnitude = self.switch.view == "magnitude"
        self.shares.setText("" if shares is None else shares.words(0, magnitude))

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours, here and in the picture."""
        self.bars.show_palette(palette)
        self.legend.show_classes(palette, "Colours of the classes")

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.bars.follow_theme(theme)
        self.contributions.follow_theme(theme)
        self.strip.update()


def _in_words(explanation: Explanation, label: str) -> str:
    parts = [f"<b>Cell {html.escape(explanation.name)}</b>"]
    if label:
        parts.append(f"labelled {label}")
    if explanation.target is not None:
        against = explanation.question.versus
        why = f"explaining class <b>{explanation.classes[explanation.target]}</b>"
        parts.append(f"{why}, compared with {against}" if against else why)
    text = " · ".join(parts)
    # Of a bundle it is always the same.
    return f"{text}<br>output: {explanation.output}" if explanation.output else text


def composite(explanation: Explanation, shown: Sequence[str] = ()) -> QImage:
    """Channels as one grey picture, the brightest of them at each pixel.

    ``shown``: the display channels; all, where none of them is a channel of the classifier.
    """
    levels = grey_levels(explanation.crops, explanation.limits)
    places = [place for place, name in enumerate(explanation.channels) if name in shown]
    return grey_image(np.asarray((levels[places] if places else levels).max(axis=0)))
