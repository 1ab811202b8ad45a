"""Whether probabilities mean what they say, and the temperature with which they do.

1. `fit_temperature`: one number on the scores of held-out cells.
2. `held_out_calibration`: fitted on some held-out groups, measured on the others, in turn.
3. `calibration_of`: reliability curve, Brier score and calibration error, with intervals over
   groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from napari_channelmix.bounds import Finite, Flag, Index, Name
from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.classify.priors import corrected
from napari_channelmix.classify.training_cells import training_marks_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import part
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.fractions import wilson
from napari_channelmix.phenotypes.held_out import SAME_GROUP, UNKNOWN, YES
from napari_channelmix.readers import Stored, validated
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.phenotypes.held_out import Marks

__all__ = [
    "Calibration",
    "ReliabilityBin",
    "StoredCalibration",
    "brier_score",
    "calibrate_job",
    "calibration_error",
    "calibration_of",
    "confidence_error",
    "fit_temperature",
    "held_out_calibration",
    "scaled",
    "scores_of",
]

Doubles = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Interval = tuple[float, float]

# Temperatures that are tried.
COLDEST, HOTTEST = 0.05, 20.0
# Of the reliability curve and the calibration errors.
BINS = 10
# Parts in which held-out groups are left out by turns.
FOLDS = 10
# Draws of groups, and of labels where probabilities would be right.
DRAWS, SIMULATED = 1000, 200
# A probability is taken for at least this, the smallest normal float32.
LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class ReliabilityBin:
    """Cells with about the same probability of a class, and how many of them are of it.

    Attributes
    ----------
    n : int
        Cells.
    predicted : float
        Their mean probability.
    observed : float
        Share of them that are of the class.
    low, high : float
        95 % interval of ``observed``.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How well probabilities agree with the classes of cells.

    Attributes
    ----------
    temperature : float
        Scores were divided by it.
    n_cells, n_groups : int
    brier : float
        See `brier_score`; ``brier_interval`` over groups, None where there is one group.
    ece, adaptive : float
        See `calibration_error`: with equal bins and with equally filled ones; ``ece_interval``.
    top : float
        Of the called class alone, see `confidence_error`.
    by_chance : float
        The ``ece`` that these cells would have on average if every probability were right.
    curve : dict of str to tuple of ReliabilityBin
        By class.
    prior : str
        Which prior the probabilities had, in words.
    cross_fitted : bool
        Whether the temperature was fitted on other groups than those it was measured on.
    doubt : str
        Why the cells may not be held out, or empty.
    """

    temperature: float
    n_cells: int
    n_groups: int
    brier: float
    ece: float
    adaptive: float
    top: float
    by_chance: float
    brier_interval: Interval | None = None
    ece_interval: Interval | None = None
    curve: Mapping[str, tuple[ReliabilityBin, ...]] = field(default_factory=dict, repr=False)
    prior: str = ""
    cross_fitted: bool = True
    doubt: str = ""

    def text(self) -> str:
        """In a sentence, with what it was measured on."""
        groups = f"{self.n_groups} groups" if self.n_groups > 1 else "one group"
        said = (
            f"calibration error {_short(self.ece)}{_between(self.ece_interval)}, "
            f"of which {_short(self.by_chance)} comes by chance; Brier score "
            f"{_short(self.brier)}{_between(self.brier_interval)}; {self.n_cells} cells, {groups}"
        )
        if not self.cross_fitted:
            said += "; measured on the cells it was calibrated on, so too good"
        few = few_groups_text(self.n_groups, self.n_cells)
        return "; ".join(line for line in (said, few, self.doubt) if line)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        curve = {
            name: [
                [
                    one.n,
                    *(
                        round(float(value), 6)
                        for value in (one.predicted, one.observed, one.low, one.high)
                    ),
                ]
                for one in bins
            ]
            for name, bins in self.curve.items()
        }
        intervals = {
            name: None if of is None else list(of)
            for name, of in (
                ("brier_interval", self.brier_interval),
                ("ece_interval", self.ece_interval),
            )
        }
        return {
            "temperature": self.temperature,
            "n_cells": self.n_cells,
            "n_groups": self.n_groups,
            "brier": self.brier,
            "ece": self.ece,
            "adaptive": self.adaptive,
            "top": self.top,
            "by_chance": self.by_chance,
            **intervals,
            "curve": curve,
            "prior": self.prior,
            "cross_fitted": self.cross_fitted,
            "doubt": self.doubt,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Calibration:
        """From JSON.

        Raises
        ------
        DataError
            Content that is missing or of another kind.
        """
        stored = validated(content, StoredCalibration, where="calibration")
        curve = {
            name: tuple(ReliabilityBin(*row) for row in rows) for name, rows in stored.curve.items()
        }
        return cls(**{**stored.model_dump(), "curve": curve})


class StoredCalibration(Stored):
    """As of `Calibration.as_dict`, for the schemas of files that hold one."""

    temperature: Annotated[float, Field(strict=True, ge=COLDEST, le=HOTTEST)]
    n_cells: Index
    n_groups: Index
    brier: Finite
    ece: Finite
    adaptive: Finite
    top: Finite
    by_chance: Finite
    brier_interval: tuple[Finite, Finite] | None = None
    ece_interval: tuple[Finite, Finite] | None = None
    curve: dict[Name, tuple[tuple[Index, Finite, Finite, Finite, Finite], ...]] = Field(
        default_factory=dict
    )
    prior: str = ""
    cross_fitted: Flag = True
    doubt: str = ""


# ---------------------------------------------------------------- temperature


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
        said = log_softmax(z / np.exp(log_temperature) + offset, axis=1)
        return -float((target * said).sum() / len(truth))

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def held_out_calibration(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    shares: npt.ArrayLike,
    *,
    prior: str = "",
    seed: int = 0,
) -> Calibration:
    """The temperature of all held-out cells, and figures that were not fitted on their own cells.

    Groups are dealt into up to ten parts; each part's figures have the temperature of the others.
    Where a class is in fewer than two groups that cannot be done, which ``cross_fitted`` says.

    Parameters
    ----------
    scores : (N, K) array
        Of held-out cells, before the softmax; see `scores_of`.
    labels : (N,) int array
    groups : (N,) array
    classes : tuple of K str
    shares : (K,) array
        Of the prior that probabilities are shown with.
    prior : str
        The same in words.
    """
    z, truth = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
    temperature = fit_temperature(z, truth)
    part = _parts(truth, np.asarray(groups), np.random.default_rng(seed))
    each = np.full(len(truth), temperature)
    if part is not None:
        for at in np.unique(part):
            each[part == at] = fit_temperature(z[part != at], truth[part != at])
    shown = corrected(scaled(z, each), shares)
    found = calibration_of(shown, truth, groups, classes, seed=seed)
    return replace(found, temperature=temperature, prior=prior, cross_fitted=part is not None)


def calibrate_job(classifier: Classifier, cells: Cells, *, seed: int = 0) -> Job[Classifier]:
    """`Classifier.calibrate` as a job: a step for each batch."""
    from napari_channelmix.classify.held_out_record import held_out_record

    bare = {name: of for name, of in classifier.record.items() if name != "calibration"}
    classifier = replace(classifier, record=bare)
    labels = matching(cells.labels, cells.classes, classifier.classes)
    if not (labels >= 0).any():
        raise DataError(f"{cells.name}: no cell has a class that the classifier knows")
    labelled = np.flatnonzero(labels >= 0)
    marks = yield from part(training_marks_job(classifier, cells.subset(labelled)), 0, 1, 2)
    rows = labelled[marks != YES]
    if not len(rows):
        raise DataError(
            f"{cells.name}: the classifier was trained on every cell that has a class, so none is "
            "held out; calibrate on cells it never saw, such as the second part of cells.split()"
        )
    doubt, some = _not_held_out(marks), cells.subset(rows)
    probabilities = yield from part(classifier.predict_job(some, prior="balanced"), 1, 1, 2)
    prior = classifier.prior_of()
    scores = scores_of(probabilities)
    found = held_out_calibration(
        scores,
        labels[rows],
        some.groups,
        classifier.classes,
        prior.shares,
        prior=prior.text(),
        seed=seed,
    )
    found = replace(found, doubt=doubt)
    if not bare.get("held_out"):
        # One whose training measured it keeps those figures.
        guesses, data = scaled(scores, found.temperature), classifier.training_data
        bare["held_out"] = held_out_record(
            guesses,
            labels[rows],
            some.groups,
            classifier.classes,
            data.n if data else 0,
            doubt=doubt,
        )
    return replace(classifier, record={**bare, "calibration": found.as_dict()})


def _not_held_out(marks: Marks) -> str:
    """Why the cells that are left may not be held out, and which were left out; or empty."""
    if (marks == UNKNOWN).any():
        return (
            "which cells the classifier was trained on is not known: if these are among them, the "
            "figures are too good"
        )
    trained_on, related = (int((marks == kind).sum()) for kind in (YES, SAME_GROUP))
    lines = []
    if trained_on:
        lines.append(f"{counted(trained_on, 'cell')} that it was trained on left out")
    if related:
        share = counted(related, "cell", "share")
        lines.append(f"{share} a group with training cells, so figures may be too good")
    return "; ".join(lines)


def _parts(labels: Whole, groups: npt.NDArray[Any], rng: np.random.Generator) -> Whole | None:
    """Deal groups into parts (N,) so that every class has groups in several; None if it has not."""
    names, group = np.unique(groups, return_inverse=True)
    table = np.zeros((len(names), int(labels.max()) + 1))
    np.add.at(table, (group, labels), 1)
    holding = (table > 0).sum(axis=0)
    fewest = int(holding[holding > 0].min())
    if fewest < 2 or (holding > 0).sum() < 2:
        return None
    # Groups of one class follow each other, so that dealing them in turns spreads each class.
    order = np.lexsort((rng.random(len(names)), table.argmax(axis=1)))
    part = np.empty(len(names), np.int64)
    part[order] = np.arange(len(names)) % min(FOLDS, len(names))
    return np.asarray(part[group], dtype=np.int64)


# ---------------------------------------------------------------- figures


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean over cells of ``sum over k of (p_k - y_k) ** 2``, y being 1 for the own class else 0.

    0 is perfect, 2 the worst. Brier 1950, Monthly Weather Review 78, 1.
    """
    return float(_squares(np.asarray(probabilities, np.float64), np.asarray(labels)).mean())


def calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = BINS, adaptive: bool = False
) -> float:
    """Expected calibration error, each class by itself: how far probabilities are from frequencies.

    For each class, cells are put into bins by their probability of it; the error is the mean over
    cells of ``|share of the class in the bin - mean probability in the bin|``; then the mean over
    classes is taken. Kull et al. 2019 (classwise ECE).

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) int array
    bins : int
    adaptive : bool
        Bins with equally many cells (Nixon et al. 2019) instead of equally wide ones.
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    return float(_errors(_sums(p, y, np.zeros(len(p), np.int64), bins, adaptive))[0])


def confidence_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = BINS
) -> float:
    """Expected calibration error of the called class alone. Guo et al. 2017, equation 3."""
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    best = p.max(axis=1)
    right = (p.argmax(axis=1) == y).astype(np.float64)
    place = np.minimum((best * bins).astype(np.int64), bins - 1)
    gap = np.bincount(place, right - best, minlength=bins)
    return float(np.abs(gap).sum() / len(p))


def calibration_of(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    *,
    bins: int = BINS,
    seed: int = 0,
) -> Calibration:
    """Reliability curve, Brier score and calibration errors of probabilities as they are.

    Intervals are of resampled groups, widened by Student's t for the few there are; those of the
    curve are at least as wide as if the cells were independent.

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) int array
        All known.
    groups : (N,) array
    classes : tuple of K str
    bins : int
    seed : int
    """
    p, y = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    count, rng = len(names), np.random.default_rng(seed)
    sums = _sums(p, y, group, bins, adaptive=False)
    squares = np.bincount(group, _squares(p, y), minlength=count)
    sizes = np.bincount(group, minlength=count).astype(np.float64)
    brier, ece = float(squares.sum() / len(p)), float(_errors(sums.sum(axis=0)[None])[0])
    whole = sums.sum(axis=0)
    brier_interval = ece_interval = None
    drawn: Doubles | None = None
    if count > 1:
        times = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
        drawn = np.tensordot(times, sums, 1)
        brier_interval = _expanded(times @ squares / (times @ sizes), brier, count, most=2.0)
        # Resampled groups are as far from their own mean as that is from the truth: an error of
        # chance alone is in them twice, and is taken off once.
        excess = _errors(drawn)
        ece_interval = _expanded(excess - (float(np.mean(excess)) - ece), ece, count)
    curve = {
        name: _curve(whole[code], None if drawn is None else drawn[:, code], count)
        for code, name in enumerate(classes)
    }
    return Calibration(
        1.0,
        len(p),
        count,
        brier,
        ece,
        calibration_error(p, y, bins=bins, adaptive=True),
        confidence_error(p, y, bins=bins),
        _by_chance(p, bins, rng),
        brier_interval,
        ece_interval,
        curve,
    )


def _squares(p: Doubles, y: npt.NDArray[Any]) -> Doubles:
    truth = np.zeros_like(p)
    truth[np.arange(len(p)), y] = 1
    return np.asarray(((p - truth) ** 2).sum(axis=1))


def _places(p: Doubles, bins: int, adaptive: bool) -> Whole:
    """The bin of each probability (N, K): equally wide, or equally filled in each column."""
    if not adaptive:
        return np.asarray(np.minimum((p * bins).astype(np.int64), bins - 1))
    ranks = np.argsort(np.argsort(p, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(ranks * bins // max(len(p), 1))


def _sums(p: Doubles, y: Whole, group: Whole, bins: int, adaptive: bool) -> Doubles:
    """Cells, sum of probabilities, cells of the class: (G, K, bins, 3)."""
    count, kinds = int(group.max(initial=0)) + 1, p.shape[1]
    places = _places(p, bins, adaptive)
    found = np.zeros((count, kinds, bins, 3))
    for code in range(kinds):
        flat = group * bins + places[:, code]
        for at, weights in enumerate((None, p[:, code], (y == code).astype(np.float64))):
            summed = np.bincount(flat, weights, minlength=count * bins)
            found[:, code, :, at] = summed.reshape(count, bins)
    return found


def _errors(sums: Doubles) -> Doubles:
    """Classwise calibration error of sums (..., K, bins, 3)."""
    gaps = np.abs(sums[..., 2] - sums[..., 1]).sum(axis=-1)
    cells = sums[..., 0].sum(axis=-1)
    return np.asarray((gaps / np.maximum(cells, 1)).mean(axis=-1))


def _curve(sums: Doubles, drawn: Doubles | None, groups: int) -> tuple[ReliabilityBin, ...]:
    """The bins of a class that have cells, from sums (bins, 3) and resampled ones."""
    found = []
    for place, (n, p, hits) in enumerate(sums):
        if not n:
            continue
        low, high = wilson(int(hits), int(n))
        if drawn is not None:
            there = drawn[:, place, 0] > 0
            shares = drawn[there, place, 2] / drawn[there, place, 0]
            lower, upper = _expanded(shares, hits / n, groups)
            low, high = max(0.0, min(low, lower)), min(1.0, max(high, upper))
        found.append(ReliabilityBin(int(n), float(p / n), float(hits / n), low, high))
    return tuple(found)


def _expanded(draws: Doubles, middle: float, groups: int, most: float = 1.0) -> Interval:
    """95 % of resampled figures of 0 to ``most``, widened by Student's t for few groups."""
    from scipy.stats import norm, t

    low, high = np.percentile(draws, (2.5, 97.5))
    wider = float(t.ppf(0.975, groups - 1) / norm.ppf(0.975)) * np.sqrt(groups / (groups - 1))
    return (
        float(max(0.0, middle - wider * max(0.0, middle - low))),
        float(min(most, middle + wider * max(0.0, high - middle))),
    )


def _by_chance(p: Doubles, bins: int, rng: np.random.Generator) -> float:
    """Mean calibration error of labels drawn from the probabilities themselves.

    Consistency resampling, Broecker and Smith 2007, Weather and Forecasting 22, 651.
    """
    edges, places = np.cumsum(p, axis=1), _places(p, bins, adaptive=False)
    flat = places + bins * np.arange(p.shape[1])
    length = bins * p.shape[1]
    expected = np.bincount(flat.ravel(), p.ravel(), minlength=length)
    errors = []
    for _ in range(SIMULATED):
        drawn = (rng.random((len(p), 1)) > edges[:, :-1]).sum(axis=1)
        hits = np.bincount(flat[np.arange(len(p)), drawn], minlength=length)
        errors.append(np.abs(hits - expected).sum() / (len(p) * p.shape[1]))
    return float(np.mean(errors))


def _short(value: float) -> str:
    return f"{value:.3f}"


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})"
