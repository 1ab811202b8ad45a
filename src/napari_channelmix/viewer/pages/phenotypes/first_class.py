"""The class whose fraction is looked at first: the one that responds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.control_wells import is_negative

__all__ = ["first_class"]


def first_class(
    classes: Sequence[str], fractions: npt.ArrayLike, doses: npt.ArrayLike | None = None
) -> str:
    """The class that rises most steadily with the dose, negative controls left out.

    By Spearman's rank correlation over groups. The last class where there are no doses, or no
    class rises; empty without classes. Our choice.

    Parameters
    ----------
    classes : sequence of K str
    fractions : (G, K) array
        NaN in groups without cells.
    doses : (G,) array or None
        NaN in groups without a dose.
    """
    candidates = [index for index, name in enumerate(classes) if not is_negative(name)]
    candidates = candidates or list(range(len(classes)))
    if not candidates:
        return ""
    if doses is None:
        return classes[candidates[-1]]
    shares, dose = np.asarray(fractions, np.float64), np.asarray(doses, np.float64)
    rises = {index: _correlation(dose, shares[:, index]) for index in candidates}
    best = max(candidates, key=lambda index: rises[index])
    return classes[best if rises[best] > 0 else candidates[-1]]


def _correlation(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Spearman's rank correlation of the pairs that are known; 0 where there is none."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic)
