"""The same cell by several methods, side by side, with how good each map is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.attribution_colormap import evidence_image
from napari_channelmix.viewer.charts.thumbnails import Thumbnails, Tile
from napari_channelmix.viewer.pages.pixels.cell_panel import composite
from napari_channelmix.viewer.pages.pixels.map_scaling import scaled
from napari_channelmix.viewer.pages.pixels.question_form import METHODS

if TYPE_CHECKING:
    from qtpy.QtGui import QImage

    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.viewer.pages.pixels.comparison_job import Answer
    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ComparisonPanel"]

# Wide enough for the names of the methods.
SMALLEST = 100
# A gap that is 0.00 to the reader is no better than another.
WORTH_A_STAR = 0.005
SHORT = {"pcim-fidelity": "PCIM (high fid.)", "integrated-gradients": "Integr. grad."}


class ComparisonPanel(QWidget):
    """A tile for each method; the largest gap between insertion and deletion has a star."""

    comparison_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QPushButton("Compare methods on this cell")
        self.button.setToolTip(
            "Explain the cell by PCIM and by standard methods, and measure all in the same way"
        )
        self.button.clicked.connect(self.comparison_requested)
        self.tiles = Thumbnails("The same cell by several methods", SMALLEST)
        self.note = QLabel()
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.button, self.tiles, self.note):
            column.addWidget(widget)
        self._below: QImage | None = None
        self._methods: tuple[str, ...] = ()
        self._answers: tuple[Answer, ...] = ()
        self._view: EvidenceView = "signed"
        self.clear()

    def clear(self) -> None:
        """Forget the cell."""
        self._methods = self._answers = ()
        self.tiles.show_tiles([])
        self.tiles.setVisible(False)
        self.note.setVisible(False)

    def begin(
        self, explanation: Explanation, methods: Sequence[str], shown: Sequence[str] = ()
    ) -> None:
        """Show the cell once for each method, still without maps.

        ``shown``: the display channels.
        """
        self._below, self._methods = composite(explanation, shown), tuple(methods)
        self.tiles.setVisible(True)
        self.show_answers(())
        self.note.setText(
            "gap: the area between the curves of insertion and deletion; higher is better."
        )
        self.note.setVisible(True)

    def show_view(self, view: EvidenceView) -> None:
        """Show evidence for and against, or for only; methods have no magnitude to compare."""
        self._view = "signed" if view == "magnitude" else view
        self.show_answers(self._answers)

    def show_answers(self, answers: Sequence[Answer]) -> None:
        """Show what has come in so far."""
        if not self._methods:
            return
        self._answers = tuple(answers)
        known = {entry.method: entry for entry in answers}
        best = max((entry.srg for entry in answers if entry.srg is not None), default=None)
        done = len(answers) == len(self._methods)
        tiles = []
        for name in self._methods:
            title = SHORT.get(name, METHODS[name])
            tile = Tile(self._below, title=title, note="…", tip=METHODS[name])
            answer = known.get(name)
            if answer is not None and answer.map is not None and answer.srg is not None:
                tile.over = evidence_image(scaled(answer.map), self._view)
                # No map is the best of several that show nothing.
                star = " ★" if done and answer.srg == best and answer.srg >= WORTH_A_STAR else ""
                tile.note = f"gap {round(answer.srg, 2) + 0.0:.2f}{star}"
                tile.tip = f"{METHODS[name]}: gap {answer.srg:.3f}, {answer.seconds:.2g} s"
            elif answer is not None:
                tile.note, tile.tip = "not possible", answer.reason
            tiles.append(tile)
        self.tiles.show_tiles(tiles)
        self.tiles.setAccessibleDescription("; ".join(tile.tip for tile in tiles))
