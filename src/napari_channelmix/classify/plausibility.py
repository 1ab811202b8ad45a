"""Is a model what its names say? Held against labels: chance, and other orders of its names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.classify.intervals import FEW_GROUPS
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.classify.predictor import Predictor, matched
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.phenotypes.confusion import matching

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["LEAST", "STAGE", "class_order_line", "plausibility_job"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Order = tuple[int, ...]

# Fewer labelled cells say nothing.
LEAST, LEAST_OF_A_CLASS = 20, 5
# Up to so many channels all orders are tried; with more, exchanges of two, and so many at most.
ALL_ORDERS, MOST_ORDERS = 4, 45
# How much better another order must be, on cells it was not chosen on, and how sure that is.
BETTER, SURE = 0.1, 3.0
# What is being done, in words.
STAGE = "comparing the model with the labels"


def plausibility_job(
    model: Any, cells: Cells, *, limit: int = 256, seed: int = 0, channels_only: bool = False
) -> Job[tuple[str, ...]]:
    """What labels say against a model; a job that returns a line for each thing. Our definition.

    - Its balanced accuracy has a 95 % interval over groups that reaches down to chance; with fewer
      than five groups, one over cells.
    - It does clearly better with its classes, or its channels, in another order. The order is
      chosen on one half of the cells and held against the given one on the other half: better by
      0.1 or more, and by three standard errors. With up to four channels all orders are tried,
      with more each exchange of two.

    Parameters
    ----------
    model : Predictor
        Or anything with ``classes``, ``predict_proba`` of an array (n, C, H, W) and, where it
        names them, ``channels``.
    cells : Cells
        Those without a class, or with one that the model does not know, are left out.
    limit : int
        Cells that are asked about, as many of each class as there are.
    seed : int
        Of the choice.
    channels_only : bool
        Say only whether another order of the channels does better, where all else is said already.

    Returns
    -------
    tuple of str
        Empty where nothing speaks against it; where there are too few labels: 20, and 5 of each
        of two classes; and for a model of independent labels, of which several may be true.

    Raises
    ------
    ModelError, DataError
        As ``predict_proba`` and `Cells.read`.
    """
    yield Progress(0, 1, STAGE)
    reading = getattr(model, "reading", None)
    if reading is not None and reading.independent:
        return ()
    known = _known(cells, tuple(model.classes))
    rows = _chosen(known, limit, seed)
    if rows is None:
        return ()
    names = getattr(model, "channels", None)
    fitting = (
        cells if names is None else matched(cells, names, scaling=getattr(model, "scaling", None))
    )
    truth = known[rows]
    crops = fitting.read(rows)
    guess = _called(model, crops)
    lines = []
    own = estimate_accuracy(truth, guess, fitting.groups[rows], model.classes)
    if own.n_groups < FEW_GROUPS:
        # Against so few groups nothing could be said; cells taken as independent may speak.
        own = estimate_accuracy(truth, guess, None, model.classes)
    if own.chance_text and not channels_only:
        lines.append(
            f"the model is {own.chance_text}: a balanced accuracy of {own.balanced:.2f} on "
            f"{len(rows)} labelled cells ({own.interval_text})"
        )
    halves = _halves(truth)
    renamed = class_order_line(truth, guess, model.classes)
    if renamed:
        lines += [] if channels_only else [renamed]
    elif own.balanced <= 1 - BETTER:
        better = yield from _other_channels(model, crops, truth, guess, halves, seed)
        if better is not None:
            order, reached = better
            lines.append(
                f"the model reaches {reached[1]:.2f} with the channels in the order "
                f"{', '.join(fitting.channels[c] for c in order)}, but {reached[0]:.2f} in the "
                f"order given ({', '.join(fitting.channels)}): are the channels named rightly?"
            )
    yield Progress(1, 1, STAGE)
    return tuple(lines)


def class_order_line(truth: IntArray, guess: IntArray, classes: Sequence[str]) -> str:
    """That a model does clearly better with its classes in another order, or an empty text.

    Parameters
    ----------
    truth, guess : (N,) int arrays
        Positions in the classes of the model, none of them missing.
    """
    count = len(classes)
    if len(truth) < LEAST or (np.bincount(truth, minlength=count) >= LEAST_OF_A_CLASS).sum() < 2:
        return ""
    renamed = _other_classes(truth, guess, count, _halves(truth))
    if renamed is None:
        return ""
    order, reached = renamed
    return (
        f"the model reaches {reached[1]:.2f} with its classes in the order "
        f"{', '.join(classes[k] for k in order)}, but {reached[0]:.2f} in the order given: are "
        "the classes named rightly?"
    )


def _known(cells: Cells, classes: tuple[str, ...]) -> IntArray:
    """The label of each cell as a position in the model's classes, -1 for none of them."""
    return matching(cells.labels, cells.classes, classes)


