"""Recall of each class on held-out cells, with its interval: a bar for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.charts.interval_bars import Bar
from napari_channelmix.viewer.charts.long_bars import LongBars
from napari_channelmix.viewer.widgets.folding import Folding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify.accuracy import AccuracyEstimate, ClassRecall

__all__ = ["RecallBars"]

TITLE = "Recall of each class"
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
            TITLE,
            theme,
            (0.0, 1.0),
            figures=FIGURES,
            noun="class",
        )
        self.folding = Folding(TITLE)
        self.folding.setToolTip(
            "Share of the cells of each class that are predicted as it, the number of cells, and "
            "the 95 % interval over groups such as wells; dashed: chance"
        )
        self.folding.addWidget(self.bars)
        # In sight where the bars are folded.
        self.lowest = QLabel()
        self.lowest.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.lowest)
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
        per_class = list(estimate.per_class)
        many = len(per_class) > FEW
        if many:
            # Of many, the first are in sight: those that are classified worst.
            per_class.sort(key=lambda row: -1.0 if row.recall is None else row.recall)
        rows += [_bar(row, classes) for row in per_class]
        self.bars.show_bars(rows, estimate.chance)
        known = [row for row in per_class if row.recall is not None]
        worst = f"Lowest recall: {known[0].text()}" if many and known else ""
        self.lowest.setText(worst)
        self.lowest.setVisible(bool(worst))
        if many:
            self.folding.collapse(animate=False)
        else:
            self.folding.expand(animate=False)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.bars.follow_theme(theme)


def _bar(row: ClassRecall, classes: Sequence[str]) -> Bar:
    """A class with its recall; one without held-out cells has no bar, which is said."""
    color = class_hex(list(classes).index(row.name)) if row.name in classes else ""
    if row.recall is None or row.low is None or row.high is None:
        return Bar(row.name, 0.0, "no cells", tip=f"{row.name}: no held-out cells", color=color)
    figure = _figure(row.recall, row.n_cells)
    return Bar(row.name, row.recall, figure, (row.low, row.high), tip=row.text(), color=color)


def _figure(value: float, cells: int) -> str:
    return f"{value:.2f} ({cells:,} {'cell' if cells == 1 else 'cells'})"
