"""Does an edit do what its name says, and nothing else? The features measured again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.ranges import amounts_of

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["PUREST", "self_consistency", "self_consistency_job"]

FloatArray = npt.NDArray[np.float32]

#: Other features may move by this share of the own one.
PUREST = 1 / 3
# Cells that are edited.
SAMPLE = 200
# Smallest spread of a feature: what is alike in all cells makes no movement large. In
# doublings; in raw units a share of the spread of the channel; others in their unit.
LEAST, LEAST_RAW = 0.05, 0.01
LEAST_OF = {"roundness": 0.02, "offset": 1.0, "shading": 1.0}


def self_consistency(
    axes: Sequence[Axis],
    crops: CellCrops,
    groups: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """How far each edit moves its own feature, and how far it moves the others.

    Each axis is taken to both ends of the data's own range (`ranges.amounts_of`), some cells are
    measured before and after, and the median movement of each feature is counted in its robust
    standard deviation over the cells. Our definition.

    Features that have to move along (`Axis.moves_too`) are named, and not held against an axis:

    - brightness and level move each other, and the exposure, since the cell is a part of the crop;
    - light moved between nucleus and cytoplasm is moved between rim and middle, and either, as
      detail does, changes how sharp the crop is;
    - detail of a channel with dark parts is its distance from the background, its brightness;
    - a cell that grows, shrinks or is stretched uncovers flat background, of no noise, hides what
      was around it, and is less or more sharp; what is long is not round;
    - without neighbours the background is flat;
    - the light of a cell is less above a higher background;
    - exposure and offset move every level of the crop, blur takes detail and noise away, noise
      adds detail.

    Parameters
    ----------
    axes : sequence of Axis
        Those without a feature are left out.
    crops : CellCrops
        Real cells; 200 of them are edited.
    groups : (n,) array, optional
        See `ranges.amounts_of`.

    Returns
    -------
    data frame
        A row for each axis: ``axis``, ``feature``, ``amount`` (the end with the larger movement),
        ``unit``, ``moved`` (own feature, robust z), ``other`` and ``other_moved`` (the other
        feature that moves most), ``purity`` (moved over other_moved), ``pure`` (others move by a
        third at most), ``n`` cells with the feature, ``moves_too``.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> from napari_channelmix.whatif.crops import cell_crops
    >>> crops = cell_crops(synthetic_plate(wells=2).cells, range(0, 60, 2))
    >>> self_consistency(axes_of(crops)[:1], crops)[["axis", "feature", "pure"]].values.tolist()
    [['DNA brightness', 'DNA brightness', True]]
    """
    return drain(self_consistency_job(axes, crops, groups))


def self_consistency_job(
    axes: Sequence[Axis],
    crops: CellCrops,
    groups: npt.ArrayLike | None = None,
) -> Job[pd.DataFrame]:
    """`self_consistency` as a job, a step for each axis."""
    import pandas as pd

    yield Progress(0, 1, "measuring the cells")
    chosen = np.unique(np.linspace(0, max(len(crops) - 1, 0), min(len(crops), SAMPLE)).astype(int))
    some = crops[chosen]
    everything = _features(axes_of(crops))
    before, spread = {}, {}
    for name, axis in everything.items():
        if axis.measure:
            before[name] = axis.measure(some)
            spread[name] = _spread(before[name], axis, crops)
            yield Progress(0, 1, "measuring the cells")
    rows = []
    for place, axis in enumerate(axes):
        if axis.measure is None or not len(some):
            continue
        yield Progress(place, len(axes), f"measuring what an edit moves, {axis.name}")
        amounts = amounts_of(axis, crops, 3, groups).values
        own = before[axis.feature] if axis.feature in before else axis.measure(some)
        scale = spread.get(axis.feature) or _spread(own, axis, crops)
        best: tuple[float, float, CellCrops] | None = None
        for amount in (float(amounts[0]), float(amounts[-1])):
            edited = axis(some, amount)
            moved = _movement(own, axis.measure(edited), scale)
            if amount != np.float32(axis.neutral) and (best is None or moved > best[0]):
                best = moved, amount, edited
        if best is None:
            continue
        moved, amount, edited = best
        others = {
            name: _movement(before[name], feature.measure(edited), spread[name])
            for name, feature in everything.items()
            if name != axis.feature and _kind(feature) not in axis.moves_too and feature.measure
        }
        other = max(others, key=lambda name: others[name]) if others else ""
        most = others.get(other, 0.0)
        rows.append(
            {
                "axis": axis.name,
                "feature": axis.feature,
                "amount": amount,
                "unit": axis.unit,
                "moved": moved,
                "other": other,
                "other_moved": most,
                "purity": moved / most if most > 0 else float("inf"),
                "pure": most <= PUREST * moved,
                "n": int(np.isfinite(own).sum()),
                "moves_too": ", ".join(axis.moves_too),
            }
        )
    return pd.DataFrame(rows)


def _features(axes: Sequence[Axis]) -> dict[str, Axis]:
    """One axis for each feature."""
    return {axis.feature: axis for axis in reversed(axes) if axis.measure is not None}


def _kind(axis: Axis) -> str:
    """Kind of the feature of an axis: its name without the channel."""
    return axis.feature.removeprefix(f"{axis.channel} ") if axis.channel else axis.feature


def _spread(values: FloatArray, axis: Axis, crops: CellCrops) -> float:
    """Robust standard deviation of a feature over the cells."""
    from scipy.stats import median_abs_deviation

    from napari_channelmix.whatif.acquisition import spread_of

    least = LEAST_OF.get(axis.kind, LEAST)
    if axis.unit == "raw units" or axis.kind == "brightness":
        own = spread_of(crops)
        light = own.min() if axis.channel is None else own[crops.channel(axis.channel)]
        least = LEAST_RAW * float(light)
    known = values[np.isfinite(values)]
    deviation = float(median_abs_deviation(known, scale="normal")) if len(known) else 0.0
    return max(deviation, least)


def _movement(before: FloatArray, after: FloatArray, spread: float) -> float:
    """Median movement of the cells that have the feature both before and after."""
    change = (after - before)[np.isfinite(after) & np.isfinite(before)]
    return abs(float(np.median(change))) / spread if len(change) else 0.0