def _chosen(known: IntArray, limit: int, seed: int) -> IntArray | None:
    """Rising positions of labelled cells, as evenly over the classes as can be."""
    present = [k for k in np.unique(known[known >= 0]) if (known == k).sum() >= LEAST_OF_A_CLASS]
    if len(present) < 2:
        return None
    draws = np.random.default_rng(seed)
    of_each = max(LEAST_OF_A_CLASS, limit // len(present))
    parts = []
    for k in present:
        rows = np.flatnonzero(known == k)
        parts.append(draws.permutation(rows)[:of_each])
    rows = np.sort(np.concatenate(parts))
    return rows if len(rows) >= LEAST else None


def _halves(truth: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each cell is of the first half; both have their share of each class."""
    first = np.zeros(len(truth), dtype=bool)
    for k in np.unique(truth):
        first[np.flatnonzero(truth == k)[::2]] = True
    return first


def _other_classes(
    truth: IntArray, guess: IntArray, count: int, first: npt.NDArray[np.bool_]
) -> tuple[Order, tuple[float, float]] | None:
    """An order of the class names with which the model does clearly better."""
    table = np.zeros((count, count))
    np.add.at(table, (truth[first], guess[first]), 1)
    table /= np.maximum(table.sum(axis=1, keepdims=True), 1)
    # What the model calls j is meant to be the class of row i.
    meant, predicted = linear_sum_assignment(table, maximize=True)
    order = np.empty(count, dtype=np.int64)
    order[predicted] = meant
    if (order == np.arange(count)).all():
        return None
    reached = _reached(truth, guess == truth, order[guess] == truth, ~first)
    return (tuple(order.tolist()), reached) if reached else None


def _called(model: Any, crops: FloatArray) -> IntArray:
    """The called classes (n,); channels in another order are no surprise here."""
    if isinstance(model, Predictor):
        probabilities = drain(model.predict_job(crops, prior="balanced"))
        return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)
    return np.asarray(model.predict_proba(crops).argmax(axis=1), dtype=np.int64)


def _other_channels(
    model: Any,
    crops: FloatArray,
    truth: IntArray,
    guess: IntArray,
    first: npt.NDArray[np.bool_],
    seed: int,
) -> Job[tuple[Order, tuple[float, float]] | None]:
    """An order of the channels with which the model does clearly better."""
    orders = _orders(crops.shape[1], seed)
    best: tuple[float, Order] | None = None
    for done, order in enumerate(orders):
        yield Progress(done, len(orders) + 1, f"{STAGE}: channels in another order")
        predicted = _called(model, crops[first][:, list(order)])
        reached = accuracy_of(truth[first], predicted, len(model.classes)).balanced
        if best is None or reached > best[0]:
            best = reached, order
    if (
        best is None
        or best[0] < accuracy_of(truth[first], guess[first], len(model.classes)).balanced + BETTER
    ):
        return None
    predicted = guess.copy()
    predicted[~first] = _called(model, crops[~first][:, list(best[1])])
    accuracies = _reached(truth, guess == truth, predicted == truth, ~first)
    return (best[1], accuracies) if accuracies else None


def _orders(channels: int, seed: int) -> list[Order]:
    """Orders of the channels to try, the given one left out."""
    own = tuple(range(channels))
    if channels <= ALL_ORDERS:
        return [order for order in permutations(own) if order != own]
    swaps = []
    for first, other in combinations(own, 2):
        order = list(own)
        order[first], order[other] = other, first
        swaps.append(tuple(order))
    draws = np.random.default_rng(seed).permutation(len(swaps))[:MOST_ORDERS]
    return [swaps[index] for index in np.sort(draws)]


def _reached(
    truth: IntArray,
    own: npt.NDArray[np.bool_],
    other: npt.NDArray[np.bool_],
    some: npt.NDArray[np.bool_],
) -> tuple[float, float] | None:
    """Balanced accuracies on some cells, where the other one is clearly the better."""
    truth, own, other = truth[some], own[some], other[some]
    counts = np.bincount(truth)
    weight = 1 / (counts[truth] * (counts > 0).sum())
    gain = other.astype(float) - own
    better = float((weight * gain).sum())
    # Two cells more, one of each kind, keep the error above 0 where all cells agree.
    spread = float(np.sqrt((weight**2 * (gain - gain.mean()) ** 2).sum() + 2 * weight.max() ** 2))
    if better < BETTER or better < SURE * spread:
        return None
    return float((weight * own).sum()), float((weight * other).sum())
