"""Fine-tuning: the encoder gets used to a data set, without labels, and keeps its sprites in mind.

Cells are learnt as by a plain beta-VAE; every batch also holds sprites with their known factors,
so that the names persist. The statistics of normalisation are those of the sprites throughout.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.device import choose_device, choose_threads, denormals_as_zero
from napari_channelmix.classify.training_loop import TrainingSettings, fit
from napari_channelmix.classify.weights_file import seal
from napari_channelmix.drl.autoencoder import NamedAutoencoder, as_floats
from napari_channelmix.drl.objective import Objective, reconstruction
from napari_channelmix.drl.recipe import recipe
from napari_channelmix.drl.sprite_learner import SpriteBatch, SpriteLearner
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.provenance import package_version
from napari_channelmix.settings import FinetuneSettings, merged, takes_settings

__all__ = ["Finetuned", "finetune_job"]

D = TypeVar("D", bound=NamedAutoencoder)

BATCH = 48
# Share of the cells that is kept aside to see whether the reconstruction gets better.
ASIDE = 0.1


@dataclass(frozen=True)
class Finetuned(Generic[D]):
    """A disentangler used to a data set, or the source itself where that failed.

    Attributes
    ----------
    disentangler : Disentangler
    source_note : str
        Why the source was kept, in words; empty where it was not.
    error : tuple of float
        Reconstruction loss (nats a cell), before and after, of a tenth of the cells that was kept
        aside; of the cells themselves where there are fewer than 50.
    """

    disentangler: D
    source_note: str = ""
    error: tuple[float, float] = (math.nan, math.nan)


@takes_settings(FinetuneSettings)
def finetune_job(
    source: D,
    pictures: npt.NDArray[Any],
    *,
    settings: FinetuneSettings | None = None,
    device: str = "auto",
    checkpoint: Path | None = None,
    **options: Any,
) -> Job[Finetuned[D]]:
    """Fine-tune a copy of a disentangler, as a job.

    Parameters
    ----------
    source : Disentangler
        Is left as it is.
    pictures : (N, C, H, W) array
        As of `prepare_job`.
    settings : FinetuneSettings, optional
    device : {"auto", "cpu", "cuda", "mps"}
    checkpoint : path, optional
        File to go on from, and to keep up to date after every epoch; for the caller to remove.
    **options
        Single settings, such as ``epochs=5``; see `FinetuneSettings`.

    Raises
    ------
    DataError
        Fewer than two cells, pictures of another shape, with NaN, or floats outside [0, 1].
    ModelError
        A setting outside its bounds.
    """
    if len(pictures) < 2:
        raise DataError("fine-tuning needs two cells or more")
    if pictures.shape[1:] != source.shape:
        raise DataError(f"images must be {source.shape}, not {pictures.shape[1:]}")
    for start in range(0, len(pictures), 1024):
        as_floats(pictures[start : start + 1024], start)
    chosen = merged(FinetuneSettings, settings, options)
    epochs, replay, seed = chosen.epochs, chosen.replay, chosen.seed
    where = choose_device(device)
    if source.cell_learner_job is None:
        learner = CellLearner(source, pictures, replay, seed, where)
    else:
        job = source.cell_learner_job(pictures, replay, seed, where)
        learner = yield from part(job, 0, 0, 1)
    training = TrainingSettings(
        epochs=epochs, patience=epochs, batch=BATCH, rate=chosen.rate, decay=0.01, clip=1.0
    )
    total = epochs * learner.steps()
    yield Progress(0, total, "fine-tuning")
    if where.type == "cpu":
        yield from part(choose_threads(learner.trial), 0, 0, total)
    before = -learner.measured()["score"]
    learner.begin()
    try:
        with denormals_as_zero():
            record = yield from fit(
                learner,
                training,
                device=where,
                seed=seed,
                checkpoint=checkpoint,
                fused=True,
                key="" if checkpoint is None else _key(source, pictures, training, replay, seed),
            )
    except ModelError as error:
        return Finetuned(source, f"fine-tuning diverged ({error}); the source weights are kept")
    best = max((metrics["score"] for metrics in record.history), default=-math.inf)
    if -best > before:
        return Finetuned(
            source,
            "fine-tuning did not improve the reconstructions; the source weights are kept",
            (before, -best),
        )
    about = {
        **source.about,
        "finetuned": {
            "cells": len(pictures),
            "epochs": epochs,
            "replay": replay,
            "seed": seed,
            "error": [before, -best],
        },
    }
    network = learner.module.cpu().eval()
    return Finetuned(replace(source, network=network, about=about), "", (before, -best))


def _key(
    source: NamedAutoencoder,
    pictures: npt.NDArray[Any],
    settings: TrainingSettings,
    replay: float,
    seed: int,
) -> str:
    """Everything that a checkpoint depends on."""
    digest = hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()
    weights = seal(source.name, source.network.state_dict(), "")
    version = package_version("napari-channelmix")
    return json.dumps([version, weights, digest, asdict(settings), replay, seed])


class CellLearner:
    """What the training loop needs to know to learn cells beside sprites."""

    def __init__(
        self,
        source: NamedAutoencoder,
        pictures: npt.NDArray[Any],
        replay: float,
        seed: int,
        device: torch.device,
    ) -> None:
        self.module = copy.deepcopy(source.network)
        self.module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.seed, self.device, self.pictures = seed, device, pictures
        self.divide(len(pictures))
        # The sprites are taught as they were when the source was trained.
        how = replace(recipe(source.name), network=source.network.settings)
        taught = source.about.get("recipe", {}).get("objective")
        if taught:
            how = replace(how, objective=Objective.from_dict(taught))
        pairs = round(replay * BATCH / 2)
        self.sprites = SpriteLearner(
            replace(how, settings=replace(how.settings, batch=max(pairs, 1))), seed, device
        )
        # The sprites teach the network that learns the cells.
        self.sprites.module = self.module
        self.replayed = pairs > 0

    def divide(self, count: int) -> None:
        """Keep a tenth of the cells aside."""
        order = np.random.default_rng(self.seed).permutation(count)
        aside = int(ASIDE * count) if count >= 50 else 0
        # A handful of cells cannot spare any: they are looked at themselves.
        self.train = order[aside:]
        self.held_out = order[:aside] if aside else order[:500]

    def begin(self) -> None:
        """Change the weights before the first epoch; the loss of the source is measured by then."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All weights, one group."""
        return [{"params": list(self.module.parameters())}]

    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.train) // BATCH)

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, SpriteBatch | None]]:
        """Cells in random order, each with sprites beside them."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.train)
        for step in range(self.steps()):
            rows = order[step * BATCH : (step + 1) * BATCH]
            replayed = None
            if self.replayed:
                replayed = self._sprites(epoch * self.steps() + step)
            yield self._tensor(rows), replayed

    def _sprites(self, step: int) -> SpriteBatch:
        # From the end of the sprites' training: full corruption, final weights of loss.
        return replace(self.sprites.batch(10**6 + step), progress=1.0)

    def _tensor(self, indices: npt.NDArray[np.int64]) -> Tensor:
        chosen = torch.from_numpy(as_floats(self.pictures[indices]))
        return chosen.to(self.device, memory_format=torch.channels_last)

    def loss(self, batch: tuple[Tensor, SpriteBatch | None]) -> Tensor:
        """Loss of the cells, and of the sprites by their number, in one pass of the network."""
        cells, sprites = batch
        _frozen_statistics(self.module)
        if sprites is None:
            return self._elbo(cells)
        own = self.module(_joined(cells, sprites.inputs))
        of_cells = own.part(0, len(cells))
        of_sprites = own.part(len(cells), len(own.mean))
        shared = self.sprites.shared(of_sprites, sprites)
        latents = torch.cat([posterior.sample() for posterior in (of_cells, *shared)])
        pictures = _joined(cells, sprites.targets)
        # As in a full batch: few cells do not make the sprites weigh more.
        share = len(sprites.inputs) / BATCH
        weight = torch.cat([_weight(cells) / len(cells), self.sprites.weight(sprites) / BATCH])
        loss: Tensor = len(pictures) * reconstruction(self.module, latents, pictures, weight)
        loss = loss + of_cells.kl().sum(dim=1).mean()
        loss = loss + share * self.sprites.loss_of_latents(of_sprites, shared, sprites)
        return loss

    def trial(self) -> None:
        """A step that changes nothing, to be timed."""
        with torch.random.fork_rng(devices=[]):
            self.loss(next(self.batches(0))).backward()
        self.module.zero_grad(set_to_none=True)

    def _elbo(self, cells: Tensor, sample: bool = True) -> Tensor:
        posterior = self.module(cells)
        latents = posterior.sample() if sample else posterior.mean
        kl: Tensor = posterior.kl().sum(dim=1).mean()
        return reconstruction(self.module, latents, cells, _weight(cells)) + kl

    def measured(self) -> dict[str, float]:
        """Loss of the cells kept aside, with the latents at their means."""
        self.module.eval()
        losses = []
        with torch.inference_mode():
            for start in range(0, len(self.held_out), 256):
                rows = self.held_out[start : start + 256]
                losses.append(float(self._elbo(self._tensor(rows), sample=False)) * len(rows))
        return {"score": -sum(losses) / len(self.held_out)}

    def validate(self) -> Job[dict[str, float]]:
        """`measured`, as the training loop asks for it."""
        yield from ()
        return self.measured()


def _joined(cells: Tensor, sprites: Tensor) -> Tensor:
    """Both in one tensor, and in one order of memory, which is what the loss is fast on."""
    return torch.cat([cells, sprites.contiguous(memory_format=torch.channels_last)])


def _weight(cells: Tensor) -> Tensor:
    """Weight of each pixel (n, 1, H, W): the cell counts twice."""
    # Channels lie innermost: plane by plane is far quicker than their maximum.
    lit: Tensor = reduce(torch.maximum, cells.split(1, dim=1))
    return 1 + (lit > 0).float()


def _frozen_statistics(module: nn.Module) -> None:
    """Normalise with the running statistics, and leave them alone."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
