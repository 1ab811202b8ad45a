"""The mere level of a channel: whether it tells the classes apart, and moves the prediction.

The level of a channel is the mean of its light above the background within the outline. To give a
cell another level, all light of that channel in the crop is scaled, as another stain would do: its
pattern stays. Levels of the other class are taken from its cells at random; the sham takes those of
other cells of the same class. Our definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.audit_answers import (
    CHANGED,
    KEPT_RED,
    QUESTIONS,
    accuracy_figure,
    kept_of,
    share_figure,
)
from napari_channelmix.whatif.audit_result import Answer, AuditCheck
from napari_channelmix.whatif.group_intervals import share_of, surplus_of
from napari_channelmix.wording import fraction

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["at_levels", "donors_of", "givable", "levels_of", "share_of_mixed_groups", "stain_check"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Levels are brought to another one by a factor within these.
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
# A level moves the prediction where it moves so many more predictions than its sham.
MOVES = 0.2
# Where so many of the cells share a group with another class, the classes do not differ by batch.
MIXED = 0.9
# Where fewer of the cells can be given the level of another class, it is not tested.
LEAST_GIVEN = 0.5


def levels_of(crops: CellCrops) -> Doubles:
    """Level of each channel of each cell (n, C), raw units above the background."""
    light = crops.pixels - crops.background[:, :, None, None]
    area = np.maximum(crops.cell.sum(axis=(1, 2)), 1)
    total = np.einsum("nchw,nhw->nc", light, crops.cell.astype(np.float32), dtype=np.float64)
    return np.asarray(total / area[:, None])


def at_levels(crops: CellCrops, channel: int, levels: Doubles, target: Doubles) -> FloatArray:
    """Crops (n, C, H, W) whose channel has another level: its light is scaled all over the crop.

    Cells whose level cannot be brought there by a factor (none, or of another sign) stay.

    Parameters
    ----------
    crops : CellCrops
    channel : int
    levels, target : (n,) arrays
        The level that each cell has, and is to have.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = target / levels
    factor = np.where(np.isfinite(factor) & (factor > 0), factor, 1.0)
    factor = np.clip(factor, LEAST_FACTOR, MOST_FACTOR)
    pixels = crops.pixels.copy()
    background = crops.background[:, channel, None, None]
    pixels[:, channel] = background + (pixels[:, channel] - background) * factor[
        :, None, None
    ].astype(np.float32)
    return pixels


def donors_of(levels: Doubles, labels: IntArray, seed: int) -> tuple[Doubles, Doubles]:
    """Levels (N, C) that each cell is given: those of a cell of the other class, and of its own.

    Of several classes the one whose median is farthest. No cell gets its own level: NaN where its
    class has no other cell.

    Parameters
    ----------
    levels : (N, C) array
    labels : (N,) int array
    seed : int
    """
    rng = np.random.default_rng(seed)
    other, same = np.empty_like(levels), np.empty_like(levels)
    codes = np.unique(labels)
    medians = np.stack([np.median(levels[labels == code], axis=0) for code in codes])
    for row, code in enumerate(codes.tolist()):
        own = np.flatnonzero(labels == code)
        for channel in range(levels.shape[1]):
            away = np.abs(medians[:, channel] - medians[row, channel])
            away[row] = -1
            theirs = np.flatnonzero(labels == codes[int(away.argmax())])
            other[own, channel] = levels[rng.choice(theirs, len(own)), channel]
            order = rng.permutation(own)
            same[order, channel] = levels[np.roll(order, 1), channel] if len(own) > 1 else np.nan
    return other, same


