"""What speaks against reading the answers: chance, indecision, few groups, single cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import FEW_GROUPS, GroupedRecall, accuracy_interval
from napari_channelmix.data.crop_outlines import DISC_SHARE
from napari_channelmix.whatif.ranges import DECLARED
from napari_channelmix.wording import counted, fraction, listed

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops
    from napari_channelmix.whatif.responses import AxisGrid, Responses

__all__ = ["Doubts", "doubts_of", "feature_doubts", "outline_doubts"]

IntArray = npt.NDArray[np.int64]

# With fewer cells of known class, to be at chance says nothing.
LEAST = 20
# Probabilities of the two first classes that are closer than this, for most cells: no decision.
UNDECIDED = 0.05
# An outline that covers more of its crop than this fills it.
FILLS = 0.95
# Cells without a feature that are more than this share are worth a line.
UNKNOWN = 0.05


@dataclass(frozen=True)
class Doubts:
    """What speaks against reading the answers.

    Attributes
    ----------
    unreadable : str
        Why no axis may be read; empty where some may.
    lines : tuple of str
        All that should be known.
    """

    unreadable: str
    lines: tuple[str, ...]


def doubts_of(
    responses: Responses,
    labels: IntArray,
    groups: IntArray,
    classes: Sequence[str],
    group_kind: str,
) -> Doubts:
    """Look at the cells as they are.

    Parameters
    ----------
    responses : Responses
        Of n cells.
    labels : (n,) int array
        Position of each cell's own class among those of the model; -1 where it has none.
    groups : (n,) int array
    classes : sequence of str
    group_kind : str
        What the groups are; see `EditedCells`.
    """
    number = len(np.unique(groups))
    # Of one group its cells vary.
    clusters = groups if number > 1 else np.arange(len(groups))
    reason = _at_chance(responses, labels, clusters, classes) or _undecided(responses)
    lines = [f"{reason}: what moves it says nothing about the classes"] if reason else []
    if group_kind == "cell":
        lines.append(
            "the cells have no groups: intervals are as if they were independent, and too narrow "
            "where some are of one well or image"
        )
    elif number == 1:
        lines.append(
            f"one {group_kind} only: intervals are over its cells, and say nothing about others"
        )
    elif number < FEW_GROUPS:
        lines.append(f"{number} {group_kind}s: the intervals cannot be trusted")
    calls = responses.calls
    codes, counts = np.unique(calls, return_counts=True)
    single = [classes[int(code)] for code in codes[counts == 1]]
    if single:
        which = listed(single, 5)
        lines.append(
            f"one cell only is predicted as {which}: its shares are 0 or 1 and have no interval"
        )
    never = [name for code, name in enumerate(classes) if code not in codes]
    if never:
        lines.append(
            f"no cell is predicted as {listed(never, 5)}: nothing is known of what moves such cells"
        )
    return Doubts(reason, tuple(lines))


def outline_doubts(crops: CellCrops) -> tuple[str, ...]:
    """What is wrong with the outlines and the channels of some cells, a line each.

    Cells without an outline, outlines that fill their crop, channels that are the same everywhere.
    """
    lines = []
    discs, count = int(crops.disc.sum()), len(crops)
    if discs:
        lines.append(
            f"no outline is known of {discs:,} of {counted(count, 'cell')}: a disc of radius "
            f"{fraction(DISC_SHARE)} of the side of the crop stands for it"
        )
    full = int((crops.cell.mean(axis=(1, 2)) > FILLS).sum())
    if full:
        lines.append(
            f"{full:,} of {counted(count, 'outline')} fill the crop: nothing is known of their "
            "background, and their shape cannot be edited; take larger crops"
        )
    flat = crops.pixels.max(axis=(0, 2, 3)) <= crops.pixels.min(axis=(0, 2, 3))
    constant = [name for name, same in zip(crops.channels, flat, strict=True) if same]
    if count and constant:
        lines.append(f"{listed(constant, 5)}: the same everywhere, so its axes change nothing")
    return tuple(lines)


def feature_doubts(grids: Sequence[AxisGrid]) -> tuple[str, ...]:
    """Axes whose feature is not known of some of the cells, or of none, a line each.

    Parameters
    ----------
    grids : sequence of AxisGrid
        With the feature of reference cells; NaN where a cell has none.
    """
    none: list[str] = []
    some: list[str] = []
    for axis, limits in {grid.axis.name: (grid.axis, grid.limits) for grid in grids}.values():
        if axis.measure is None or axis.kind in DECLARED:
            continue
        if limits.declared:
            none.append(axis.name)
            continue
        missing = float(np.isnan(limits.values).mean())
        if missing > UNKNOWN:
            some.append(f"{axis.name} ({100 * missing:.0f} %)")
    lines = []
    if none:
        lines.append(
            f"{listed(none, 5)}: hardly any cell has the feature that it moves, so nothing is "
            "known of the range of the data"
        )
    if some:
        lines.append(f"cells without the feature, which count as not flipped: {listed(some, 5)}")
    return tuple(lines)


def _at_chance(
    responses: Responses, labels: IntArray, groups: IntArray, classes: Sequence[str]
) -> str:
    """That the classifier does no better than chance on these cells; empty where it does."""
    known = labels >= 0
    truth, calls = labels[known], responses.calls[known]
    kinds = np.unique(truth)
    if known.sum() < LEAST or len(kinds) < 2:
        return ""
    chance = 1 / len(kinds)
    balanced = GroupedRecall.of(truth, calls, groups[known], len(classes)).balanced
    low, high = accuracy_interval(truth, calls, groups[known], len(classes))
    if low > chance:
        return ""
    interval = f"95 % interval {fraction(low)} to {fraction(high)}"
    return (
        f"on {counted(int(known.sum()), 'cell')} of known class the classifier is not better than "
        f"chance (balanced accuracy {fraction(balanced)}, {interval}, chance {fraction(chance)})"
    )


def _undecided(responses: Responses) -> str:
    """That the classifier hardly prefers a class; empty where it does."""
    ranked = np.sort(responses.base, axis=1)
    if not len(ranked) or ranked.shape[1] < 2:
        return ""
    lead = float(np.median(ranked[:, -1] - ranked[:, -2]))
    if lead >= UNDECIDED:
        return ""
    return (
        "the classifier has not decided: the probabilities of its two most probable classes "
        f"differ by {lead:.3f} only in the middle of the cells"
    )
