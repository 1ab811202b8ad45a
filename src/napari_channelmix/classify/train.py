"""Train a classifier of cells, plain or with a mixing layer in front."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.bounds import hold
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.crops import (
    NormalisedCrops,
    balanced_order,
    epoch_length,
    random_flip_rotate,
)
from napari_channelmix.classify.device import choose_device, choose_threads
from napari_channelmix.classify.held_crops import HeldCrops
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.classify.mixing import MixedNetwork
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.starting_weights import start_from, weights_digest
from napari_channelmix.classify.training_cells import TrainingCells
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.classify.training_loop import TrainingSettings, fit
from napari_channelmix.data.borders import BACKGROUND
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.data.split import held_out, refuse_unlearnt
from napari_channelmix.data.statistics import statistics_job
from napari_channelmix.errors import TooFewGroupsError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.settings import ClassifierSettings, merged, takes_settings

if TYPE_CHECKING:
    from napari_channelmix.data import Cells, ChannelStatistics
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["ClassLearner", "inner_split", "train_classifier", "train_classifier_job", "train_on"]

# What is not known where a training starts from weights of a file.
STARTED = (
    "figures of held-out cells, and what is said of cells it was not trained on, hold only if "
    "those weights were not trained on them either"
)
# The mixing weights learn this many times faster than the network.
MIXING_RATE = 10.0
# Small sets pass several times in an epoch, else an epoch would be over before anything is learnt.
LEAST_STEPS = 16


class ClassLearner:
    """Cross entropy on crops, every class as often as the others, flipped and turned at random."""

    def __init__(
        self,
        network: nn.Module,
        train: NormalisedCrops,
        validation: NormalisedCrops,
        *,
        batch: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.module, self.train, self.validation = network, train, validation
        self._batch, self._seed, self._device = batch, seed, device
        self._classes = len(train.cells.classes)
        self._least = LEAST_STEPS * batch

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Mixing weights apart: faster, and without decay, which would pull them together."""
        if not isinstance(self.module, MixedNetwork):
            return [{"params": list(self.module.parameters())}]
        return [
            {"params": list(self.module.network.parameters())},
            {
                "params": list(self.module.mixing.parameters()),
                "rate": MIXING_RATE,
                "weight_decay": 0.0,
            },
        ]

    def steps(self) -> int:
        """Batches in an epoch."""
        return max(1, round(epoch_length(self.train.cells.labels, self._least) / self._batch))

    def _cut(self, order: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        """Equal batches: batch normalisation could not stand a last batch of one crop."""
        return np.array_split(order, self.steps())

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Crops (n, C, H, W) and labels (n,) of an epoch."""
        rng = np.random.default_rng([self._seed, epoch])
        for chosen in self._cut(balanced_order(self.train.cells.labels, rng, self._least)):
            crops = random_flip_rotate(self.train.take(chosen), rng)
            labels = self.train.labels[torch.from_numpy(chosen)]
            yield crops.to(self._device), labels.to(self._device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Mean cross entropy."""
        crops, labels = batch
        return functional.cross_entropy(self.module(crops), labels)

    def validate(self) -> Job[dict[str, float]]:
        """Balanced accuracy; among equal ones the lower loss is the better."""
        guesses, losses = [], []
        for indices, crops in self.validation.batches():
            with torch.inference_mode():
                scores = self.module(crops.to(self._device)).float().cpu()
            guesses.append(scores.argmax(dim=1).numpy())
            losses.append(
                functional.cross_entropy(scores, self.validation.labels[indices], reduction="none")
            )
            yield Progress(indices[-1] + 1, len(self.validation), "validating")
        accuracy = accuracy_of(
            self.validation.labels.numpy(), np.concatenate(guesses), self._classes
        )
        loss = float(torch.cat(losses).mean())
        return {
            "accuracy": accuracy.balanced,
            "validation_loss": loss,
            "score": accuracy.balanced - 1e-3 * min(loss, 10.0),
        }


def inner_split(
    cells: Cells, seed: int, share: float = 0.2
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Which training cells to validate on (N,), and warnings.

    Rows that the data set calls ``val`` are taken; else whole groups; and where the groups of a
    class are too few for that, single cells, which is said.
    """
    own = cells.table["split"].to_numpy(dtype=str) == "val"
    if own.any() and not own.all():
        refuse_unlearnt(cells, own, "val")
        return own, ()
    try:
        return held_out(cells, share=share, seed=seed), ()
    except TooFewGroupsError:
        alone = cells.table.assign(group=[str(i) for i in range(len(cells))])
        flags = held_out(replace(cells, table=alone), share=share, seed=seed)
    warning = "too few groups to validate on whole ones: early stopping used single cells instead"
    return flags, (warning,)


def train_on(
    crops: NormalisedCrops,
    spec: NetworkSpec,
    settings: TrainingSettings,
    *,
    seed: int,
    device: torch.device,
    checkpoint: Path | None = None,
    weights: str = "",
) -> Job[Classifier]:
    """Train on crops that are already loaded: the inner split, the network, the loop."""
    cells = crops.cells
    flags, warnings = inner_split(cells, seed)
    network = spec.build(seed)
    if weights:
        start_from(network, weights)
        warnings = (*warnings, f"it started from {Path(weights).name}: {STARTED}")
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = ClassLearner(
        network,
        crops.subset(np.flatnonzero(~flags)),
        crops.subset(np.flatnonzero(flags)),
        batch=settings.batch,
        seed=seed,
        device=device,
    )
    facts = {
        "settings": asdict(settings),
        "network": spec.as_dict(),
        "seed": seed,
        "data": crops.signature,
    }
    if weights:
        facts["weights"] = weights_digest(weights)
    key = json.dumps([facts, package_version("napari-channelmix")], sort_keys=True)
    record = yield from fit(
        learner, settings, device=device, seed=seed, checkpoint=checkpoint, key=key, fused=True
    )
    about = {
        **record.as_dict(),
        "n_train": int((~flags).sum()),
        "n_validation": int(flags.sum()),
        "border": BACKGROUND,
        "neighbours": cells.neighbours,
        **({"scaling": cells.scaling.as_dict()} if cells.scaling else {}),
        "warnings": list(warnings),
    }
    statistics = crops.statistics
    seen = statistics.profile
    # Statistics of other cells than these would describe nothing that was trained on.
    theirs = (len(cells), cells.channels)
    fits = seen is not None and (len(seen), statistics.channels) == theirs
    data = TrainingData.of(cells, seen) if seen is not None and fits else None
    digests = crops.digests
    marked = None if digests is None else TrainingCells.of(cells, digests)
    return Classifier(
        network,
        spec,
        cells.channels,
        cells.classes,
        statistics.mean,
        statistics.std,
        cells.crop,
        provenance(**facts),
        about,
        data,
        marked,
    )


def refuse_settings(cells: Cells, spec: NetworkSpec, seed: int) -> nn.Module:
    """Refuse what can be known to be wrong before a pixel is read; give a network to try on.

    Raises
    ------
    DataError
        One class, or a class with one cell.
    ModelError
        A negative seed, an unknown network, or one that cannot take crops of this size.
    """
    hold(seed=seed)
    inner_split(cells, seed)
    return spec.trial(cells.crop)


def shown_cells(cells: Cells, settings: ClassifierSettings) -> Cells:
    """The cells as a training shows them: each alone, where what is outside is hidden.

    Raises
    ------
    DataError
        Cells without outlines, where the outside is hidden.
    """
    return cells.without_surroundings(settings.margin) if settings.outside == "hide" else cells


def loaded(cells: Cells, statistics: ChannelStatistics | None = None) -> Job[NormalisedCrops]:
    """Read cells, with given statistics or their own; constant channels are refused."""
    held = HeldCrops(cells)
    if statistics is None:
        yield from part(held.load(), 0, 1, 2)
        # Channel by channel in memory, as from the cells: sums are then rounded alike.
        batches = map(np.ascontiguousarray, held.batches())
        measuring = statistics_job(batches, len(cells), cells.channels)
        statistics = yield from part(measuring, 1, 1, 2)
        statistics.refuse_constant()
    crops = NormalisedCrops(cells, statistics, held)
    yield from crops.load()
    return crops


def tuned(crops: NormalisedCrops, trial: nn.Module, device: torch.device) -> Job[None]:
    """On a CPU, choose the number of threads by timing a few small training steps."""
    if device.type == "cpu":
        sample = crops.take(np.arange(min(32, len(crops))))
        yield from choose_threads(lambda: trial(sample).sum().backward())


def train_classifier_job(
    cells: Cells,
    *,
    settings: TrainingSettings | None = None,
    checkpoint: Path | None = None,
    mix: bool | None = None,
    **options: Any,
) -> Job[Classifier]:
    """`train_classifier` as a job; ``metrics`` of its progress hold the live curves.

    Read the cells; choose the number of threads; train. The checkpoint is left in place, for the
    caller to remove once the classifier is safe.
    """
    resolved = _settings(settings, mix, options)
    place = choose_device(resolved.device)
    refuse_no_cells(cells)
    cells = shown_cells(cells.labelled(), resolved)
    spec = NetworkSpec(
        resolved.network,
        len(cells.channels),
        len(cells.classes),
        resolved.mixes,
        resolved.constraint,
    )
    trial = refuse_settings(cells, spec, resolved.seed)
    if resolved.weights:
        start_from(trial, resolved.weights)
    crops = yield from part(loaded(cells), 0, 4, 100)
    yield from part(tuned(crops, trial, place), 4, 1, 100)
    training = train_on(
        crops,
        spec,
        resolved.training,
        seed=resolved.seed,
        device=place,
        checkpoint=checkpoint,
        weights=resolved.weights,
    )
    return (yield from part(training, 5, 95, 100))


@takes_settings(ClassifierSettings, leave_out=("held_out",))
def train_classifier(
    cells: Cells,
    *,
    settings: TrainingSettings | None = None,
    checkpoint: Path | None = None,
    mix: bool | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Classifier:
    """Train a classifier of cells, on all cells that are given.

    Parameters
    ----------
    cells : Cells
        Training cells; those without a class are left out. A fifth of their groups is held back
        to stop early.
    settings : ClassifierSettings or TrainingSettings, optional
        All settings, or those of the training. Its ``held_out`` is for who divides the cells.
    checkpoint : path, optional
        File from which an interrupted training goes on; removed at the end.
    mix : bool, optional
        Put a mixing layer in front (DCMIX), with ``mixes`` blended images, 1 or more; False: none.
        By default there is one where ``mixes`` is 1 or more.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings; see `ClassifierSettings`.

    Returns
    -------
    Classifier

    Raises
    ------
    DataError
        One class, a class with one cell, a constant channel, NaN or infinite pixels.
    ModelError
        A setting outside its bounds, an unknown network or device, or a training that diverged.

    Examples
    --------
    >>> model = cm.train_classifier(train, network="tiny", epochs=1, seed=0)
    >>> cm.evaluate(model, test).n
    20
    """
    classifier = drain(
        train_classifier_job(cells, settings=settings, checkpoint=checkpoint, mix=mix, **options),
        progress,
    )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return classifier


def _settings(
    settings: TrainingSettings | None, mix: bool | None, options: dict[str, Any]
) -> ClassifierSettings:
    if "held_out" in options:
        raise TypeError(
            "train_classifier trains on all cells it is given: hold some out first, "
            "with train, test = cells.split()"
        )
    # None has always been the usual number.
    values = {
        name: value for name, value in options.items() if name != "epochs" or value is not None
    }
    if mix:
        hold(mixes=values.get("mixes"))
    result = merged(ClassifierSettings, settings, values)
    if mix is None:
        return result
    return replace(result, mixes=max(1, result.mixes) if mix else 0)
