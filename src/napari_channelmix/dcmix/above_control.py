"""Negative controls: which channels stand above what one that carries nothing would get."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from napari_channelmix.dcmix.negative_control import decoy_p_values

__all__ = ["above_decoy", "above_zero"]

FloatArray = npt.NDArray[np.float64]

# Chance that a channel which carries nothing is taken for one that does.
LEVEL = 0.05


def above_decoy(shares: FloatArray, decoys: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each channel gets more of the mix than its decoy, (C,).

    By `decoy_p_values`, each channel by itself; with one repeat, by which of the two is larger.

    Parameters
    ----------
    shares, decoys : (S, C) arrays
        Of the same mixes, in S repeats.
    """
    if len(shares) < 2:
        return np.asarray(shares[0] > decoys[0])
    return np.asarray(decoy_p_values(shares, decoys) < LEVEL)


def above_zero(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each channel adds to the accuracy, (C,): one-sided t test over the repeats.

    With one repeat, what is more than a hundredth.

    Parameters
    ----------
    values : (S, C) array
        Shapley values in S repeats.
    """
    if len(values) < 2:
        return np.asarray(values[0] > 0.01)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    # A channel that never changes anything has no error: it is above 0 or it is not.
    return np.asarray(values.mean(axis=0) > stats.t.ppf(1 - LEVEL, len(values) - 1) * error)
