"""The cells of a config: a data-set file opened with the channels and the scaling of then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_channelmix.data import open_dataset_job
from napari_channelmix.data.measured_scaling import rescaled_job
from napari_channelmix.settings.scaling import NONE, ScalingSettings

if TYPE_CHECKING:
    from napari_channelmix.config.schema import DataPart
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job

__all__ = ["as_recorded_job", "recorded_cells_job"]


def recorded_cells_job(data: DataPart) -> Job[Cells]:
    """Open the data-set file of a config as it was opened then; a job.

    Raises
    ------
    DataError
        As `open_dataset`.
    """
    # Where another scaling was chosen, that of the file is not measured.
    scaling = None if data.scaled_as is None else NONE
    cells = yield from open_dataset_job(data.dataset, scaling=scaling)
    return (yield from as_recorded_job(cells, data.channels, data.scaled_as))


def as_recorded_job(cells: Cells, channels: Sequence[str], scaled_as: str | None) -> Job[Cells]:
    """Cells with the channels and the scaling that were chosen of them; a job.

    Parameters
    ----------
    cells : Cells
        As their data-set file has them.
    channels : sequence of str
        Names that they do not have all leave them as they are.
    scaled_as : str or None
        As of `ScalingSettings.from_text`; None: as the file says.
    """
    fewer = bool(channels) and set(channels) <= set(cells.channels)
    if fewer and tuple(channels) != cells.channels:
        cells = cells.with_channels(channels)
    if scaled_as is None:
        return cells
    return (yield from rescaled_job(cells, ScalingSettings.from_text(scaled_as)))
