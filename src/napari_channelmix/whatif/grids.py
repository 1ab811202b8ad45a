"""At which amounts cells are edited along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.data_range import DataRange, data_range
from napari_channelmix.whatif.responses import AxisGrid
from napari_channelmix.whatif.robustness import added_amounts

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops, Scope

__all__ = ["chosen_axes", "grids_of"]

FloatArray = npt.NDArray[np.float32]


def chosen_axes(axes: Sequence[Axis], names: Sequence[str] | None) -> tuple[Axis, ...]:
    """The axes that are named, in their order, and all shams; all axes for None.

    Raises
    ------
    ModelError
        A name of no axis; those that there are are listed.
    """
    if names is None:
        return tuple(axes)
    known = {axis.name for axis in axes}
    for name in names:
        if name not in known:
            raise ModelError(
                f"there is no axis {name!r} for these cells; there are "
                f"{', '.join(axis.name for axis in axes)}"
            )
    return tuple(axis for axis in axes if axis.name in names or axis.family == "sham")


def grids_of(
    axes: Sequence[Axis],
    crops: CellCrops,
    codes: npt.ArrayLike,
    *,
    steps: int,
    scopes: Sequence[Scope] = ("cell",),
) -> tuple[AxisGrid, ...]:
    """Amounts of each axis, over the data's own range.

    Parameters
    ----------
    axes : sequence of Axis
    crops : CellCrops
        Reference cells (m,): what is real.
    codes : (m,) int array
        Class of each.
    steps : int
        Amounts on each axis, the neutral one among them. All shams together have as many, so that
        an axis has no more tries than they.
    scopes : sequence of {"cell", "crop", "neighbours"}
        The first is that of all axes; axes of a channel have the others as well.
    """
    shams = sum(axis.family == "sham" for axis in axes)
    grids: list[AxisGrid] = []
    for axis in axes:
        limits = data_range(axis, crops, codes)
        count = steps if axis.family != "sham" else 1 + max(1, (steps - 1) // max(shams, 1))
        amounts = _amounts(axis, crops, limits, count)
        of = scopes if axis.family == "channel" else scopes[:1]
        grids += [AxisGrid(axis, scope, amounts, limits) for scope in of]
    return tuple(grids)


def _amounts(axis: Axis, crops: CellCrops, limits: DataRange, count: int) -> FloatArray:
    """Sorted amounts, the neutral one among them."""
    low, high = axis.low, axis.high
    if axis.to_level is not None and limits.known:
        values = limits.values[np.isfinite(limits.values)]
        with np.errstate(all="ignore"):
            ends = np.concatenate(
                [axis.to_level(values, limits.low), axis.to_level(values, limits.high)]
            )
        ends = ends[np.isfinite(ends)]
        if len(ends):
            low, high = np.clip(np.percentile(ends, (5, 95)), axis.low, axis.high)
    sides = [side for side in (low, high) if side != axis.neutral]
    if not sides:
        return np.array([axis.neutral], np.float32)
    each = max(1, (count - 1) // len(sides))
    parts = [np.linspace(axis.neutral, side, each + 1) for side in sides]
    every = np.concatenate([*parts, [axis.neutral], added_amounts(axis)])
    return np.unique(np.clip(every, axis.low, axis.high).astype(np.float32))
