"""How well the control groups of a plate are told apart: Z'-factor and SSMD, with intervals.

Both compare wells, not cells: the fraction of a class in each negative control well with that in
each positive one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ControlQuality", "control_quality", "is_negative", "named_controls", "pure_classes"]

FloatArray = npt.NDArray[np.float64]

# Fewer wells of a control say nothing of how far its wells vary.
FEWEST, FEW = 3, 6
LEVEL = 0.95
# Fractions that differ by less are the same.
SAME = 1e-9
# An assay with a higher Z' is called excellent (Zhang, Chung and Oldenburg 1999, table 1).
EXCELLENT = 0.5
# Words of names by which controls are known, the most certain ones first.
NEGATIVE = ("negative", "neg", "dmso", "vehicle", "untreated", "mock")
POSITIVE = ("positive", "pos")
# Words that turn the next one round, and what may follow a word without a gap.
NOT = ("non", "not", "no")
ENDING = r"(?:s|controls?|ctrls?|ctls?)?"
# Where a small letter is followed by a capital one, a new word begins: NegCtrl.
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class ControlQuality:
    """Negative controls against positive ones.

    Attributes
    ----------
    negative, positive : str
        What the controls are called.
    n_negative, n_positive : int
        Groups (wells) of each that have a fraction.
    mean_negative, mean_positive, sd_negative, sd_positive : float
        Of the fractions over the wells.
    z_prime : float or None
        1 - 3 (sd+ + sd-) / abs(mean+ - mean-) (Zhang, Chung and Oldenburg 1999, J. Biomol. Screen.
        4, 67, equation 5); at most 1.
    z_interval : (float, float) or None
        95 % interval.
    ssmd : float or None
        Strictly standardised mean difference, (mean+ - mean-) / sqrt(sd+^2 + sd-^2) (Zhang 2007,
        Genomics 89, 552, equation 1, by the method of moments).
    ssmd_interval : (float, float) or None
        95 % interval.
    warning : str
        Why the figures are missing, or must be read with care; else empty.
    """

    negative: str
    positive: str
    n_negative: int
    n_positive: int
    mean_negative: float
    mean_positive: float
    sd_negative: float
    sd_positive: float
    z_prime: float | None
    z_interval: tuple[float, float] | None
    ssmd: float | None
    ssmd_interval: tuple[float, float] | None
    warning: str = ""

    def text(self) -> str:
        """A sentence or two."""
        wells = (
            f"{self.n_negative} wells of {self.negative} against {self.n_positive} of "
            f"{self.positive}"
        )
        if self.z_prime is None or self.ssmd is None:
            return f"No Z'-factor: {self.warning} ({wells})."
        assert self.z_interval is not None and self.ssmd_interval is not None
        line = (
            f"Z'-factor {self.z_prime:.2f} (95 % interval {_range(self.z_interval)}), SSMD "
            f"{self.ssmd:.1f} ({_range(self.ssmd_interval, 1)}): {wells}."
        )
        return f"{line} {self.warning}." if self.warning else line

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: list(value)
            if isinstance(value, tuple)
            else None
            if isinstance(value, float) and not np.isfinite(value)
            else value
            for name, value in vars(self).items()
        }


def control_quality(
    negative: npt.ArrayLike,
    positive: npt.ArrayLike,
    names: tuple[str, str] = ("negative", "positive"),
) -> ControlQuality:
    """Z'-factor and SSMD of wells' fractions; NaN where a well has none.

    Intervals are by the delta method for normal wells, with Student's t and Satterthwaite's
    degrees of freedom; that of Z' on the logarithm of (sd+ + sd-) / abs(mean+ - mean-), so that it
    stays below 1.

    Parameters
    ----------
    negative, positive : (n,) arrays
        A fraction for each well.
    names : (str, str)
    """
    low, high = (_finite(values) for values in (negative, positive))
    counts = len(low), len(high)
    means = [float(wells.mean()) if len(wells) else float("nan") for wells in (low, high)]
    sds = [float(wells.std(ddof=1)) if len(wells) > 1 else float("nan") for wells in (low, high)]

    def result(
        z: float | None = None,
        z_interval: tuple[float, float] | None = None,
        ssmd: float | None = None,
        ssmd_interval: tuple[float, float] | None = None,
        warning: str = "",
    ) -> ControlQuality:
        return ControlQuality(
            *names,
            *counts,
            means[0],
            means[1],
            sds[0],
            sds[1],
            z,
            z_interval,
            ssmd,
            ssmd_interval,
            warning,
        )

    if min(counts) < FEWEST:
        return result(warning=f"each control needs {FEWEST} wells")
    difference, sd_sum, pooled = means[1] - means[0], sum(sds), float(np.hypot(sds[0], sds[1]))
    # Equal fractions differ by rounding.
    if pooled < SAME or abs(difference) < SAME:
        same = (
            "all wells of a control have the same fraction"
            if abs(difference) >= SAME
            else ("both controls have the same fraction")
        )
        return result(warning=f"{same}, which tells nothing of how far wells vary")
    shares = [sd**2 / n for sd, n in zip(sds, counts, strict=True)]
    freedom = sum(shares) ** 2 / sum(s**2 / (n - 1) for s, n in zip(shares, counts, strict=True))
    from scipy.special import stdtrit

    quantile = float(stdtrit(freedom, 0.5 + LEVEL / 2))
    z_prime = 1 - 3 * sd_sum / abs(difference)
    of_sds = sum(sd**2 / (2 * (n - 1)) for sd, n in zip(sds, counts, strict=True)) / sd_sum**2
    factor = float(np.exp(quantile * np.sqrt(of_sds + sum(shares) / difference**2)))
    ratio = 3 * sd_sum / abs(difference)
    ssmd = difference / pooled
    of_variance = sum(sd**4 / (n - 1) for sd, n in zip(sds, counts, strict=True)) / pooled**4
    error = float(np.sqrt(sum(shares) / pooled**2 + ssmd**2 / 2 * of_variance))
    warning = ""
    if min(counts) < FEW:
        warning = f"With fewer than {FEW} wells of a control, read the intervals alone"
    elif 1 - ratio * factor < EXCELLENT <= z_prime:
        warning = f"So few wells do not show that Z' is above {EXCELLENT:g}"
    return result(
        z_prime,
        (1 - ratio * factor, 1 - ratio / factor),
        ssmd,
        (ssmd - quantile * error, ssmd + quantile * error),
        warning,
    )


def pure_classes(counts: npt.ArrayLike, classes: Sequence[str]) -> list[str]:
    """The class of each group whose labelled cells are all of one; else an empty text.

    ``counts`` is (G, K): cells of each class by their labels.
    """
    cells = np.asarray(counts, np.int64)
    alone = (cells > 0).sum(axis=1) == 1
    return [
        classes[row.argmax()] if is_pure else "" for row, is_pure in zip(cells, alone, strict=True)
    ]


def named_controls(values: Sequence[str]) -> tuple[str, str] | None:
    """The values of a column that are called negative and positive controls, or None.

    They are known by whole words, digits and underscores apart: ``neg_1`` is one, and neither
    ``position`` nor ``non-negative``.

    Examples
    --------
    >>> named_controls(["dose", "negative", "positive control"])
    ('negative', 'positive control')
    """
    names = sorted({value for value in values if value})
    negative = _first(names, NEGATIVE)
    positive = _first([name for name in names if name != negative], POSITIVE)
    return None if negative is None or positive is None else (negative, positive)


def is_negative(name: str) -> bool:
    """Whether a name is that of a negative control; see `named_controls`.

    Examples
    --------
    >>> is_negative("untreated"), is_negative("treated")
    (True, False)
    """
    return any(_says(name, word) for word in NEGATIVE)


def _first(names: Sequence[str], words: Sequence[str]) -> str | None:
    for word in words:
        for name in names:
            if _says(name, word):
                return name
    return None


def _says(name: str, word: str) -> bool:
    """Whether a word is in a name, and is not turned round there."""
    words = re.findall(r"[a-z]+", HUMP.sub(" ", name).lower())
    return any(
        re.fullmatch(word + ENDING, this) and before not in NOT
        for before, this in zip(["", *words], words, strict=False)
    )


def _finite(values: npt.ArrayLike) -> FloatArray:
    numbers = np.asarray(values, np.float64)
    return np.asarray(numbers[np.isfinite(numbers)])


def _range(interval: tuple[float, float], digits: int = 2) -> str:
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"
