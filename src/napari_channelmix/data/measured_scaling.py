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
from napari_channelmix.data.pixel_scaling import RAW, ChannelScaling, PixelScaling
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.settings.scaling import ScalingSettings

__all__ = ["rescaled_job", "scaled_job", "with_scaling"]

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
    flat: dict[str, float] = {}
    for place, name in enumerate(chosen):
        measured[name] = _measured(every[:, place], settings)
        zero, unit = measured[name].zero, measured[name].unit
        if zero is not None and unit is not None and unit <= zero:
            flat[name] = zero
        yield Progress(len(some) + place + 1, len(some) + len(chosen), "measuring the channels")
    if flat:
        several, are = ("channels", "are each") if len(flat) > 1 else ("channel", "are")
        values = listed([f"{quoted(name)} ({value:g})" for name, value in flat.items()], 40)
        raise DataError(
            f"{cells.name}: the percentiles {settings.low:g} and {settings.high:g} of {several} "
            f"{values} {are} the same, so nothing can be scaled by them; leave these channels out, "
            "scale other channels only, or take other percentiles"
        )
    scaling = PixelScaling(measured, settings.text, len(some))
    return with_scaling(cells, scaling)


def rescaled_job(cells: C, settings: ScalingSettings) -> Job[C]:
    """The cells scaled as chosen, instead of as they were opened; a job.

    Parameters
    ----------
    cells : Cells
        With the channels that are used: others are not measured.
    settings : ScalingSettings
        Without any step: pixels as they are in the files.

    Raises
    ------
    DataError
        As `Cells.scaled`.
    """
    scaled = yield from scaled_job(with_scaling(cells, RAW), settings)
    return replace(scaled, scaling=replace(scaled.scaling, chosen=settings.spelt))


def with_scaling(cells: C, scaling: PixelScaling) -> C:
    """The cells with another scaling, whose lines are warned of in place of those before."""
    before = cells.scaling.lines
    warnings = (*(line for line in cells.warnings if line not in before), *scaling.lines)
    return replace(cells, scaling=scaling, warnings=warnings)


def _measured(pixels: FloatArray, settings: ScalingSettings) -> ChannelScaling:
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
    return replace(scaling, zero=zero, unit=unit)
