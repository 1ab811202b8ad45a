"""Which grey values become black and white: one scale for each channel of a data set.

A crop that is stretched over its own range always looks like signal. So the limits are those of a
sample of the data set, and a channel of which most is noise keeps its noise dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells
    from napari_channelmix.data.fields import Field

__all__ = ["DisplayLimits", "display_limits_job", "limits_of_planes", "noise_of"]

Doubles = npt.NDArray[np.float64]

# Fields of view that stand for the data set, and cells of each; more where fields hold few cells.
FIELDS, CELLS_OF_FIELD, MOST_FIELDS = 8, 8, 24
# Percentiles that become black and white.
LOWEST, HIGHEST = 1.0, 99.8
# From black to white are at least so many standard deviations of the noise.
NOISE_LEVELS = 16.0
# Noise of one standard deviation has 6 after the kernel, and a median absolute value of 0.6745.
_NORM = 6 * 0.6745


@dataclass(frozen=True, eq=False)
class DisplayLimits:
    """Grey values that become black and white, for each channel.

    Attributes
    ----------
    channels : tuple of str
    low, high : (C,) float array
        In raw units of the files; ``high`` is above ``low``.
    """

    channels: tuple[str, ...]
    low: Doubles
    high: Doubles

    def of(self, channel: str) -> tuple[float, float]:
        """Black and white of a channel."""
        place = self.channels.index(channel)
        return float(self.low[place]), float(self.high[place])

    def levels(self, crops: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Crops (..., C, H, W) as grey levels from 0 to 1."""
        low, high = (values[:, None, None].astype(np.float32) for values in (self.low, self.high))
        return np.asarray(np.clip((crops - low) / (high - low), 0, 1), dtype=np.float32)

    def text(self, channel: str) -> str:
        """The limits in words: ``120 to 4,080, same for all cells``."""
        low, high = (_number(value) for value in self.of(channel))
        return f"{low} to {high}, same for all cells"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def noise_of(plane: npt.NDArray[Any]) -> float:
    """Standard deviation of the noise of an image (Y, X), in its units.

    The median absolute response to a kernel that answers neither flat nor evenly rising grey
    values, so that few edges count little. Source: the kernel of J. Immerkaer, Fast noise variance
    estimation, Computer Vision and Image Understanding 64 (1996) 300, with the median in place of
    the mean.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.arange(64.0)[:, None] + np.arange(64.0)
    >>> noise_of(ramp)
    0.0
    >>> bool(4.5 < noise_of(ramp + np.random.default_rng(0).normal(0, 5, ramp.shape)) < 5.5)
    True
    """
    p = np.asarray(plane, dtype=np.float64)
    if min(p.shape, default=0) < 3:
        return 0.0
    rows = p[:-2] - 2 * p[1:-1] + p[2:]
    response = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    known = response[np.isfinite(response)]
    return float(np.median(known)) / _NORM if known.size else 0.0


def limits_of_planes(
    planes: Sequence[npt.NDArray[Any]], lowest: float = LOWEST, *, dark_noise: bool = True
) -> tuple[float, float]:
    """Black and white of one channel, from pieces (Y, X) of its images.

    Black is the 1st percentile of all finite pixels, white the 99.8th, but at least 16 standard
    deviations of the noise above black (the median over the pieces; see `noise_of`): a channel of
    noise alone then stays in the lowest third of the greys. Our definition.

    Parameters
    ----------
    planes : sequence of (Y, X) arrays
    lowest : float
        Percentile that becomes black.
    dark_noise : bool
        Whether the noise sets a least range.

    Examples
    --------
    >>> import numpy as np
    >>> limits_of_planes([np.full((8, 8), 7.0)])
    (7.0, 8.0)
    """
    pixels = np.concatenate([np.asarray(plane).reshape(-1) for plane in planes] or [np.zeros(0)])
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(finite, (lowest, HIGHEST)))
    noise = float(np.median([noise_of(plane) for plane in planes])) if dark_noise else 0.0
    high = max(high, low + NOISE_LEVELS * noise)
    return (low, high) if high > low else (low, low + 1.0)


# What was measured before: by the first field of view, then by channel and kind of crop.
_KNOWN: WeakKeyDictionary[Field, dict[tuple[Any, ...], tuple[float, float]]] = WeakKeyDictionary()


def display_limits_job(cells: Cells) -> Job[DisplayLimits]:
    """The limits of each channel from a sample of the cells: 64 at most, of 8 to 24 fields of view.

    The sample is the same each time: fields, and cells of each, spread evenly. What is known of a
    data set is not measured again, whatever becomes of its classes. Cells that cannot be read are
    no part of it.
    """
    known = _KNOWN.setdefault(cells.fields[0], {}) if cells.fields else {}
    kind = (len(cells.fields), cells.crop, cells.neighbours)
    missing = [plane for plane in cells.planes if (*kind, plane) not in known]
    if missing and len(cells):
        chosen = _spread(cells)
        names = [cells.channels[cells.planes.index(plane)] for plane in missing]
        some, crops = cells.with_channels(names), []
        for step, rows in enumerate(chosen):
            yield Progress(step, len(chosen), "measuring the range of the channels")
            # Cells that cannot be read are said where they are looked at.
            with suppress(DataError):
                crops += list(some.read(rows))
        for place, plane in enumerate(missing if crops else ()):
            known[(*kind, plane)] = limits_of_planes([crop[place] for crop in crops])
    limits = [known.get((*kind, plane), (0.0, 1.0)) for plane in cells.planes]
    low, high = np.array(limits, np.float64).reshape(-1, 2).T
    return DisplayLimits(cells.channels, low, high)


def _spread(cells: Cells) -> list[npt.NDArray[np.int64]]:
    """Cells of some fields of view, an array for each."""
    fields = cells.table["field"].to_numpy(np.int64)
    used = np.unique(fields)
    # Where a field holds one cell, as an image of a single cell does, eight would be few.
    each = min(CELLS_OF_FIELD, max(1.0, len(cells) / len(used)))
    count = min(MOST_FIELDS, int(np.ceil(FIELDS * CELLS_OF_FIELD / each)))
    result = []
    for field in used[_evenly(len(used), count)].tolist():
        rows = np.flatnonzero(fields == field)
        result.append(rows[_evenly(len(rows), CELLS_OF_FIELD)])
    return result


def _evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
