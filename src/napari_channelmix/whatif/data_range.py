"""Which amounts of an edit stay on the data's own range: there is such a cell in the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["UNMEASURED", "DataRange", "data_range", "inside", "measured"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Percentiles of the feature between which an edited cell is like cells of the data.
LOW, HIGH = 5.0, 95.0
# Fewer cells of a class have no range of their own.
LEAST_CELLS = 5
# Rounding, as a share of the range.
SLACK = 1e-3


@dataclass(frozen=True, eq=False)
class DataRange:
    """What real cells show of the feature that an axis moves.

    Attributes
    ----------
    low, high : float
        From the lowest 5th to the highest 95th percentile of the classes' cells; infinite for an
        axis whose feature is not measured.
    values : (m,) float32 array
        Feature of each reference cell; NaN where it has none.
    codes : (m,) int array
        Class of each.
    declared : bool
        Whether the amounts are declared, whatever the cells show: all are then inside.
    """

    low: float
    high: float
    values: FloatArray = field(repr=False)
    codes: npt.NDArray[np.int64] = field(repr=False)
    declared: bool = False

    @property
    def known(self) -> bool:
        """Whether the feature was measured of some cell."""
        return bool(np.isfinite(self.low))


#: For an axis whose amounts are declared, whatever the cells show.
UNMEASURED = DataRange(
    -np.inf, np.inf, np.zeros(0, np.float32), np.zeros(0, np.int64), declared=True
)


def measured(axis: Axis, crops: CellCrops) -> FloatArray | None:
    """Feature (n,) of the cells in the middle of some crops; None where nothing measures it.

    Raises
    ------
    ModelError
        A measure of another shape.
    """
    if axis.measure is None:
        return None
    own = crops if crops.scope == "cell" else crops.scoped("cell")
    values = np.asarray(axis.measure(own), np.float32)
    if values.shape != (len(crops),):
        raise ModelError(
            f"{axis.name}: its feature has the shape {values.shape} for {len(crops)} cells; "
            "a measure must give one number for each cell"
        )
    return values


def data_range(axis: Axis, crops: CellCrops, codes: npt.ArrayLike) -> DataRange:
    """The range of an axis' feature over reference cells, class by class.

    Of each class with five cells or more the 5th and the 95th percentile; the lowest and the
    highest of these. With no such class, those of all cells. Our definition.

    Parameters
    ----------
    axis : Axis
    crops : CellCrops
        Reference cells (m,).
    codes : (m,) int array
        Class of each.
    """
    classes = np.asarray(codes, np.int64)
    values = measured(axis, crops)
    if values is None:
        return DataRange(-np.inf, np.inf, np.full(len(crops), np.nan, np.float32), classes)
    finite = np.isfinite(values)
    if not finite.any():
        return DataRange(-np.inf, np.inf, values, classes)
    parts = [values[finite & (classes == code)] for code in np.unique(classes)]
    parts = [part for part in parts if len(part) >= LEAST_CELLS] or [values[finite]]
    limits = np.array([np.percentile(part, (LOW, HIGH)) for part in parts])
    return DataRange(float(limits[:, 0].min()), float(limits[:, 1].max()), values, classes)


def inside(
    axis: Axis,
    limits: DataRange,
    amounts: npt.ArrayLike,
    before: FloatArray | None,
    after: FloatArray | None = None,
) -> Mask:
    """Whether edited cells stay on the data's own range, (n, A).

    A cell that lies outside to begin with may move as far as it lies, and back.

    Parameters
    ----------
    axis : Axis
    limits : DataRange
    amounts : (A,) array
    before : (n,) array or None
        Feature of the cells as they are; None: not measured, all amounts are then inside.
    after : (n, A) array, optional
        Feature of the edited cells, as far as it is known; needed where the axis has no
        ``to_level``.
    """
    steps = np.asarray(amounts, np.float32)
    if before is None:
        return np.ones((0 if after is None else len(after), len(steps)), bool)
    if not limits.known:
        return np.ones((len(before), len(steps)), bool)
    low = np.minimum(before, np.float32(limits.low))
    high = np.maximum(before, np.float32(limits.high))
    slack = np.float32(SLACK * max(limits.high - limits.low, 0.0))
    # Comparisons with NaN are false: of a cell without the feature no edit is inside.
    if axis.to_level is None:
        if after is None:
            raise ModelError(f"{axis.name}: the edited cells were not measured")
        return np.asarray(
            (after >= (low - slack)[:, None]) & (after <= (high + slack)[:, None]), bool
        )
    with np.errstate(all="ignore"):
        ends = np.stack(
            [_amounts(axis, before, level) for level in (low - slack, high + slack)], axis=1
        )
    ends.sort(axis=1)
    return np.asarray((steps >= ends[:, :1]) & (steps <= ends[:, 1:]), bool)


def _amounts(axis: Axis, values: FloatArray, targets: FloatArray) -> FloatArray:
    """The amount (n,) that brings each feature to a target of its own."""
    assert axis.to_level is not None
    result = np.empty(len(values), np.float32)
    # Nearly all cells share the limits of the data.
    for target in np.unique(targets):
        some = targets == target
        result[some] = axis.to_level(values[some], float(target))
    return result
