"""Some fields of view of a scan, each channel in one scale, before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QScrollArea, QWidget

from napari_channelmix.data.display_limits import limits_of_planes
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.roles import Role
from napari_channelmix.viewer.charts.thumbnails import grey_image
from napari_channelmix.viewer.tasks import Task

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from qtpy.QtGui import QShowEvent

    from napari_channelmix.scan.scan import Scan
    from napari_channelmix.viewer.session.session import Session

__all__ = ["FieldImages", "Sample", "sample_job"]

# Fields of view and channels that are shown, and pixels of a picture's longer side.
FIELDS, CHANNELS, SIDE = 4, 6, 128
# Pixels across that the pictures of a field of view have together.
WIDTH = 540
# Pixels of an image at most, so that no step takes long.
LARGEST = 2**26
# What tells one field of view from another.
NAMING = (Role.PLATE, Role.WELL, Role.FIELD, Role.TIME, Role.PLANE, Role.CLASS)


@dataclass(frozen=True, eq=False)
class Sample:
    """Pictures of some fields of view.

    Attributes
    ----------
    channels, names : tuple of str
        Of the columns and of the rows of pictures.
    pictures : tuple of tuple
        For each field of view, of each channel: grey levels (H, W) as uint8, or why there are none.
    """

    channels: tuple[str, ...]
    names: tuple[str, ...]
    pictures: tuple[tuple[npt.NDArray[np.uint8] | str, ...], ...]


def sample_job(scan: Scan) -> Job[Sample]:
    """Read some fields of view, evenly spread; each channel has one scale over all of them.

    Images that cannot be read take the place of their picture with the reason.
    """
    yield Progress(0, 1, "choosing fields of view")
    table, content = scan.table(), scan.description()
    count_shown = min(FIELDS, len(table))
    rows = np.unique(np.linspace(0, len(table) - 1, count_shown).astype(int)).tolist()
    columns: dict[str, str] = dict(list(content.get("channels", {}).items())[:CHANNELS])
    image = content.get("image", {})
    channels = tuple(columns) or tuple(scan.channels.values())[:CHANNELS]
    side = min(SIDE, WIDTH // max(1, len(channels)))
    planes: list[list[npt.NDArray[np.float32] | str]] = []
    for count, row in enumerate(rows):
        planes.append([])
        for channel in channels:
            yield Progress(count, len(rows), f"reading {channel}")
            column = columns.get(channel, image.get("column"))
            place = 0 if columns else channels.index(channel)
            path = scan.folder / str(table[column].iloc[row])
            planes[-1].append(_plane(path, image.get("axes"), place, side))
    yield Progress(len(rows), len(rows) + 1, "measuring the range of the channels")
    limits = [
        limits_of_planes([plane for plane in of_channel if not isinstance(plane, str)])
        for of_channel in zip(*planes, strict=True)
    ]
    pictures = tuple(
        tuple(
            plane if isinstance(plane, str) else _levels(plane, *limits[place])
            for place, plane in enumerate(of)
        )
        for of in planes
    )
    return Sample(channels, tuple(_name(scan, table, row) for row in rows), pictures)


def _plane(path: Path, axes: str | None, place: int, side: int) -> npt.NDArray[np.float32] | str:
    """Every n-th pixel of a channel of a file, or why it cannot be read."""
    try:
        planes = open_image(path).planes(axes)
        plane = planes[min(place, len(planes) - 1)]
        if plane.shape[0] * plane.shape[1] > LARGEST:
            return "too large to be shown here"
        step = max(1, -(-max(plane.shape) // side))
        return np.asarray(plane[:, :][::step, ::step], np.float32)
    except DataError as error:
        return str(error)


def _levels(plane: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = (
        255 * np.clip((np.nan_to_num(plane) - low) / (high - low), 0, 1)
    ).astype(np.uint8)
    return levels


def _name(scan: Scan, table: pd.DataFrame, row: int) -> str:
    """What tells a field of view from others, else its file."""
    columns = [
        name
        for role in NAMING
        for name, each in scan.roles.items()
        if each is role and name in table and table[name].nunique() > 1
    ]
    values = [str(table[name].iloc[row]) for name in columns]
    return " ".join(value for value in values if value) or f"row {row + 1}"


class FieldImages(QScrollArea):
    """A row of pictures for each field of view; read when they are first looked at."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Not the window's task: looking at images must not stop a change.
        self.task = Task(session)
        self._scan: Scan | None = None
        self._stale = False
        inner = QWidget()
        self.grid = QGridLayout(inner)
        self.grid.setSpacing(4)
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Images of some fields of view")

    def show_scan(self, scan: Scan) -> None:
        """Take other images; they are read as soon as they can be seen."""
        self._scan, self._stale = scan, True
        if self.isVisible():
            self.read()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what is seen for the first time."""
        super().showEvent(event)
        self.read()

    def read(self) -> None:
        """Read the images, unless that is done."""
        if self._scan is None or not self._stale:
            return
        self._stale = False
        self._say("Reading…")
        self.task.run(
            "reading some fields of view", sample_job(self._scan), self._show, on_error=self._say
        )

    def _clear(self) -> None:
        while self.grid.count():
            item = self.grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _say(self, text: str) -> None:
        self._clear()
        self.grid.addWidget(QLabel(text), 0, 0, Qt.AlignmentFlag.AlignCenter)

    def _show(self, sample: Sample) -> None:
        if not sample.pictures:
            self._say("No field of view is left.")
            return
        self._clear()
        top = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        for column, channel in enumerate(sample.channels):
            self.grid.addWidget(QLabel(channel), 0, column + 1, top)
        for row, (name, pictures) in enumerate(zip(sample.names, sample.pictures, strict=True), 1):
            self.grid.addWidget(QLabel(name), row, 0, top)
            for column, picture in enumerate(pictures):
                label = QLabel()
                label.setAccessibleName(f"{sample.channels[column]} of {name}")
                if isinstance(picture, str):
                    label.setText("not readable")
                    label.setToolTip(picture)
                else:
                    label.setPixmap(QPixmap.fromImage(grey_image(picture)))
                    label.setToolTip(f"{sample.channels[column]} of {name}; one scale per channel")
                self.grid.addWidget(label, row, column + 1, top)
        self.grid.setRowStretch(len(sample.names) + 1, 1)
        self.grid.setColumnStretch(len(sample.channels) + 1, 1)
