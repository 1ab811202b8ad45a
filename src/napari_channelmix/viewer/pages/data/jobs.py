"""The jobs of the page Data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.display_limits import DisplayLimits, display_limits_job
from napari_channelmix.data.segmentation import segment_job
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells, Segmentation
    from napari_channelmix.settings import SegmentationSettings
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["crops_job", "objects_job"]


def objects_job(
    chosen: ChosenChannels,
    channel: str,
    settings: SegmentationSettings,
    window: tuple[int, int, int, int] | None = None,
) -> Job[Segmentation]:
    """Segment the objects of a channel.

    Parameters
    ----------
    chosen : ChosenChannels
    channel : str
    settings : SegmentationSettings
    window : (y0, x0, y1, x1), optional
        The part of the plane, half open; default: all of it.
    """
    yield Progress(0, 10, "reading the channel")
    names = [channel, *([settings.body_channel] if settings.body_channel else [])]
    planes = [chosen.planes[chosen.names.index(name)] for name in names]
    top, left, bottom, right = window or (0, 0, *planes[0].shape)
    pixels = [np.asarray(plane[top:bottom, left:right]) for plane in planes]
    return (yield from part(segment_job(pixels[0], settings, *pixels[1:]), 1, 9, 10))


def crops_job(
    cells: Cells, chosen: Sequence[int]
) -> Job[tuple[npt.NDArray[np.float32], DisplayLimits]]:
    """Read some crops, to look at, and the scale that all cells of the data set share."""
    yield Progress(0, 1, "reading crops")
    crops = cells.read(np.asarray(chosen, dtype=np.int64))
    limits = yield from display_limits_job(cells)
    return crops, limits
