"""What the training loop needs to know to learn latents from sprites.

Each step draws a few pairs of sprites that differ in one factor, corrupts what the encoder sees,
shares the posteriors of what did not change, and asks for the uncorrupted pictures back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_channelmix.drl.corruption import corrupted
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import NetworkSettings, Posterior, VariationalAutoencoder
from napari_channelmix.drl.objective import aggregated, changed_latents, reconstruction
from napari_channelmix.drl.recipe import EPOCH, Recipe
from napari_channelmix.drl.sprites import Sprites

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job

__all__ = ["SpriteBatch", "SpriteLearner"]


@dataclass(frozen=True, eq=False)
class SpriteBatch:
    """Pairs of sprites, firsts before seconds."""

    inputs: Tensor
    targets: Tensor
    #: (2n, SIDE, SIDE)
    masks: Tensor
    #: (2n, Z) where the latents should be.
    latents: Tensor
    #: (n, Z) latents of the factors that differ.
    changed: Tensor
    #: Share of the training that is done.
    progress: float


class SpriteLearner:
    """What the training loop needs to know to learn latents from sprites."""

    def __init__(self, how: Recipe, seed: int, device: torch.device) -> None:
        self.how, self.seed, self.device = how, seed, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = self.build()
        module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module = module
        self.sprites = Sprites(how.sprites)
        self.code = Code(how.sprites, how.network.latents)
        self._owners = self.code.owners()
        spare = torch.where(self.code.spare, how.objective.spare, 1.0)
        self._kl_weight = spare.to(device)

    def build(self) -> VariationalAutoencoder:
        """The network, with fresh weights."""
        assert isinstance(self.how.network, NetworkSettings)
        return VariationalAutoencoder(self.how.network)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All weights, one group."""
        return [{"params": list(self.module.parameters())}]

    def steps(self) -> int:
        """Steps between two looks at held-out sprites."""
        return EPOCH

    def batches(self, epoch: int) -> Iterator[SpriteBatch]:
        """Freshly drawn pairs."""
        for step in range(EPOCH):
            yield self.batch(epoch * EPOCH + step)

    def batch(self, step: int) -> SpriteBatch:
        """The pairs of a step, which depend on the seed and the step alone."""
        generator = torch.Generator().manual_seed(self.seed * 10_000_019 + step)
        progress = step / (self.how.settings.epochs * EPOCH)
        pairs = self.sprites.pairs(self.how.settings.batch, generator, self.how.objective.changes)
        digits = torch.cat(pairs[:2])
        drawn = self.sprites.draw(digits, generator)
        inputs = drawn.inputs
        if self.how.corruption is not None:
            # Weak at first, so that there is something to learn from.
            strength = min(4 * progress, 1.0)
            inputs = corrupted(inputs, drawn.distance, self.how.corruption.at(strength), generator)
        # A factor's latents are all of the factor's: cosine and sine change together.
        changed = (pairs[2][:, :, None] & self._owners).any(dim=1)
        return SpriteBatch(
            inputs.to(self.device, memory_format=torch.channels_last),
            drawn.targets.to(self.device),
            drawn.masks.to(self.device),
            self.code.targets(digits).to(self.device),
            changed.to(self.device),
            progress,
        )

    def loss(self, batch: SpriteBatch) -> Tensor:
        """Reconstruction + beta * divergence + alignment; see `Objective`."""
        own = self.module(batch.inputs)
        shared = self.shared(own, batch)
        latents = torch.cat([posterior.sample() for posterior in shared])
        return self.reconstruction(latents, batch) + self.loss_of_latents(own, shared, batch)

    def reconstruction(self, latents: Tensor, batch: SpriteBatch) -> Tensor:
        """What the decoder makes of latents (2n, Z), held against the targets."""
        return reconstruction(self.module, latents, batch.targets, self.weight(batch))

    def shared(self, own: Posterior, batch: SpriteBatch) -> tuple[Posterior, Posterior]:
        """Posteriors of the firsts and seconds, with what did not change shared between them."""
        pairs = len(batch.changed)
        first, second = own.part(0, pairs), own.part(pairs, 2 * pairs)
        changed = batch.changed
        if self.how.objective.pairs == "adaptive":
            changed = changed_latents(first, second)
        return aggregated(first, second, changed)

    def weight(self, batch: SpriteBatch) -> Tensor:
        """Weight of each pixel (2n, 1, SIDE, SIDE) in the reconstruction."""
        return 1 + self.how.objective.inside * batch.masks[:, None]

    def loss_of_latents(
        self, own: Posterior, shared: tuple[Posterior, Posterior], batch: SpriteBatch
    ) -> Tensor:
        """Beta * divergence + alignment."""
        objective = self.how.objective
        kl = torch.cat([posterior.kl() for posterior in shared])
        loss: Tensor = objective.beta_at(batch.progress) * (kl * self._kl_weight).sum(1).mean()
        strength = objective.alignment_at(batch.progress)
        if strength:
            off = (own.mean - batch.latents) ** 2
            off = off[:, ~self.code.spare.to(self.device)]
            loss = loss + strength * off.sum(dim=1).mean()
        return loss

    def validate(self) -> Job[dict[str, float]]:
        """How well held-out sprites are drawn and read, corrupted as in training."""
        yield from ()
        generator = torch.Generator().manual_seed(990_001)
        digits = self.sprites.random(512, generator)
        drawn = self.sprites.draw(digits, generator)
        inputs = drawn.inputs
        if self.how.corruption is not None:
            inputs = corrupted(inputs, drawn.distance, self.how.corruption, generator)
        with torch.inference_mode():
            mean = self.module(inputs.to(self.device)).mean
            pictures = self.module.picture(mean).cpu()
        right = (self.code.read(mean.cpu()) == digits).float().mean(dim=0)
        mask = drawn.masks[:, None]
        apart = (pictures - drawn.targets).abs()
        error = float((apart * mask).sum() / mask.sum() / pictures.shape[1])
        metrics = {"score": -error, "error inside": error}
        for factor, share in zip(self.how.sprites.factors, right.tolist(), strict=True):
            metrics[factor.name] = share
        return metrics
