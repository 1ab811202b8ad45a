"""Amounts of an edit that lie on the data's own range: what the cells themselves show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["DECLARED", "Amounts", "amounts_of"]

FloatArray = npt.NDArray[np.float32]

#: Range of axes whose amounts no cell shows by itself: how pictures differ from day to day.
DECLARED: dict[str, tuple[float, float]] = {
    "exposure": (-1.0, 1.0),
    "offset": (-10.0, 10.0),
    "blur": (0.0, 2.0),
    "noise": (0.0, 5.0),
    "shading": (-40.0, 40.0),
    "neighbours away": (0.0, 1.0),
    "turn": (0.0, 90.0),
    "shift": (-0.5, 0.5),
    "resampling": (0.0, 0.5),
}
# The data's range is between these percentiles of the measured feature.
LOWEST, HIGHEST = 5.0, 95.0
# Of the cells' own amounts to either end of that range, the middle ones make the amounts of all.
INNER = 20.0
# A group of fewer cells has the range of all cells.
LEAST_CELLS = 20
# Cells that are edited, and amounts, to learn how an axis moves its feature.
SAMPLE, STEPS, FINE = 50, 17, 401


@dataclass(frozen=True, eq=False)
class Amounts:
    """Amounts to edit cells by.

    Attributes
    ----------
    values : (A,) float32 array
        Rising; the axis' neutral amount is among them.
    inside : (n, A) bool array
        Whether a cell that is edited so is one that the data has: its feature lies between the
        5th and the 95th percentile of the cells of its group. Always so for the neutral amount.
    feature : str
        What was measured; empty for a declared range.
    low, high : float
        These percentiles, of all cells; NaN for a declared range.
    line : str
        The range in a sentence.
    """

    values: FloatArray
    inside: npt.NDArray[np.bool_] = field(repr=False)
    feature: str
    low: float
    high: float
    line: str


def amounts_of(
    axis: Axis,
    crops: CellCrops,
    count: int = 9,
    groups: npt.ArrayLike | None = None,
) -> Amounts:
    """Amounts of an axis over what some cells show.

    Between those amounts that bring the cells to the 5th and to the 95th percentile of the feature
    that the axis moves (the 20th and the 80th percentile of the cells' own amounts). Axes of the
    acquisition and shams have a declared range, and so has an axis without a feature: all of its
    own. Our definition.

    Parameters
    ----------
    axis : Axis
    crops : CellCrops
        Real cells of all classes, n of them.
    count : int
        How many amounts, A; 2 at least.
    groups : (n,) array, optional
        Plate, well or donor of each cell: the range of a cell is that of its group, where that has
        20 cells.

    Raises
    ------
    ModelError
        Fewer than two amounts.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> from napari_channelmix.whatif.axes import named
    >>> from napari_channelmix.whatif.axis_table import axes_of
    >>> from napari_channelmix.whatif.crops import cell_crops
    >>> crops = cell_crops(synthetic_plate(wells=2).cells, range(0, 60, 2))
    >>> amounts_of(named(axes_of(crops), "shading"), crops, count=5).values.tolist()
    [-40.0, -20.0, 0.0, 20.0, 40.0]
    """
    if count < 2:
        raise ModelError(f"{axis.name}: {count} amounts make no range; use 2 or more")
    declared = DECLARED.get(axis.kind)
    values = None if declared or axis.measure is None else axis.measure(crops)
    if declared or values is None or np.isfinite(values).sum() < 2:
        # Of an axis without a feature, all that its maker declared.
        own = (axis.low, axis.high) if axis.measure is None else _possible(axis)
        low, high = declared or own
        steps = _with_neutral(np.linspace(low, high, count), axis)
        inside = np.ones((len(crops), len(steps)), bool)
        line = f"{axis.name} from {low:g} to {high:g} {axis.unit}, a declared range"
        return Amounts(steps, inside, "", float("nan"), float("nan"), line)
    lows, highs = _range_of(values, groups)
    low, high = (float(np.nanpercentile(values, q)) for q in (LOWEST, HIGHEST))
    if axis.to_level is not None:
        steps, inside = _by_level(axis, values, (low, high), (lows, highs), count)
    else:
        steps, inside = _by_trial(axis, crops, values, (low, high), (lows, highs), count)
    inside[:, steps == np.float32(axis.neutral)] = True
    line = (
        f"{axis.name} from {steps[0]:.3g} to {steps[-1]:.3g} {axis.unit}: {axis.feature} of the "
        f"cells lies between {low:.3g} and {high:.3g} (5th to 95th percentile)"
    )
    return Amounts(steps, inside, axis.feature, low, high, line)


def _range_of(values: FloatArray, groups: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """Percentiles (n,) of the group of each cell."""
    low, high = (np.full(len(values), np.nanpercentile(values, q)) for q in (LOWEST, HIGHEST))
    if groups is not None:
        names = np.asarray(groups).astype(str)
        for name in np.unique(names):
            some = names == name
            known = values[some & np.isfinite(values)]
            if len(known) >= LEAST_CELLS:
                low[some], high[some] = np.percentile(known, (LOWEST, HIGHEST))
    return low.astype(np.float32), high.astype(np.float32)


def _by_level(
    axis: Axis,
    values: FloatArray,
    ends: tuple[float, float],
    own_ends: tuple[FloatArray, FloatArray],
    count: int,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Amounts, and which are inside, from what each cell needs to reach the ends."""
    assert axis.to_level is not None
    possible = _possible(axis)
    reached = [
        _percentile(axis.to_level(values, end), INNER if place == 0 else 100 - INNER)
        for place, end in enumerate(ends)
    ]
    low, high = (
        float(np.clip(limit if amount is None else amount, axis.low, axis.high))
        for amount, limit in zip(reached, possible, strict=True)
    )
    steps = _with_neutral(np.linspace(min(low, axis.neutral), max(high, axis.neutral), count), axis)
    least, most = (_each(axis, values, end) for end in own_ends)
    with np.errstate(invalid="ignore"):
        inside = (steps >= least[:, None]) & (steps <= most[:, None])
    return steps, inside


def _by_trial(
    axis: Axis,
    crops: CellCrops,
    values: FloatArray,
    ends: tuple[float, float],
    own_ends: tuple[FloatArray, FloatArray],
    count: int,
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Amounts, and which are inside, from how far some cells move."""
    assert axis.measure is not None
    chosen = np.unique(np.linspace(0, len(crops) - 1, min(len(crops), SAMPLE)).astype(int))
    some = crops[chosen]
    before = values[chosen]
    tried = _with_neutral(np.linspace(axis.low, axis.high, STEPS), axis)
    moved = np.array([_median(axis.measure(axis(some, float(a))) - before) for a in tried])
    middle = float(np.nanmedian(values))
    # From one amount that was tried to the next in a straight line.
    fine = _with_neutral(np.linspace(axis.low, axis.high, FINE), axis)
    moved = np.interp(fine, tried, np.nan_to_num(moved))
    tried = fine
    with np.errstate(invalid="ignore"):
        good = (middle + moved >= ends[0]) & (middle + moved <= ends[1])
    good |= tried == np.float32(axis.neutral)
    # What hangs together with the neutral amount.
    start = int(np.flatnonzero(tried == np.float32(axis.neutral))[0])
    first, last = start, start
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(tried) - 1 and good[last + 1]:
        last += 1
    if first == last:
        first, last = max(0, start - 1), min(len(tried) - 1, start + 1)
    steps = _with_neutral(np.linspace(tried[first], tried[last], count), axis)
    change = np.interp(steps, tried, moved)
    after = values[:, None] + change[None]
    with np.errstate(invalid="ignore"):
        inside = (after >= own_ends[0][:, None]) & (after <= own_ends[1][:, None])
    return steps, inside


def _each(axis: Axis, values: FloatArray, ends: FloatArray) -> FloatArray:
    """Amount (n,) that brings each cell to its own end."""
    assert axis.to_level is not None
    amounts = np.full(len(values), np.nan, np.float32)
    for end in np.unique(ends):
        some = ends == end
        amounts[some] = axis.to_level(values[some], float(end))
    return amounts


def _with_neutral(steps: npt.NDArray[np.floating], axis: Axis) -> FloatArray:
    """Rising amounts whose nearest one is the neutral amount itself."""
    exact = np.asarray(steps, np.float32).copy()
    exact[np.abs(exact - axis.neutral).argmin()] = axis.neutral
    return np.unique(exact)


def _possible(axis: Axis) -> tuple[float, float]:
    """All of an axis' range, or one step to either side where that is no range to show."""
    if axis.unit == "raw units":
        return axis.neutral, axis.neutral
    return axis.low, axis.high


def _percentile(values: FloatArray, share: float) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, share)) if len(known) else None


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
