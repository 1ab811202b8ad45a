"""Robust z-scores: how far from the middle of others, in units of their spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["robust_z_scores"]

FloatArray = npt.NDArray[np.float64]


def robust_z_scores(values: npt.ArrayLike, others: npt.ArrayLike, least: float) -> FloatArray:
    """``(value - median) / spread`` of each column against others.

    Parameters
    ----------
    values : (..., Z) array
    others : (N, Z) array
        Those that the median, and the spread, are of.
    least : float
        Smallest spread: columns that hardly vary do not make every value unusual.

    Returns
    -------
    (..., Z) float64 array
        The spread is the median absolute deviation times 1.4826, which is the standard deviation
        of normal values (Rousseeuw and Croux 1993, JASA 88, 1273).
    """
    from scipy.stats import median_abs_deviation

    table = np.asarray(others, np.float64)
    spread = np.maximum(median_abs_deviation(table, axis=0, scale="normal"), least)
    return np.asarray((np.asarray(values, np.float64) - np.median(table, axis=0)) / spread)
