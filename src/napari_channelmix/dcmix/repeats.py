"""One repeat of channel importance: three trainings and the Shapley values, or what was kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.atomic_write import write_json
from napari_channelmix.classify.bundle import load_bundle
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.train import train_on
from napari_channelmix.dcmix.negative_control import WithDecoys
from napari_channelmix.dcmix.shapley import shapley_job
from napari_channelmix.dcmix.stored import RepeatPart
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.provenance import package_version
from napari_channelmix.settings import OF_THE_CLUSTER, ImportanceSettings, as_dict
from napari_channelmix.stored_files import read_json

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.crops import NormalisedCrops
    from napari_channelmix.classify.mixing import ChannelMix

__all__ = [
    "Plan",
    "RepeatResult",
    "computed_repeat_job",
    "keep_repeat",
    "kept_repeat",
    "repeat_job",
    "shares_of",
]

FloatArray = npt.NDArray[np.float64]


# They say which repeats there are, on which cells and where, not what is done in one.
_OF_THE_RUN = (
    *("seeds", "seed", "held_out", "split_seed", "one_split", "scaled_per", "device"),
    *OF_THE_CLUSTER,
)


@dataclass(frozen=True)
class Plan:
    """What is done in every repeat; see `channel_importance`."""

    channels: tuple[str, ...]
    classes: tuple[str, ...]
    settings: ImportanceSettings
    device: torch.device
    parts: Path | None

    def spec(self, mixes: int = 0, factor: int = 1) -> NetworkSpec:
        """The network for ``factor`` times the channels; plain without mixes."""
        return NetworkSpec(
            self.settings.network,
            factor * len(self.channels),
            len(self.classes),
            mixes,
            self.settings.constraint,
        )

    def facts(self) -> dict[str, Any]:
        """What the result depends on beside seeds and cells, for provenance and key of a part."""
        own = as_dict(self.settings)
        return {
            **{name: value for name, value in own.items() if name not in _OF_THE_RUN},
            "device": self.device.type,
        }

    def key(self, seed: int, train: str, test: str) -> str:
        """Name of the part of a repeat; ``train`` and ``test`` are signatures of its cells."""
        facts = [
            {"settings": self.facts(), "seed": seed, "data": [train, test]},
            package_version("napari-channelmix"),
        ]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


# Raised whenever the same settings, seed and cells give a repeat with other numbers. It is no part
# of the key: a folder that an earlier version finished is used as it is, and a result of several
# methods says so.
METHOD = 3


@dataclass(frozen=True)
class RepeatResult:
    """What one repeat gave; plain numbers, so that it can be kept as JSON.

    Attributes
    ----------
    seed : int
    share : list of float
        (C,) share of each channel in the mix without decoys, sums to 1.
    decoy_share, decoys : list of float or None
        From a second mix that also holds a decoy for each channel: the shares of the channels and
        of the decoys, on one scale on which the channels sum to 1.
    mixed, plain : dict
        `Accuracy` of the channel-mixing and the all-channel network on held-out cells.
    mixed_predicted, plain_predicted : list of int
        Position in the classes that each held-out cell was called.
    shapley, shapley_per_class
        (C,) and (K, C), of the all-channel network, or None.
    whole, nothing : float or None
        Balanced accuracy of the all-channel network with all channels and with none, between which
        the Shapley values lie.
    warnings : list of str
    method : int
        How it was computed: 1 in files that do not say, which drew donors for the Shapley values
        with replacement; 2 deals them in equal parts; 3 gives each pair of a cell and a donor an
        order of its own, where there are more than 8 channels.
    shapley_direction : list or None
        (K, C) whether more light of the channel speaks for the class; see `ShapleyValues`.
    shapley_error : list of float or None
        (C,) sampling error of ``shapley``; 0 where it is exact.
    """

    seed: int
    share: list[float]
    mixed: dict[str, Any]
    plain: dict[str, Any]
    mixed_predicted: list[int] = field(default_factory=list)
    plain_predicted: list[int] = field(default_factory=list)
    decoy_share: list[float] | None = None
    decoys: list[float] | None = None
    shapley: list[float] | None = None
    shapley_per_class: list[list[float | None]] | None = None
    whole: float | None = None
    nothing: float | None = None
    warnings: list[str] = field(default_factory=list)
    method: int = METHOD
    shapley_direction: list[list[float | None]] | None = None
    shapley_error: list[float] | None = None


def shares_of(mixing: ChannelMix) -> FloatArray:
    """Shares (C,) of a mix: ``alpha_c sd(xn_c) / sum_k alpha_k sd(xn_k)``, averaged over mixes.

    Only ratios of alphas count, since their sum trades against the first convolution; and they
    compare only channels that were normalised alike. Here they were, by the training cells, so
    ``sd(xn_c)`` is 1. Our definition.
    """
    alpha = mixing.alpha.detach().cpu().numpy().astype(np.float64)
    shares: FloatArray = (alpha / alpha.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def repeat_job(
    plan: Plan, crops: NormalisedCrops, held_out: NormalisedCrops, seed: int
) -> Job[tuple[RepeatResult, Classifier]]:
    """One repeat, computed or taken from where an earlier run kept it; and its mixed classifier."""
    key = plan.key(seed, crops.signature, held_out.signature)
    stored = kept_repeat(plan, key, seed, len(held_out))
    if stored is not None:
        yield Progress(1, 1, "kept from an earlier run", {"kept": 1.0})
        return stored
    result, mixed = yield from computed_repeat_job(plan, crops, held_out, seed)
    keep_repeat(plan, key, result, mixed)
    return result, mixed


def keep_repeat(plan: Plan, key: str, result: RepeatResult, mixed: Classifier) -> None:
    """Keep a repeat, where repeats are kept; its JSON file is written last.

    Raises
    ------
    SaveError
        Disk full and the like.
    """
    if plan.parts is not None:
        mixed.save(plan.parts / f"{key}.cmx")
        write_json(plan.parts / f"{key}.json", asdict(result))


def computed_repeat_job(
    plan: Plan, crops: NormalisedCrops, held_out: NormalisedCrops, seed: int
) -> Job[tuple[RepeatResult, Classifier]]:
    """One repeat, and its mixed classifier.

    Train the channel-mixing network, the all-channel one and the mix with decoys; let the first two
    call the held-out cells; take the Shapley values of the second.
    """

    def train(some: NormalisedCrops, spec: NetworkSpec) -> Job[Classifier]:
        return train_on(some, spec, plan.settings.training, seed=seed, device=plan.device)

    # Where each step ends: channel-mixing network, all-channel network, mix with decoys.
    settings = plan.settings
    ends = [0.4, 0.75 if settings.decoys else 0.95, 0.95] if settings.shapley else [0.5, 0.75, 1.0]
    blended = plan.spec(settings.mixes)
    mixed = yield from part(train(crops, blended), 0, ends[0], 1, "channel-mixing network, ")
    plain = yield from part(
        train(crops, plan.spec()), ends[0], ends[1] - ends[0], 1, "all-channel network, "
    )
    assert mixed.mixing is not None
    by_mixed = yield from part(_called(mixed, held_out), ends[1], 0, 1)
    by_plain = yield from part(_called(plain, held_out), ends[1], 0, 1)
    labels, classes = held_out.cells.labels, len(plan.classes)
    result = RepeatResult(
        seed,
        shares_of(mixed.mixing).tolist(),
        accuracy_of(labels, by_mixed, classes).as_dict(),
        accuracy_of(labels, by_plain, classes).as_dict(),
        by_mixed.tolist(),
        by_plain.tolist(),
        warnings=list(mixed.record["warnings"]),
    )
    if plan.settings.decoys:
        doubled = WithDecoys.behind(crops, seed)
        job = train(doubled, plan.spec(plan.settings.mixes, factor=2))
        tricked = yield from part(job, ends[1], ends[2] - ends[1], 1, "negative controls, ")
        assert tricked.mixing is not None
        both = shares_of(tricked.mixing)
        channels = len(plan.channels)
        real = both[:channels].sum()
        result = replace(
            result,
            decoy_share=(both[:channels] / real).tolist(),
            decoys=(both[channels:] / real).tolist(),
        )
    if plan.settings.shapley:
        job_of_values = shapley_job(plain.network, held_out, seed=seed, device=plan.device)
        values = yield from part(job_of_values, 0.95, 0.05, 1)
        per_class, direction = (
            [[None if np.isnan(v) else float(v) for v in row] for row in table]
            for table in (values.per_class, values.direction)
        )
        error = np.nan_to_num(values.sampling_error[-1]).tolist()
        result = replace(
            result,
            shapley=values.overall.tolist(),
            shapley_per_class=per_class,
            whole=values.whole,
            nothing=values.nothing,
            shapley_direction=direction,
            shapley_error=error,
        )
    return result, mixed


def kept_repeat(
    plan: Plan, key: str, seed: int, cells: int
) -> tuple[RepeatResult, Classifier] | None:
    """A repeat that an earlier run finished, or None; a damaged part counts as missing."""
    if plan.parts is None:
        return None
    stem = plan.parts / key
    try:
        part_ = read_json(stem.with_suffix(".json"), RepeatPart)
        part_.refuse_others(
            seed=seed,
            cells=cells,
            channels=len(plan.channels),
            classes=len(plan.classes),
            shapley=plan.settings.shapley,
            decoys=plan.settings.decoys,
        )
        classifier = load_bundle(stem.with_suffix(".cmx"))
    except (ValueError, ChannelMixError):
        return None
    spec = (classifier.spec, classifier.channels, classifier.classes)
    if spec != (plan.spec(plan.settings.mixes), plan.channels, plan.classes):
        return None
    return RepeatResult(**part_.model_dump()), classifier.to(plan.device)


def _called(classifier: Classifier, held_out: NormalisedCrops) -> Job[npt.NDArray[np.int64]]:
    """Class that each held-out cell is called (n,)."""
    guesses = []
    for indices, crops in held_out.batches():
        with torch.inference_mode():
            guesses.append(classifier.network(crops.to(classifier.device)).argmax(1).cpu().numpy())
        yield Progress(indices[-1] + 1, len(held_out), "measuring on held-out cells")
    return np.concatenate(guesses)
