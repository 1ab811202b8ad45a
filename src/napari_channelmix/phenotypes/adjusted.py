"""Fractions of classes in each group, adjusted for the classifier's confusion of them.

A classifier that calls 5 % of the negative cells positive finds 6 % in a well of 1 %. How often it
confuses which classes is known from held-out groups, so the fractions behind the calls can be
worked out, as can how certain they are.

1. `HeldOutCalls`: labels against calls in each held-out group.
2. `solved`: fractions from shares of calls (Rogan and Gladen's estimate for two classes).
3. `adjusted_fractions`: for every group, with an interval that holds the sampling of its cells,
   the confusion's own uncertainty, and that no two groups confuse classes alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import Flag, Index
from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import Stored, validated
from napari_channelmix.wording import counted, listed

__all__ = [
    "Adjusted",
    "HeldOutCalls",
    "StoredCalls",
    "adjusted_fractions",
    "dependence",
    "solved",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DRAWS = 1000
# Steps of the projected gradient where the inverse leaves the simplex: for an estimate, and for
# draws, whose own noise is larger than what more steps would change.
STEPS, ROUGH = 60, 15
# Held-out cells of a file.
MOST_CELLS = 10**9
# Fewer draws within 0 and 1 are no distribution: it is then taken for the end of a normal one.
FEW_WITHIN = 50
# Calls that tell classes apart less than this (smallest singular value of the confusion) say
# nothing of their fractions.
LEAST = 0.1
# Fewer held-out groups of a class do not say how groups differ.
FEW_GROUPS = 3
# Dependence is taken for this, with the weight of so many groups, until the groups say otherwise.
USUAL, WEIGHT = 0.05, 2.0


class StoredCalls(Stored):
    """As of `HeldOutCalls.as_rows`, for the schemas of files that hold them."""

    grouped: Flag
    rows: tuple[tuple[Index, Index, Index, Index], ...]

    def refuse_others(self, classes: int) -> None:
        """Refuse classes beyond these, and groups without cells.

        Raises
        ------
        ValueError
        """
        if any(max(label, called) >= classes for _, label, called, _ in self.rows):
            raise ValueError(f"calls: names more than {classes} classes")
        # A damaged file may name any group: room is made for the highest.
        if len({row[0] for row in self.rows}) <= max((row[0] for row in self.rows), default=-1):
            raise ValueError("calls: names groups without cells")
        if sum(row[3] for row in self.rows) > MOST_CELLS:
            raise ValueError(f"calls: more than {MOST_CELLS:,} cells")


@dataclass(frozen=True, eq=False)
class HeldOutCalls:
    """Labels against calls (balanced prior) of held-out cells, group by group.

    Attributes
    ----------
    classes : tuple of K str
    counts : (H, K, K) int array
        Cells of each label (rows) that were called each class (columns). Where no groups are
        known all cells are one group.
    grouped : bool
        Whether groups are known.
    """

    classes: tuple[str, ...]
    counts: IntArray = field(repr=False)
    grouped: bool = True

    @classmethod
    def of(
        cls,
        labels: npt.ArrayLike,
        called: npt.ArrayLike,
        groups: npt.ArrayLike,
        classes: Sequence[str],
    ) -> HeldOutCalls:
        """Count labels (N,) against calls (N,), positions in the classes, in groups (N,)."""
        truth, codes = np.asarray(labels, np.int64), np.asarray(called, np.int64)
        names, group = np.unique(np.asarray(groups), return_inverse=True)
        grouped = len(names) < len(truth) or len(truth) < 2
        if not grouped:
            names, group = names[:1], np.zeros(len(truth), np.int64)
        counts = np.zeros((len(names), len(classes), len(classes)), np.int64)
        np.add.at(counts, (group, truth, codes), 1)
        return cls(tuple(classes), counts, grouped)

    @property
    def confusion(self) -> FloatArray:
        """Share of each label's cells that are called each class (K, K); NaN without cells."""
        total = self.counts.sum(axis=0).astype(np.float64)
        size = total.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(total, size, out=np.full_like(total, np.nan), where=size > 0))

    @property
    def why_not(self) -> str:
        """Why fractions cannot be adjusted with it, or an empty text."""
        confusion = self.confusion
        absent = [
            name for name, row in zip(self.classes, confusion, strict=True) if np.isnan(row).any()
        ]
        if absent:
            return f"no held-out cell is of the class {listed(absent, 3)}"
        if np.linalg.svd(confusion, compute_uv=False)[-1] < LEAST:
            return "on held-out cells the predictions hardly separate the classes"
        return ""

    def as_rows(self) -> dict[str, Any]:
        """For JSON: ``[group, label, called, cells]`` where there are cells."""
        places = np.argwhere(self.counts)
        rows = [[*map(int, place), int(self.counts[tuple(place)])] for place in places]
        return {"grouped": self.grouped, "rows": rows}

    @classmethod
    def from_rows(cls, content: Mapping[str, Any], classes: Sequence[str]) -> HeldOutCalls:
        """From JSON.

        Raises
        ------
        DataError
            Content that is missing, of another kind, or of other classes.
        """
        stored = validated(content, StoredCalls, where="calls")
        try:
            stored.refuse_others(len(classes))
        except ValueError as error:
            raise DataError(str(error)) from None
        rows = np.asarray(stored.rows, np.int64).reshape(-1, 4)
        counts = np.zeros(
            (int(rows[:, 0].max(initial=0)) + 1, len(classes), len(classes)), np.int64
        )
        np.add.at(counts, tuple(rows[:, :3].T), rows[:, 3])
        return cls(tuple(classes), counts, stored.grouped)


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Adjusted fractions of G groups.

    Attributes
    ----------
    fractions, low, high : (G, K) float64 arrays
        With 95 % intervals; NaN in groups without cells, and everywhere where ``why_not``.
    why_not : str
        Why there are none, or an empty text.
    note : str
        What the intervals leave out.
    free : (G, K) float64 array or None
        The same fractions where they may lie below 0 and above 1, as chance has it: curves are
        fitted to these. Cut at 0 and 1 they scatter too little where a response begins and ends.
    """

    fractions: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    why_not: str = ""
    note: str = ""
    free: FloatArray | None = field(default=None, repr=False)

    def only_of(self, groups: npt.NDArray[np.bool_]) -> Adjusted:
        """Those of some groups (G,); NaN in the others."""
        arrays = (self.fractions, self.low, self.high, self.free)
        fractions, low, high, free = (
            None if values is None else np.where(groups[:, None], values, np.nan)
            for values in arrays
        )
        assert fractions is not None and low is not None and high is not None
        return Adjusted(fractions, low, high, self.why_not, self.note, free)


def adjusted_fractions(
    calls: npt.ArrayLike,
    held_out: HeldOutCalls,
    *,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = 0,
) -> Adjusted:
    """Fractions of the classes in groups, from the calls in them and those on held-out cells.

    The estimate is `solved` with the confusion of all held-out cells: for two classes
    ``(share called positive + specificity - 1) / (recall + specificity - 1)`` (Rogan and Gladen
    1978, American Journal of Epidemiology 107, 71; Forman 2008, adjusted count).

    Intervals: each draw has (1) how much calls within a group resemble each other (`dependence`),
    as uncertain as a variance known from so many held-out groups; (2) a mean confusion, with as
    many independent cells as the held-out ones are then worth; (3) the group's own confusion
    around it, as groups differ; (4) shares of calls, for the number of the group's cells; and is
    solved for the fractions. Our definition, after Lang and Reiczigel 2014 (Preventive Veterinary
    Medicine 113, 13), whose cells are independent, with the Dirichlet-multinomial model of groups.

    Calls may be fewer than the false ones alone: draws then fall below 0, and to cut them off
    would leave an interval without width. So the end away from the bound is the quantile of the
    draws that keep off it: ``P(draw > high) = 0.025 P(draw > 0)``, and likewise below 1; in physics
    the CLs method (Read 2002, Journal of Physics G 28, 2693). It never makes an interval narrower.

    Parameters
    ----------
    calls : (G, K) int array
        Cells called each class (balanced prior) in each group.
    held_out : HeldOutCalls
    draws : int
    level : float
        Of the intervals.
    seed : int
    """
    counts = np.asarray(calls, np.float64)
    empty = np.full(counts.shape, np.nan)
    if held_out.why_not:
        return Adjusted(empty, empty.copy(), empty.copy(), held_out.why_not)
    rng = np.random.default_rng(seed)
    fractions, low, high, free = empty, empty.copy(), empty.copy(), empty.copy()
    totals = counts.sum(axis=1)
    there = totals > 0
    called = counts[there] / totals[there, None]
    fractions[there] = solved(called, held_out.confusion)
    free[there] = np.linalg.solve(held_out.confusion.T, called.T).T
    mean, precision = _drawn_confusions(held_out, draws, rng)
    for group in np.flatnonzero(there):
        own = _dirichlet(rng, mean * precision[:, None, None])
        shares = _dirichlet(rng, np.tile(counts[group] + 0.5, (draws, 1)))
        ends = _ends(solved(shares, own, steps=ROUGH), _inverted(shares, own), level)
        # Skewness must not leave the estimate out.
        low[group] = np.minimum(ends[0], fractions[group])
        high[group] = np.maximum(ends[1], fractions[group])
    return Adjusted(fractions, low, high, "", _left_out(held_out), free)


def _ends(drawn: FloatArray, inverted: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Low and high end (K,) of draws (D, K) within 0 and 1, and the same without these bounds."""
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    for code in range(drawn.shape[1]):
        own, free = drawn[:, code], inverted[:, code]
        if (own <= 0).any():
            high[code] = max(high[code], off_zero(own, free, tail))
        if (own >= 1).any():
            low[code] = min(low[code], 1 - off_zero(1 - own, 1 - free, tail))
    return low, high


