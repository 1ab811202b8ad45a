"""Fractions against doses: means over groups, and a four-parameter logistic where it fits."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["DoseResponse", "Logistic", "as_doses", "dose_response", "fit_logistic"]

Floats = npt.NDArray[np.float64]

# Two plateaus, a middle and a slope: with as many doses every curve fits.
FEWEST_DOSES = 5
# An EC50 whose interval spans more than this many powers of ten says nothing.
WIDEST = 2.0
# A dose whose response is nearer than this to a plateau, as a share, says nothing of the way there.
EDGE = 0.05


@dataclass(frozen=True)
class Logistic:
    """fraction = low + (high - low) / (1 + (EC50 / dose) ** slope).

    Attributes
    ----------
    low, high : float
        Fraction far below and far above the EC50; a response may fall as well as rise.
    ec50 : float
        Dose half way between them, in the units of the doses.
    slope : float
        Hill's slope, above 0.
    interval : (float, float)
        95 % interval of the EC50, from the curvature of the fit.
    """

    low: float
    high: float
    ec50: float
    slope: float
    interval: tuple[float, float]

    def at(self, doses: npt.ArrayLike) -> Floats:
        """Fraction at doses, all above 0."""
        return _curve(np.log10(np.asarray(doses, np.float64)), self.low, self.high,
                      np.log10(self.ec50), self.slope)  # fmt: skip


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """What is drawn: a point per group, mean and spread for each dose, a curve or why not.

    Attributes
    ----------
    groups : (n,) int array
        Positions of the groups that have a dose and a fraction.
    doses, fractions : (n,) arrays
    levels : (L,) array
        The doses that occur, ascending.
    mean, spread : (L,) arrays
        Mean and standard deviation of the groups' fractions; the spread of one group is NaN.
    fit : Logistic or None
    why_not : str
        Why there is no curve, in words.
    left_out : int
        Groups without a dose that is a number, or without a fraction.
    """

    groups: npt.NDArray[np.int64] = field(repr=False)
    doses: Floats = field(repr=False)
    fractions: Floats = field(repr=False)
    levels: Floats
    mean: Floats
    spread: Floats
    fit: Logistic | None
    why_not: str
    left_out: int


def as_doses(values: npt.ArrayLike) -> Floats:
    """Texts or numbers (G,) as doses: what is no number, not finite or below 0 becomes NaN."""
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(np.asarray(values, dtype=object)), errors="coerce")
    found = numbers.to_numpy(np.float64, copy=True)
    found[~np.isfinite(found) | (found < 0)] = np.nan
    return found


def dose_response(doses: npt.ArrayLike, fractions: npt.ArrayLike) -> DoseResponse:
    """Bring together the dose (G,) and the fraction (G,) of each group; NaN where there is none."""
    every, shares = np.asarray(doses, np.float64), np.asarray(fractions, np.float64)
    kept = np.flatnonzero(np.isfinite(every) & np.isfinite(shares))
    x, y = every[kept], shares[kept]
    levels, places = np.unique(x, return_inverse=True)
    counts = np.bincount(places, minlength=len(levels))
    mean = np.bincount(places, y, minlength=len(levels)) / np.maximum(counts, 1)
    square = np.bincount(places, (y - mean[places]) ** 2, minlength=len(levels))
    spread = np.where(counts > 1, np.sqrt(square / np.maximum(counts - 1, 1)), np.nan)
    fit, why_not = fit_logistic(x, y)
    return DoseResponse(kept, x, y, levels, mean, spread, fit, why_not, len(every) - len(kept))


def fit_logistic(doses: npt.ArrayLike, fractions: npt.ArrayLike) -> tuple[Logistic | None, str]:
    """A four-parameter logistic through points, by least squares; or None and the reason.

    Groups at dose 0 hold the plateau at which the curve begins.
    """
    from scipy.optimize import OptimizeWarning, curve_fit

    x, y = np.asarray(doses, np.float64), np.asarray(fractions, np.float64)
    positive = np.unique(x[x > 0])
    if len(positive) < FEWEST_DOSES:
        return None, f"a curve needs {FEWEST_DOSES} doses above 0; there are {len(positive)}"
    if np.ptp(y) < 1e-6:
        return None, "the fraction is the same at all doses"
    # Far below every dose, in whatever units: there the curve is at its first plateau.
    floor = np.log10(positive[0]) - 6
    logs = np.log10(np.where(x > 0, x, 1.0))
    logs[x <= 0] = floor
    ends = np.log10(positive[[0, -1]])
    rises = np.dot(logs - logs.mean(), y - y.mean()) >= 0
    low, high = (y.min(), y.max()) if rises else (y.max(), y.min())
    start = (low, high, float(ends.mean()), 1.5)
    bounds = ([-0.1, -0.1, ends[0] - 1, 0.1], [1.1, 1.1, ends[1] + 1, 20.0])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            found, covariance = curve_fit(
                _curve, logs, y, p0=np.clip(start, *bounds), bounds=bounds, maxfev=4000
            )
    except (RuntimeError, ValueError, OptimizeWarning):
        return None, "a four-parameter logistic does not converge on these fractions"
    error = 1.959963984540054 * float(np.sqrt(covariance[2, 2]))
    if not np.isfinite(error) or 2 * error > WIDEST:
        return None, "the doses do not tell where half of the response is reached"
    if not ends[0] <= found[2] <= ends[1]:
        return None, "half of the response would be reached outside the doses"
    middle = float(found[2])
    way = _curve(np.log10(positive), 0.0, 1.0, middle, float(found[3]))
    if not ((way > EDGE) & (way < 1 - EDGE)).any():
        # The curvature would give a narrow interval to a place that no dose tells of.
        last = int(np.flatnonzero(way <= EDGE)[-1])
        return None, (f"the response jumps from dose {positive[last]:g} to {positive[last + 1]:g}; "
                      "doses between them would tell where half of it is reached")  # fmt: skip
    interval = 10 ** (middle - error), 10 ** (middle + error)
    return Logistic(float(found[0]), float(found[1]), 10**middle, float(found[3]), interval), ""


def _curve(logs: Floats, low: float, high: float, middle: float, slope: float) -> Floats:
    return np.asarray(low + (high - low) / (1 + 10 ** (slope * (middle - logs))))
