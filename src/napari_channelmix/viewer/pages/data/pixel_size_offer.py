"""Images with pixels of several sizes: their crops resampled to one size, by a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.crop_pixels import pixel_sizes
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Session

__all__ = ["PixelSizeOffer", "differing_sizes"]

# Sizes that differ by less are the same.
ALIKE = 1.02


def differing_sizes(cells: Cells) -> tuple[float, float] | None:
    """Smallest and largest pixel of the crops in micrometres, where they differ by over 2 %.

    None where they are alike, not known, or where each cell has a box of its own size.
    """
    boxes = cells.boxes
    if not len(cells) or (boxes[:, 2:] - boxes[:, :2] != cells.crop).any():
        return None
    sizes = pixel_sizes(cells)
    if not sizes or max(sizes) <= ALIKE * min(sizes):
        return None
    return min(sizes), max(sizes)


class PixelSizeOffer(QWidget):
    """A line and a button; hidden while all crops have pixels of one size."""

    resampled = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.button = QPushButton("Resample to one pixel size")
        self.button.setToolTip(
            "Cut out a box of as many micrometres for every cell and resize it, so that sizes can "
            "be compared. The largest pixels count: no detail is made up"
        )
        self.button.clicked.connect(self.resample)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.text)
        column.addWidget(self.button)
        self.setVisible(False)

    def look_at(self, cells: Cells | None) -> None:
        """Offer it where the pixels of these cells differ."""
        sizes = None if cells is None else differing_sizes(cells)
        self.setVisible(sizes is not None)
        if sizes is not None:
            low, high = sizes
            self.text.setText(
                f"The images have pixels of {low:.3g} to {high:.3g} µm: cells of one size differ "
                "in the crops."
            )
            self.button.setText(f"Resample to {high:.3g} µm")

    def resample(self) -> None:
        """Cells of one pixel size take the place of those in use; classes stay with them."""
        session, cells = self.session, self.session.cells
        sizes = None if cells is None else differing_sizes(cells)
        if cells is None or sizes is None:
            return
        try:
            alike = at_pixel_size(session.original or cells, sizes[1])
        except DataError as error:
            self.text.setText(str(error))
            return
        state = session.of(session.data_set)
        # What was found of the cells as they were stays with them.
        instead = state is not None and not state.results and not session.running_on(state.key)
        labels, classes = cells.labels, cells.classes
        session.open(alike, session.source, session.shown, instead=instead)
        if classes != alike.classes or not np.array_equal(labels, alike.labels):
            # As a change, so that it is kept with the others.
            session.classify(labels, classes)
        self.resampled.emit()
