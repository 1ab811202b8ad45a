"""Figures of the matrices of the page Channels: signed effects, and mean z-scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.viewer.charts.effect_matrix import MatrixFields
from napari_channelmix.wording import counted, fraction

if TYPE_CHECKING:
    from napari_channelmix.whatif.channel_means_result import ChannelMeans, MeanRow
    from napari_channelmix.whatif.channel_shapley_result import ChannelRow, ChannelShapley

__all__ = ["EFFECT_COLORS", "SCORE_COLORS", "counted_groups", "effect_fields", "score_fields"]

# What orange and blue are.
EFFECT_COLORS = ("+ needs it", "\N{MINUS SIGN} needs its absence")
SCORE_COLORS = ("+ above the mean of all cells", "\N{MINUS SIGN} below it")
# The least that has the full colour: noise of a classifier that needs no channel stays pale.
LEAST_EFFECT, LEAST_SCORE = 0.1, 1.0


def effect_fields(result: ChannelShapley) -> MatrixFields:
    """Signed effects: the Shapley value of a channel for a class, with the sign of its direction.

    Fields whose intervals hold 0 must not be read. Where the direction is not known, the size is.
    """
    values = result.effects().to_numpy(np.float64)
    # Of each channel a row for each class.
    every = list(zip(*(result.of_class(name) for name in result.classes), strict=True))
    sizes = np.array([[abs(row.value) for row in line] for line in every]).reshape(values.shape)
    excludes = np.array([[row.low > 0 for row in line] for line in every]).reshape(values.shape)
    # Without a direction the size may be read all the same.
    readable = np.where(np.isnan(values), excludes, result.readable().to_numpy(bool)).astype(bool)

    def describe(row: int, column: int) -> str:
        return _effect_text(every[row][column], bool(readable[row, column]))

    known = sizes[np.isfinite(sizes)]
    return MatrixFields(
        tuple(result.channels),
        tuple(result.classes),
        values,
        readable,
        max(LEAST_EFFECT, float(known.max()) if known.size else 0.0),
        2,
        describe,
        sizes,
    )


def score_fields(means: ChannelMeans) -> MatrixFields:
    """Mean z-scores: how bright the cells of a class are in a channel, whatever a classifier does.

    Fields whose interval holds 0 are not told from the mean of all cells.
    """
    values = means.matrix().to_numpy(np.float64)
    rows = {(row.channel, row.class_name): row for row in means.rows}

    def describe(row: int, column: int) -> str:
        return _score_text(rows[means.channels[row], means.classes[column]])

    known = np.abs(values[np.isfinite(values)])
    return MatrixFields(
        tuple(means.channels),
        tuple(means.classes),
        values,
        means.readable().to_numpy(bool),
        # Of one bright channel of a rare class all others would be pale.
        max(LEAST_SCORE, float(np.quantile(known, 0.98)) if known.size else 0.0),
        1,
        describe,
    )


def counted_groups(cells: int, groups: int) -> str:
    """How many cells, of how many groups.

    Examples
    --------
    >>> counted_groups(60, 6), counted_groups(5, 5)
    ('60 cells of 6 groups', '5 cells')
    """
    if groups == cells:
        return counted(cells, "cell")
    return f"{counted(cells, 'cell')} of {counted(groups, 'group')}"


def _effect_text(row: ChannelRow, readable: bool) -> str:
    """An effect in words: what the class needs, figures with intervals, cells and groups."""
    head = f"{row.class_name}, {row.channel}"
    if not np.isfinite(row.value):
        return f"{head}: not known; no cell of the class was asked about"
    needs = "direction not known"
    if np.isfinite(row.direction):
        needs = "needs it" if row.direction > 0 else "needs its absence"
    head += f": {needs}" if readable else ": not to be read (an interval holds 0)"
    value = f"{fraction(row.value)} of recall"
    if np.isfinite(row.low):
        value += f" ({fraction(row.low)} to {fraction(row.high)})"
    parts = [value]
    if row.sampling_error > 0:
        parts.append(f"sampled, ± {row.sampling_error:.3f}")
    if np.isfinite(row.direction):
        direction = f"direction {row.direction:+.2f}"
        if np.isfinite(row.direction_low):
            direction += f" ({row.direction_low:+.2f} to {row.direction_high:+.2f})"
        parts.append(direction)
    return f"{head}. {'; '.join([*parts, counted_groups(row.n, row.n_groups)])}"


def _score_text(row: MeanRow) -> str:
    """A mean in words, with its interval, cells and groups."""
    head = f"{row.class_name}, {row.channel}"
    if not np.isfinite(row.mean):
        return f"{head}: not known"
    text = f"{head}: mean z-score {row.mean:+.2f}"
    if np.isfinite(row.low):
        text += f" ({row.low:+.2f} to {row.high:+.2f})"
    parts = [text] if row.readable else [text, "not told from the mean of all cells"]
    return "; ".join([*parts, counted_groups(row.n, row.n_groups)])
