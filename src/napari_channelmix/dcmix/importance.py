"""Channel importance: shares learnt by the mixing layer over repeats, and how far to trust them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.bounds import hold
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.duplicate_cells import refuse_copies
from napari_channelmix.classify.sampling import sampling_warnings
from napari_channelmix.classify.train import refuse_settings, tuned
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.data.scaling import normalised_by_group_job
from napari_channelmix.dcmix.divisions import Division, divided, given
from napari_channelmix.dcmix.plain_classifiers import answered_job
from napari_channelmix.dcmix.repeats import Plan, RepeatResult, repeat_job
from napari_channelmix.dcmix.repeats_on_workers import RepeatTask, repeats_on_workers_job
from napari_channelmix.dcmix.side_crops import SideCrops, read_job
from napari_channelmix.dcmix.summary import summarised
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings import ImportanceSettings, merged, takes_settings

if TYPE_CHECKING:
    from torch import nn

    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.crops import NormalisedCrops
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix.result import ChannelImportance
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.settings import TrainingSettings

__all__ = ["channel_importance", "channel_importance_job"]


@takes_settings(ImportanceSettings)
def channel_importance(
    train: Cells,
    test: Cells | None = None,
    *,
    settings: TrainingSettings | None = None,
    parts: Path | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> ChannelImportance:
    """Find which channels a classifier of these cells needs.

    DCMIX (arXiv 2308.16637): all channels are blended into one image in front of the classifier,
    with non-negative weights that are learnt with it; a channel's share of the blend is its
    importance. Shares, uncertainty, decoys and gate are our definitions; see `ChannelImportance`.

    Parameters
    ----------
    train : Cells
        All cells, which are divided here; or, with ``test``, those to learn from.
    test : Cells, optional
        Cells to measure on, in every repeat. Without them the repeats hold out different groups,
        so that each is held out once; a split column of the data set is kept instead.
    settings : ImportanceSettings or TrainingSettings, optional
        All settings, or those of the training.
    parts : path, optional
        Folder where each finished repeat is kept, so that an interrupted run can go on.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``seeds=8``; see `ImportanceSettings`.

    Returns
    -------
    ChannelImportance

    Raises
    ------
    DataError
        One class, a class with one cell or in one group only, a constant channel, NaN or infinite
        pixels, training cells among those held out.
    ModelError
        A setting outside its bounds; one channel only: there is nothing to compare.

    Examples
    --------
    >>> quick = {"network": "tiny", "epochs": 1, "shapley": False, "decoys": False}
    >>> result = cm.channel_importance(train, test, seeds=2, **quick)
    >>> result.n_test, len(result.seeds), result.to_frame().columns[:2].tolist()
    (20, 2, ['share', 'share_sd'])
    """
    return drain(
        channel_importance_job(train, test, settings=settings, parts=parts, **options), progress
    )


def channel_importance_job(
    train: Cells,
    test: Cells | None = None,
    *,
    settings: TrainingSettings | None = None,
    parts: Path | None = None,
    **options: Any,
) -> Job[ChannelImportance]:
    """`channel_importance` as a job; ``partial`` of its progress is the importance so far.

    A repeat that is taken from an earlier run has ``kept`` among the metrics of its progress.

    Divide and read the cells; in each repeat train the channel-mixing network, the all-channel one
    and the one with decoys, and take the Shapley values of the second; put the repeats together.
    """
    chosen = merged(ImportanceSettings, settings, options)
    for cells in (train, *([] if test is None else [test])):
        refuse_no_cells(cells)
    seeds, seed = chosen.seeds, chosen.seed
    # That of the last training.
    hold(seed=seed + seeds - 1)
    if chosen.scaled_per:
        train = yield from part(normalised_by_group_job(train, per=chosen.scaled_per), 0, 0, 100)
        if test is not None:
            test = yield from part(normalised_by_group_job(test, per=chosen.scaled_per), 0, 0, 100)
    if len(train.channels) < 2:
        raise ModelError(
            f"{train.name} has one channel ({', '.join(train.channels)}): channel importance has "
            f"nothing to compare; give it two or more"
        )
    if test is None:
        split_seed = seed if chosen.split_seed is None else chosen.split_seed
        division = divided(
            train,
            seeds,
            held_out=chosen.held_out,
            one_split=chosen.one_split,
            split_seed=split_seed,
        )
    else:
        _refuse_others(train, test)
        division = given(train, test, seeds)
    plan = Plan(train.channels, train.classes, chosen, choose_device(chosen.device), parts)
    plan.spec(chosen.mixes).trial(train.crop)
    trial = _refuse_settings(plan, division, seed)
    yield from part(_read(division), 0, 3, 100)
    source = SideCrops()
    crops, _ = yield from part(source.crops_job(division.sides[0]), 3, 1, 100)
    yield from part(tuned(crops, trial, plan.device), 4, 1, 100)
    cells = division.sides[0].train.cells
    facts = {
        "settings": plan.facts(),
        "seeds": list(range(seed, seed + seeds)),
        "data": _signatures(division),
        "division": division.facts(),
    }
    warnings = (
        *cells.warnings,
        *division.warnings,
        *_alike(crops),
        *sampling_warnings(cells, cells, division.held_out_labels),
    )
    so_far = _SoFar(division, warnings, facts)
    if chosen.workers or chosen.scheduler:
        task = RepeatTask(plan, division, seed)
        yield from so_far.shown_job(part(repeats_on_workers_job(task, so_far.take), 5, 93, 100))
    else:
        yield from _repeats_here_job(plan, division, source, seed, so_far)
    answers = answered_job(
        so_far.importance(), division, so_far.done, uncalibrated=_uncalibrated(plan)
    )
    result = yield from part(answers, 98, 2, 100)
    yield Progress(100, 100, f"repeat {seeds} of {seeds}: done", partial=result)
    return result


class _SoFar:
    """Repeats that are done, in their order: those from the first on without a gap count."""

    def __init__(
        self, division: Division, warnings: tuple[str, ...], facts: dict[str, Any]
    ) -> None:
        self._division, self._warnings, self._facts = division, warnings, facts
        self._outcomes: dict[int, tuple[RepeatResult, Classifier]] = {}
        # Repeats of which a step has told.
        self._shown = 0

    def take(self, number: int, result: RepeatResult, classifier: Classifier) -> None:
        """Add a repeat."""
        self._outcomes[number] = result, classifier

    @property
    def _in_order(self) -> list[tuple[RepeatResult, Classifier]]:
        whole = next(number for number in count() if number not in self._outcomes)
        return [self._outcomes[number] for number in range(whole)]

    @property
    def done(self) -> list[RepeatResult]:
        """What each repeat gave."""
        return [result for result, _ in self._in_order]

    def importance(self) -> ChannelImportance:
        """What follows from them."""
        made = summarised(self.done, self._division, self._warnings, provenance(**self._facts))
        return made.with_classifiers([classifier for _, classifier in self._in_order])

    def news(self, end: float) -> Iterator[Progress]:
        """A step with what is known, where more is than before; not of all, which is the result."""
        repeats, known = len(self._division.sides), len(self.done)
        if self._shown < known < repeats:
            self._shown = known
            stage = f"repeat {known} of {repeats}: done"
            yield Progress(end, 100, stage, partial=self.importance())

    def shown_job(self, job: Job[None]) -> Job[None]:
        """A job that adds repeats, with what is known between its steps."""
        try:
            for step in job:
                yield step
                yield from self.news(step.done)
        finally:
            job.close()


def _repeats_here_job(
    plan: Plan, division: Division, source: SideCrops, seed: int, so_far: _SoFar
) -> Job[None]:
    """Compute the repeats one after the other in this process."""
    seeds = len(division.sides)
    for number, sides in enumerate(division.sides):
        prefix = f"repeat {number + 1} of {seeds}: "
        start, length = 5 + 93 * number / seeds, 93 / seeds
        crops, held_out = yield from part(
            source.crops_job(sides), start, 0.02 * length, 100, prefix
        )
        work = repeat_job(plan, crops, held_out, seed + number)
        outcome = yield from part(work, start + 0.02 * length, 0.98 * length, 100, prefix)
        so_far.take(number, *outcome)
        yield from so_far.news(start + length)


def _refuse_others(train: Cells, test: Cells) -> None:
    """Refuse held-out cells that are of another kind, or none."""
    for what in ("channels", "classes"):
        ours, theirs = getattr(train, what), getattr(test, what)
        if ours != theirs:
            raise DataError(
                f"training and held-out cells must have the same {what}, in the same order: "
                f"{', '.join(ours)} and {', '.join(theirs)}"
            )
    if not len(test.labelled()):
        raise DataError("there are no held-out cells to measure on")


def _refuse_settings(plan: Plan, division: Division, seed: int) -> nn.Module:
    """Refuse what can be known to be wrong before a pixel is read; give a network to try on."""
    for number, sides in enumerate(division.sides):
        trial = refuse_settings(sides.train.cells, plan.spec(), seed + number)
    return trial


def _read(division: Division) -> Job[None]:
    """Read every pixel once; refuse held-out cells that were trained on under another name."""
    yield from read_job(division)
    for sides in dict.fromkeys(division.sides):
        refuse_copies(sides.train, sides.test)


def _signatures(division: Division) -> dict[str, str]:
    if division.kind == "folds":
        return {"cells": division.pixels[0].cells.signature}
    sides = division.sides[0]
    return {"train": sides.train.cells.signature, "test": sides.test.cells.signature}


def _uncalibrated(plan: Plan) -> str:
    """Why the decoy test was not calibrated for this: see benchmarks/null_calibration.py."""
    if plan.settings.mixes > 1 or plan.settings.constraint != "softmax":
        return "the test was not calibrated for this number of blended channels"
    if plan.settings.network not in ("tiny", "small"):
        return f"the test was not calibrated for the network {plan.settings.network!r}"
    return ""


def _alike(crops: NormalisedCrops, limit: float = 0.8, pixels: int = 200_000) -> Iterator[str]:
    """Warn of channels whose pixels say the same: a mix cannot tell them apart."""
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(crops), size=min(256, len(crops)), replace=False))
    values = crops.take(chosen).permute(1, 0, 2, 3).flatten(1)
    together = np.corrcoef(values[:, :: max(1, values.shape[1] // pixels)].numpy())
    for (i, first), (j, other) in combinations(enumerate(crops.cells.channels), 2):
        if abs(together[i, j]) > limit:
            yield (
                f"{first} and {other} are alike (r = {together[i, j]:.2f}): how their weight is "
                f"divided between them means little"
            )
