"""Shapley values of channels for each pair of a cell and a donor: of its call, and its evidence.

The value of a set of channels is whether the cell is called its class when the other channels are
those of the donor; the evidence for it is the log odds of that class. Means of the first are in
units of recall; signs of the second tell whether the light of a channel speaks for the class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import shapley_subsets
from napari_channelmix.classify.channel_paths import drawn_orders
from napari_channelmix.jobs import Job, Progress

__all__ = [
    "Blends",
    "PairValues",
    "agreement",
    "log_odds",
    "needs_in_words",
    "pair_values_job",
    "sampling_error",
]

FloatArray = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

STAGE = "Shapley values of the channels"
# Probabilities nearer than this to 0 or 1 are not told from them.
NEAREST = 1e-6
# Changes of log odds below this are rounding.
ROUNDING = 1e-3
# What is measured of each crop: its call, its log odds, its probability.
MEASURES = 3
# Channels that a sentence names, and the least effect that it calls a need: among hundreds of
# channels and classes some smaller ones are above 0 by chance.
MOST_NAMED, LEAST_NAMED = 8, 0.05


class Blends(Protocol):
    """P pairs of a cell and a donor, and the classifier that is asked about their mixtures."""

    def at_once(self, walking: bool) -> int:
        """How many pairs to ask about at once, for subsets or along orders."""
        ...

    def subsets(self, batch: slice) -> Callable[[BoolArray], Probabilities]:
        """From players (players,) that are the cell's own to probabilities (n, K) of a batch."""
        ...

    def walked(
        self, batch: slice, orders: IntArray
    ) -> Iterator[tuple[Probabilities, Probabilities]]:
        """Probabilities (n, K) along orders (n, players) and reverses; see `walked_scores`."""
        ...


@dataclass(frozen=True, eq=False)
class PairValues:
    """Shapley values of the players for each pair.

    Attributes
    ----------
    calls : (P, players) float array
        Of whether the pair's cell is called its class; the sum is ``whole - nothing``.
    evidence : (P, players) float array
        Of the log odds of that class.
    probability : (P, players) float array
        Of its probability.
    whole, nothing : (P,) float arrays
        Whether it is called its class with all channels, and with none.
    exact : bool
        Over all subsets, or along an order and its reverse.
    """

    calls: FloatArray
    evidence: FloatArray
    probability: FloatArray
    whole: FloatArray
    nothing: FloatArray
    exact: bool


def log_odds(probabilities: npt.ArrayLike, classes: IntArray) -> FloatArray:
    """Log odds (n,) of a class of each row; probabilities are held within 1e-6 of 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> log_odds([[0.2, 0.8], [0.5, 0.5]], np.array([1, 0])).round(3).tolist()
    [1.386, 0.0]
    """
    table = np.asarray(probabilities, np.float64)
    own = np.clip(table[np.arange(len(table)), classes], NEAREST, 1 - NEAREST)
    return np.asarray(np.log(own) - np.log1p(-own))


def pair_values_job(
    blends: Blends,
    truth: IntArray,
    whole: Probabilities,
    nothing: Probabilities,
    players: int,
    *,
    exact: bool,
    rng: np.random.Generator,
) -> Job[PairValues]:
    """Shapley values of each pair, over all subsets or along an order of its own; a job.

    Parameters
    ----------
    blends : Blends
        Of P pairs.
    truth : (P,) int array
        Class of each pair's cell.
    whole, nothing : (P, K) float32 arrays
        Probabilities of the cells as they are, and of their donors.
    players : int
    exact : bool
    rng : Generator
        Of the orders.
    """
    ends = np.stack([_measured(nothing, truth), _measured(whole, truth)])
    job = _over_subsets_job if exact else _along_orders_job
    values = yield from job(blends, truth, ends, players, rng)
    calls, evidence, probability = np.moveaxis(values, -1, 0)
    return PairValues(calls, evidence, probability, ends[1, :, 0], ends[0, :, 0], exact)


def _measured(probabilities: Probabilities, truth: IntArray) -> FloatArray:
    """Whether each is called its class, the log odds of it and its probability, (n, 3)."""
    hits = probabilities.argmax(axis=1) == truth
    own = probabilities[np.arange(len(truth)), truth]
    return np.stack([hits, log_odds(probabilities, truth), own], axis=1, dtype=np.float64)


def _over_subsets_job(
    blends: Blends, truth: IntArray, ends: FloatArray, players: int, rng: np.random.Generator
) -> Job[FloatArray]:
    subsets, combine = shapley_subsets(players, rng, exact=True)
    measured = np.zeros((len(subsets), len(truth), MEASURES))
    measured[0], measured[-1] = ends
    # Subsets with one player more follow each other: a sum goes on where it was.
    inner = sorted(
        range(1, len(subsets) - 1), key=lambda row: np.flatnonzero(subsets[row]).tolist()
    )
    size, done = blends.at_once(walking=False), 0
    total = max(len(inner), 1) * len(truth)
    for start in range(0, len(truth), size):
        batch = slice(start, start + size)
        blended = blends.subsets(batch)
        for row in inner:
            measured[row, batch] = _measured(blended(subsets[row]), truth[batch])
            done += len(truth[batch])
            yield Progress(done, total, STAGE)
    return np.stack([combine(measured[..., kind]) for kind in range(MEASURES)], axis=-1)


