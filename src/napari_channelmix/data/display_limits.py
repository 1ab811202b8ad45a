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
    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.data.fields import Field

__all__ = [
    "ChannelSample",
    "DisplayLimits",
    "channel_sample_job",
    "display_limits_job",
    "known_sample",
    "lacking_classes",
    "limits_of_planes",
    "noise_of",
    "without_hot_pixels",
]

Doubles = npt.NDArray[np.float64]

# Fields of view that stand for the data set, and cells of each; more where fields hold few cells.
FIELDS, CELLS_OF_FIELD, MOST_FIELDS = 8, 8, 24
# Cells of a class, where it has as many.
CELLS_OF_CLASS = 16
# Of fewer cells of a class nothing is said.
LEAST_OF_CLASS = 3
# Percentiles that become black and white.
LOWEST, HIGHEST = 1.0, 99.8
# Where channels lie over each other, a quarter of the pixels is black: several greys would be fog.
BLACK = 25.0
# A pixel alone stands out by so many standard deviations of the noise.
HOT = 6.0
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
        In units of the crops: raw ones, but of scaled cells; ``high`` is above ``low``.
    black : (C,) float array or None
        What is black where channels lie over each other; between the two. None: ``low``.
    """

    channels: tuple[str, ...]
    low: Doubles
    high: Doubles
    black: Doubles | None = None

    def together(self, channel: str) -> tuple[float, float]:
        """Black and white of a channel that others lie over."""
        place = self.channels.index(channel)
        low = self.low if self.black is None else self.black
        return float(low[place]), float(self.high[place])

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


def without_hot_pixels(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An image (Y, X) in which no pixel alone is brighter than all eight around it.

    One that is, by more than six standard deviations of the noise, gets the value of the brightest
    around it: optics spread the light of whatever is there over more than one pixel. For measuring
    alone: what a classifier gets keeps its pixels. Our definition.

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.zeros((5, 5))
    >>> plane[2, 2], plane[2, 3] = 900, 7
    >>> without_hot_pixels(plane).max()
    7.0
    """
    if min(plane.shape, default=0) < 3:
        return plane
    height, width = plane.shape
    wide = np.pad(np.asarray(plane, np.float64), 1, constant_values=-np.inf)
    around = np.full(plane.shape, -np.inf)
    for dy, dx in np.ndindex(3, 3):
        if (dy, dx) != (1, 1):
            around = np.fmax(around, wide[dy : dy + height, dx : dx + width])
    hot = plane > around + HOT * noise_of(plane)
    return np.where(hot, around, plane) if hot.any() else plane


# What was measured before: by the first field of view, then by kind of crop, channel, and how its
# pixels are scaled.
_KNOWN: WeakKeyDictionary[Field, dict[tuple[Any, ...], tuple[float, float, float]]] = (
    WeakKeyDictionary()
)


