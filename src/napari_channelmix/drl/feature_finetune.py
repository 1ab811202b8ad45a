"""What fine-tuning needs to know to learn the features of cells beside those of sprites.

The loss of a cell is that of features: half the squared error and the divergence. A part of each
batch are sprites with their known factors, as in the fine-tuning of the image encoder.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.drl.feature_learner import FeatureLearner, squared_error
from napari_channelmix.drl.finetune import BATCH, CellLearner

if TYPE_CHECKING:
    from napari_channelmix.drl.feature_autoencoder import FeatureAutoencoder
    from napari_channelmix.drl.sprite_learner import SpriteBatch

__all__ = ["FeatureCellLearner"]

# Cells whose principal components unnamed latents start from.
MEASURED = 2000


class FeatureCellLearner(CellLearner):
    """What the training loop needs to know to learn features of cells beside those of sprites.

    Parameters
    ----------
    network : FeatureAutoencoder
        Is left as it is.
    features : (N, F) float32 array
        Of the cells.
    sprites : FeatureLearner
        With the sprites that are shown beside the cells; its network is replaced.
    replayed : bool
        Whether any are.
    seed : int
    device : torch.device
    """

    module: FeatureAutoencoder  # type: ignore[assignment]
    sprites: FeatureLearner

    def __init__(
        self,
        network: FeatureAutoencoder,
        features: npt.NDArray[np.float32],
        sprites: FeatureLearner,
        replayed: bool,
        seed: int,
        device: torch.device,
    ) -> None:
        # Not that of `CellLearner`, which draws sprites anew.
        self.module = copy.deepcopy(network).to(device)
        self.seed, self.device, self.pictures = seed, device, features
        self.divide(len(features))
        self.sprites, self.replayed = sprites, replayed
        sprites.module = self.module

    def begin(self) -> None:
        """Have unnamed latents start from principal components of the cells' features."""
        features = self._tensor(self.train[:MEASURED])
        self.module.start_unnamed(features, self.sprites.code.spare.to(self.device))

    def _sprites(self, step: int) -> SpriteBatch:
        rng = np.random.default_rng([self.seed, step])
        rows = rng.choice(self.sprites.learnt, self.sprites.how.settings.batch)
        return self.sprites.batch_of(rows, 1.0)

    def _tensor(self, indices: npt.NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self.pictures[indices]).to(self.device)

    def loss(self, batch: tuple[Tensor, SpriteBatch | None]) -> Tensor:
        """Loss of the cells, and of the sprites by their number."""
        cells, sprites = batch
        loss = self._elbo(cells)
        if sprites is not None:
            loss = loss + len(sprites.inputs) / BATCH * self.sprites.loss(sprites)
        return loss

    def _elbo(self, cells: Tensor, sample: bool = True) -> Tensor:
        posterior = self.module(cells)
        latents = posterior.sample() if sample else posterior.mean
        kl: Tensor = posterior.kl().sum(dim=1).mean()
        return squared_error(self.module, latents, self.module.standardised(cells)) + kl