def _along_orders_job(
    blends: Blends, truth: IntArray, ends: FloatArray, players: int, rng: np.random.Generator
) -> Job[FloatArray]:
    orders = drawn_orders(len(truth), players, rng)
    values = np.zeros((len(truth), players, MEASURES))
    size, done = blends.at_once(walking=True), 0
    total = max(players - 1, 1) * len(truth)
    for start in range(0, len(truth), size):
        batch = slice(start, start + size)
        own, order, gains = truth[batch], orders[batch], values[batch]
        rows = np.arange(len(own))
        before, after = ends[0, batch], ends[1, batch]
        for step, pair in enumerate(blends.walked(batch, order)):
            reached, left = (_measured(some, own) for some in pair)
            gains[rows, order[:, step]] = (reached - before + after - left) / 2
            before, after = reached, left
            done += len(own)
            yield Progress(done, total, STAGE)
        gains[rows, order[:, -1]] = (ends[1, batch] - before + after - ends[0, batch]) / 2
    return values


def sampling_error(values: FloatArray, codes: IntArray, classes: int) -> FloatArray:
    """Standard errors (K + 1, players) of means over the pairs of each class, and over the classes.

    ``s / sqrt(P)``: s is the standard deviation of the values of the P pairs of a class, each along
    an order and its reverse; of the mean over K classes, ``sqrt(sum of squares) / K``. What other
    pairs and orders would have changed. Our definition. NaN for a class with fewer than two pairs.

    Examples
    --------
    >>> import numpy as np
    >>> error = sampling_error(np.array([[0.0], [1.0], [1.0], [1.0]]), np.array([0, 0, 1, 1]), 2)
    >>> error[:, 0].tolist()
    [0.5, 0.0, 0.25]
    """
    errors = np.full((classes + 1, values.shape[1]), np.nan)
    present = np.unique(codes)
    for code in present:
        own = values[codes == code]
        if len(own) > 1:
            errors[code] = own.std(axis=0, ddof=1) / np.sqrt(len(own))
    errors[-1] = np.sqrt((errors[present] ** 2).sum(axis=0)) / len(present)
    return errors


def needs_in_words(
    class_name: str,
    effects: Mapping[str, float],
    unsigned: Mapping[str, float] | None = None,
    unknown: Mapping[str, float] | None = None,
) -> str:
    """What a class needs, and what absent, the largest effects first; empty where nothing.

    ``effects``: of the channels that may be read; the eight largest of .05 and more (of the class's
    recall) are named. ``unsigned``: values of channels that count, but of which more light and less
    may both speak against the class; ``unknown``: of channels that count, but whose direction is
    not known; likewise.

    Examples
    --------
    >>> needs_in_words("Treg", {"CD8": -0.1, "CD4": 0.2, "FOXP3": 0.5})
    'Treg: needs FOXP3, CD4; needs CD8 absent'
    >>> needs_in_words("S phase", {}, {"DNA": 0.4})
    'S phase: depends on DNA, neither on more nor on less of it alone'
    >>> needs_in_words("Treg", {"FOXP3": 0.5}, unknown={"CD25": 0.1})
    'Treg: needs FOXP3; depends on CD25, on more or on less of it is not known'
    """

    def largest(values: Mapping[str, float]) -> list[str]:
        large = [name for name in values if abs(values[name]) >= LEAST_NAMED]
        return sorted(large, key=lambda name: -abs(values[name]))[:MOST_NAMED]

    order, others = largest(effects), ", ".join(largest(unsigned or {}))
    unclear = ", ".join(largest(unknown or {}))
    needs = ", ".join(name for name in order if effects[name] > 0)
    lacks = ", ".join(name for name in order if effects[name] < 0)
    parts = [f"needs {needs}"] if needs else []
    parts += [f"needs {lacks} absent"] if lacks else []
    parts += [f"depends on {others}, neither on more nor on less of it alone"] if others else []
    parts += [f"depends on {unclear}, on more or on less of it is not known"] if unclear else []
    return f"{class_name}: {'; '.join(parts)}" if parts else ""


def agreement(
    evidence: FloatArray, light: FloatArray, codes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """How evidence goes with light: terms (P, players) whose mean in a class is from -1 to 1.

    Of each class and player, with signed ranks a of the evidence and b of the difference of light
    between cell and donor (ranks of absolute values, with their signs): ``a b / sqrt(mean a^2 mean
    b^2)``. The mean of these is 1 where more light always is more evidence, -1 where it always is
    less, and about 0 where either may be, or where evidence falls on both sides of a middle. Our
    definition, after the cosine of Wilcoxon's signed ranks: where nothing is exchanged nothing
    changes, so neither is centred. NaN where the player changes nothing, or has no light.

    Parameters
    ----------
    evidence, light : (P, players) arrays
    codes : (P,) int array
        Class of each pair.

    Returns
    -------
    terms : (P, players) float array
    linear : (P, players) float array
        The same less how each pair moves the two scales, plus the mean: their means are equal, and
        a variance of means of these is one of the ratio (linearisation).

    Examples
    --------
    >>> import numpy as np
    >>> terms, _ = agreement(np.array([[2.0], [-1.0]]), np.array([[5.0], [-9.0]]), np.zeros(2, int))
    >>> terms.mean(axis=0).round(3).tolist()
    [0.8]
    """
    from scipy.stats import rankdata

    terms, linear = np.full((2, *evidence.shape), np.nan)
    strong = np.where(np.abs(evidence) < ROUNDING, 0.0, evidence)
    for code in np.unique(codes):
        own = codes == code
        first, second = (
            np.sign(some[own]) * rankdata(np.abs(some[own]), axis=0) for some in (strong, light)
        )
        squares = (first**2).mean(axis=0), (second**2).mean(axis=0)
        scale = np.sqrt(squares[0] * squares[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            terms[own] = first * second / scale
            mean = terms[own].mean(axis=0)
            moved = (first**2 / squares[0] + second**2 / squares[1]) / 2
            linear[own] = terms[own] - mean * moved + mean
    return terms, linear
