"""Panel designer: the smallest set of channels about as good as all, by nested validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_features import CropNumbers, numbers_job
from napari_channelmix.classify.held_out_accuracy import HeldOutAnswers
from napari_channelmix.classify.linear_head import LinearHead
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.classify.train import train_classifier_job
from napari_channelmix.data import Cells
from napari_channelmix.data.split import cross_validation_folds
from napari_channelmix.errors import DataError, ModelError, TooFewGroupsError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.fields import as_dict, merged, settings_of, takes_settings
from napari_channelmix.settings.panel import PanelSettings
from napari_channelmix.settings.training import TrainingSettings
from napari_channelmix.whatif.panel_result import Panel, PanelRow
from napari_channelmix.wording import fraction, listed

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["panel", "panel_job"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
Set = tuple[int, ...]

# Up to here every set of channels may be the smallest; beyond, sets are grown channel by channel.
ALL_SETS = 6
# Cells beyond these teach a linear head nothing.
MOST_CELLS, BATCH = 6000, 256
LEAST_FOLDS = 3
# The fold on which networks are tried, and which does not choose their channels.
CHECKED = 0
# Decimals to which equally good accuracies are the same.
DIGITS = 9


@takes_settings(PanelSettings)
def panel(
    cells: Cells,
    *,
    settings: PanelSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Panel:
    """Find the smallest set of channels that is about as good as all of them.

    Linear heads on grey-value numbers (`classify.linear_head`) are learnt anew for each set, on
    whole groups in turn. The set that is named is sought with all groups; so its own accuracy is
    too good, and so is what each of its channels costs. Beside it stands the accuracy of nested
    validation: each fold is classified by a set that was sought without it. Then networks are
    trained with all channels and with a set, and tried on the first fold: with the set that the
    other folds chose, so that the groups of the check chose nothing. Our definition.

    Parameters
    ----------
    cells : Cells
        Those with a class are used.
    settings : PanelSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``retrain=False``.

    Returns
    -------
    Panel

    Raises
    ------
    DataError
        One class, a class in fewer than three groups, NaN in pixels.
    ModelError
        One channel only; a setting outside its bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_channelmix as cm
    >>> labels = np.arange(60) % 2
    >>> crops = np.random.default_rng(0).normal(size=(60, 3, 12, 12))
    >>> crops[:, 1] += 3.0 * labels[:, None, None]
    >>> wells = [f"well {number // 6}" for number in range(60)]
    >>> cells = cm.Cells.from_array(crops, ["a", "b", "c"], labels, ["low", "high"], wells)
    >>> cm.panel(cells, retrain=False).channels
    ('b',)
    """
    return drain(panel_job(cells, settings=settings, **options), progress)


def panel_job(
    cells: Cells,
    *,
    settings: PanelSettings | None = None,
    **options: Any,
) -> Job[Panel]:
    """`panel` as a job: measure the cells, learn heads for sets of channels, train networks."""
    chosen = merged(PanelSettings, settings, options)
    if not isinstance(cells, Cells):
        raise ModelError(
            f"a panel is learnt anew from the cells and asks no classifier; give it the cells, not "
            f"{type(cells).__name__}"
        )
    known = cells.labelled()
    if len(known.channels) < 2:
        raise ModelError(
            f"{known.name} has one channel ({', '.join(known.channels)}): there is no smaller set"
        )
    if not len(known):
        raise DataError(f"{known.name}: no cell has a class; a panel needs classes to tell apart")
    folds = _folds(known, chosen)
    rows = drawn_equally(known.labels, MOST_CELLS, np.random.default_rng(chosen.seed))
    numbers = yield from part(numbers_job(_batches(known, rows), len(rows)), 0, 20, 100)
    search = _Search(numbers, known.subset(rows), folds[rows], chosen.margin)
    share = 40 if chosen.retrain else 80
    yield from part(search.run_job(), 20, share, 100)
    retrained: dict[str, Any] = {}
    checked = search.sets[CHECKED]
    if chosen.retrain and len(checked) < len(known.channels):
        job = _retrained_job(known, folds, checked, chosen)
        retrained = yield from part(job, 20 + share, 80 - share, 100)
    about = provenance(data=known.signature, settings=as_dict(chosen))
    return search.result(retrained, about)


def _folds(cells: Cells, settings: PanelSettings) -> IntArray:
    """In which fold each cell (N,) is held out."""
    flags = cross_validation_folds(cells, settings.folds, settings.seed)
    if len(flags) < LEAST_FOLDS:
        raise TooFewGroupsError(
            f"{cells.name}: a class is in {len(flags)} groups only; nested validation needs each "
            f"class in {LEAST_FOLDS} groups or more"
        )
    return np.asarray(np.stack(flags).argmax(axis=0), np.int64)


def _batches(cells: Cells, rows: IntArray) -> Iterator[FloatArray]:
    for start in range(0, len(rows), BATCH):
        yield cells.read(rows[start : start + BATCH])


class _Search:
    """Heads for sets of channels, each learnt without two folds, and the sets that follow.

    A head that has not seen folds f and g is one of the inner validation of both: so pairs of
    folds are as many as are needed.
    """

    def __init__(self, numbers: CropNumbers, cells: Cells, folds: IntArray, margin: float) -> None:
        self._cells, self._labels, self._fold, self._margin = cells, cells.labels, folds, margin
        self._numbers = numbers
        self._count = len(cells.channels)
        self._whole: Set = tuple(range(self._count))
        self._folds = np.unique(folds).tolist()
        self._answers = HeldOutAnswers(
            self._labels, cells.groups, np.ones(len(folds), bool), tuple(cells.classes)
        )
        self._heads: dict[tuple[int, int], LinearHead] = {}
        # Calls of all cells without their fold, and, for each outer fold, of those of the others.
        self._plain: dict[Set, IntArray] = {}
        self._inner: dict[Set, dict[int, IntArray]] = {}
        #: The set of all folds, and those of the folds that are sought without each.
        self.set: Set = ()
        self.sets: dict[int, Set] = {}
        self._nested: IntArray = np.full(len(folds), -1)

    def run_job(self) -> Job[None]:
        """Find the set of all cells, the sets of the folds, and what each omission costs."""
        yield Progress(0, 100, "all channels")
        self._head = LinearHead(self._numbers, self._labels, self._fold)
        for pair in combinations(self._folds, 2):
            held = np.isin(self._fold, pair)
            self._heads[pair] = LinearHead(self._numbers, self._labels, np.where(held, 0, -1))
            yield Progress(5, 100, "all channels")
        for step in self._needed([self._whole]):
            yield step
        current: dict[int, Set] = dict.fromkeys((-1, *self._folds), ())
        done: dict[int, Set] = {}
        for size in range(1, self._count):
            open_ones = [which for which in current if which not in done]
            wanted = {which: self._tried(size, current[which]) for which in open_ones}
            for step in self._needed(sorted({each for of in wanted.values() for each in of})):
                yield step
            for which, sets in wanted.items():
                best = max(sets, key=lambda each: self._accuracy(each, which))
                current[which] = best
                if self._accuracy(best, which) >= (
                    self._accuracy(self._whole, which) - self._margin
                ):
                    done[which] = best
            if len(done) == len(current):
                break
        self.set = done.get(-1, self._whole)
        self.sets = {fold: done.get(fold, self._whole) for fold in self._folds}
        rests = [_without(self.set, c) for c in self.set if len(self.set) > 1]
        rests += [_without(self._whole, c) for c in self._whole if c not in self.set]
        rests += [(c,) for c in self._whole]
        for subset in [*self.sets.values(), self.set, *rests]:
            self._predict(subset)
            yield Progress(95, 100, "what each omission costs")
        for fold, subset in self.sets.items():
            here = self._fold == fold
            self._nested[here] = self._plain[subset][here]

    def _tried(self, size: int, before: Set) -> list[Set]:
        if self._count <= ALL_SETS:
            return list(combinations(self._whole, size))
        return [tuple(sorted((*before, c))) for c in self._whole if c not in before]

    def _needed(self, sets: Iterable[Set]) -> Iterator[Progress]:
        """Learn the heads of these sets."""
        for subset in sets:
            if subset in self._inner:
                continue
            self._predict(subset)
            calls = {fold: np.full(len(self._fold), -1) for fold in self._folds}
            for (first, second), head in self._heads.items():
                called = head.predict(subset)
                calls[first][self._fold == second] = called[self._fold == second]
                calls[second][self._fold == first] = called[self._fold == first]
            self._inner[subset] = calls
            known = len(self._inner)
            yield Progress(min(10 + known, 90), 100, f"sets of {len(subset)} channels")

    def _predict(self, subset: Set) -> None:
        if subset not in self._plain:
            self._plain[subset] = self._head.predict(subset)

    def _accuracy(self, subset: Set, which: int) -> float:
        """Balanced accuracy of a set in the search without a fold, or (-1) with all."""
        if which < 0:
            return round(self._answers.balanced(self._plain[subset]), DIGITS)
        others = self._fold != which
        called, labels = self._inner[subset][which][others], self._labels[others]
        of_classes = [(called[labels == code] == code).mean() for code in np.unique(labels)]
        return round(float(np.mean(of_classes)), DIGITS)

    def result(self, retrained: dict[str, Any], about: dict[str, Any]) -> Panel:
        """All of it, and in words."""
        names, whole = self._cells.channels, self._plain[self._whole]
        rows = []
        for channel in self._whole:
            inside = channel in self.set
            base = self._plain[self.set] if inside else whole
            rest = _without(self.set if inside else self._whole, channel)
            # Without its only channel a set is a guess: the first class for all.
            called = self._plain[rest] if rest else np.zeros_like(whole)
            cost = self._answers.ahead(base, called)
            rows.append(
                PanelRow(
                    names[channel],
                    inside,
                    float(np.mean([channel in subset for subset in self.sets.values()])),
                    self._answers.balanced(self._plain[channel,]),
                    self._answers.balanced(called),
                    cost.difference,
                    cost.low,
                    cost.high,
                )
            )
        accuracy = self._answers.accuracy(whole)
        nested = self._answers.accuracy(self._nested)
        behind = self._answers.ahead(whole, self._nested)
        chosen = tuple(names[channel] for channel in self.set)
        warnings = [accuracy.warning] if accuracy.warning else []
        if len(set(self.sets.values())) > 1:
            other = sum(subset != self.set for subset in self.sets.values())
            warnings.append(
                f"{other} of {len(self.sets)} folds chose another set: which of the channels are "
                "needed is not certain"
            )
        if accuracy.low <= accuracy.chance:
            warnings.append(
                "all channels together are not known to be above chance: no set can be read"
            )
        return Panel(
            chosen,
            tuple(names),
            tuple(rows),
            _figures(accuracy),
            _figures(nested),
            {"difference": behind.difference, "low": behind.low, "high": behind.high},
            retrained,
            self._margin,
            _lines(chosen, len(names), accuracy, nested, rows, retrained),
            tuple(warnings),
            about,
        )


def _without(subset: Set, channel: int) -> Set:
    return tuple(other for other in subset if other != channel)


def _figures(estimate: AccuracyEstimate) -> dict[str, Any]:
    names = ("balanced", "low", "high", "n_cells", "n_groups")
    return {name: getattr(estimate, name) for name in names}


def _lines(
    chosen: tuple[str, ...],
    count: int,
    accuracy: AccuracyEstimate,
    nested: AccuracyEstimate,
    rows: list[PanelRow],
    retrained: dict[str, Any],
) -> tuple[str, ...]:
    if len(chosen) == count:
        first = f"no smaller set of channels is as good as all {count}"
    else:
        first = f"{listed(chosen)} of {count} channels are about as good as all"
    lines = [
        f"{first}: sets sought like this reach {fraction(nested.balanced)} "
        f"({fraction(nested.low)} to {fraction(nested.high)}) on held-out groups, all channels "
        f"{fraction(accuracy.balanced)} (linear classifiers; {accuracy.measured_on()})"
    ]
    costs = sorted((row for row in rows if row.chosen), key=lambda row: -row.cost)
    lines.append(
        "left out of the set, these cost (on the cells that chose it): "
        + ", ".join(
            f"{row.channel} {fraction(row.cost)} ({fraction(row.low)} to {fraction(row.high)})"
            for row in costs
        )
    )
    if retrained:
        lines.append(
            f"networks trained anew: all channels {fraction(retrained['whole']['balanced'])}, "
            f"{listed(retrained['channels'])} {fraction(retrained['panel']['balanced'])} on "
            f"{retrained['whole']['n_cells']:,} cells of groups that did not choose these (all "
            "ahead by "
            f"{fraction(retrained['behind']['difference'])}, "
            f"{fraction(retrained['behind']['low'])} to {fraction(retrained['behind']['high'])})"
        )
    return tuple(lines)


def _retrained_job(
    cells: Cells, folds: IntArray, chosen: Set, settings: PanelSettings
) -> Job[dict[str, Any]]:
    """Networks with all channels and with a set, measured on the fold that did not choose it."""
    held = folds == CHECKED
    test, train = cells.subset(np.flatnonzero(held)), cells.subset(np.flatnonzero(~held))
    answers = HeldOutAnswers(
        test.labels, test.groups, np.ones(len(test), bool), tuple(cells.classes)
    )
    called, few = [], tuple(cells.channels[c] for c in chosen)
    training = settings_of(TrainingSettings, settings)
    for number, names in enumerate((cells.channels, few)):
        job = train_classifier_job(
            train.with_channels(names),
            settings=training,
            network=settings.network,
            seed=settings.seed,
            device=settings.device,
        )
        model = yield from part(job, number, 0.9, 2, f"network with {len(names)} channels: ")
        of_test = test.with_channels(names)
        probabilities = yield from part(
            model.predict_job(of_test, prior="balanced"), number + 0.9, 0.1, 2
        )
        called.append(np.asarray(probabilities.argmax(axis=1), np.int64))
    behind = asdict(answers.ahead(called[0], called[1]))
    return {
        "channels": list(few),
        "whole": _figures(answers.accuracy(called[0])),
        "panel": _figures(answers.accuracy(called[1])),
        "behind": {name: behind[name] for name in ("difference", "low", "high")},
    }
