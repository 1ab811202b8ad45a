"""Cells in grey, as they lie below a map: of many channels only those that are shown together.

The mean of forty channels is fog, whatever the cell is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.crop_pictures import stretched
from napari_channelmix.data.display_channels import (
    MOST_TOGETHER,
    contrast_of,
    display_channels_job,
)
from napari_channelmix.data.display_limits import display_limits_job
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.data.display_channels import DisplayChannels
    from napari_channelmix.jobs import Job

__all__ = ["brightest", "grey_cells_job", "grey_display_job", "grey_words"]

FloatArray = npt.NDArray[np.float32]


def grey_display_job(cells: CellBoxes) -> Job[DisplayChannels | None]:
    """The display channels of cells, with their contrast in the units of the crops.

    None for six channels or fewer: all of them are averaged then.

    Raises
    ------
    DataError
        Pixels that cannot be read.
    """
    if len(cells.channels) <= MOST_TOGETHER:
        return None
    display = yield from display_channels_job(cells)
    if not display.contrast:
        return display
    # Crops of scaled cells have other units than the files.
    limits = yield from display_limits_job(cells.with_channels(display.channels))
    return replace(display, contrast=contrast_of(limits))


def grey_cells_job(cells: CellBoxes | None, crops: FloatArray) -> Job[tuple[FloatArray, str]]:
    """Crops (n, C, H, W) of cells in grey (n, H, W), and what is grey in them, in words; a job.

    ``cells``: the data set, whose display channels are taken; None: all channels are averaged.

    Raises
    ------
    DataError
        Pixels that cannot be read.
    """
    if cells is None:
        return np.stack([brightest(crop, (), None) for crop in crops]), ""
    display = yield from grey_display_job(cells)
    greys = np.stack([brightest(crop, cells.channels, display) for crop in crops])
    return greys, grey_words(cells.channels, display)


def brightest(
    crop: FloatArray, channels: Sequence[str], display: DisplayChannels | None
) -> FloatArray:
    """The brightest display channel at each pixel of a cell, as grey (H, W), 0 to 1.

    Parameters
    ----------
    crop : (C, H, W) float32 array
        In the units of the contrast.
    channels : sequence of str
        What its C channels are called. Where none is a display channel of known contrast, all are
        averaged, each stretched by itself.
    display : DisplayChannels or None

    Examples
    --------
    >>> from napari_channelmix.data.display_channels import DisplayChannels
    >>> crop = np.array([[[0.0, 100.0]], [[50.0, 0.0]], [[9.0, 9.0]]], np.float32)
    >>> contrast = {"DAPI": (0.0, 200.0), "CD3": (0.0, 50.0)}
    >>> shown = DisplayChannels(("DAPI", "CD3"), ("#0000FF", "#FFFF00"), contrast)
    >>> brightest(crop, ("DAPI", "CD3", "SMA"), shown).tolist()
    [[1.0, 0.5]]
    """
    levels = []
    for name, plane in zip(channels, crop, strict=False):
        if display is not None and name in display.channels and name in display.contrast:
            low, high = display.contrast[name]
            levels.append(np.clip((plane - low) / (high - low), 0, 1))
    if not levels:
        return np.asarray(stretched(crop).mean(axis=0), np.float32)
    return np.asarray(np.max(levels, axis=0), np.float32)


def grey_words(channels: Sequence[str], display: DisplayChannels | None) -> str:
    """What is grey in such a picture, in words; empty where all channels are averaged.

    Examples
    --------
    >>> from napari_channelmix.data.display_channels import DisplayChannels
    >>> shown = DisplayChannels(("DAPI", "CD3"), ("#0000FF", "#FFFF00"), {"CD3": (0.0, 1.0)})
    >>> grey_words(("CD3", "SMA"), shown), grey_words(("CD3", "SMA"), None)
    ('in grey: the brightest of CD3', '')
    """
    shown = () if display is None else display.channels
    known = [name for name in shown if name in channels and display and name in display.contrast]
    return f"in grey: the brightest of {listed(known, MOST_TOGETHER)}" if known else ""
