"""Amounts that bring a measured feature to a given value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["difference", "doublings"]

FloatArray = npt.NDArray[np.float32]


def doublings(values: FloatArray, target: float) -> FloatArray:
    """Doublings that bring values to a target; NaN where none does."""
    ratio = np.divide(
        target,
        values,
        out=np.full(np.shape(values), np.nan, np.float32),
        where=np.asarray(values) != 0,
    )
    with np.errstate(invalid="ignore"):
        known = ratio > 0
    return np.where(known, np.log2(np.where(known, ratio, 1)), np.nan).astype(np.float32)


def difference(values: FloatArray, target: float) -> FloatArray:
    """What has to be added to values to give a target."""
    return np.asarray(target - np.asarray(values), np.float32)
