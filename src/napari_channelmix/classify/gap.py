"""By how much one classifier is ahead of another on the same cells, with whole groups resampled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["AccuracyGap", "accuracy_gap"]

Whole = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

DRAWS = 2000


@dataclass(frozen=True)
class AccuracyGap:
    """Balanced accuracy of a first classifier less that of a second one, on the same cells.

    Attributes
    ----------
    gap : float
    low, high : float
        95 % interval over resampled groups.
    """

    gap: float
    low: float
    high: float

    def text(self) -> str:
        """Such as ``.20 (.12 to .28)``."""
        return f"{signed(self.gap)} ({signed(self.low)} to {signed(self.high)})"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def signed(value: float) -> str:
    """A difference with two digits and no leading zero: ``.20``, ``-.03``."""
    text = f"{abs(value):.2f}"
    text = text[1:] if text.startswith("0.") else text
    return f"-{text}" if value < 0 and float(text) > 0 else text


def accuracy_gap(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> AccuracyGap:
    """Difference of two balanced accuracies with its interval.

    Both are taken on the same draws of whole groups, so that what makes a group hard for both
    falls away. Expanded percentile bootstrap (Hesterberg 2015, The American Statistician 69, 371)
    of clusters (Davison and Hinkley 1997, section 3.8), as for a single accuracy; and at least as
    wide as if cells were independent, with a discordant cell added to either side of each class
    (Agresti and Min 2005, Statistics in Medicine 24, 729), for where all groups agree the draws say
    nothing.

    Parameters
    ----------
    labels, first, second : (N,) int arrays
        True classes, and those that either classifier calls.
    groups : (N,) array
    level : float
    seed : int
    """
    truth = np.unique(np.asarray(labels), return_inverse=True)[1]
    group = np.unique(np.asarray(groups), return_inverse=True)[1]
    ahead = (np.asarray(first) == labels).astype(np.int64) - (np.asarray(second) == labels)
    classes, count = int(truth.max()) + 1, int(group.max()) + 1
    cells, gains = np.zeros((count, classes)), np.zeros((count, classes))
    np.add.at(cells, (group, truth), 1.0)
    np.add.at(gains, (group, truth), ahead)
    gap = float((gains.sum(axis=0) / cells.sum(axis=0)).mean())
    rng = np.random.default_rng(seed)
    times = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
    total, gained = times @ cells, times @ gains
    of_class = np.divide(gained, total, out=np.full_like(gained, np.nan), where=total > 0)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(np.nanmean(of_class, axis=1), (tail, 100 - tail))
    half, wider = _halfwidth(ahead, truth, classes, level), _wider(count, level)
    return AccuracyGap(
        gap,
        float(max(-1.0, min(gap - wider * (gap - low), gap - half))),
        float(min(1.0, max(gap + wider * (high - gap), gap + half))),
    )


def _wider(count: int, level: float) -> float:
    """How much too narrow draws of so few groups are."""
    from scipy.stats import norm, t

    if count < 2:
        return 1.0
    quantile = 0.5 + level / 2
    return float(t.ppf(quantile, count - 1) / norm.ppf(quantile) * np.sqrt(count / (count - 1)))


def _halfwidth(ahead: Whole, truth: Whole, classes: int, level: float) -> float:
    """Half the interval of the gap if the cells were independent."""
    from scipy.stats import norm

    variance = 0.0
    for code in range(classes):
        here = ahead[truth == code]
        more, less, n = (here > 0).sum() + 1, (here < 0).sum() + 1, len(here) + 2
        variance += ((more + less) - (more - less) ** 2 / n) / n**2
    return float(norm.ppf(0.5 + level / 2) * np.sqrt(variance) / classes)
