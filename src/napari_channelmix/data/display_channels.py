"""The few channels that are shown together, their colours, and one contrast for all cells.

More than six colours on top of each other show nothing, and the first six of forty are rarely those
that tell cells apart. So of many channels some are proposed, from a sample of the cells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.channel_colors import channel_colors, colors_together
from napari_channelmix.data.crop_rendering import Look, composed
from napari_channelmix.data.display_limits import (
    LEAST_OF_CLASS,
    channel_sample_job,
    display_limits_job,
)
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.data.display_limits import ChannelSample, DisplayLimits
    from napari_channelmix.jobs import Job

__all__ = [
    "MOST_TOGETHER",
    "DisplayChannels",
    "beyond_chance",
    "class_contrast",
    "display_channels_job",
    "proposed_channels",
    "unmeasured_channels",
    "unmeasured_display",
]

Doubles = npt.NDArray[np.float64]

#: Channels that are shown together at most.
MOST_TOGETHER = 6
# Of as many as are shown together at most, so many are shown at first.
AT_FIRST = 4
# Correlation of two channels over cells above which the second one shows nothing new.
ALIKE = 0.95
# Standard deviations by which a class stands out more than by chance.
CHANCE = 3.0


@dataclass(frozen=True, eq=False)
class DisplayChannels:
    """Channels that are shown together.

    Attributes
    ----------
    channels : tuple of str
        Six at most.
    colors : tuple of str
        ``#RRGGBB`` of each.
    contrast : dict of str to (float, float)
        Grey values that become black and the full colour, by channel, in raw units of the files;
        the same for all cells of the data set. Channels that are not shown may be in it, too.
    """

    channels: tuple[str, ...]
    colors: tuple[str, ...]
    contrast: dict[str, tuple[float, float]] = field(default_factory=dict)

    def looks(self, names: Sequence[str]) -> tuple[Look | None, ...]:
        """How each of these channels is drawn: None for those that are not shown."""
        shown = dict(zip(self.channels, self.colors, strict=True))
        return tuple(
            Look.of_color(shown[name], *self.contrast.get(name, (None, None)))
            if name in shown
            else None
            for name in names
        )

    def pictures(self, cells: CellBoxes, rows: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Cells as pictures (n, H, W, 3); only the channels that are shown are read.

        Raises
        ------
        DataError
            Pixels that cannot be read.
        """
        crops = cells.unscaled.with_channels(self.channels).read(rows)
        return composed(crops, self.looks(self.channels))


def display_channels_job(
    cells: CellBoxes, names: Sequence[str] | None = None
) -> Job[DisplayChannels]:
    """The channels to show together, with colours and the contrast of the whole data set.

    Parameters
    ----------
    cells : Cells
    names : sequence of str, optional
        Default: those that are proposed; see `proposed_channels`.

    Raises
    ------
    DataError
        A name that is no channel, or more than six.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.jobs import drain
    >>> planes = [np.eye(32, dtype="float32") * place for place in range(3)]
    >>> cells = cm.Cells.from_points(planes, ["DAPI", "CD3", "CD4"], [(12, 12), (20, 20)], crop=8)
    >>> drain(display_channels_job(cells, ["DAPI", "CD4"])).channels
    ('DAPI', 'CD4')
    """
    # As layers show them.
    cells = cells.unscaled
    if names is None and len(cells.channels) > MOST_TOGETHER:
        sample = yield from channel_sample_job(cells)
        limits, chosen = sample.limits, proposed_channels(cells, sample)
        if not len(sample.rows):
            return unmeasured_display(cells.channels)
    else:
        chosen = unmeasured_channels(cells.channels) if names is None else tuple(names)
        check_names(chosen, cells.channels)
        limits = yield from display_limits_job(cells.with_channels(chosen))
    return DisplayChannels(chosen, colors_of(chosen, cells.channels), contrast_of(limits))


