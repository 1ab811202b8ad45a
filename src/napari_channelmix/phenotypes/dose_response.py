"""Fractions against doses: means over groups with their intervals, and a curve where one fits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.logistic import Logistic, fit_curve
from napari_channelmix.wording import counted

__all__ = [
    "DoseResponse",
    "Logistic",
    "as_doses",
    "dose_response",
    "fit_logistic",
    "given_by_dose",
    "looks_like_logarithms",
    "looks_like_ranks",
    "response_in_words",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Labels of which this share follows the dose were given by it; a few were corrected since. Where a
# whole dose follows it less, they are a judgement of cells.
FOLLOW, FOLLOW_EACH = 0.95, 0.8

CIRCULAR = (
    "the labels were given by the dose, so their fraction only says what was typed in; classify "
    "all cells and use the predicted classes"
)


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """What is drawn: a point per group, mean and interval for each dose, a curve or why not.

    Attributes
    ----------
    groups : (n,) int array
        Positions of the groups that have a dose and a fraction.
    doses, fractions : (n,) arrays
    levels : (L,) array
        The doses that occur, ascending.
    mean, spread : (L,) arrays
        Mean and standard deviation of the groups' fractions; the spread of one group is NaN.
    fit : Logistic or None
    why_not : str
        Why there is no curve, in words.
    left_out : int
        Groups without a dose that is a number, or without a fraction.
    counts : (L,) int array
        Groups of each dose.
    low, high : (L,) arrays
        95 % interval of the mean over the groups of a dose, by Student's t, within 0 and 1 (but
        for a mean outside); NaN for a dose of one group.
    above, below : float or None
        Where a plateau was never seen: the EC50 lies above, or below, this dose.
    notes : tuple of str
        What must be minded when the curve is read.
    adjusted : bool
        Whether the fractions are adjusted for the classes that the classifier confuses; they may
        then lie below 0 and above 1.
    """

    groups: IntArray = field(repr=False)
    doses: FloatArray = field(repr=False)
    fractions: FloatArray = field(repr=False)
    levels: FloatArray
    mean: FloatArray
    spread: FloatArray
    fit: Logistic | None
    why_not: str
    left_out: int
    counts: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    low: FloatArray = field(default_factory=lambda: np.zeros(0))
    high: FloatArray = field(default_factory=lambda: np.zeros(0))
    above: float | None = None
    below: float | None = None
    notes: tuple[str, ...] = ()
    adjusted: bool = False


def as_doses(values: npt.ArrayLike) -> FloatArray:
    """Texts or numbers (G,) as doses: what is no number, not finite or below 0 becomes NaN.

    Numbers below 0 are kept where all look like logarithms, for `dose_response` to say so.
    """
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(np.asarray(values, dtype=object)), errors="coerce")
    doses = numbers.to_numpy(np.float64, copy=True)
    doses[~np.isfinite(doses)] = np.nan
    if not looks_like_logarithms(doses):
        doses[doses < 0] = np.nan
    return doses


def dose_response(
    doses: npt.ArrayLike,
    fractions: npt.ArrayLike,
    cells: npt.ArrayLike | None = None,
    *,
    refused: str = "",
) -> DoseResponse:
    """Bring together the dose (G,) and the fraction (G,) of each group; NaN where there is none.

    A dose below 0 is none.

    Parameters
    ----------
    doses, fractions : (G,) arrays
    cells : (G,) array, optional
        Cells that each fraction is of; the interval of the EC50 is then never narrower than so
        many independent cells would have it.
    refused : str
        Why no curve may be drawn, such as `CIRCULAR`.
    """
    every, shares = np.asarray(doses, np.float64), np.asarray(fractions, np.float64)
    groups = np.flatnonzero(np.isfinite(every) & (every >= 0) & np.isfinite(shares))
    x, y = every[groups], shares[groups]
    levels, places = np.unique(x, return_inverse=True)
    stated = np.unique(every[np.isfinite(every)])
    logarithms = (
        f"the doses {_listed(stated)} look like logarithms, not amounts"
        if looks_like_logarithms(stated)
        else ""
    )
    if logarithms and stated[0] < 0 and not refused:
        refused = f"{logarithms}; give amounts, such as 10 to the power of them"
    counts = np.bincount(places, minlength=len(levels))
    mean = np.bincount(places, y, minlength=len(levels)) / np.maximum(counts, 1)
    square = np.bincount(places, (y - mean[places]) ** 2, minlength=len(levels))
    spread = np.where(counts > 1, np.sqrt(square / np.maximum(counts - 1, 1)), np.nan)
    low, high = _mean_interval(mean, spread, counts)
    fit, reason, above, below = None, refused, None, None
    if not refused:
        sizes = None if cells is None else np.asarray(cells, np.float64)[groups]
        result = fit_curve(x, y, sizes)
        if isinstance(result, Logistic):
            fit = result
        else:
            reason, above, below = result.why, result.above, result.below
    notes: tuple[str, ...] = ()
    if looks_like_ranks(levels):
        notes = (
            f"The doses {_listed(levels)} look like ranks, not amounts: an EC50 of ranks is no "
            "concentration",
        )
    elif logarithms and fit is not None:
        notes = (f"T{logarithms[1:]}: an EC50 of logarithms is no concentration",)
    return DoseResponse(
        groups,
        x,
        y,
        levels,
        mean,
        spread,
        fit,
        reason,
        len(every) - len(groups),
        counts.astype(np.int64),
        low,
        high,
        above,
        below,
        notes,
    )


def fit_logistic(
    doses: npt.ArrayLike, fractions: npt.ArrayLike, cells: npt.ArrayLike | None = None
) -> tuple[Logistic | None, str]:
    """`fit_curve` as a curve and an empty text, or None and the reason."""
    result = fit_curve(doses, fractions, cells)
    return (result, "") if isinstance(result, Logistic) else (None, result.why)


def looks_like_ranks(levels: npt.ArrayLike) -> bool:
    """Whether doses are places in a list rather than amounts.

    So are 0, 1, 2, 3, ... and 1, 2, 3, 4, ..., and whole multiples of them (10, 20, 30, 40, ...);
    of six and more, one may be left out.
    """
    values = np.unique(np.asarray(levels, np.float64))
    values = values[np.isfinite(values)]
    if len(values) < 4 or values[0] < 0 or (values != np.round(values)).any():
        return False
    places = values / np.diff(values).min()
    if (places != np.round(places)).any():
        return False
    left_out = places[-1] - np.count_nonzero(places > 0)
    return bool(left_out <= (1 if len(values) >= 6 else 0))


def looks_like_logarithms(levels: npt.ArrayLike) -> bool:
    """Whether doses are logarithms of molar amounts rather than amounts.

    So are three or more numbers below 0, at least half of all but 0; and four or more between 3
    and 12, even steps of 1 or less apart (-log10 of millimolar to picomolar), beside 0 for none,
    unless they begin at one step, as ranks do.
    """
    values = np.unique(np.asarray(levels, np.float64))
    values = values[np.isfinite(values) & (values != 0)]
    below = int((values < 0).sum())
    if below >= 3 and below >= len(values) / 2:
        return True
    if len(values) < 4 or values[0] < 3 or values[-1] > 12:
        return False
    steps = np.diff(values)
    return bool(steps[0] <= 1 + 1e-6 and np.ptp(steps) < 0.1 * steps[0])


def given_by_dose(doses: npt.ArrayLike, counts: npt.ArrayLike) -> bool:
    """Whether the classes of cells say no more than the doses (G,) of their groups.

    So it is where 95 % of the cells, and 80 % of those of each dose, are of the commonest class of
    their dose, and not all doses have the same (shares by our definition): a few labels that were
    corrected by eye do not make the others a judgement.

    Parameters
    ----------
    doses : (G,) array
    counts : (G, K) int array
        Cells of each class in each group, by their labels.
    """
    values, cells = np.asarray(doses, np.float64), np.asarray(counts, np.int64)
    known = np.isfinite(values) & (cells.sum(axis=1) > 0)
    levels, places = np.unique(values[known], return_inverse=True)
    if not len(levels):
        return False
    of_dose = np.zeros((len(levels), cells.shape[1]), np.int64)
    np.add.at(of_dose, places, cells[known])
    follow, every = of_dose.max(axis=1), of_dose.sum(axis=1)
    if follow.sum() < FOLLOW * every.sum() or (follow < FOLLOW_EACH * every).any():
        return False
    return len(np.unique(of_dose.argmax(axis=1))) > 1


def response_in_words(response: DoseResponse) -> str:
    """What the curve says, or why there is none, and what must be minded."""
    if response.fit is not None:
        fit = response.fit
        low, high = fit.interval
        line = (
            f"EC50 {fit.ec50:.3g} (95 % interval {low:.3g} to {high:.3g}), slope {fit.slope:.2g}: "
            f"a four-parameter logistic through {'adjusted fractions of ' * response.adjusted}"
            f"{fit.n_groups} groups at {fit.n_doses} doses above 0."
        )
    else:
        line = f"No curve: {response.why_not}."
    for note in response.notes:
        line += f" {note}."
    if response.left_out:
        groups = counted(response.left_out, "group", "have")
        line += f" {groups} no dose that is a number of 0 or more, or no fraction."
    return line


def _mean_interval(
    mean: FloatArray, spread: FloatArray, counts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """95 % interval of each mean over its groups, by Student's t, within 0 and 1.

    A mean of adjusted fractions may itself lie outside.
    """
    from scipy.special import stdtrit

    several = np.maximum(counts, 2)
    half = np.where(counts > 1, stdtrit(several - 1, 0.975) * spread / np.sqrt(several), np.nan)
    return (
        np.maximum(mean - half, np.minimum(mean, 0)),
        np.minimum(mean + half, np.maximum(mean, 1)),
    )


def _listed(levels: FloatArray) -> str:
    names = [f"{value:g}" for value in levels]
    return ", ".join(names if len(names) <= 5 else [*names[:3], "...", names[-1]])