def off_zero(drawn: npt.ArrayLike, inverted: npt.ArrayLike, tail: float = 0.025) -> float:
    """What draws above 0 exceed with the probability ``tail``, at most 1.

    Parameters
    ----------
    drawn : (D,) array
        Fractions.
    inverted : (D,) array
        The same with those below 0 where they fell: with fewer than 50 above 0, they are taken
        for a normal distribution of the same mean and variance.
    tail : float
    """
    from scipy.stats import truncnorm

    within = np.asarray(drawn, np.float64)
    within = within[within > 0]
    if len(within) >= FEW_WITHIN:
        return float(np.quantile(within, 1 - tail))
    free = np.asarray(inverted, np.float64)
    mean, sd = float(free.mean()), max(float(free.std()), 1e-12)
    return min(float(truncnorm.isf(tail, -mean / sd, np.inf, loc=mean, scale=sd)), 1.0)


def _left_out(held_out: HeldOutCalls) -> str:
    if not held_out.grouped:
        return "no groups were known in training: cells are taken for independent"
    holding = (held_out.counts.sum(axis=2) > 0).sum(axis=0)
    if holding.min() < FEW_GROUPS:
        name = held_out.classes[int(holding.argmin())]
        return (
            f"{counted(int(holding.min()), 'held-out group')} of {name}: how groups differ is "
            "hardly known, and the intervals may be too narrow"
        )
    return ""


