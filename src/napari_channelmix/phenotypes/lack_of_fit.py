"""Whether a curve misses the means of the doses by more than groups of one dose differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Means", "lack_of_fit", "turn_in_words"]

FloatArray = npt.NDArray[np.float64]

# A misfit of less than this share of what the doses differ by leaves the EC50 where it is.
MATTERS = 0.01


@dataclass(frozen=True, eq=False)
class Means:
    """The mean response of each dose, and how far groups of the dose differ.

    Attributes
    ----------
    levels, mean, counts : (L,) arrays
        Logarithms of doses, ascending; means over groups; groups.
    variance : (L,) array
        Of a group of the dose; NaN where it is not known.
    scatter : float
        Standard deviation of groups of one dose above 0, over all of these; NaN where none is
        repeated.
    """

    levels: FloatArray
    mean: FloatArray
    counts: FloatArray
    variance: FloatArray
    scatter: float = float("nan")

    @property
    def repeated(self) -> bool:
        """Whether doses above 0 have several groups."""
        return bool(np.isfinite(self.scatter))

    @classmethod
    def of(cls, logs: FloatArray, y: FloatArray, cells: FloatArray | None, lowest: float) -> Means:
        """Of groups (n,).

        A dose of a single group is held to differ as much as the repeated doses do, those from
        ``lowest`` on (the controls at dose 0 lie on a plateau, where groups agree best). No
        variance is smaller than that of as many independent cells.
        """
        levels, places, counts = np.unique(logs, return_inverse=True, return_counts=True)
        mean = np.bincount(places, y) / counts
        square = np.bincount(places, (y - mean[places]) ** 2)
        several = counts > 1
        variance = np.where(several, square / np.maximum(counts - 1, 1), np.nan)
        pooled = several & (levels >= lowest)
        shared = float("nan")
        if pooled.any():
            shared = float(square[pooled].sum() / (counts[pooled] - 1).sum())
            variance = np.where(several, variance, shared)
        if cells is not None:
            # Two successes and two failures are added (Agresti and Coull).
            share = (np.clip(mean[places], 0, 1) * cells + 2) / (cells + 4)
            binomial = np.bincount(places, share * (1 - share) / (cells + 4)) / counts
            variance = np.maximum(variance, binomial)
        return cls(levels, mean, counts.astype(np.float64), variance, float(np.sqrt(shared)))


def lack_of_fit(means: Means, fitted: FloatArray, design: FloatArray) -> float | None:
    """Chance that a curve of the right shape misses the means by so much; an F test.

    The sum of squares between means and curve, over what it would be of chance alone where groups
    of each dose have their own variance: Brown and Forsythe (1974, Technometrics 16, 129) for one
    mean, here for a curve, both degrees of freedom by Satterthwaite's approximation (Mehrotra
    1997, Communications in Statistics 26, 1139). Wells half way differ far more than those of a
    plateau, so a common variance would refuse good curves.

    Parameters
    ----------
    means : Means
    fitted : (L,) array
        The curve at the doses.
    design : (L, p) array
        Its derivatives by its parameters.

    Returns
    -------
    float or None
        None where no dose is repeated, or there are no more doses than parameters; 1 where the
        misfit is below 1 % of the variation of the means, whatever its chance.
    """
    if not means.repeated:
        return None
    weights = means.counts
    missed = float((weights * (means.mean - fitted) ** 2).sum())
    middle = np.average(means.mean, weights=weights)
    if missed <= MATTERS * float((weights * (means.mean - middle) ** 2).sum()):
        return 1.0
    scaled = design * np.sqrt(weights)[:, None]
    maker = np.eye(len(weights)) - scaled @ np.linalg.pinv(scaled)
    if np.trace(maker) < 0.5:
        return None
    parts = np.diag(maker) * means.variance
    expected = float(parts.sum())
    if expected <= 0:
        return 0.0
    from scipy.special import fdtrc

    spread = maker * means.variance
    above = expected**2 / float(np.trace(spread @ spread))
    # The variance of a single group is one of the others', and adds no knowledge of its own.
    alone = weights == 1
    known = float((parts[~alone] ** 2 / (weights[~alone] - 1)).sum())
    rest = float(parts[alone].sum() ** 2) / float((weights - 1).sum())
    return float(fdtrc(above, expected**2 / (known + rest), missed / expected))


def turn_in_words(means: Means, fitted: FloatArray) -> str:
    """'it rises and falls', where a turn is most of what the curve misses; else empty.

    What a response misses of the best one that only rises, or only falls (isotonic regression),
    is due to a turn.
    """
    from scipy.optimize import isotonic_regression

    weights = means.counts
    missed = float((weights * (means.mean - fitted) ** 2).sum())
    monotone_misfit = min(
        float(
            (
                weights
                * (means.mean - isotonic_regression(means.mean, weights=weights, increasing=up).x)
                ** 2
            ).sum()
        )
        for up in (True, False)
    )
    if monotone_misfit < missed / 2:
        return ""
    ends = means.mean[[0, -1]]
    # The end that is farther from the extreme one tells which extreme is the turn.
    peak, valley = means.mean.max() - ends.max(), ends.min() - means.mean.min()
    return "it rises and falls" if peak >= valley else "it falls and rises"
