"""The jobs of the page Data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data import find_nuclei
from napari_channelmix.data.display_limits import DisplayLimits, display_limits_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells

__all__ = ["crops_job", "nuclei_job"]


def nuclei_job(plane: Any, min_area: int) -> Job[npt.NDArray[np.int32]]:
    """Find nuclei in a plane.

    Raises
    ------
    DataError
        No nucleus is found.
    """
    yield Progress(0, 2, "reading the channel")
    height, width = plane.shape
    pixels = plane[0:height, 0:width]
    yield Progress(1, 2, "segmenting nuclei")
    labels = find_nuclei(pixels, min_area=min_area)
    if not labels.any():
        raise DataError("no nuclei were found in this channel; choose one where they are bright")
    return labels


def crops_job(
    cells: Cells, chosen: Sequence[int]
) -> Job[tuple[npt.NDArray[np.float32], DisplayLimits]]:
    """Read some crops, to look at, and the scale that all cells of the data set share."""
    yield Progress(0, 1, "reading crops")
    crops = cells.read(np.asarray(chosen, dtype=np.int64))
    limits = yield from display_limits_job(cells)
    return crops, limits