def dependence(counts: npt.ArrayLike) -> float:
    """How much calls of cells of one class and group resemble each other: 0 not at all, 1 fully.

    Intraclass correlation from the variance between groups beyond that of independent cells,
    by moments, over all classes (Williams 1982, Applied Statistics 31, 144), pulled towards 0.05
    with the weight of two groups (our choice).

    Parameters
    ----------
    counts : (H, K, K) array
        As of `HeldOutCalls`.
    """
    table = np.asarray(counts, np.float64)
    sizes = table.sum(axis=2)
    total = sizes.sum(axis=0)
    mean = table.sum(axis=0) / np.maximum(total, 1)[:, None]
    rate = table / np.maximum(sizes, 1)[..., None]
    # For each class, summed over groups and calls: cells x (rate - mean rate)^2. It is expected to
    # be noise x [groups - 1 + dependence x surplus].
    spread = (sizes[..., None] * (rate - mean) ** 2).sum(axis=(0, 2))
    noise = (mean * (1 - mean)).sum(axis=1)
    free = np.maximum((sizes > 0).sum(axis=0) - 1, 0)
    surplus = total - (sizes**2).sum(axis=0) / np.maximum(total, 1) - free
    gain = float((noise * surplus).sum())
    if gain < 1e-12:
        return USUAL
    raw = float((spread - noise * free).sum()) / gain
    known = float(free.sum())
    return float(np.clip((raw * known + USUAL * WEIGHT) / (known + WEIGHT), 0.0, 0.9))


