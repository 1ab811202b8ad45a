"""A small gallery: the mean map of each class, in each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.evidence_colors import map_limit
from napari_channelmix.viewer.charts.attribution_colormap import evidence_image
from napari_channelmix.viewer.charts.thumbnails import Thumbnails, Tile, grey_image, grey_levels
from napari_channelmix.viewer.pages.pixels.map_scaling import scaled
from napari_channelmix.viewer.pages.pixels.mean_maps_job import MeanMapsResult, mean_maps_job
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.explanation import Question
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks.task import Task
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.viewer.tasks.turns import Turns

__all__ = ["MeanMapsPanel"]

WORDS = {
    "axis": "Turned to the main axis",
    "centre": "Centred",
    "none": "As in the crops",
}
HINT = "What the maps of a class have in common: cells are laid on each other first."


class MeanMapsPanel(QWidget):
    """A button, how cells are aligned, and the pictures.

    Parameters
    ----------
    session, task, task_bar, turns, sources
        As for `ManyCells`.
    question : callable
        What is asked of each cell now.
    failed : callable
        Gets an error in a line.
    """

    def __init__(
        self,
        session: Session,
        task: Task,
        task_bar: TaskBar,
        turns: Turns,
        sources: Sources,
        question: Callable[[], Question],
        failed: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._session, self.task, self._turns = session, task, turns
        self._sources, self._question, self._failed = sources, question, failed
        self.result: MeanMapsResult | None = None
        self._view: EvidenceView = "signed"
        self.button = QPushButton("Mean map per class")
        self.button.setToolTip(
            "Explains up to 24 held-out cells of each class of the data set and shows the mean of "
            "their maps, over the mean of the cells"
        )
        self.align = choice(
            "How cells are laid on each other: moved to the middle of their outline, and turned "
            "until their longer axis lies level, where they have one. Default: turned"
        )
        for name, words in WORDS.items():
            self.align.addItem(words, name)
        self.line = QLabel(HINT)
        self.line.setWordWrap(True)
        self.gallery = Thumbnails("Mean map of each class in each channel")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        # Beside each other they are wider than a narrow page.
        column.addWidget(self.button)
        column.addWidget(self.align)
        column.addWidget(self.gallery)
        column.addWidget(self.line)
        column.addWidget(task_bar)
        self.button.clicked.connect(self.begin)
        self.align.currentIndexChanged.connect(self._align_changed)
        task.started.connect(self._fill)
        task.ended.connect(self._fill)

    def begin(self) -> None:
        """Make the mean maps."""
        cells, trained = self._session.cells, self._session.trained
        if cells is None or trained is None:
            return
        job = mean_maps_job(
            self._sources, trained, cells, self._question(), self.align.currentData()
        )
        self.task.run("mean maps", self._turns.long(job), self.show_result, on_error=self._failed)

    def show_result(self, result: MeanMapsResult) -> None:
        """Show mean maps."""
        self.result = result
        self.draw()

    def draw(self) -> None:
        """Draw the mean maps that there are; those of all channels on the display channels."""
        result = self.result
        if result is None:
            return
        mean = result.mean
        tiles, limit = [], map_limit(mean.maps)
        names = () if result.limits is None else result.limits.channels
        shown = [
            place for place, name in enumerate(names) if name in self._session.display.channels
        ]
        for row, name in enumerate(mean.classes):
            levels = grey_levels(mean.crops[row], result.limits)
            of_all = len(mean.channels) != len(levels)
            agreement = float(mean.agreement[row])
            told = (
                f"{name}, n = {counted(int(mean.n[row]), 'cell')} of "
                f"{counted(int(mean.groups[row]), 'group')}"
            )
            if np.isfinite(agreement):
                told += (
                    f"\nCorrelation of a cell's map with the mean of the others: {agreement:.2f}"
                )
            for column, channel in enumerate(mean.channels):
                of_shown = levels[shown] if shown else levels
                below = np.asarray(of_shown.max(axis=0)) if of_all else levels[column]
                tiles.append(
                    Tile(
                        grey_image(below),
                        evidence_image(scaled(mean.maps[row, column], limit), self._view),
                        channel,
                        f"{name}, n = {mean.n[row]}",
                        f"{channel}: {told}",
                    )
                )
        self.gallery.show_tiles(tiles, len(mean.channels))
        self.line.setText("\n".join(result.lines))

    def show_view(self, view: EvidenceView) -> None:
        """Show evidence for and against, or for only; means are of maps, not of magnitudes."""
        self._view = "signed" if view == "magnitude" else view
        self.draw()

    def forget(self) -> None:
        """Other cells or another classifier."""
        self.task.stop()
        self.result = None
        self.gallery.show_tiles([])
        self.line.setText(HINT)

    def _align_changed(self) -> None:
        if self.result is not None or self.task.busy:
            self.begin()

    def _fill(self, _: object = None) -> None:
        self.button.setEnabled(not self.task.busy)
