"""Takes what was chosen of an open data set in use: its channels, or how pixels are scaled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.pages.data.data_set_channels import shown_job, use_choice
from napari_channelmix.viewer.pages.data.data_set_scaling import chosen_scaling_job, use_scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.settings.scaling import ScalingSettings
    from napari_channelmix.viewer.pages.data.data_set_channels import (
        ChannelChoice,
        DataSetChannels,
    )
    from napari_channelmix.viewer.pages.data.open_jobs import Opened
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.shown import Shown
    from napari_channelmix.viewer.tasks.task import Task

__all__ = ["DataSetChoice"]


class DataSetChoice:
    """Both are tasks of the page: channels have to be shown, and pixels measured.

    Parameters
    ----------
    viewer, session
    task : Task
    channels : DataSetChannels
        Knows the data set with all of its channels.
    show : callable
        Shows a data set that was read, as a job.
    say, failed : callable
        Get a line: what was done, or why not.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        task: Task,
        channels: DataSetChannels,
        *,
        show: Callable[[Opened], Job[tuple[Opened, Shown | None]]],
        say: Callable[[str], object],
        failed: Callable[[str], object],
    ) -> None:
        self._viewer, self._session, self._task = viewer, session, task
        self._channels, self._show, self._say, self._failed = channels, show, say, failed

    def use_channels(self, choice: ChannelChoice) -> None:
        """Take other channels of the data set in use, in the field of view that is shown."""
        session = self._session
        field = 0 if session.shown is None else session.shown.field

        def used(pair: tuple[Opened, Shown | None]) -> None:
            opened, shown = pair
            self._channels.remember(opened.cells, choice.every)
            self._say(use_choice(session, replace(choice, cells=opened.cells), shown))

        self._task.run(
            "taking other channels",
            shown_job(choice, session.original or choice.every, field),
            used,
            on_error=self._failed,
            show=self._show,
        )

    def use_scaling(self, settings: ScalingSettings | None) -> None:
        """Scale the pixels of the data set in use otherwise; None: as it was opened."""
        before, every = self._session.original, self._channels.every
        if before is None or every is None:
            return

        def scaled(cells: Cells) -> None:
            # Another data set may be in use by now.
            if self._session.original is before:
                self._channels.remember(cells, every)
                self._say(use_scaled(self._viewer, self._session, cells))

        job = chosen_scaling_job(before, every, settings)
        self._task.run("scaling the pixels", job, scaled, on_error=self._failed)
