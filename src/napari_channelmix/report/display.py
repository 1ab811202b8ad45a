"""The display channels of a report: those of the window, or those that are proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.crop_pictures import stretched
from napari_channelmix.data.display_channels import DisplayChannels, display_channels_job
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["brightest", "display_of"]

FloatArray = npt.NDArray[np.float32]


def display_of(findings: Findings) -> DisplayChannels:
    """The channels that pictures of these cells show, with the contrast of the data set.

    Measured where that is not known yet.

    Raises
    ------
    DataError
        Pixels that cannot be read.
    """
    chosen = findings.display
    if chosen is None or not chosen.channels:
        return drain(display_channels_job(findings.cells))
    if set(chosen.channels) <= set(chosen.contrast):
        return chosen
    measured = drain(display_channels_job(findings.cells, chosen.channels))
    return DisplayChannels(chosen.channels, chosen.colors, measured.contrast)


def brightest(crop: FloatArray, channels: tuple[str, ...], display: DisplayChannels) -> FloatArray:
    """The brightest display channel at each pixel of a cell, as grey (H, W), 0 to 1.

    Parameters
    ----------
    crop : (C, H, W) float32 array
        In raw units.
    channels : tuple of str
        What its C channels are called. Where none is a display channel, all are averaged, each
        stretched by itself.
    display : DisplayChannels
    """
    levels = []
    for name, plane in zip(channels, crop, strict=False):
        if name in display.channels and name in display.contrast:
            low, high = display.contrast[name]
            levels.append(np.clip((plane - low) / (high - low), 0, 1))
    if not levels:
        return np.asarray(stretched(crop).mean(axis=0), np.float32)
    return np.asarray(np.max(levels, axis=0), np.float32)
