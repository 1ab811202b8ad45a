"""At which amounts cells are edited along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.whatif.data_range import UNMEASURED, data_range, measured
from napari_channelmix.whatif.ranges import amounts_of
from napari_channelmix.whatif.responses import AxisGrid
from napari_channelmix.whatif.robustness import added_amounts

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops, Scope

__all__ = ["chosen_axes", "grids_job", "grids_of"]

FloatArray = npt.NDArray[np.float32]

# Cells by which it is learnt how far an amount moves a feature.
SAMPLE = 48


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
        The first is that of all axes; axes of a channel, and shams, have the others as well.
    """
    return drain(grids_job(axes, crops, codes, steps=steps, scopes=scopes))


def grids_job(
    axes: Sequence[Axis],
    crops: CellCrops,
    codes: npt.ArrayLike,
    *,
    steps: int,
    scopes: Sequence[Scope] = ("cell",),
) -> Job[tuple[AxisGrid, ...]]:
    """`grids_of` as a job, a step for each axis."""
    shams = sum(axis.family == "sham" for axis in axes)
    grids: list[AxisGrid] = []
    for place, axis in enumerate(axes):
        stage = f"finding the range of the cells, {axis.name}"
        yield Progress(place, len(axes), stage)
        count = steps if axis.family != "sham" else 1 + max(1, (steps - 1) // max(shams, 1))
        amounts = amounts_of(axis, crops, count)
        # Of a declared range every amount is what it says.
        limits = data_range(axis, crops, codes) if amounts.feature else UNMEASURED
        values = _with_added(axis, amounts.values)
        moved = None
        if limits.known and axis.to_level is None:
            yield Progress(place, len(axes), stage)
            moving = _moved_job(axis, crops[:SAMPLE], values)
            moved = yield from part(moving, place, 1, len(axes))
        of = scopes if axis.family in ("channel", "sham") else scopes[:1]
        grids += [AxisGrid(axis, scope, values, limits, moved) for scope in of]
    return tuple(grids)


def _moved_job(axis: Axis, crops: CellCrops, amounts: FloatArray) -> Job[FloatArray]:
    """Median movement (A,) of the feature of some cells at each amount."""
    before = measured(axis, crops)
    assert before is not None
    moved = np.zeros(len(amounts), np.float32)
    for place, amount in enumerate(amounts.tolist()):
        after = measured(axis, axis(crops, amount))
        assert after is not None
        change = (after - before)[np.isfinite(after) & np.isfinite(before)]
        moved[place] = np.median(change) if len(change) else np.nan
        stage = f"finding the range of the cells, {axis.name}"
        yield Progress(place + 1, len(amounts), stage)
    return moved


def _with_added(axis: Axis, amounts: FloatArray) -> FloatArray:
    """Sorted amounts, with those that the card of robustness needs."""
    added = np.asarray(added_amounts(axis), np.float32)
    return np.unique(np.concatenate([amounts, added]).astype(np.float32))
