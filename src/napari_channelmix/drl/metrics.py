"""How disentangled a code is: OMES, MIG and DCI.

Sources: Dapueto et al. 2024, arXiv 2409.18017 (OMES); Chen et al. 2018 (mutual information gap);
Eastwood and Williams 2018 (DCI). With R the latents of N samples (N, D) and F their factors (N, K).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["ACTIVE", "DCI", "Omes", "assigned", "association", "dci", "mig", "omes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A latent with a smaller standard deviation over the data says nothing.
ACTIVE = 0.05


def association(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> FloatArray:
    """How much each latent is redrawn by an intervention on each factor, S = 1 - abs(rho).

    Parameters
    ----------
    first, second : sequence of K arrays (M, D)
        For each factor, the latents of pairs of samples that differ in that factor alone. With
        new values drawn among the *other* ones this is the paper's S, whose ceiling for a factor
        of V values is 1 - 1 / (V - 1); drawn among *all* values, the ceiling is 1.

    Returns
    -------
    (D, K) array
        0: the latent ignores the factor. 1: the factor redraws it. A latent that is constant gets
        0. Source: arXiv 2409.18017, section 3.
    """
    columns = []
    for values, other in zip(first, second, strict=True):
        a = values - values.mean(axis=0)
        b = other - other.mean(axis=0)
        norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
        still = norm <= 1e-12
        rho = (a * b).sum(axis=0) / np.where(still, 1.0, norm)
        columns.append(np.where(still, 0.0, 1 - np.abs(rho)))
    return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class Omes:
    """OMES of an association matrix.

    Attributes
    ----------
    score : float
        Mean over the factors; 1 for a code with one latent for each factor and nothing else.
    per_factor : (K,) array
    """

    score: float
    per_factor: FloatArray


def omes(
    matrix: npt.ArrayLike, alpha: float = 0.5, pooling: Literal["average", "max"] = "average"
) -> Omes:
    """Overlap (modularity) and multiple encoding (compactness) of an association matrix (D, K).

    Parameters
    ----------
    matrix : (D, K) array
        Of the active latents.
    alpha : float
        1 counts overlap only, 0 multiple encoding only.
    pooling : {"average", "max"}
        Over the latents of a factor: weighted by their association, or the best.

    Returns
    -------
    Omes
        Source: arXiv 2409.18017, equations of section 3.
    """
    s = np.asarray(matrix, dtype=np.float64)
    latents, factors = s.shape
    # 1 - mean distance of the row to the unit vector of k, and of the column to that of d.
    rows, columns = s.sum(axis=1, keepdims=True), s.sum(axis=0, keepdims=True)
    overlap = 1 - (rows - s + np.abs(1 - s)) / factors
    multiple = 1 - (columns - s + np.abs(1 - s)) / latents
    per_factor = alpha * _pooled(overlap, s, pooling) + (1 - alpha) * _pooled(multiple, s, pooling)
    return Omes(float(per_factor.mean()), per_factor)


def _pooled(values: FloatArray, s: FloatArray, pooling: str) -> FloatArray:
    if pooling == "max":
        best: FloatArray = (values * s).max(axis=0)
        return best
    total: FloatArray = s.sum(axis=0)
    weighted: FloatArray = (s * values * s).sum(axis=0)
    pooled: FloatArray = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)
    return pooled


def assigned(matrix: npt.ArrayLike) -> IntArray:
    """The latent of each factor (K,): the pairing with the greatest sum; -1 where there is none."""
    from scipy.optimize import linear_sum_assignment

    s = np.asarray(matrix, dtype=np.float64)
    latents, factors = linear_sum_assignment(s, maximize=True)
    chosen = np.full(s.shape[1], -1)
    chosen[factors] = latents
    return chosen


def mig(latents: npt.ArrayLike, factors: npt.ArrayLike, bins: int = 20) -> tuple[float, FloatArray]:
    """Mutual information gap: mean over the factors, and that of each factor (K,).

    Parameters
    ----------
    latents : (N, D) array
    factors : (N, K) int array
    bins : int
        Of equal width, from the smallest to the greatest value of a latent.

    Returns
    -------
    float, (K,) array
        (I of the best latent - I of the second) / H of the factor; 0 for a factor of one value.
        Source: Chen et al. 2018, equation 6.
    """
    from scipy.stats import entropy as entropy_of
    from sklearn.metrics import mutual_info_score

    r, f = np.asarray(latents, dtype=np.float64), np.asarray(factors, dtype=np.int64)
    gaps = np.zeros(f.shape[1])
    binned = [_binned(column, bins) for column in r.T]
    for k, factor in enumerate(f.T):
        entropy = float(entropy_of(np.bincount(factor)))
        if entropy <= 1e-12:
            continue
        shared = sorted((mutual_info_score(column, factor) for column in binned), reverse=True)
        second = shared[1] if len(shared) > 1 else 0.0
        gaps[k] = (shared[0] - second) / entropy
    return float(gaps.mean()), gaps


def _binned(values: FloatArray, bins: int) -> IntArray:
    low, high = values.min(), values.max()
    if high - low <= 0:
        return np.zeros(len(values), np.int64)
    binned: IntArray = np.minimum(((values - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return binned


@dataclass(frozen=True, eq=False)
class DCI:
    """Disentanglement, completeness, informativeness.

    Attributes
    ----------
    disentanglement, completeness : float
        1 where every latent serves one factor, and every factor has one latent.
    informativeness : float
        Mean test accuracy of the predictors of the factors.
    importance : (D, K) array
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: FloatArray


def dci(latents: npt.ArrayLike, factors: npt.ArrayLike, *, seed: int = 0, stages: int = 100) -> DCI:
    """DCI with gradient-boosted trees: the first two thirds train, the last third tests.

    Parameters
    ----------
    latents : (N, D) array
    factors : (N, K) int array
        A factor with many values is dear; merge its values first.
    seed, stages : int
        Of the boosting, which stops after 10 stages without a gain on a tenth held out.

    Returns
    -------
    DCI
        Source: Eastwood and Williams 2018, section 2.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    r, f = np.asarray(latents, dtype=np.float64), np.asarray(factors, dtype=np.int64)
    cut = 2 * len(r) // 3
    importance, right = np.zeros((r.shape[1], f.shape[1])), []
    for k, factor in enumerate(f.T):
        trees = GradientBoostingClassifier(
            n_estimators=stages, n_iter_no_change=10, random_state=seed
        )
        trees.fit(r[:cut], factor[:cut])
        importance[:, k] = trees.feature_importances_
        right.append(trees.score(r[cut:], factor[cut:]))
    return DCI(_focus(importance), _focus(importance.T), float(np.mean(right)), importance)


def _focus(importance: FloatArray) -> float:
    """Mean over the rows of 1 - entropy, to the base of their length, weighted by their sum."""
    total = importance.sum(axis=1)
    share = (importance + 1e-11) / (importance + 1e-11).sum(axis=1, keepdims=True)
    entropy = -(share * np.log(share)).sum(axis=1) / np.log(importance.shape[1])
    return float(((1 - entropy) * total).sum() / total.sum())