def _drawn_confusions(
    held_out: HeldOutCalls, draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mean confusions (draws, K, K), and how closely groups follow them (draws,)."""
    counts = held_out.counts.astype(np.float64)
    alike = np.zeros(draws)
    if held_out.grouped:
        free = WEIGHT + float(np.maximum((counts.sum(axis=2) > 0).sum(axis=0) - 1, 0).sum())
        # As of a variance that is known from so many groups.
        alike = np.minimum(dependence(counts) * free / rng.chisquare(free, draws), 0.9)
    sizes = counts.sum(axis=2)
    total = sizes.sum(axis=0)
    # Cells of a group are worth fewer independent ones.
    cost = (sizes[None] * (1 + np.maximum(sizes - 1, 0)[None] * alike[:, None, None])).sum(axis=1)
    worth = total**2 / np.maximum(cost, 1)
    mean = _dirichlet(rng, worth[..., None] * held_out.confusion + 0.5)
    precision = np.where(alike > 1e-6, (1 - alike) / np.maximum(alike, 1e-6), 1e6)
    return mean, precision


def _dirichlet(rng: np.random.Generator, strength: FloatArray) -> FloatArray:
    """Draws of shares, along the last axis."""
    drawn = np.maximum(rng.standard_gamma(np.maximum(strength, 1e-6)), 1e-300)
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True))


def solved(shares: npt.ArrayLike, confusion: npt.ArrayLike, *, steps: int = STEPS) -> FloatArray:
    """Fractions f (B, K), none below 0, of the sum 1, with ``confusion.T @ f`` nearest to shares.

    Where the inverse of the confusion gives such fractions it is that, else the least squares
    within the simplex. For two classes: Rogan and Gladen's estimate, cut at 0 and 1.

    Parameters
    ----------
    shares : (B, K) array
        Of the calls.
    confusion : (K, K) or (B, K, K) array
        Rows are labels, of the sum 1.
    steps : int
        Of the least squares.
    """
    t = np.asarray(shares, np.float64)
    matrix = np.broadcast_to(np.asarray(confusion, np.float64), (len(t), t.shape[1], t.shape[1]))
    fractions = _inverted(t, matrix)
    outside = (fractions < 0).any(axis=1) | (np.abs(fractions.sum(axis=1) - 1) > 1e-9)
    fractions = _projected(np.asarray(fractions, dtype=np.float64))
    if t.shape[1] == 2 or not outside.any():
        return fractions
    f, m, s = fractions[outside], matrix[outside], t[outside]
    # A step that can overshoot nowhere (the rows have the sum 1, so that the largest sum of a
    # column bounds the square of the norm), with Nesterov's momentum.
    step = 1 / m.sum(axis=1).max(axis=1)[:, None]
    ahead, speed = f, 1.0
    for _ in range(steps):
        miss = np.einsum("bj,bjk->bk", ahead, m) - s
        following = _projected(ahead - step * np.einsum("bk,bjk->bj", miss, m))
        faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        ahead, f, speed = following + (speed - 1) / faster * (following - f), following, faster
    fractions[outside] = f
    return fractions


def _inverted(shares: FloatArray, confusion: FloatArray) -> FloatArray:
    """Fractions (B, K) whose calls would be the shares, below 0 and above 1 too."""
    try:
        return np.asarray(np.linalg.solve(confusion.swapaxes(1, 2), shares[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.asarray(np.einsum("bj,bjk->bk", shares, np.linalg.pinv(confusion)))


def _projected(values: FloatArray) -> FloatArray:
    """The nearest points (B, K) without numbers below 0 and with the sum 1.

    Duchi et al. 2008 (ICML), figure 1.
    """
    falling = -np.sort(-values, axis=1)
    over = (np.cumsum(falling, axis=1) - 1) / np.arange(1, values.shape[1] + 1)
    last = (falling > over).sum(axis=1) - 1
    return np.asarray(np.maximum(values - over[np.arange(len(values)), last][:, None], 0))
