"""Some crops with their neighbours, and with them hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_channelmix.data.crop_rendering import composed
from napari_channelmix.data.display_channels import display_channels_job
from napari_channelmix.viewer.pages.data.crop_preview import colour_pixmap
from napari_channelmix.viewer.pages.data.layer_cells import cells_job
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.pages.data.layer_cells import CellsPlan

__all__ = ["HiddenNeighbours", "NeighboursPreview", "preview_job"]

CELLS_SHOWN, SIDE = 3, 60
# Cells that are looked at for neighbours.
MOST_SEARCHED = 400
# Milliseconds without a change of the crop before it is drawn again.
PAUSE = 250


@dataclass(frozen=True, eq=False)
class HiddenNeighbours:
    """Crops of some cells in colour, (n, H, W, 3), and how many cells have neighbours in theirs.

    Attributes
    ----------
    before, after : (n, H, W, 3) uint8 array
    with_neighbours, searched : int
    """

    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]
    with_neighbours: int
    searched: int


def preview_job(plan: CellsPlan) -> Job[HiddenNeighbours]:
    """The cells with most of other cells in their crops, before and after they are hidden."""
    cells = yield from cells_job(replace(plan, hide=False, column=None))
    some = np.unique(np.linspace(0, len(cells) - 1, MOST_SEARCHED).astype(np.int64))
    shares = np.array([_share_of_others(cells, index) for index in some.tolist()])
    chosen = some[np.argsort(-shares, kind="stable")[:CELLS_SHOWN]]
    display = yield from display_channels_job(cells)
    looks = display.looks(cells.channels)
    shown = cells.subset(chosen)
    return HiddenNeighbours(
        composed(shown.read(), looks),
        composed(shown.without_neighbours().read(), looks),
        int((shares > 0).sum()),
        len(some),
    )


def _share_of_others(cells: Cells, index: int) -> float:
    """Share of a crop that other objects have."""
    row = cells.table.iloc[index]
    labels = cells.fields[int(row["field"])].labels
    assert labels is not None
    y0, x0, y1, x1 = (max(0, int(edge)) for edge in cells.boxes[index])
    window = np.asarray(labels[y0:y1, x0:x1])
    return float(((window > 0) & (window != row["object"])).sum())


class NeighboursPreview(QWidget):
    """Two rows of crops: as they are, and with their neighbours hidden."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = Task(session_of(viewer))
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.before = [QLabel() for _ in range(CELLS_SHOWN)]
        self.after = [QLabel() for _ in range(CELLS_SHOWN)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for row, (title, pictures) in enumerate(
            (("as they are", self.before), ("hidden", self.after))
        ):
            grid.addWidget(QLabel(title), row, 0)
            for column, picture in enumerate(pictures, 1):
                picture.setToolTip(f"One of the cells with most neighbours, {title}")
                grid.addWidget(picture, row, column, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.text, 2, 0, 1, CELLS_SHOWN + 1)
        grid.setColumnStretch(CELLS_SHOWN + 1, 1)
        self._plan: CellsPlan | None = None
        self._key: tuple[Any, ...] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._draw)
        self.destroyed.connect(lambda *_, task=self.task: task.abandon())
        self.setVisible(False)

    def preview(self, plan: CellsPlan | None, painted: int = 0) -> None:
        """Show it for the cells of a plan; None shows nothing.

        ``painted``: how often the layer was painted in, so that it is shown anew.
        """
        self.setVisible(plan is not None)
        if plan is None:
            self._key = None
            return
        chosen = plan.chosen
        which = id(plan.layer), painted, plan.labelled, chosen.names, chosen.slice_index
        key = *which, chosen.every, plan.crop
        if key != self._key:
            self._plan, self._key = plan, key
            self._soon.start(PAUSE)

    def _draw(self) -> None:
        if self._plan is not None and self.isVisible():
            self.task.run(
                "hiding neighbours", preview_job(self._plan), self._show, on_error=self.text.setText
            )

    def _show(self, hidden: HiddenNeighbours) -> None:
        for pictures, crops in ((self.before, hidden.before), (self.after, hidden.after)):
            for place, picture in enumerate(pictures):
                picture.setVisible(place < len(crops))
                if place < len(crops):
                    picture.setPixmap(colour_pixmap(crops[place], SIDE))
        self.text.setText(
            f"{hidden.with_neighbours:,} of {hidden.searched:,} cells have others in their crop"
        )
