"""Measure how the pixels of a data set are to be scaled: percentiles of some of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.data.channel_choice import chosen_channels
from napari_channelmix.data.channel_notes import middle_of, sampled_cells
from napari_channelmix.data.pixel_scaling import ChannelScaling, PixelScaling
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.settings.scaling import ScalingSettings

__all__ = ["scaled_job"]

C = TypeVar("C", bound=CellBoxes)

FloatArray = npt.NDArray[np.float32]


def scaled_job(
    cells: C, settings: ScalingSettings, channels: Sequence[str] | None = None
) -> Job[C]:
    """`Cells.scaled` as a job: measure some cells, then scale what is read from then on."""
    chosen = chosen_channels(cells.channels, channels, who=cells.name)
    if cells.scaling:
        raise DataError(f"{cells.name}: its pixels are scaled already; scale the cells as opened")
    if not settings.text:
        return cells
    some = sampled_cells(cells)
    measured: dict[str, ChannelScaling] = {}
    pixels: list[FloatArray] = []
    done = 0
    for rows, crops in cells.with_channels(chosen).passes(32, some):
        pixels.append(middle_of(crops))
        done += len(rows)
        yield Progress(done, len(some) + len(chosen), "measuring the channels")
    every = np.concatenate(pixels) if pixels else np.zeros((0, len(chosen), 1, 1), np.float32)
    for place, name in enumerate(chosen):
        measured[name] = _measured(every[:, place], settings, name, cells.name)
        yield Progress(len(some) + place + 1, len(some) + len(chosen), "measuring the channels")
    scaling = PixelScaling(measured, settings.text, len(some))
    return replace(cells, scaling=scaling, warnings=(*cells.warnings, *scaling.lines))


def _measured(pixels: FloatArray, settings: ScalingSettings, name: str, who: str) -> ChannelScaling:
    """The values of a channel, from pixels of it."""
    clip, clipped = None, 0.0
    if settings.clip is not None:
        clip = float(np.percentile(pixels, settings.clip))
        clipped = float((pixels > clip).mean())
    scaling = ChannelScaling(clip, settings.arcsinh, clipped=clipped)
    if settings.low is None or settings.high is None:
        return scaling
    own = scaling.apply(pixels.copy())
    zero, unit = (float(value) for value in np.percentile(own, [settings.low, settings.high]))
    if unit <= zero:
        raise DataError(
            f"{who}: the percentiles {settings.low:g} and {settings.high:g} of channel {name!r} "
            f"are the same ({zero:g}), so it cannot be scaled; leave it out, or take others"
        )
    return replace(scaling, zero=zero, unit=unit)
