"""Whether the pixels of two maps rank alike, but for rounding."""

import numpy as np
from scipy import stats

__all__ = ["assert_same_order"]


def assert_same_order(maps, wanted, *, rho=0.999, furthest=0.04):
    """Spearman's rho of each map (N, ...), and no pixel further from its rank than rounding brings.

    Parameters
    ----------
    maps, wanted : (N, ...) arrays
    rho : float
        Least rank correlation of any map.
    furthest : float
        Share of the pixels that a pixel's rank may differ by.
    """
    for one, other in zip(np.asarray(maps), np.asarray(wanted), strict=True):
        ranks, due = (stats.rankdata(each, axis=None) for each in (one, other))
        assert np.corrcoef(ranks, due)[0, 1] >= rho
        assert np.abs(ranks - due).max() <= furthest * ranks.size
