"""Recall of each class on held-out cells, with its interval: a bar for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.charts.interval_bars import Bar
from napari_channelmix.viewer.charts.long_bars import LongBars
from napari_channelmix.viewer.widgets.folding import Folding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify.accuracy import AccuracyEstimate

__all__ = ["RecallBars"]

# Classes that are shown without being asked for.
FEW = 8
# Width of the figures: recall, and of how many cells.
FIGURES = 118


class RecallBars(QWidget):
    """The balanced accuracy and below it each class, over a dashed line at chance.

    The whiskers are 95 % intervals over groups, so that a figure of few cells looks as weak as it
    is. Hidden while there is nothing to show; folded where the classes are many.
    """

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars = LongBars(
            "Recall of each class",
            theme,
            (0.0, 1.0),
            figures=FIGURES,
            noun="class",
        )
        self.folding = Folding("Recall of each class")
        self.folding.setToolTip(
            "Share of the cells of each class that are predicted as it, the number of cells, and "
            "the 95 % interval over groups such as wells; dashed: chance"
        )
        self.folding.addWidget(self.bars)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.folding)
        self.setVisible(False)

    def show_accuracy(self, estimate: AccuracyEstimate | None, classes: Sequence[str] = ()) -> None:
        """Show other figures; None hides them. ``classes``: their positions are the colours."""
        self.setVisible(estimate is not None)
        if estimate is None:
            self.bars.show_bars(())
            return
        rows = [
            Bar(
                "all classes",
                estimate.balanced,
                _figure(estimate.balanced, estimate.n_cells),
                (estimate.low, estimate.high),
                strong=True,
                tip=estimate.text(),
                # Grey: of no class.
                color=class_hex(-1),
            )
        ]
        rows += [
            Bar(
                row.name,
                row.recall,
                _figure(row.recall, row.n_cells),
                (row.low, row.high),
                tip=row.text(),
                color=class_hex(list(classes).index(row.name)) if row.name in classes else "",
            )
            for row in estimate.per_class
            if row.recall is not None and row.low is not None and row.high is not None
        ]
        self.bars.show_bars(rows, estimate.chance)
        if len(rows) - 1 > FEW:
            self.folding.collapse(animate=False)
        else:
            self.folding.expand(animate=False)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.bars.follow_theme(theme)


def _figure(value: float, cells: int) -> str:
    return f"{value:.2f} ({cells:,} {'cell' if cells == 1 else 'cells'})"
