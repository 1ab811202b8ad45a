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
    "looks_like_ranks",
    "response_in_words",
]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

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

    groups: Whole = field(repr=False)
    doses: Floats = field(repr=False)
    fractions: Floats = field(repr=False)
    levels: Floats
    mean: Floats
    spread: Floats
    fit: Logistic | None
    why_not: str
    left_out: int
    counts: Whole = field(default_factory=lambda: np.zeros(0, np.int64))
    low: Floats = field(default_factory=lambda: np.zeros(0))
    high: Floats = field(default_factory=lambda: np.zeros(0))
    above: float | None = None
    below: float | None = None
    notes: tuple[str, ...] = ()
    adjusted: bool = False


def as_doses(values: npt.ArrayLike) -> Floats:
    """Texts or numbers (G,) as doses: what is no number, not finite or below 0 becomes NaN."""
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(np.asarray(values, dtype=object)), errors="coerce")
    doses = numbers.to_numpy(np.float64, copy=True)
    doses[~np.isfinite(doses) | (doses < 0)] = np.nan
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
    counts = np.bincount(places, minlength=len(levels))
    mean = np.bincount(places, y, minlength=len(levels)) / np.maximum(counts, 1)
    square = np.bincount(places, (y - mean[places]) ** 2, minlength=len(levels))
    spread = np.where(counts > 1, np.sqrt(square / np.maximum(counts - 1, 1)), np.nan)
    low, high = _mean_interval(mean, spread, counts)
    fit, why_not, above, below = None, refused, None, None
    if not refused:
        sizes = None if cells is None else np.asarray(cells, np.float64)[groups]
        found = fit_curve(x, y, sizes)
        if isinstance(found, Logistic):
            fit = found
        else:
            why_not, above, below = found.why, found.above, found.below
    notes: tuple[str, ...] = ()
    if looks_like_ranks(levels):
        notes = (
            f"The doses {_listed(levels)} look like ranks, not amounts: an EC50 of ranks is no "
            "concentration",
        )
    return DoseResponse(
        groups, x, y, levels, mean, spread, fit, why_not, len(every) - len(groups),
        counts.astype(np.int64), low, high, above, below, notes,
    )  # fmt: skip


def fit_logistic(
    doses: npt.ArrayLike, fractions: npt.ArrayLike, cells: npt.ArrayLike | None = None
) -> tuple[Logistic | None, str]:
    """`fit_curve` as a curve and an empty text, or None and the reason."""
    found = fit_curve(doses, fractions, cells)
    return (found, "") if isinstance(found, Logistic) else (None, found.why)


def looks_like_ranks(levels: npt.ArrayLike) -> bool:
    """Whether doses are 0, 1, 2, ... or 1, 2, 3, ...: places in a list rather than amounts."""
    values = np.unique(np.asarray(levels, np.float64))
    values = values[np.isfinite(values)]
    if len(values) < 4:
        return False
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())


def given_by_dose(doses: npt.ArrayLike, counts: npt.ArrayLike) -> bool:
    """Whether the classes of cells say no more than the doses (G,) of their groups.

    So it is where every group is of one class, and all groups of a dose are of the same.

    Parameters
    ----------
    doses : (G,) array
    counts : (G, K) int array
        Cells of each class in each group, by their labels.
    """
    values, cells = np.asarray(doses, np.float64), np.asarray(counts, np.int64)
    known = np.isfinite(values) & (cells.sum(axis=1) > 0)
    values, cells = values[known], cells[known]
    if not len(values) or ((cells > 0).sum(axis=1) != 1).any():
        return False
    classes = cells.argmax(axis=1)
    pairs = len(np.unique(np.stack([values, classes], axis=1), axis=0))
    return len(np.unique(classes)) > 1 and pairs == len(np.unique(values))


def response_in_words(found: DoseResponse) -> str:
    """What the curve says, or why there is none, and what must be minded."""
    if found.fit is not None:
        fit = found.fit
        low, high = fit.interval
        line = (
            f"EC50 {fit.ec50:.3g} (95 % interval {low:.3g} to {high:.3g}), slope {fit.slope:.2g}: "
            f"a four-parameter logistic through {'adjusted fractions of ' * found.adjusted}"
            f"{fit.n_groups} groups at {fit.n_doses} doses above 0."
        )
    else:
        line = f"No curve: {found.why_not}."
    for note in found.notes:
        line += f" {note}."
    if found.left_out:
        groups = counted(found.left_out, "group", "have")
        line += f" {groups} no dose that is a number, or no fraction."
    return line


def _mean_interval(mean: Floats, spread: Floats, counts: Whole) -> tuple[Floats, Floats]:
    """95 % interval of each mean over its groups, by Student's t, within 0 and 1.

    A mean of adjusted fractions may itself lie outside.
    """
    from scipy.special import stdtrit

    several = np.maximum(counts, 2)
    half = np.where(counts > 1, stdtrit(several - 1, 0.975) * spread / np.sqrt(several), np.nan)
    return (np.maximum(mean - half, np.minimum(mean, 0)),
            np.minimum(mean + half, np.maximum(mean, 1)))  # fmt: skip


def _listed(levels: Floats) -> str:
    names = [f"{value:g}" for value in levels]
    return ", ".join(names if len(names) <= 5 else [*names[:3], "...", names[-1]])
