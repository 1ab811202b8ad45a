"""Channel importance: shares learnt by the mixing layer over seeds, and how far to trust them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.bounds import hold
from napari_channelmix.classify.bundle import load_bundle
from napari_channelmix.classify.crops import NormalisedCrops
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.metrics import Accuracy, accuracy_of
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.train import loaded, refuse_settings, train_on, tuned
from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.dcmix.result import ChannelImportance, summarised
from napari_channelmix.dcmix.shapley import shapley_job
from napari_channelmix.dcmix.stored import SeedPart
from napari_channelmix.errors import ChannelMixError, DataError, ModelError
from napari_channelmix.files import write_json
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.readers import read_json

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.mixing import ChannelMix, Constraint
    from napari_channelmix.data import Cells

__all__ = ["SeedResult", "WithDecoys", "channel_importance", "channel_importance_job", "shares_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeedResult:
    """What one seed found; plain numbers, so that it can be kept as JSON.

    Attributes
    ----------
    seed : int
    share : list of float
        (C,) share of each channel, sums to 1.
    decoy_share, decoys : list of float or None
        From a second mix that also holds a decoy for each channel: the shares of the channels and
        of the decoys, on one scale on which the channels sum to 1.
    mixed, plain : dict
        `Accuracy` of the mixed and the plain network on held-out cells.
    shapley, shapley_per_class
        (C,) and (K, C), of the plain network, or None.
    warnings : list of str
    """

    seed: int
    share: list[float]
    mixed: dict[str, Any]
    plain: dict[str, Any]
    decoy_share: list[float] | None = None
    decoys: list[float] | None = None
    shapley: list[float] | None = None
    shapley_per_class: list[list[float | None]] | None = None
    warnings: list[str] = field(default_factory=list)


def shares_of(mixing: ChannelMix) -> Floats:
    """Shares (C,) of a mix: ``alpha_c sd(xn_c) / sum_k alpha_k sd(xn_k)``, averaged over mixes.

    Only ratios of alphas count, since their sum trades against the first convolution; and they
    compare only channels that were normalised alike. Here they were, by the training cells, so
    ``sd(xn_c)`` is 1. Our definition.
    """
    alpha = mixing.alpha.detach().cpu().numpy().astype(np.float64)
    shares: Floats = (alpha / alpha.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


class WithDecoys(NormalisedCrops):
    """The same crops with a decoy behind each channel: that channel of another cell.

    A decoy looks like its channel and has no link to the label, so its weight shows what a channel
    gets that carries nothing.
    """

    def __init__(
        self, crops: NormalisedCrops, donors: npt.NDArray[np.int64], own: npt.NDArray[np.int64]
    ) -> None:
        names = [*crops.cells.channels, *(f"decoy of {name}" for name in crops.cells.channels)]
        table = crops.cells.table.iloc[own].reset_index(drop=True)
        cells = replace(
            crops.cells, channels=tuple(names), planes=crops.cells.planes * 2, table=table
        )
        super().__init__(cells, crops.statistics)
        self._crops, self._donors, self._own = crops, donors, own

    @property
    def signature(self) -> str:
        """That of the crops: the decoys follow from them and the seed."""
        return f"{self._crops.signature} with decoys"

    @classmethod
    def behind(cls, crops: NormalisedCrops, seed: int) -> WithDecoys:
        """Decoys for all crops; the donors are a random permutation of the cells."""
        donors = np.random.default_rng([seed, 1]).permutation(len(crops))
        return cls(crops, donors, np.arange(len(crops)))

    def take(self, indices: npt.NDArray[np.int64]) -> Tensor:
        """Crops (n, 2 C, H, W): the channels, then their decoys."""
        own = self._crops.take(self._own[indices])
        decoys = self._crops.take(self._donors[indices])
        return torch.cat([own, decoys], dim=1).contiguous(memory_format=torch.channels_last)

    def subset(self, indices: npt.NDArray[np.int64]) -> WithDecoys:
        """Some of the crops with their decoys."""
        return WithDecoys(self._crops, self._donors[indices], self._own[indices])


def channel_importance(
    train: Cells,
    test: Cells,
    *,
    seeds: int = 4,
    shapley: bool = True,
    decoys: bool = True,
    mixes: int = 1,
    constraint: Constraint = "softmax",
    network: str = "small",
    settings: TrainingSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    parts: Path | None = None,
) -> ChannelImportance:
    """Find which channels a classifier of these cells needs.

    DCMIX (arXiv 2308.16637): all channels are blended into one image in front of the classifier,
    with non-negative weights that are learnt with it; a channel's share of the blend is its
    importance. Shares, uncertainty, decoys and gate are our definitions; see `ChannelImportance`.

    Parameters
    ----------
    train, test : Cells
        Cells to learn from and cells to measure on; from `Cells.split`.
    seeds : int
        Number of trainings; their spread is the error bar. 4 or more, or a warning is given.
    shapley : bool
        Also the exact Shapley values of the plain network's channels, as a second answer.
    decoys : bool
        Also a mix with decoy channels, which shows the share of a channel that carries nothing.
    mixes : int
        Number of blended images; more may close the gap to the plain network.
    constraint, network, settings, device
        As in `train_classifier`.
    seed : int
        First of the seeds.
    parts : path, optional
        Folder where each finished seed is kept, so that an interrupted run can go on.

    Returns
    -------
    ChannelImportance

    Raises
    ------
    DataError
        One class, a class with one cell, a constant channel, NaN or infinite pixels.
    ModelError
        One channel only: there is nothing to weigh.
    """
    return drain(
        channel_importance_job(
            train, test, seeds=seeds, shapley=shapley, decoys=decoys, mixes=mixes,
            constraint=constraint, network=network, settings=settings, seed=seed, device=device,
            parts=parts,
        )
    )  # fmt: skip


def channel_importance_job(
    train: Cells,
    test: Cells,
    *,
    seeds: int = 4,
    shapley: bool = True,
    decoys: bool = True,
    mixes: int = 1,
    constraint: Constraint = "softmax",
    network: str = "small",
    settings: TrainingSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    parts: Path | None = None,
) -> Job[ChannelImportance]:
    """`channel_importance` as a job; ``partial`` of its progress is the importance so far.

    A seed that is taken from an earlier run has ``kept`` among the metrics of its progress.

    Read the cells; for each seed train the mixed network, the plain one and the one with decoys,
    and take the Shapley values of the plain one; put the seeds together.
    """
    run = _Run(train.labelled(), test.labelled(), shapley, decoys, mixes, constraint, network,
               settings or TrainingSettings(), choose_device(device), parts)  # fmt: skip
    trial = run.refuse(seeds, seed)
    crops = yield from part(loaded(run.train), 0, 3, 100)
    held = yield from part(loaded(run.test, crops.statistics), 3, 1, 100)
    yield from part(tuned(crops, trial, run.device), 4, 1, 100)
    facts = run.facts(range(seed, seed + seeds))
    warnings = (*run.train.warnings, *_alike(crops), *_few(run.test))
    done: list[SeedResult] = []
    classifiers: list[Classifier] = []
    for at in range(seeds):
        prefix = f"seed {at + 1} of {seeds}: "
        one = part(_seed_job(run, crops, held, seed + at), 5 + 95 * at / seeds, 95 / seeds, 100,
                   prefix)  # fmt: skip
        result, classifier = yield from one
        done.append(result)
        classifiers.append(classifier)
        so_far = summarised(
            [asdict(one) for one in done], run.train, run.test, warnings, provenance(**facts),
            calibrated=run.calibrated,
        ).with_classifiers(classifiers)  # fmt: skip
        yield Progress(5 + 95 * (at + 1) / seeds, 100, f"{prefix}done", partial=so_far)
    return so_far


@dataclass(frozen=True)
class _Run:
    """What all seeds share."""

    train: Cells
    test: Cells
    shapley: bool
    decoys: bool
    mixes: int
    constraint: Constraint
    network: str
    settings: TrainingSettings
    device: torch.device
    parts: Path | None

    def refuse(self, seeds: int, seed: int) -> nn.Module:
        """Refuse what can be known to be wrong before a pixel is read; give a network to try on."""
        hold(seeds=seeds, mixes=self.mixes, seed=seed)
        # That of the last training.
        hold(seed=seed + seeds - 1)
        if len(self.train.channels) < 2:
            raise ModelError(
                f"{self.train.name} has one channel ({', '.join(self.train.channels)}): channel "
                "importance has nothing to weigh; give it two or more"
            )
        for what in ("channels", "classes"):
            ours, theirs = getattr(self.train, what), getattr(self.test, what)
            if ours != theirs:
                raise DataError(
                    f"training and held-out cells must have the same {what}, in the same order: "
                    f"{', '.join(ours)} and {', '.join(theirs)}"
                )
        if not len(self.test):
            raise DataError("there are no held-out cells to measure on")
        self.spec(self.mixes).trial(self.train.crop)
        return refuse_settings(self.train, self.spec(), seed)

    @property
    def calibrated(self) -> bool:
        """Whether the decoy test was calibrated for this: see benchmarks/null_calibration.py."""
        alone = len(set(self.train.groups)) == len(self.train)
        usual = self.mixes == 1 and self.constraint == "softmax"
        return alone and usual and self.network in ("tiny", "small")

    def spec(self, mixes: int = 0, factor: int = 1) -> NetworkSpec:
        return NetworkSpec(self.network, factor * len(self.train.channels),
                           len(self.train.classes), mixes, self.constraint)  # fmt: skip

    def facts(self, seeds: range) -> dict[str, Any]:
        """What the result depends on, for provenance and for the key of a part."""
        return {
            "settings": {**asdict(self.settings), "network": self.network, "mixes": self.mixes,
                         "constraint": self.constraint, "shapley": self.shapley,
                         "decoys": self.decoys, "device": self.device.type},
            "seeds": list(seeds),
            "data": {"train": self.train.signature, "test": self.test.signature},
        }  # fmt: skip

    def key(self, seed: int) -> str:
        facts = [self.facts(range(seed, seed + 1)), package_version("napari-channelmix")]
        text = json.dumps(facts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _seed_job(
    run: _Run, crops: NormalisedCrops, held: NormalisedCrops, seed: int
) -> Job[tuple[SeedResult, Classifier]]:
    """One seed, trained or taken from where an earlier run kept it."""
    kept = _kept(run, seed)
    if kept is not None:
        yield Progress(1, 1, "kept from an earlier run", {"kept": 1.0})
        return kept

    def train(some: NormalisedCrops, spec: NetworkSpec) -> Job[Classifier]:
        return train_on(some, spec, run.settings, seed=seed, device=run.device)

    # Where the work of each step ends: mixed network, plain network, mix with decoys.
    ends = [0.4, 0.75 if run.decoys else 0.95, 0.95] if run.shapley else [0.5, 0.75, 1.0]
    mixed = yield from part(train(crops, run.spec(run.mixes)), 0, ends[0], 1, "mixed network, ")
    plain = yield from part(
        train(crops, run.spec()), ends[0], ends[1] - ends[0], 1, "plain network, "
    )
    assert mixed.mixing is not None
    of_mixed = yield from part(_accuracy(mixed, held), ends[1], 0, 1)
    of_plain = yield from part(_accuracy(plain, held), ends[1], 0, 1)
    result = SeedResult(
        seed,
        shares_of(mixed.mixing).tolist(),
        of_mixed.as_dict(),
        of_plain.as_dict(),
        warnings=list(mixed.record["warnings"]),
    )
    if run.decoys:
        doubled = WithDecoys.behind(crops, seed)
        job = train(doubled, run.spec(run.mixes, factor=2))
        tricked = yield from part(job, ends[1], ends[2] - ends[1], 1, "mix with decoys, ")
        assert tricked.mixing is not None
        both = shares_of(tricked.mixing)
        channels = len(run.train.channels)
        real = both[:channels].sum()
        result = replace(result, decoy_share=(both[:channels] / real).tolist(),
                         decoys=(both[channels:] / real).tolist())  # fmt: skip
    if run.shapley:
        job_of_values = shapley_job(plain.network, held, seed=seed, device=run.device)
        values = yield from part(job_of_values, 0.95, 0.05, 1)
        per_class = [[None if np.isnan(v) else float(v) for v in row] for row in values.per_class]
        result = replace(result, shapley=values.overall.tolist(), shapley_per_class=per_class)
    if run.parts is not None:
        mixed.save(run.parts / f"{run.key(seed)}.cmx")
        write_json(run.parts / f"{run.key(seed)}.json", asdict(result))
    return result, mixed


def _kept(run: _Run, seed: int) -> tuple[SeedResult, Classifier] | None:
    """A seed that an earlier run finished, or None; a damaged part counts as missing."""
    if run.parts is None:
        return None
    stem = run.parts / run.key(seed)
    try:
        part_ = read_json(stem.with_suffix(".json"), SeedPart)
        part_.refuse_others(
            seed=seed, channels=len(run.train.channels), classes=len(run.train.classes),
            shapley=run.shapley, decoys=run.decoys,
        )  # fmt: skip
        classifier = load_bundle(stem.with_suffix(".cmx"))
    except (ValueError, ChannelMixError):
        return None
    spec = (classifier.spec, classifier.channels, classifier.classes)
    if spec != (run.spec(run.mixes), run.train.channels, run.train.classes):
        return None
    return SeedResult(**part_.model_dump()), classifier.to(run.device)


def _accuracy(classifier: Classifier, held: NormalisedCrops) -> Job[Accuracy]:
    guesses = []
    for at, crops in held.batches():
        with torch.inference_mode():
            guesses.append(classifier.network(crops.to(classifier.device)).argmax(1).cpu().numpy())
        yield Progress(at[-1] + 1, len(held), "measuring on held-out cells")
    return accuracy_of(held.cells.labels, np.concatenate(guesses), len(held.cells.classes))


def _alike(crops: NormalisedCrops, limit: float = 0.8, pixels: int = 200_000) -> Iterator[str]:
    """Warn of channels whose pixels say the same: a mix cannot tell them apart."""
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(crops), size=min(256, len(crops)), replace=False))
    values = crops.take(chosen).permute(1, 0, 2, 3).flatten(1)
    together = np.corrcoef(values[:, :: max(1, values.shape[1] // pixels)].numpy())
    for (i, one), (j, other) in combinations(enumerate(crops.cells.channels), 2):
        if abs(together[i, j]) > limit:
            yield (
                f"{one} and {other} are alike (r = {together[i, j]:.2f}): how the mix divides "
                "their weight between them means little"
            )


def _few(test: Cells, enough: int = 10) -> Iterator[str]:
    for name, count in test.class_counts.items():
        if count < enough:
            yield f"class {name} has only {count} held-out cells: its figures are rough"
