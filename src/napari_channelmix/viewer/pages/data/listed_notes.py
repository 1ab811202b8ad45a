"""Notes on the channels that are listed, found in the background while they are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_channelmix.data import Cells
from napari_channelmix.data.channel_notes import channel_notes_job
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from napari_channelmix.data.channel_notes import ChannelNotes
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.pages.data.channel_tools import ChannelTools
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["ListedNotes", "notes_of_channels_job", "question_of"]

# Places that are looked at where no cells are known yet: along each side, and the side of each.
PLACES, SIDE = 18, 32
# Milliseconds without a change before it begins.
PAUSE = 400


def question_of(chosen: ChosenChannels) -> tuple[Hashable, Job[ChannelNotes]]:
    """Channels among layers, for `ListedNotes`."""
    key = (*chosen.names, *(id(image) for image in chosen.images.values()))
    return key, notes_of_channels_job(chosen)


def notes_of_channels_job(chosen: ChosenChannels) -> Job[ChannelNotes]:
    """Notes on channels, out of squares that are spread evenly over the slice that is shown.

    Raises
    ------
    DataError
        Planes that cannot be read.
    """
    height, width = chosen.planes[0].shape
    side = min(SIDE, height, width)
    rows, columns = (
        np.linspace(side / 2, length - side / 2 - 1, min(PLACES, max(1, length // side)))
        for length in (height, width)
    )
    points = [(y, x) for y in rows for x in columns]
    places = Cells.from_points(chosen.planes, chosen.names, points, crop=side, name=chosen.title)
    return channel_notes_job(places)


class ListedNotes(QObject):
    """Looks at listed channels once for each list; only while the panel is in sight.

    Parameters
    ----------
    viewer, tools, parent
    question : callable
        What is listed now, to tell one list from another, and the job that looks at it; raises
        `DataError` where it cannot be looked at.
    """

    def __init__(
        self,
        viewer: Any,
        tools: ChannelTools,
        question: Callable[[], tuple[Hashable, Job[ChannelNotes]]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.task = Task(session_of(viewer))
        self._tools, self._question = tools, question
        # What the notes are of, or are being looked for.
        self._key: Hashable = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        self.destroyed.connect(lambda *_, task=self.task: task.abandon())

    def listed(self) -> None:
        """The list may be another one."""
        # Hidden where there are few channels.
        if self._tools.isVisible():
            self._soon.start(PAUSE)

    def _look(self) -> None:
        if not self._tools.isVisible():
            return
        try:
            key, job = self._question()
        except DataError:
            # Images of several sizes, an axis that is not known: said where they are ticked.
            return
        if key == self._key:
            return
        self._key = key
        self._tools.take_notes(None)
        self.task.run(
            "looking at the channels",
            job,
            lambda notes: self._show(notes, key),
            on_error=lambda _: self._tools.take_notes(None),
        )

    def _show(self, notes: ChannelNotes, key: Hashable) -> None:
        if key == self._key:
            self._tools.take_notes(notes)
