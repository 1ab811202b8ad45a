"""Signed effects of channels on classes, from the repeats: what a class needs, and what absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import copysign
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_values import needs_in_words
from napari_channelmix.dcmix.above_control import above_zero

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.dcmix.repeats import RepeatResult

__all__ = [
    "directions_of",
    "effect_sentences",
    "effects_frame",
    "readable_effects",
    "sampling_error_of",
]

FloatArray = npt.NDArray[np.float64]
Signs = dict[str, tuple[float | None, ...]]
Flags = dict[str, tuple[bool, ...]]

# Repeats that must agree on a sign: by chance alone four do so once in eight times, three in four.
ENOUGH = 3


def directions_of(repeats: Sequence[RepeatResult], classes: Sequence[str]) -> Signs:
    """Direction (C,) of each class, mean over the repeats that know it; None where none does.

    Empty where a repeat was kept from a version that had none.
    """
    rows = _stacked(repeats, "shapley_direction")
    if rows is None:
        return {}
    there = np.isfinite(rows)
    total = np.where(there, rows, 0.0).sum(axis=0)
    means = np.where(there.any(axis=0), total / np.maximum(there.sum(axis=0), 1), np.nan)
    return {
        name: tuple(None if np.isnan(value) else float(value) for value in means[code])
        for code, name in enumerate(classes)
    }


def readable_effects(repeats: Sequence[RepeatResult], classes: Sequence[str]) -> Flags:
    """Whether each effect (C,) of a class may be read.

    Its Shapley value stands above 0 by the spread over the repeats (`above_zero`), and at least
    three repeats know its direction and agree on the sign. Our definition.
    """
    signs, values = _stacked(repeats, "shapley_direction"), _stacked(repeats, "shapley_per_class")
    if signs is None or values is None:
        return {}
    flags = {}
    for code, name in enumerate(classes):
        there = np.isfinite(values[:, code, 0])
        own = np.sign(signs[there, code])
        agreed = (own == 1).all(axis=0) | (own == -1).all(axis=0)
        enough = int(there.sum()) >= ENOUGH
        above = above_zero(values[there, code]) if enough else np.zeros(own.shape[1], bool)
        flags[name] = tuple((agreed & above).tolist())
    return flags


def sampling_error_of(repeats: Sequence[RepeatResult]) -> tuple[float, ...] | None:
    """Sampling error (C,) of the mean Shapley values: ``sqrt(sum of squares) / repeats``.

    None where the values are exact, or a repeat does not say.
    """
    rows = [repeat.shapley_error for repeat in repeats]
    if not rows or any(row is None for row in rows):
        return None
    errors = np.array(rows, np.float64)
    if not errors.any():
        return None
    return tuple(float(value) for value in np.sqrt((errors**2).sum(axis=0)) / len(rows))


def effects_frame(
    channels: Sequence[str], values: Mapping[str, Sequence[float]], directions: Signs
) -> pd.DataFrame:
    """``|value|`` with the sign of the direction: rows channels, columns the classes of ``values``.

    + the class needs the channel, - it needs its absence; NaN where the direction is not known, 0
    where the value is.

    Examples
    --------
    >>> frame = effects_frame(["CD4", "CD8"], {"T helper": [0.4, 0.1]}, {"T helper": (0.9, -0.8)})
    >>> frame["T helper"].tolist()
    [0.4, -0.1]
    """
    import pandas as pd

    columns = {}
    for name, numbers in values.items():
        signs = directions.get(name, (None,) * len(channels))
        columns[name] = [
            0.0 if number == 0 else copysign(abs(number), sign) if sign else float("nan")
            for number, sign in zip(numbers, signs, strict=True)
        ]
    return pd.DataFrame(columns, index=pd.Index(list(channels), name="channel"), dtype=np.float64)


def effect_sentences(effects: pd.DataFrame, readable: Flags) -> tuple[str, ...]:
    """For each class what it needs, by the effects that may be read; see `needs_in_words`."""
    lines = []
    for name in effects:
        flags = readable.get(str(name), (False,) * len(effects))
        own = effects[name][list(flags)]
        lines.append(needs_in_words(str(name), dict(zip(own.index, own, strict=True))))
    return tuple(line for line in lines if line)


def _stacked(repeats: Sequence[RepeatResult], name: str) -> FloatArray | None:
    """Rows of every repeat (S, K, C), NaN for None; None where one lacks them."""
    rows = [getattr(repeat, name) for repeat in repeats]
    if not rows or any(row is None for row in rows):
        return None
    return np.array(rows, dtype=np.float64)