def givable(levels: Doubles, target: Doubles) -> Doubles:
    """Share of the cells (C,) whose channel can be brought to another level by a factor.

    Examples
    --------
    >>> import numpy as np
    >>> givable(np.array([[20.0], [-5.0]]), np.array([[50.0], [50.0]])).tolist()
    [0.5]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.asarray(target, np.float64) / levels
    return np.asarray((np.isfinite(factor) & (factor > 0)).mean(axis=0))


def share_of_mixed_groups(labels: IntArray, groups: npt.NDArray[np.str_]) -> float:
    """Share of the cells whose group holds cells of another class too."""
    names, which = np.unique(groups, return_inverse=True)
    there = np.zeros((len(names), int(labels.max(initial=0)) + 1), bool)
    there[which, labels] = True
    return float((there.sum(axis=1) > 1)[which].mean()) if len(labels) else 0.0


def stain_check(
    channels: Sequence[str],
    told: Sequence[AccuracyEstimate],
    whole: AccuracyEstimate,
    changed: Sequence[npt.NDArray[np.bool_]],
    shams: Sequence[npt.NDArray[np.bool_]],
    groups: npt.NDArray[np.str_],
    mixed: float,
    given: npt.ArrayLike | None = None,
) -> AuditCheck:
    """Which channel's mere level decides; a question, since biology may differ in level too.

    Parameters
    ----------
    channels : sequence of C str
    told : sequence of C AccuracyEstimate
        How well the level alone tells the classes apart, in other groups.
    whole : AccuracyEstimate
    changed, shams : sequences of C (N,) bool arrays
        Calls that change with the level of another class, and of the same class.
    groups : (N,) array
    mixed : float
        See `share_of_mixed_groups`; of images where no groups are known.
    given : (C,) array, optional
        See `givable`; default: all.
    """
    figures, suspects, untested = [], [], []
    reached = np.ones(len(channels)) if given is None else np.asarray(given, np.float64)
    for name, accuracy, moved, sham, part in zip(
        channels, told, changed, shams, reached.tolist(), strict=True
    ):
        surplus, low, high = surplus_of(moved, sham, groups)
        figures += [
            accuracy_figure(f"{name}: level alone", accuracy),
            share_figure(f"{name}: level of the other class", share_of(moved, groups)),
            share_figure(f"{name}: level of the same class (sham)", share_of(sham, groups)),
        ]
        tells = kept_of(accuracy, whole) >= KEPT_RED and accuracy.low > accuracy.chance
        if tells and surplus >= MOVES and low > 0:
            suspects.append((surplus, low, high, name, accuracy, float(np.mean(sham))))
        elif tells and part < LEAST_GIVEN:
            untested.append(name)
    suspects.sort(reverse=True, key=lambda row: row[0])
    key, n, count = "stain level", len(groups), len(np.unique(groups))
    if not suspects and untested and mixed < MIXED:
        line = (
            f"the level of {', '.join(untested)} alone tells the classes apart, and no factor "
            "gives most cells the level of another class (it lies around that of the background): "
            "whether it decides is not known"
        )
        return AuditCheck(
            key, QUESTIONS[key], "amber", line, n=n, groups=count, figures=(*figures,)
        )
    if not suspects:
        line = "no channel's mere level both tells the classes apart and changes the prediction"
        return AuditCheck(
            key, QUESTIONS[key], "green", line, n=n, groups=count, figures=(*figures,)
        )
    parts = [
        f"{name} (its level alone tells the classes apart with {accuracy.short_text}; that of the "
        f"other class moves {fraction(surplus)} more predictions than that of the same class)"
        for surplus, _, _, name, accuracy, _ in suspects
    ]
    word: Answer = "amber"
    if mixed >= MIXED:
        word = "green"
        end = "; the classes lie in the same groups or images, so no batch between these makes it"
    else:
        end = (
            ": is that biology, or stain, exposure or batch? Few groups hold both classes, so "
            "these cells cannot tell: compare classes that were stained together, or train on "
            "cells.normalised_by_group(per='plate') and see what is left"
        )
    surplus, low, high, _, accuracy, sham_share = suspects[0]
    return AuditCheck(
        key,
        QUESTIONS[key],
        word,
        f"the level of {'; of '.join(parts)} decides{end}",
        CHANGED,
        surplus,
        low,
        high,
        sham_share,
        n,
        count,
        accuracy.warning,
        tuple(figures),
    )
