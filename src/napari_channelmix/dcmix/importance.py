"""Channel importance: shares learnt by the mixing layer over repeats, and how far to trust them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.bounds import hold
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.duplicate_cells import refuse_copies
from napari_channelmix.classify.pixels import SelectedCrops
from napari_channelmix.classify.sampling import sampling_warnings
from napari_channelmix.classify.train import refuse_settings, tuned
from napari_channelmix.data.scaling import normalised_by_group_job
from napari_channelmix.dcmix.divisions import Division, Sides, divided, given
from napari_channelmix.dcmix.plain_classifiers import answered_job
from napari_channelmix.dcmix.repeats import Plan, RepeatResult, repeat_job
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
    from napari_channelmix.settings import TrainingSettings

__all__ = ["channel_importance", "channel_importance_job"]


@takes_settings(ImportanceSettings)
def channel_importance(
    train: Cells,
    test: Cells | None = None,
    *,
    settings: TrainingSettings | None = None,
    parts: Path | None = None,
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
    """
    return drain(channel_importance_job(train, test, settings=settings, parts=parts, **options))


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
    source = _Source()
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
    done: list[RepeatResult] = []
    classifiers: list[Classifier] = []
    for number, sides in enumerate(division.sides):
        prefix = f"repeat {number + 1} of {seeds}: "
        start, length = 5 + 93 * number / seeds, 93 / seeds
        crops, held_out = yield from part(
            source.crops_job(sides), start, 0.02 * length, 100, prefix
        )
        work = repeat_job(plan, crops, held_out, seed + number)
        result, classifier = yield from part(
            work, start + 0.02 * length, 0.98 * length, 100, prefix
        )
        done.append(result)
        classifiers.append(classifier)
        so_far = summarised(done, division, warnings, provenance(**facts)).with_classifiers(
            classifiers
        )
        end = start + length
        if len(done) == seeds:
            answers = answered_job(so_far, division, done, uncalibrated=_uncalibrated(plan))
            so_far = yield from part(answers, end, 100 - end, 100)
            end = 100
        yield Progress(end, 100, f"{prefix}done", partial=so_far)
    return so_far


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
    count = len(division.pixels)
    for number, pixels in enumerate(division.pixels):
        yield from part(pixels.load(), number, 1, count)
    for sides in dict.fromkeys(division.sides):
        refuse_copies(sides.train, sides.test)


@dataclass
class _Source:
    """Normalised crops of both sides of a repeat; made anew only where the sides are others."""

    sides: Sides | None = None
    crops: tuple[NormalisedCrops, NormalisedCrops] | None = None

    def crops_job(self, sides: Sides) -> Job[tuple[NormalisedCrops, NormalisedCrops]]:
        """Training and held-out crops, both by the statistics of the training cells."""
        if self.crops is None or sides is not self.sides:
            statistics = yield from part(sides.train.statistics_job(), 0, 2, 4)
            statistics.refuse_constant()
            yield from part(sides.train.sign(), 2, 1, 4)
            yield from part(sides.test.sign(), 3, 1, 4)
            self.sides = sides
            self.crops = tuple(  # type: ignore[assignment]
                SelectedCrops(side, statistics) for side in (sides.train, sides.test)
            )
        assert self.crops is not None
        return self.crops


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
