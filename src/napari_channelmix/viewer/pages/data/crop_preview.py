"""Some crops, channel by channel: what the classifier will see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QFontMetrics, QImage, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.display_channels import MOST_TOGETHER
from napari_channelmix.viewer.pages.data.jobs import crops_job
from napari_channelmix.viewer.pages.data.pixel_size_offer import PixelSizeOffer
from napari_channelmix.viewer.tasks.task import Task
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_limits import DisplayLimits
    from napari_channelmix.viewer.session.session import Session

__all__ = ["CropPreview", "colour_pixmap"]

CELLS_SHOWN = 3
# All thumbnails of a cell stand in one row of this many pixels, each no larger than the second.
WIDTH, LARGEST = 266, 64


class CropPreview(QWidget):
    """Thumbnails of a few random cells: a row per cell, a column per channel.

    Of more than six channels, the display channels.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        # Not the page's task: looking at crops must not stop a training.
        self.task = Task(session)
        self._rng = np.random.default_rng(0)
        self._chosen: npt.NDArray[np.int64] | None = None
        self.grid = QGridLayout()
        self.grid.setSpacing(3)
        self.again = QPushButton("Other cells")
        self.again.setToolTip("Show the crops of other cells, drawn at random")
        self.again.clicked.connect(self.refresh)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.pixel_size = PixelSizeOffer(session)
        self.pixel_size.resampled.connect(self.refresh)
        column.addWidget(self.pixel_size)
        column.addLayout(self.grid)
        self.rest = QLabel()
        self.rest.setWordWrap(True)
        column.addWidget(self.rest)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)

    def refresh(self, _: object = None) -> None:
        """Draw cells at random and show their crops."""
        cells = self.session.cells
        self.pixel_size.look_at(cells)
        if cells is None or not len(cells):
            self._clear()
            return
        count = min(CELLS_SHOWN, len(cells))
        self._chosen = self._rng.choice(len(cells), size=count, replace=False)
        self._read(cells, self._chosen)

    def show_channels(self) -> None:
        """The same cells in other display channels."""
        cells, chosen = self.session.cells, self._chosen
        many = cells is not None and len(cells.channels) > MOST_TOGETHER
        if many and cells is not None and chosen is not None and (chosen < len(cells)).all():
            self._read(cells, chosen)

    def _read(self, cells: Cells, chosen: npt.NDArray[np.int64]) -> None:
        names = cells.channels
        if len(names) > MOST_TOGETHER:
            names = self.session.display.channels or names[:1]
        shown = cells.with_channels(names)
        self.task.run(
            "crops of cells",
            crops_job(shown, chosen.tolist()),
            lambda result: self._show(shown, chosen, *result),
        )
        left = len(cells.channels) - len(names)
        self.rest.setText(f"{counted(left, 'more channel')}: choose above which are shown.")
        self.rest.setVisible(left > 0)

    def _clear(self) -> None:
        while self.grid.count():
            item = self.grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()

    def _show(
        self,
        cells: Cells,
        chosen: npt.NDArray[np.int64],
        crops: npt.NDArray[np.float32],
        limits: DisplayLimits,
    ) -> None:
        self._clear()
        side = min(LARGEST, WIDTH // len(cells.channels) - 3)
        levels = (limits.levels(crops) * 255).astype(np.uint8)
        for column, name in enumerate(cells.channels):
            title = QLabel()
            title.setText(
                QFontMetrics(title.font()).elidedText(name, Qt.TextElideMode.ElideLeft, side)
            )
            title.setToolTip(f"{name}\nGrey values {limits.text(name)}")
            title.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.grid.addWidget(title, 0, column)
            for row, grey in enumerate(levels[:, column]):
                code = int(cells.labels[chosen[row]])
                class_name = cells.classes[code] if code >= 0 else "no class"
                picture = QLabel()
                picture.setPixmap(_pixmap(grey, side))
                picture.setToolTip(
                    f"cell {cell_name(cells, int(chosen[row]))}, {name}; class: {class_name}\n"
                    f"Grey values {limits.text(name)}"
                )
                self.grid.addWidget(picture, row + 1, column, Qt.AlignmentFlag.AlignCenter)
        self.grid.setColumnStretch(len(cells.channels), 1)


def _pixmap(grey: npt.NDArray[np.uint8], side: int) -> QPixmap:
    height, width = grey.shape
    image = QImage(
        np.ascontiguousarray(grey).tobytes(), width, height, width, QImage.Format.Format_Grayscale8
    )
    return QPixmap.fromImage(image.copy()).scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def colour_pixmap(colours: npt.NDArray[np.uint8], side: int) -> QPixmap:
    """Colours (H, W, 3) as a picture whose longer side is given, in pixels of the screen."""
    height, width, _ = colours.shape
    rows = np.ascontiguousarray(colours).tobytes()
    image = QImage(rows, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return QPixmap.fromImage(image).scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
