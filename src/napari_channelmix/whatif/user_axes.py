"""Axes of a user: a function with a name and a range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as replaced
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.fixed_axes import FIXED

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["check_axis", "register", "registered", "unregister"]

FloatArray = npt.NDArray[np.float32]

_registered: dict[str, Axis] = {}


def register(
    axis: Axis | Callable[[FloatArray, FloatArray], FloatArray],
    name: str = "",
    *,
    unit: str = "",
    low: float = 0.0,
    high: float = 1.0,
    neutral: float = 0.0,
    replace: bool = False,
) -> Axis:
    """Add an axis of one's own to `axes_of`.

    Parameters
    ----------
    axis : Axis or callable
        ``axis(pixels, amounts)``: crops (n, C, H, W) float32 in raw units, amounts (n,); gives the
        edited crops, of the same shape.
    name, unit : str
        Of a function.
    low, high : float
        Its amounts.
    neutral : float
        The amount that changes nothing.
    replace : bool
        Put it in the place of one that was registered before.

    Raises
    ------
    ModelError
        No name, one that exists, a range that is none. What the function does to crops is checked
        when it is used, and by `check_axis`.

    Examples
    --------
    >>> axis = register(lambda pixels, a: pixels + a[:, None, None, None], "haze", unit="raw units")
    >>> [axis.name for axis in registered()]
    ['haze']
    >>> unregister("haze")
    """
    if not isinstance(axis, Axis):
        axis = Axis(name, "channel", unit, partial(_of_user, axis, name), low, high, kind=name)
        axis = replaced(axis, neutral=neutral)
    if not axis.name:
        raise ModelError("an axis of your own: give it a name")
    if not (np.isfinite([axis.low, axis.high, axis.neutral]).all() and axis.low < axis.high):
        raise ModelError(f"{axis.name}: its range {axis.low:g} to {axis.high:g} is none")
    if not axis.low <= axis.neutral <= axis.high:
        raise ModelError(
            f"{axis.name}: the amount {axis.neutral:g}, which changes nothing, lies outside its "
            f"range {axis.low:g} to {axis.high:g}"
        )
    if axis.name in {a.name for a in FIXED} or (axis.name in _registered and not replace):
        raise ModelError(f"there is an axis {axis.name!r} already; choose another name")
    _registered[axis.name] = axis
    return axis


def unregister(name: str) -> None:
    """Take an axis of one's own out of the table again."""
    _registered.pop(name, None)


def registered() -> tuple[Axis, ...]:
    """Axes that were added by `register`."""
    return tuple(_registered.values())


def check_axis(axis: Axis, crops: CellCrops) -> None:
    """Try an axis on some cells.

    Raises
    ------
    ModelError
        It raises, gives NaN or another shape, or changes pixels at the amount that is to change
        nothing.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> from napari_channelmix.whatif.crops import cell_crops
    >>> crops = cell_crops(synthetic_plate(wells=2).cells, [0, 1])
    >>> wrong = register(lambda pixels, a: pixels + 1, "haze")
    >>> try:
    ...     check_axis(wrong, crops)
    ... except ModelError as error:
    ...     print(error)
    haze: the amount 0 changes pixels; it must give back the same
    >>> unregister("haze")
    """
    for amount in (axis.low, axis.high):
        axis(crops, amount)
    neutral = axis.edit(crops, np.full(len(crops), axis.neutral, np.float32))
    if not np.array_equal(neutral.pixels, crops.pixels):
        raise ModelError(
            f"{axis.name}: the amount {axis.neutral:g} changes pixels; it must give back the same"
        )


def _of_user(
    function: Callable[[FloatArray, FloatArray], FloatArray],
    name: str,
    crops: CellCrops,
    amounts: FloatArray,
) -> CellCrops:
    """Crops edited by a function of a user."""
    try:
        pixels = np.asarray(function(crops.pixels.copy(), amounts.copy()), np.float32)
    except Exception as error:
        raise ModelError(f"{name}: the edit failed: {type(error).__name__}: {error}") from error
    return crops.with_pixels(pixels)
