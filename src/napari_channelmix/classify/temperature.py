"""The temperature with which the scores of a network say the classes of held-out cells best."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["COLDEST", "HOTTEST", "fit_temperature", "scaled", "scores_of"]

Doubles = npt.NDArray[np.float64]

# Temperatures that are tried.
COLDEST, HOTTEST = 0.05, 20.0
# A probability is taken for at least this, the smallest normal float32.
LEAST = float(np.finfo(np.float32).tiny)


def scores_of(probabilities: npt.ArrayLike) -> Doubles:
    """Probabilities (N, K) as scores: their logarithms, cut at the smallest float32."""
    return np.log(np.maximum(np.asarray(probabilities, np.float64), LEAST))


def scaled(scores: npt.ArrayLike, temperature: npt.ArrayLike = 1.0) -> Doubles:
    """``softmax(scores / temperature)`` of scores (N, K); one temperature, or (N,) of them."""
    from scipy.special import softmax

    by = np.asarray(temperature, np.float64).reshape(-1, 1)
    return np.asarray(softmax(np.asarray(scores, np.float64) / by, axis=1))


def fit_temperature(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """The temperature T with which scores of held-out cells say their classes best.

    It maximises the likelihood of the labels under ``softmax(scores / T + log shares)``, where the
    shares are those of the classes among these cells (the scores are of balanced training). Guo,
    Pleiss, Sun and Weinberger 2017, section 4.2; the likelihood has the smoothed targets of Platt
    1999, ``(n_k + 1) / (n_k + K)`` for the own class of a cell and ``1 / (n_k + K)`` for each
    other, so that a few cells that are all right do not make it sure without limit.

    Parameters
    ----------
    scores : (N, K) array
        Before the softmax.
    labels : (N,) int array

    Returns
    -------
    float
        0.05 to 20; 1 where the cells are of one class.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    z, truth = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
    present, truth = np.unique(truth, return_inverse=True)
    if len(present) < 2:
        return 1.0
    z = z[:, present]
    counts = np.bincount(truth).astype(np.float64)
    offset = np.log(counts / counts.sum())
    other = 1 / (counts + len(present))
    target = np.repeat(other[truth][:, None], len(present), axis=1)
    target[np.arange(len(truth)), truth] = ((counts + 1) * other)[truth]

    def loss(log_temperature: float) -> float:
        log_probabilities = log_softmax(z / np.exp(log_temperature) + offset, axis=1)
        return -float((target * log_probabilities).sum() / len(truth))

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))
