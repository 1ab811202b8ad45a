"""The mean of a figure over cells that come in groups, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import FEW_GROUPS

__all__ = ["GroupedMean"]


@dataclass(frozen=True, eq=False)
class GroupedMean:
    """Values (m,) of cells, and their groups (m,), which are independent of each other."""

    values: npt.NDArray[np.float64]
    groups: npt.NDArray[np.str_]

    @property
    def mean(self) -> float:
        """NaN where there is no value."""
        return float(self.values.mean()) if len(self.values) else float("nan")

    @property
    def group_count(self) -> int:
        """Different groups."""
        return len(np.unique(self.groups))

    @property
    def by_group(self) -> bool:
        """Whether there are groups enough for an interval over them."""
        return self.group_count >= FEW_GROUPS

    @property
    def variance(self) -> float:
        """Of the mean, from the sums of the groups; of cells as if independent where few."""
        count = self.group_count
        if len(self.values) < 2:
            return float("nan")
        if not self.by_group:
            return float(self.values.var(ddof=1) / len(self.values))
        _, group = np.unique(self.groups, return_inverse=True)
        sums = np.bincount(group, self.values - self.mean)
        return float(count / (count - 1) * (sums**2).sum() / len(self.values) ** 2)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance."""
        return (self.group_count if self.by_group else len(self.values)) - 1

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the mean, by a t distribution; NaN where there are fewer than two values."""
        from scipy.stats import t

        reach = t.ppf(0.5 + level / 2, self.freedom) * np.sqrt(self.variance)
        return float(self.mean - reach), float(self.mean + reach)

    def is_above(self, other: GroupedMean, level: float) -> bool:
        """Whether the difference of the means is above 0; not known without another."""
        from scipy.stats import t

        if not len(other.values):
            return False
        freedom = min(self.freedom, other.freedom)
        reach = t.ppf(0.5 + level / 2, freedom) * np.sqrt(self.variance + other.variance)
        return bool(self.mean - other.mean - reach > 0)