def check_names(names: Sequence[str], channels: Collection[str]) -> None:
    """Refuse names that are no channels, and more than six.

    Raises
    ------
    DataError
        In one line.
    """
    unknown = [name for name in names if name not in channels]
    if unknown:
        raise DataError(f"display channels: there is no channel {listed(unknown, 4)}")
    if len(names) > MOST_TOGETHER:
        raise DataError(
            f"display channels: {len(names)} channels; {MOST_TOGETHER} at most can be told apart "
            "in one picture"
        )


def contrast_of(limits: DisplayLimits) -> dict[str, tuple[float, float]]:
    """Black and white of each channel, where others lie over it."""
    return {name: limits.together(name) for name in limits.channels}


def colors_of(
    chosen: Sequence[str], channels: tuple[str, ...], before: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Colours of the channels that are shown; of few channels each has its own, shown or not."""
    if len(channels) <= MOST_TOGETHER:
        own = dict(zip(channels, channel_colors(channels), strict=True))
        return tuple(own[name] for name in chosen)
    return colors_together(tuple(chosen), before)


def unmeasured_channels(channels: tuple[str, ...]) -> tuple[str, ...]:
    """The channels that are shown while nothing is known of their pixels.

    The first four of six or fewer; of more, the nuclear stain alone, or the middle one.

    Examples
    --------
    >>> unmeasured_channels(("DNA", "GFP"))
    ('DNA', 'GFP')
    >>> unmeasured_channels(("CD3", "CD4", "CD8", "CD20", "CD31", "CD34", "CD45", "DAPI"))
    ('DAPI',)
    """
    if len(channels) <= MOST_TOGETHER:
        return channels[:AT_FIRST]
    nuclear = nuclear_channel(channels)
    return (channels[len(channels) // 2],) if nuclear is None else (nuclear,)


def unmeasured_display(channels: tuple[str, ...]) -> DisplayChannels:
    """`unmeasured_channels` with their colours, without contrast."""
    names = unmeasured_channels(channels)
    return DisplayChannels(names, colors_of(names, channels))


def class_contrast(levels: Doubles, codes: npt.NDArray[np.int64], classes: int) -> Doubles:
    """How far each class stands out in each channel, (K, C) from -1 to 1.

    Twice the probability that a cell of the class is brighter than a cell of another one, less 1
    (rank-biserial correlation): 1 where all of its cells are brighter than all others, 0 where
    there is no difference, NaN for fewer than three cells. Other classes count alike, however many
    cells they have. No outlier, and no scale of the pixels, moves it. Our definition.

    Parameters
    ----------
    levels : (n, C) float array
    codes : (n,) int array
        Class of each cell, -1 for none.
    classes : int

    Examples
    --------
    >>> import numpy as np
    >>> levels = np.array([[1.0], [2], [3], [7], [8], [9]])
    >>> class_contrast(levels, np.array([0, 0, 0, 1, 1, 1]), 2).ravel().tolist()
    [-1.0, 1.0]
    """
    members = [levels[codes == code] for code in range(classes)]
    known = [code for code in range(classes) if len(members[code]) >= LEAST_OF_CLASS]
    pairs = np.full((classes, classes, levels.shape[1]), np.nan)
    for first in known:
        for second in known:
            if first < second:
                above = np.sign(members[first][:, None] - members[second][None]).mean(axis=(0, 1))
                pairs[first, second], pairs[second, first] = above, -above
    contrast = np.full((classes, levels.shape[1]), np.nan)
    if len(known) > 1:
        contrast[known] = np.nanmean(pairs[known], axis=1)
    return contrast


def beyond_chance(contrast: Doubles, codes: npt.NDArray[np.int64]) -> Doubles:
    """`class_contrast` without what few cells give by chance: 0 within three of its deviations.

    Of n cells of a class and m others, the standard deviation by chance is about
    sqrt((1 / n + 1 / m) / 3) (Mann and Whitney). NaN stays NaN.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.repeat([0, 1], 12)
    >>> beyond_chance(np.array([[0.2, 0.9], [-0.2, -0.9]]), codes).tolist()
    [[0.0, 0.9], [-0.0, -0.9]]
    """
    counts = np.array([(codes == code).sum() for code in range(len(contrast))], np.float64)
    others = np.maximum((codes >= 0).sum() - counts, 1)
    deviation = np.sqrt((1 / np.maximum(counts, 1) + 1 / others) / 3)
    unsure = np.abs(contrast) < CHANCE * deviation[:, None]
    return np.asarray(np.where(unsure, 0 * contrast, contrast))


def proposed_channels(cells: CellBoxes, sample: ChannelSample) -> tuple[str, ...]:
    """Channels to show together, from a sample of the cells; never simply the first of many.

    Six or fewer: as before anything is measured. Of more: the nuclear stain, and those that show
    most. Where cells have classes, each next channel is the one in which most classes stand out
    that do not yet by those before; a channel that goes with another one is left out. Without
    classes, those whose cells fall most clearly into dark and bright ones. Our definition.

    Parameters
    ----------
    cells : Cells
    sample : ChannelSample
        Of these cells, whatever their classes were then.
    """
    channels = cells.channels
    if len(channels) <= MOST_TOGETHER or len(sample.rows) < LEAST_OF_CLASS:
        return unmeasured_channels(channels)
    codes = cells.labels[sample.rows]
    contrast = class_contrast(sample.levels, codes, len(cells.classes))
    contrast = beyond_chance(contrast, codes)
    known = np.isfinite(contrast).all(axis=1)
    # One class cannot stand out from others.
    scores = np.clip(contrast[known], 0, None) if known.sum() > 1 else _two_parts(sample.levels)
    nuclear = nuclear_channel(channels)
    chosen = [] if nuclear is None else [channels.index(nuclear)]
    markers = _next_best(scores, sample.levels, chosen, MOST_TOGETHER - len(chosen))
    names = [channels[place] for place in (*chosen, *markers)]
    return tuple(names) or unmeasured_channels(channels)


def markers_by_contrast(contrast: Doubles, channels: Sequence[str], most: int) -> tuple[str, ...]:
    """Channels by which one class stands out, (C,) contrast: those it has, then those it lacks."""
    size = np.nan_to_num(np.abs(contrast))
    order = np.argsort(-size, kind="stable")[:most]
    return tuple(channels[place] for place in order.tolist() if size[place] > 0)


def _next_best(scores: Doubles, levels: Doubles, before: list[int], most: int) -> list[int]:
    """Channels (K, C) one after the other, each adding most to what is covered of the classes."""
    likeness = _correlation(levels)
    covered = np.zeros(len(scores))
    free = np.ones(scores.shape[1], bool)
    free[before] = False
    free &= np.ptp(levels, axis=0) > 0
    chosen: list[int] = []
    while len(chosen) < most and free.any():
        gain = np.clip(scores - covered[:, None], 0, None).sum(axis=0)
        # Where all is covered, the one that says most alone.
        gain = np.where(free & (scores.max(axis=0) > 0), gain + 1e-3 * scores.max(axis=0), -1)
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        chosen.append(best)
        covered = np.maximum(covered, scores[:, best])
        free &= likeness[best] < ALIKE
        free[best] = False
    return chosen


def _correlation(levels: Doubles) -> Doubles:
    """Correlation (C, C) of channels over cells; 0 of a constant one."""
    centred = levels - levels.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    centred = centred / np.where(spread > 0, spread, 1)
    return np.asarray(centred.T @ centred)


def _two_parts(levels: Doubles) -> Doubles:
    """How clearly cells are dark or bright, (C, C): each channel speaks for itself.

    Share of the variance that lies between the cells below and above the threshold that makes it
    largest (Otsu), less that of evenly spread values, 0.75.
    """
    ordered = np.sort(levels, axis=0)
    count = len(ordered)
    total = ordered.var(axis=0) * count
    below = np.cumsum(ordered, axis=0)[:-1]
    n = np.arange(1, count)[:, None]
    mean = ordered.mean(axis=0)
    between = (below - n * mean) ** 2 * count / (n * (count - n))
    share = np.where(total > 0, between.max(axis=0) / np.where(total > 0, total, 1), 0)
    return np.asarray(np.diag(np.clip(share - 0.75, 0.001 * (total > 0), None)))
