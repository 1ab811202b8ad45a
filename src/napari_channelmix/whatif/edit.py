"""One edit of some cells, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import Axis, named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import CellCrops, Scope, cell_crops
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["edit"]


def edit(
    cells: Cells | CellCrops,
    axis: str | Axis,
    amount: float | npt.ArrayLike,
    scope: Scope = "cell",
) -> CellCrops:
    """Cells, changed on purpose by one named edit.

    Parameters
    ----------
    cells : Cells or CellCrops
        n cells; those of a data set are read into memory.
    axis : str or Axis
        Such as ``DNA brightness``, ``size``, ``exposure``; see `axis_table.axes_of`.
    amount : float or (n,) array
        In the unit of the axis, for all cells or for each.
    scope : {"cell", "crop", "neighbours"}
        The cell in the middle, all cells in the crop, or all but the middle one. Neighbours and
        background are edited around the cell, and acquisition of the whole crop, in any scope.

    Returns
    -------
    CellCrops
        ``pixels`` (n, C, H, W) in raw units, and the outlines, which move along.

    Raises
    ------
    ModelError
        An axis that there is none of, such as one of a channel that is missing; an amount that is
        not possible; an unknown scope.
    DataError
        A file that cannot be read, NaN.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2).cells
    >>> edited = edit(cells.subset(slice(0, 4)), "DNA brightness", 1.0)
    >>> edited.pixels.shape == cells.read(slice(0, 4)).shape
    True
    """
    crops = cells if isinstance(cells, CellCrops) else cell_crops(cells)
    crops = crops.scoped(scope)
    chosen = axis if isinstance(axis, Axis) else named(axes_of(crops), axis)
    try:
        amounts = np.asarray(amount, np.float32)
    except (TypeError, ValueError):
        raise ModelError(f"{chosen.name}: the amount must be a number, not {amount!r}") from None
    if amounts.ndim and amounts.shape != (len(crops),):
        raise ModelError(
            f"{chosen.name}: amounts of shape {amounts.shape} do not fit "
            f"{counted(len(crops), 'cell')}; give one number, or one for each cell"
        )
    return chosen(crops, amounts)
