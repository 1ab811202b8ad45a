"""What separates the classes: how well latents tell them apart, beside hand-crafted features.

Every set of columns gets the same classifiers, gradient-boosted trees and a small neural network,
on the same folds, which keep groups whole; what is reported was predicted for held-out cells. A
classifier of the pixels may be trained on the same folds, to stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part

__all__ = ["Separation", "Tested", "separation_job"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Columns = Mapping[str, Sequence[int]]
PixelTest = Callable[[Whole, Whole], Job[Whole]]

# Resamples of the groups for an interval, and shuffles of a column for its importance.
RESAMPLES = 500
SHUFFLES = 5
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
        95 % interval over resampled groups.
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
    ahead : dict of str to Tested
        By how much the first set's better classifier beats that of each other one, in balanced
        accuracy, with a 95 % interval over the same resampled groups.
    importance : dict of str to (float, float)
        For each latent axis, how much balanced accuracy the trees lose when it is shuffled among
        held-out cells: mean and standard deviation over the folds.
    folds : int
    groups : int
    warnings : tuple of str
    """

    classes: tuple[str, ...]
    tested: dict[str, dict[str, Tested]]
    ahead: dict[str, Tested]
    importance: dict[str, tuple[float, float]]
    folds: int
    groups: int
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> dict[str, Tested]:
        """The better classifier of each set of columns; keys as those of ``tested``."""
        return {name: kinds[_better(kinds)] for name, kinds in self.tested.items()}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "classes": list(self.classes),
            "tested": {name: {kind: vars(one) for kind, one in tested.items()}
                       for name, tested in self.tested.items()},
            "ahead": {name: vars(one) for name, one in self.ahead.items()},
            "importance": {name: list(pair) for name, pair in self.importance.items()},
            "folds": self.folds, "groups": self.groups, "warnings": list(self.warnings),
        }  # fmt: skip


def _better(kinds: Mapping[str, Tested]) -> str:
    """The classifier that did best."""
    return max(kinds, key=lambda kind: kinds[kind].accuracy)


def separation_job(
    columns: Mapping[str, Floats],
    labels: Whole,
    groups: npt.NDArray[Any],
    classes: Sequence[str],
    axes: Columns,
    *,
    folds: int = 5,
    seed: int = 0,
    pixels: PixelTest | None = None,
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
    first = next(iter(data))
    said = {(name, kind): np.full(len(y), -1) for name in data for kind in ("trees", "network")}
    seen = np.full(len(y), -1)
    drops: dict[str, list[float]] = {axis: [] for axis in axes}
    rng = np.random.default_rng(seed)
    # Pixels take as long as everything else together, or longer.
    weight = 0 if pixels is None else 3 * len(said)
    total, done = folds * (len(said) + 1 + weight), 0
    for fold, (train, test) in enumerate(splits):
        for (name, kind), answers in said.items():
            stage = f"{name}, {kind}, fold {fold + 1} of {folds}"
            learning = _fitted(kind, data[name][train], y[train], seed)
            model = yield from part(learning, done, 1, total, stage)
            with _one_thread():
                answers[test] = model.predict(data[name][test])
            done += 1
            if (name, kind) != (first, "trees"):
                continue
            right = accuracy_of(y[test], answers[test], len(classes)).balanced
            for axis, at in axes.items():
                shuffled = data[name][test].copy()
                lost = []
                for _ in range(SHUFFLES):
                    shuffled[:, list(at)] = shuffled[rng.permutation(len(test))][:, list(at)]
                    with _one_thread():
                        said_now = model.predict(shuffled)
                    lost.append(right - accuracy_of(y[test], said_now, len(classes)).balanced)
                drops[axis].append(float(np.mean(lost)))
                yield Progress(done, total, stage)
            done += 1
        if pixels is not None:
            job = pixels(known[train], known[test])
            stage = f"pixels, fold {fold + 1} of {folds}: "
            seen[test] = yield from part(job, done, weight, total, stage)
            done += weight
    if pixels is not None:
        said["pixels", "network"] = seen
    scores = {key: _scores(y, answers, group, seed) for key, answers in said.items()}
    tested: dict[str, dict[str, Tested]] = {name: {} for name, _ in said}
    for (name, kind), found in scores.items():
        tested[name][kind] = _with_interval(found)
    best = {name: scores[name, _better(kinds)] for name, kinds in tested.items()}
    ahead = {name: _with_interval(best[first] - best[name]) for name in tested if name != first}
    importance = {axis: (float(np.mean(lost)), float(np.std(lost))) for axis, lost in drops.items()}
    present = tuple(classes[code] for code in usable)
    count = len(np.unique(group))
    return Separation(present, tested, ahead, importance, folds, count, tuple(lines))


def _usable(
    labels: Whole, groups: npt.NDArray[Any], classes: Sequence[str]
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
    labels: Whole, group: Whole, folds: int, seed: int
) -> tuple[list[tuple[Whole, Whole]], int]:
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


def _fitted(kind: str, x: Floats, y: Whole, seed: int) -> Job[Any]:
    """A classifier that has learnt, a fraction of a second at a time."""
    # Trees of so few cells gain nothing by threads, and on a busy machine wait for each other a
    # hundred times as long as they work.
    return (_trees if kind == "trees" else _network)(x, y, seed)


def _trees(x: Floats, y: Whole, seed: int) -> Job[Any]:
    """Gradient-boosted trees; rare classes weigh as much as common ones, as in the score."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    # With the usual 20 cells a leaf, trees of a few dozen cells would not divide at all.
    trees = HistGradientBoostingClassifier(
        max_depth=4, min_samples_leaf=min(20, max(2, len(y) // 20)), class_weight="balanced",
        early_stopping=False, warm_start=True, random_state=seed,
    )  # fmt: skip
    for rounds in range(ROUNDS, TREES + 1, ROUNDS):
        yield Progress(rounds - ROUNDS, TREES, "")
        with _one_thread():
            trees.set_params(max_iter=rounds).fit(x, y)
    return trees


def _network(x: Floats, y: Whole, seed: int) -> Job[Any]:
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
    network = MLPClassifier((64, 64), alpha=1e-3, batch_size=min(32, len(learnt)),
                            random_state=np.random.RandomState(seed))  # fmt: skip
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


def _scores(labels: Whole, answers: Whole, group: Whole, seed: int) -> Floats:
    """Balanced accuracy, then that of each resample of the groups: the same ones for one seed."""
    codes = np.unique(labels)
    count = int(group.max()) + 1
    # Cells and right answers of each group and class.
    cells = np.zeros((count, len(codes)))
    right = np.zeros((count, len(codes)))
    column = np.searchsorted(codes, labels)
    np.add.at(cells, (group, column), 1)
    np.add.at(right, (group, column), labels == answers)
    rng = np.random.default_rng(seed)
    scores = [float((right.sum(axis=0) / cells.sum(axis=0)).mean())]
    for _ in range(RESAMPLES):
        weight = np.bincount(rng.integers(0, count, count), minlength=count)
        seen, hit = weight @ cells, weight @ right
        if (seen > 0).all():
            scores.append(float((hit / seen).mean()))
    return np.array(scores)


def _with_interval(scores: Floats) -> Tested:
    """A score, and its spread over resampled groups."""
    resampled = scores[1:] if len(scores) > 1 else scores
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Tested(float(scores[0]), float(low), float(high))
