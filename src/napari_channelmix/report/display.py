"""The display channels of a report: those of the window, or those that are proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.data.display_channels import DisplayChannels, display_channels_job
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["display_of"]


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
