"""What the training loop needs to know to learn latents from the features of sprites.

Pairs, shared posteriors, divergence and alignment are those of `SpriteLearner`. Sprites are not
drawn anew at each step, as features take milliseconds: a few thousand pairs are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.drl.corruption import corrupted
from napari_channelmix.drl.feature_autoencoder import FeatureAutoencoder, FeatureSettings
from napari_channelmix.drl.sprite_learner import SpriteBatch, SpriteLearner
from napari_channelmix.drl.sprites import Sprites
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.drl.feature_network import FeatureNetwork
    from napari_channelmix.drl.recipe import Recipe

__all__ = ["FeatureLearner", "TaughtSprites", "taught_sprites_job"]

# Sprites that are drawn and read between two looks at Cancel.
TOGETHER = 32


@dataclass(frozen=True, eq=False)
class TaughtSprites:
    """Pairs of sprites that differ in one factor, and their features; firsts before seconds.

    Attributes
    ----------
    digits : (2n, K) int64 array
    changed : (n, K) bool array
    features : (2n, F + 2 C) float32 array
        See `FeatureNetwork.seen`.
    """

    digits: npt.NDArray[np.int64]
    changed: npt.NDArray[np.bool_]
    features: npt.NDArray[np.float32] = field(repr=False)

    def __len__(self) -> int:
        return len(self.changed)


def taught_sprites_job(
    network: FeatureNetwork, how: Recipe, pairs: int, seed: int
) -> Job[TaughtSprites]:
    """Draw pairs as for the image encoder, corrupted as there, and take their features; a job."""
    generator = torch.Generator().manual_seed(seed * 10_000_019 + 7)
    sprites = Sprites(how.sprites)
    first, second, changed = sprites.pairs(pairs, generator, how.objective.changes)
    digits = torch.cat([first, second])
    features = []
    for start in range(0, len(digits), TOGETHER):
        yield Progress(start, len(digits), f"features of sprites, {network.name}")
        drawn = sprites.draw(digits[start : start + TOGETHER], generator)
        inputs = drawn.inputs
        if how.corruption is not None:
            inputs = corrupted(inputs, drawn.distance, how.corruption, generator)
        features.append(network.seen(inputs.numpy()))
    return TaughtSprites(digits.numpy(), changed.numpy(), np.concatenate(features))


class FeatureLearner(SpriteLearner):
    """What the training loop needs to know to learn latents from the features of sprites.

    Parameters
    ----------
    how : Recipe
        Its network's settings are `FeatureSettings`; an epoch is one pass over the pairs.
    seed : int
    device : torch.device
    taught : TaughtSprites
    probe : (6, F) float32 array
        Features by which the network is known again; see `FeatureNetwork.probe`.
    """

    module: FeatureAutoencoder  # type: ignore[assignment]

    def __init__(
        self,
        how: Recipe,
        seed: int,
        device: torch.device,
        taught: TaughtSprites,
        probe: npt.NDArray[np.float32],
    ) -> None:
        super().__init__(how, seed, device)
        # A tenth of the pairs tells which epoch to keep.
        aside = max(1, len(taught) // 10)
        self.aside, self.learnt = np.arange(aside), np.arange(aside, len(taught))
        self.taught = taught
        self.module.calibrate(taught.features, probe)

    def build(self) -> FeatureAutoencoder:  # type: ignore[override]
        """The network, with fresh weights."""
        assert isinstance(self.how.network, FeatureSettings)
        return FeatureAutoencoder(self.how.network)

    def steps(self) -> int:
        """Batches of pairs in an epoch."""
        return max(1, len(self.learnt) // self.how.settings.batch)

    def batches(self, epoch: int) -> Iterator[SpriteBatch]:
        """The pairs in random order."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.learnt)
        size, total = self.how.settings.batch, self.how.settings.epochs * self.steps()
        for step in range(self.steps()):
            rows = order[step * size : (step + 1) * size]
            yield self.batch_of(rows, (epoch * self.steps() + step) / total)

    def batch_of(self, pairs: npt.NDArray[np.int64], progress: float) -> SpriteBatch:
        """Pairs at these positions."""
        rows = np.concatenate([pairs, pairs + len(self.taught)])
        digits = torch.from_numpy(self.taught.digits[rows])
        changed = torch.from_numpy(self.taught.changed[pairs])
        features = torch.from_numpy(self.taught.features[rows]).to(self.device)
        return SpriteBatch(
            features,
            self.module.standardised(features),
            torch.empty(0),
            self.code.targets(digits).to(self.device),
            (changed[:, :, None] & self._owners).any(dim=1).to(self.device),
            progress,
        )

    def reconstruction(self, latents: Tensor, batch: SpriteBatch) -> Tensor:
        """Half the squared error, summed over the standardised features; mean over the sprites."""
        return squared_error(self.module, latents, batch.targets)

    def validate(self) -> Job[dict[str, float]]:
        """How well sprites of pairs that were kept aside are read."""
        yield from ()
        batch = self.batch_of(self.aside, 1.0)
        with torch.inference_mode():
            mean = self.module(batch.inputs).mean.cpu()
            error = squared_error(self.module, mean.to(self.device), batch.targets)
        named = ~self.code.spare
        off = float(((mean - batch.latents.cpu()) ** 2)[:, named].sum(dim=1).mean())
        rows = np.concatenate([self.aside, self.aside + len(self.taught)])
        right = (self.code.read(mean) == torch.from_numpy(self.taught.digits[rows])).float()
        metrics = {"score": -off, "error": float(error)}
        for factor, share in zip(self.how.sprites.factors, right.mean(dim=0).tolist(), strict=True):
            metrics[factor.name] = share
        return metrics


def squared_error(module: FeatureAutoencoder, latents: Tensor, targets: Tensor) -> Tensor:
    """Half the squared error of decoded features (n, F), summed over features, mean over n."""
    loss: Tensor = 0.5 * ((module.decoder(latents) - targets) ** 2).sum(dim=1).mean()
    return loss
