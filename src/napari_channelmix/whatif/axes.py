"""Interventions: named edits of a cell, with a unit, a range, a sham and a measured feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.crops import CellCrops

__all__ = ["FAMILIES", "Axis", "Family", "named"]

FloatArray = npt.NDArray[np.float32]
Family = Literal["channel", "shape", "surroundings", "acquisition", "sham"]

#: Kinds of axes: what of the cell is edited, or of the picture around it.
FAMILIES: tuple[Family, ...] = ("channel", "shape", "surroundings", "acquisition", "sham")
# ``edit(crops, amounts)``: amounts (n,), one for each cell.
Edit = Callable[[CellCrops, FloatArray], CellCrops]
Measure = Callable[[CellCrops], FloatArray]


@dataclass(frozen=True, eq=False)
class Axis:
    """One intervention.

    Attributes
    ----------
    name : str
        Such as ``DNA brightness``.
    family : {"channel", "shape", "surroundings", "acquisition", "sham"}
    unit : str
        Of the amount: ``doublings``, ``px``, ``raw units``.
    edit : callable
        ``edit(crops, amounts)``: `CellCrops` with amounts (n,) applied; a new object. Amount
        ``neutral`` gives back the same pixels, bit for bit.
    low, high : float
        Amounts that are possible at all.
    feature : str
        Name of what the edit claims to move; empty where nothing measures it.
    measure : callable or None
        That feature of each cell, ``measure(crops)``: (n,) float32 array; NaN where the cell has
        none.
    to_level : callable or None
        ``to_level(values, target)``: the amount that brings features ``values`` (n,) to a target;
        None where the amount is none of the feature's (then the range is ``low`` to ``high``).
    channel : str or None
        The channel that is edited; None: all of them.
    sham : str
        Name of the axis that does the same without the change: ``resampling`` for edits that
        interpolate; empty for those that do not.
    neutral : float
        Amount that changes nothing.
    kind : str
        The name without the channel: ``brightness``; axes of one kind differ in the channel only.
    moves_too : tuple of str
        Kinds of features that have to move with it, such as every brightness with the exposure.
    """

    name: str
    family: Family
    unit: str
    edit: Edit = field(repr=False)
    low: float
    high: float
    feature: str = ""
    measure: Measure | None = field(default=None, repr=False)
    to_level: Callable[[FloatArray, float], FloatArray] | None = field(default=None, repr=False)
    channel: str | None = None
    sham: str = ""
    neutral: float = 0.0
    kind: str = ""
    moves_too: tuple[str, ...] = ()

    def __call__(self, crops: CellCrops, amount: float | npt.ArrayLike) -> CellCrops:
        """Edit cells by one amount, or by one for each.

        Raises
        ------
        ModelError
            An amount that is not possible; an edit that gives NaN or another shape.
        """
        amounts = np.broadcast_to(np.asarray(amount, np.float32), (len(crops),))
        if not ((amounts >= self.low) & (amounts <= self.high)).all():
            raise ModelError(
                f"{self.name}: {float(amounts.min()):g} to {float(amounts.max()):g} {self.unit} "
                f"is not possible; use {self.low:g} to {self.high:g}"
            )
        unchanged = amounts == np.float32(self.neutral)
        if unchanged.all():
            return crops
        result = self.edit(crops, amounts)
        if result.pixels.shape != crops.pixels.shape:
            raise ModelError(
                f"{self.name}: crops {crops.pixels.shape} became {result.pixels.shape}; an edit "
                "must keep their shape"
            )
        if not np.isfinite(result.pixels).all():
            raise ModelError(f"{self.name}: the edit gives NaN or infinite pixels")
        return _with_rows(result, crops, unchanged) if unchanged.any() else result


def named(axes: Sequence[Axis], name: str) -> Axis:
    """The axis of a name.

    Raises
    ------
    ModelError
        There is none; those that are there are named.

    Examples
    --------
    >>> axis = Axis("haze", "channel", "raw units", lambda crops, amounts: crops, 0, 10)
    >>> named([axis], "haze").unit
    'raw units'
    """
    for axis in axes:
        if axis.name == name:
            return axis
    raise ModelError(f"there is no axis {name!r}; there are {', '.join(a.name for a in axes)}")


def _with_rows(result: CellCrops, crops: CellCrops, unchanged: npt.NDArray[np.bool_]) -> CellCrops:
    """Edited crops whose unchanged ones are the crops themselves, bit for bit."""
    rows = {
        name: np.where(unchanged.reshape(-1, *[1] * (old.ndim - 1)), old, getattr(result, name))
        for name in ("pixels", "cell", "others", "nuclei", "background")
        if (old := getattr(crops, name)) is not None
    }
    return replace(result, **rows)
