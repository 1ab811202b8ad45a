"""What separates the classes: how well latents tell them apart, beside hand-crafted features.

Every set of columns gets the same classifiers, gradient-boosted trees and a small neural network,
on the same folds, which keep groups whole; what is reported was predicted for held-out cells. Which
of both classifiers speaks for a set is chosen in each fold anew, by cells that are learnt from
alone: the better one of the held-out cells themselves would be better than it is. A classifier of
the pixels may be trained on the same folds, to stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import (
    FEW_GROUPS,
    accuracy_interval,
    difference_interval,
)
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part

__all__ = ["Separation", "Tested", "separation_job"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Columns = Mapping[str, Sequence[int]]
PixelTest = Callable[[IntArray, IntArray], Job[IntArray]]
#: A job that learns classes (n,) from columns (n, D), given a seed, and gives what has a `predict`.
Learner = Callable[[FloatArray, IntArray, int], Job[Any]]

# Shuffles of a column for its importance, and folds by which a classifier is chosen.
SHUFFLES, INNER = 5, 2
# Trees of a class, and how many grow between two looks at Cancel. For few cells, sorting their
# values into bins takes far longer than growing trees, and is done anew for each bout.
TREES, ROUNDS = 100, 50
# Passes over the cells without a gain after which the network stops.
PATIENCE = 10


@dataclass(frozen=True)
class Tested:
    """One classifier on one set of columns.

    Attributes
    ----------
    accuracy : float
        Balanced accuracy of the predictions for held-out cells.
    low, high : float
        95 % interval over groups; see `classify.intervals`.
    """

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Separation:
    """How well sets of columns tell the classes apart.

    Attributes
    ----------
    classes : tuple of str
    tested : dict of str to dict of str to Tested
        For each set of columns (``latents``, ``hand-crafted``), each classifier (``trees``,
        ``network``); for ``pixels``, where they were asked for, the one classifier (``network``).
    best : dict of str to Tested
        For each set, the classifier that each fold chose without looking at its held-out cells.
    chosen : dict of str to dict of str to int
        For each set, in how many folds each classifier was chosen.
    ahead : dict of str to Tested
        By how much the first set is ahead of each other one, in balanced accuracy, with a 95 %
        interval over groups that allows for folds that learn from the same cells.
    importance : dict of str to (float, float)
        For each latent axis, how much balanced accuracy the trees lose when it is shuffled among
        held-out cells: mean and standard deviation over the folds.
    folds, groups, cells : int
    warnings : tuple of str
    """

    classes: tuple[str, ...]
    tested: dict[str, dict[str, Tested]]
    best: dict[str, Tested]
    chosen: dict[str, dict[str, int]]
    ahead: dict[str, Tested]
    importance: dict[str, tuple[float, float]]
    folds: int
    groups: int
    cells: int
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "classes": list(self.classes),
            "tested": {
                name: {kind: vars(result) for kind, result in tested.items()}
                for name, tested in self.tested.items()
            },
            "best": {name: vars(result) for name, result in self.best.items()},
            "chosen": self.chosen,
            "ahead": {name: vars(result) for name, result in self.ahead.items()},
            "importance": {name: list(pair) for name, pair in self.importance.items()},
            "folds": self.folds,
            "groups": self.groups,
            "cells": self.cells,
            "warnings": list(self.warnings),
        }


def separation_job(
    columns: Mapping[str, FloatArray],
    labels: IntArray,
    groups: npt.NDArray[Any],
    classes: Sequence[str],
    axes: Columns,
    *,
    folds: int = 5,
    seed: int = 0,
    pixels: PixelTest | None = None,
    learners: Mapping[str, Learner] | None = None,
) -> Job[Separation]:
    """Test sets of columns on the same folds, as a job.

    Parameters
    ----------
    columns : dict of str to (N, D) array
        The first set is the one whose importance is measured.
    labels : (N,) int array
        Positions in ``classes``; -1 for cells without a class, which are left out.
    groups : (N,) array
        Cells of a group are never both trained on and held out.
    classes : sequence of str
    axes : dict of str to sequence of int
        Columns of the first set that are shuffled together.
    folds : int
        At most as many as every class has groups; more only where otherwise a class would be held
        out as a whole.
    seed : int
    pixels : callable, optional
        A job that learns from the cells at the first positions (n,) and gives the class of each
        cell at the second ones (m,), a position in ``classes``.
    learners : dict of str to callable, optional
        The classifiers to choose from; importance is that of the first. Default: ``trees`` and
        ``network``.

    Raises
    ------
    DataError
        Fewer than two classes that have cells in two groups.
    """
    known = np.flatnonzero(labels >= 0)
    usable, lines = _usable(labels[known], groups[known], classes)
    known = known[np.isin(labels[known], usable)]
    y, group = labels[known], np.unique(groups[known], return_inverse=True)[1]
    data = {name: np.nan_to_num(np.asarray(x, np.float64)[known]) for name, x in columns.items()}
    splits, folds = _splits(y, group, folds, seed)
    kinds = dict(learners) if learners is not None else {"trees": _trees, "network": _network}
    first, measured = next(iter(data)), next(iter(kinds))
    answers = {(name, kind): np.full(len(y), -1) for name in data for kind in kinds}
    # Those of the classifier that each fold chose, and of the pixels.
    spoken = {name: np.full(len(y), -1) for name in data}
    chosen = {name: dict.fromkeys(kinds, 0) for name in data}
    seen = np.full(len(y), -1)
    drops: dict[str, list[float]] = {axis: [] for axis in axes}
    rng = np.random.default_rng(seed)
    choosing = len(data) if len(kinds) > 1 else 0
    # Pixels take as long as everything else together, or longer.
    weight = 0 if pixels is None else 3 * len(answers)
    total, done = folds * (len(answers) + choosing + 1 + weight), 0
    for fold, (train, test) in enumerate(splits):
        where = f"fold {fold + 1} of {folds}"
        for (name, kind), predicted in answers.items():
            stage = f"{name}, {kind}, {where}"
            model = yield from part(
                kinds[kind](data[name][train], y[train], seed), done, 1, total, stage
            )
            with _one_thread():
                predicted[test] = model.predict(data[name][test])
            done += 1
            if (name, kind) != (first, measured):
                continue
            right = accuracy_of(y[test], predicted[test], len(classes)).balanced
            for axis, positions in axes.items():
                shuffled = data[name][test].copy()
                lost = []
                for _ in range(SHUFFLES):
                    shuffled[:, list(positions)] = shuffled[rng.permutation(len(test))][
                        :, list(positions)
                    ]
                    with _one_thread():
                        predicted_shuffled = model.predict(shuffled)
                    lost.append(
                        right - accuracy_of(y[test], predicted_shuffled, len(classes)).balanced
                    )
                drops[axis].append(float(np.mean(lost)))
                yield Progress(done, total, stage)
            done += 1
        for name in data:
            kind = measured
            if choosing:
                choice = _choice(kinds, data[name][train], y[train], group[train], seed)
                stage = f"{name}, which classifier, {where}: "
                kind = yield from part(choice, done, 1, total, stage)
                done += 1
            chosen[name][kind] += 1
            spoken[name][test] = answers[name, kind][test]
        if pixels is not None:
            job = pixels(known[train], known[test])
            seen[test] = yield from part(job, done, weight, total, f"pixels, {where}: ")
            done += weight
    if pixels is not None:
        answers["pixels", "network"] = spoken["pixels"] = seen
        chosen["pixels"] = {"network": folds}
    tested: dict[str, dict[str, Tested]] = {name: {} for name, _ in answers}
    for (name, kind), predicted in answers.items():
        tested[name][kind] = _tested(y, predicted, group, len(classes))
    best = {name: _tested(y, predicted, group, len(classes)) for name, predicted in spoken.items()}
    ahead = {
        name: _ahead(y, spoken[first], spoken[name], group, len(classes), folds)
        for name in spoken
        if name != first
    }
    importance = {axis: (float(np.mean(lost)), float(np.std(lost))) for axis, lost in drops.items()}
    present = tuple(classes[code] for code in usable)
    count = len(np.unique(group))
    if count < FEW_GROUPS:
        lines.append(
            f"what separates the classes was held out in {count} groups, which say little about "
            f"others"
        )
    return Separation(
        present, tested, best, chosen, ahead, importance, folds, count, len(y), tuple(lines)
    )


def _choice(
    kinds: Mapping[str, Learner], x: FloatArray, y: IntArray, group: IntArray, seed: int
) -> Job[str]:
    """The classifier that does best on cells held out among these; the first one where none can be.

    Stone (1974), Journal of the Royal Statistical Society B 36, 111: the choice is a part of what
    is validated.
    """
    whole = np.unique(group, return_inverse=True)[1]
    first = next(iter(kinds))
    if min(len(np.unique(whole[y == code])) for code in np.unique(y)) < 2:
        # A class in one group cannot be both learnt and held out.
        return first
    splits, _ = _splits(y, whole, INNER, seed)
    scores = {}
    total, done = len(kinds) * len(splits), 0
    for kind, learner in kinds.items():
        predicted = np.full(len(y), -1)
        for train, test in splits:
            model = yield from part(learner(x[train], y[train], seed), done, 1, total, kind)
            with _one_thread():
                predicted[test] = model.predict(x[test])
            done += 1
        scores[kind] = accuracy_of(y, predicted, int(y.max()) + 1).balanced
    return max(scores, key=lambda kind: scores[kind])


def _usable(
    labels: IntArray, groups: npt.NDArray[Any], classes: Sequence[str]
) -> tuple[list[int], list[str]]:
    """Classes with cells in two groups or more, and a line on each that has fewer."""
    usable, lines = [], []
    for code in np.unique(labels).tolist():
        if len(np.unique(groups[labels == code])) >= 2:
            usable.append(code)
        else:
            lines.append(f"class {classes[code]!r} has cells of one group only and is left out")
    if len(usable) < 2:
        raise DataError(
            "what separates the classes needs two classes with cells in two groups each"
        )
    return usable, lines


def _splits(
    labels: IntArray, group: IntArray, folds: int, seed: int
) -> tuple[list[tuple[IntArray, IntArray]], int]:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    fewest = min(len(np.unique(group[labels == code])) for code in np.unique(labels))
    folds = max(2, min(folds, fewest))
    count = len(np.unique(group))
    stratified = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    # With one group left out at a time, every class is always learnt from its other groups.
    for splitter in (stratified, *(GroupKFold(number) for number in range(folds, count + 1))):
        splits = list(splitter.split(np.zeros((len(labels), 1)), labels, group))
        if all(len(test) and set(labels) == set(labels[train]) for train, test in splits):
            break
    return splits, len(splits)


def _trees(x: FloatArray, y: IntArray, seed: int) -> Job[Any]:
    """Gradient-boosted trees; rare classes weigh as much as common ones, as in the score.

    On one thread: trees of so few cells gain nothing by more, and on a busy machine wait for each
    other a hundred times as long as they work.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    # With the usual 20 cells a leaf, trees of a few dozen cells would not divide at all.
    trees = HistGradientBoostingClassifier(
        max_depth=4,
        min_samples_leaf=min(20, max(2, len(y) // 20)),
        class_weight="balanced",
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )
    for rounds in range(ROUNDS, TREES + 1, ROUNDS):
        yield Progress(rounds - ROUNDS, TREES, "")
        with _one_thread():
            trees.set_params(max_iter=rounds).fit(x, y)
    return trees


def _network(x: FloatArray, y: IntArray, seed: int) -> Job[Any]:
    """A small neural network, which stops when held-out cells, or its loss, get no better."""
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    counts = np.unique(y, return_counts=True)[1]
    # A tenth of the cells tells when to stop, where that is enough to tell by. In small batches:
    # with one step an epoch the network would stop before it has learnt anything.
    enough = bool(len(y) >= max(400, 10 * len(counts)) and counts.min() >= 2)
    epochs = 300 if enough else max(10, 24_000 // max(400, len(y)))
    scaler = StandardScaler().fit(x)
    learnt, aside = np.arange(len(y)), np.arange(0)
    if enough:
        learnt, aside = train_test_split(learnt, test_size=0.1, stratify=y, random_state=seed)
    # A state, not a number: each pass over the cells goes on drawing where the last one stopped.
    network = MLPClassifier(
        (64, 64),
        alpha=1e-3,
        batch_size=min(32, len(learnt)),
        random_state=np.random.RandomState(seed),
    )
    scaled, best, since, weights = scaler.transform(x), -np.inf, 0, None
    for epoch in range(epochs):
        yield Progress(epoch, epochs, "")
        with _one_thread():
            network.partial_fit(scaled[learnt], y[learnt], classes=np.unique(y))
            score = network.score(scaled[aside], y[aside]) if enough else -network.loss_
        since = 0 if score > best + 1e-4 else since + 1
        if score > best:
            best = score
            weights = [layer.copy() for layer in (*network.coefs_, *network.intercepts_)]
        if since > PATIENCE:
            break
    if enough and weights is not None:
        layers = len(network.coefs_)
        network.coefs_, network.intercepts_ = weights[:layers], weights[layers:]
    return make_pipeline(scaler, network)


def _one_thread() -> Any:
    return _pools().limit(limits=1)


@cache
def _pools() -> Any:
    """The thread pools of scikit-learn, which is loaded by now; finding them takes a while."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _tested(labels: IntArray, answers: IntArray, group: IntArray, classes: int) -> Tested:
    """Balanced accuracy, and its interval over groups."""
    accuracy = accuracy_of(labels, answers, classes).balanced
    return Tested(accuracy, *accuracy_interval(labels, answers, group, classes))


def _ahead(
    labels: IntArray, first: IntArray, other: IntArray, group: IntArray, classes: int, folds: int
) -> Tested:
    """By how much the first answers are ahead of the other ones, and interval.

    The interval over groups holds which cells were held out, not which ones were learnt from, and
    those are mostly the same in all folds. Its variance is multiplied by 1 + K / (K - 1) for K
    folds, as Nadeau and Bengio (2003, Machine Learning 52, 239) do with that of K scores.
    """
    difference, low, high = difference_interval(labels, first, other, group, classes)
    wider = float(np.sqrt(1 + folds / (folds - 1)))
    return Tested(
        difference,
        max(-1.0, difference - wider * (difference - low)),
        min(1.0, difference + wider * (high - difference)),
    )