# Samples that were read before, by the first field of view and `_pixels_of`.
_SAMPLES: WeakKeyDictionary[Field, dict[tuple[Any, ...], ChannelSample]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class ChannelSample:
    """Some cells of a data set, and how bright each channel is in them.

    Attributes
    ----------
    limits : DisplayLimits
        Of all channels, in their order.
    rows : (n,) int array
        Positions of the cells.
    levels : (n, C) float array
        Mean over the middle half of the crop, each side, in units of the crops.
    """

    limits: DisplayLimits
    rows: npt.NDArray[np.int64]
    levels: Doubles


def display_limits_job(cells: CellBoxes) -> Job[DisplayLimits]:
    """The limits of each channel from a sample of the cells: see `channel_sample_job`.

    What is known of a data set is not measured again, whatever becomes of its classes.
    """
    kind, known = _known(cells)
    missing = [key for key in _pixels_of_channels(cells) if (*kind, key) not in known]
    if missing and len(cells):
        names = [cells.channels[cells.planes.index(plane)] for plane, _ in missing]
        yield from channel_sample_job(cells.with_channels(names))
    return _limits(cells)


def channel_sample_job(cells: CellBoxes) -> Job[ChannelSample]:
    """Look at a sample of the cells: 64 of 8 to 24 fields of view, and 16 of each class.

    The sample is the same each time: fields, and cells of each, spread evenly. Of a rare class,
    cells in these fields come first: a marker that only they have would else be saturated in them.
    Cells that cannot be read are no part of it. The same cells are not read twice, unless classes
    have come that the sample lacks; see `lacking_classes`.
    """
    before = known_sample(cells)
    if before is not None and not lacking_classes(cells, before):
        return before
    kind, known = _known(cells)
    missing = {
        place: key
        for place, key in enumerate(_pixels_of_channels(cells))
        if (*kind, key) not in known
    }
    chosen = _spread(cells) if len(cells) else []
    rows: list[npt.NDArray[np.int64]] = []
    levels: list[Doubles] = []
    pieces: dict[int, list[npt.NDArray[Any]]] = {place: [] for place in missing}
    for step, some in enumerate(chosen):
        yield Progress(step, len(chosen), "measuring the range of the channels")
        # Cells that cannot be read are said where they are looked at.
        with suppress(DataError):
            crops = cells.read(some)
            rows.append(some)
            levels.append(_middle(crops))
            for place, parts in pieces.items():
                parts += [np.array(crop) for crop in crops[:, place]]
    for place, parts in pieces.items():
        if parts:
            yield Progress(len(chosen), len(chosen), "measuring the range of the channels")
            # One below the other: the few pixels where two crops meet do not count.
            column = without_hot_pixels(np.concatenate(parts))
            low, high = limits_of_planes([column])
            black = limits_of_planes([column], BLACK, dark_noise=False)[0]
            known[(*kind, missing[place])] = (low, high, black)
    sample = ChannelSample(
        _limits(cells),
        np.concatenate(rows) if rows else np.zeros(0, np.int64),
        np.concatenate(levels) if levels else np.zeros((0, len(cells.channels))),
    )
    if cells.fields:
        _SAMPLES.setdefault(cells.fields[0], {})[_pixels_of(cells)] = sample
    return sample


def known_sample(cells: CellBoxes) -> ChannelSample | None:
    """The sample of these cells, where it was read before."""
    if not cells.fields:
        return None
    return _SAMPLES.get(cells.fields[0], {}).get(_pixels_of(cells))


def lacking_classes(cells: CellBoxes, sample: ChannelSample) -> tuple[str, ...]:
    """Classes that a sample has too few cells of, though the data set has more now.

    As those that were named after it was taken: nothing can be said of how bright they are.
    """
    count = len(cells.classes)
    labels = cells.labels
    every = np.bincount(labels[labels >= 0], minlength=count)
    rows = sample.rows[sample.rows < len(labels)]
    some = np.bincount(labels[rows][labels[rows] >= 0], minlength=count)
    lacking = (some < LEAST_OF_CLASS) & (every >= LEAST_OF_CLASS)
    return tuple(cells.classes[code] for code in np.flatnonzero(lacking).tolist())


def _pixels_of(cells: CellBoxes) -> tuple[Any, ...]:
    """What tells whose crops they are, without reading one; classes do not matter."""
    kind, _ = _known(cells)
    places = cells.table["field"].to_numpy(np.int64), np.asarray(cells.boxes, np.int64)
    boxes = hash(tuple(np.ascontiguousarray(part).tobytes() for part in places))
    return (*kind, cells.channels, _pixels_of_channels(cells), len(cells), boxes)


def _pixels_of_channels(cells: CellBoxes) -> tuple[tuple[int, tuple[float | None, ...]], ...]:
    """Of each channel its plane, and what is done to its pixels."""
    return tuple(
        (plane, cells.scaling.steps_of(name))
        for plane, name in zip(cells.planes, cells.channels, strict=True)
    )


def _known(cells: CellBoxes) -> tuple[tuple[Any, ...], dict[tuple[Any, ...], Any]]:
    """The kind of crops, and what is known of the channels of these fields of view."""
    known = _KNOWN.setdefault(cells.fields[0], {}) if cells.fields else {}
    return (len(cells.fields), cells.crop, cells.neighbours), known


def _limits(cells: CellBoxes) -> DisplayLimits:
    kind, known = _known(cells)
    values = [known.get((*kind, key), (0.0, 1.0, 0.0)) for key in _pixels_of_channels(cells)]
    low, high, black = np.array(values, np.float64).reshape(-1, 3).T
    return DisplayLimits(cells.channels, low, high, black)


def _middle(crops: npt.NDArray[Any]) -> Doubles:
    """Mean (n, C) of the middle half of crops (n, C, H, W), each side."""
    height, width = crops.shape[2:]
    top, left = height // 4, width // 4
    middle = crops[:, :, top : height - top, left : width - left]
    return np.asarray(middle.mean(axis=(2, 3)), np.float64)


def _spread(cells: CellBoxes) -> list[npt.NDArray[np.int64]]:
    """Cells of some fields of view, an array for each."""
    fields = cells.table["field"].to_numpy(np.int64)
    used = np.unique(fields)
    # Where a field holds one cell, as an image of a single cell does, eight would be few.
    each = min(CELLS_OF_FIELD, max(1.0, len(cells) / len(used)))
    count = min(MOST_FIELDS, int(np.ceil(FIELDS * CELLS_OF_FIELD / each)))
    chosen = np.zeros(len(cells), bool)
    for field in used[_evenly(len(used), count)].tolist():
        rows = np.flatnonzero(fields == field)
        chosen[rows[_evenly(len(rows), CELLS_OF_FIELD)]] = True
    for code in range(len(cells.classes)):
        _choose_of_class(chosen, np.flatnonzero(cells.labels == code), fields)
    rows = np.flatnonzero(chosen)
    return [rows[fields[rows] == field] for field in np.unique(fields[rows]).tolist()]


def _choose_of_class(
    chosen: npt.NDArray[np.bool_], members: npt.NDArray[np.int64], fields: npt.NDArray[np.int64]
) -> None:
    """Add cells of a class until there are enough, those of fields that are read anyway first."""
    for known in (True, False):
        left = members[~chosen[members]]
        left = left[np.isin(fields[left], np.unique(fields[chosen])) == known]
        lacking = CELLS_OF_CLASS - int(chosen[members].sum())
        if lacking > 0:
            chosen[left[_evenly(len(left), lacking)]] = True


def _evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
