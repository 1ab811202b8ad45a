"""Wilson's score interval of a proportion (1927, JASA 22, 209).

SciPy has it too (`scipy.stats.binomtest`), for whole numbers of successes and trials and one
proportion at a time. Cells that come in groups are worth fewer independent ones, a number that is
not whole, and tables of wells ask for thousands: so the formula stands here, once, for arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["wilson", "wilson_reach"]

FloatArray = npt.NDArray[np.float64]

# Two-sided, 95 %.
Z = 1.959963984540054


def wilson_reach(
    proportion: npt.ArrayLike, n: npt.ArrayLike, quantile: float = Z
) -> tuple[FloatArray, FloatArray]:
    """How far Wilson's interval of proportions reaches below and above them.

    Parameters
    ----------
    proportion : (...,) array
        0 to 1.
    n : (...,) array
        Trials, above 0; need not be whole.
    quantile : float
        Of the normal distribution, or of Student's t where the variance is estimated.

    Returns
    -------
    below, above : (...,) arrays
    """
    share = quantile**2 / np.asarray(n, np.float64)
    p = np.asarray(proportion, np.float64)
    shift = share * (0.5 - p) / (1 + share)
    half = np.sqrt(share * (p * (1 - p) + share / 4)) / (1 + share)
    return half - shift, half + shift


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % score interval of a fraction; all there is, 0 to 1, of no trials."""
    if trials < 1:
        return 0.0, 1.0
    share = successes / trials
    below, above = wilson_reach(share, trials)
    # At both ends the formula is exact, its rounding is not.
    low = 0.0 if successes == 0 else max(0.0, share - float(below))
    high = 1.0 if successes == trials else min(1.0, share + float(above))
    return low, high
