"""A disentangler of features: pictures to the features of a network, and these to named latents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.feature_finetune import FeatureCellLearner
from napari_channelmix.drl.feature_learner import FeatureLearner, TaughtSprites, taught_sprites_job
from napari_channelmix.drl.finetune import BATCH
from napari_channelmix.drl.objective import Objective
from napari_channelmix.drl.recipe import recipe
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from napari_channelmix.drl.cell_drawing import DrawnPictures
    from napari_channelmix.drl.feature_autoencoder import FeatureAutoencoder
    from napari_channelmix.drl.feature_network import FeatureNetwork

__all__ = ["FeatureDisentangler"]

FloatArray = npt.NDArray[np.float32]

# Pairs of sprites that are shown beside cells in fine-tuning where those of the training are gone.
REPLAYED = 500
# Cells whose features are taken between two looks at Cancel.
TOGETHER = 32


@dataclass(frozen=True, eq=False)
class FeatureDisentangler(Disentangler):
    """An encoder of the features that a network gives of pictures.

    Features have no picture: there is no `decode`, and traversals are shown by the nearest real
    cells.

    Attributes
    ----------
    features : FeatureNetwork
    taught : TaughtSprites or None
        The sprites it was taught with, for fine-tuning; fewer are drawn where they are not there.
    """

    network: FeatureAutoencoder = field(repr=False)  # type: ignore[assignment]
    features: FeatureNetwork = field(kw_only=True)
    taught: TaughtSprites | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Without the sprites: another process only encodes."""
        return {**vars(self), "taught": None}

    @property
    def draws(self) -> bool:
        """No: features have no picture."""
        return False

    @property
    def title(self) -> str:
        """Names of the sprites and of the network."""
        return f"{self.name} through {self.features.name}"

    def posterior(self, pictures: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation (n, Z) of the posterior; as `encode`."""
        seen = np.asarray(pictures)
        if seen.ndim != 4 or seen.shape[1:] != self.shape:
            raise DataError(
                f"images must be (n, {', '.join(map(str, self.shape))}), not {seen.shape}"
            )
        if not len(seen):
            return (np.empty((0, len(self.names)), np.float32),) * 2
        with torch.inference_mode():
            posterior = self.network(torch.from_numpy(self.features.seen(seen)))
        return posterior.mean.numpy(), (0.5 * posterior.log_variance).exp().numpy()

    def decode(self, latents: npt.NDArray[Any]) -> NoReturn:
        """There is none.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(
            "features have no picture, so latents of features cannot be drawn; look at the nearest "
            "real cells (Latents.nearest)"
        )

    def decoded_features(self, latents: npt.NDArray[Any]) -> FloatArray:
        """Standardised features (n, F + 2 C) that the decoder makes of latents (n, Z)."""
        with torch.inference_mode():
            points = torch.from_numpy(np.asarray(latents, dtype=np.float32))
            decoded: FloatArray = self.network.decoder(points).numpy()
        return decoded

    def features_job(self, pictures: npt.NDArray[Any] | DrawnPictures) -> Job[FloatArray]:
        """What the encoder gets of pictures (N, C, H, W): (N, F + 2 C), a job."""
        features = []
        for start in range(0, len(pictures), TOGETHER):
            yield Progress(start, len(pictures), f"features of cells, {self.features.name}")
            features.append(self.features.seen(pictures[start : start + TOGETHER]))
        return np.concatenate(features)

    def cell_learner_job(
        self, pictures: npt.NDArray[Any], replay: float, seed: int, device: torch.device
    ) -> Job[FeatureCellLearner]:
        """What fine-tuning needs to know; see `finetune_job`."""
        how = replace(recipe(self.name), network=self.network.settings)
        taught = self.about.get("recipe", {}).get("objective")
        if taught:
            how = replace(how, objective=Objective.from_dict(taught))
        pairs = round(replay * BATCH / 2)
        how = replace(how, settings=replace(how.settings, batch=max(pairs, 1)))
        sprites, total = self.taught, len(pictures)
        if sprites is None:
            job = taught_sprites_job(self.features, how, REPLAYED if pairs else 10, seed)
            sprites = yield from part(job, 0, 2 * REPLAYED, total + 2 * REPLAYED)
        features = yield from part(self.features_job(pictures), 0, total, total)
        learner = FeatureLearner(how, seed, device, sprites, self.network.probe.cpu().numpy())
        return FeatureCellLearner(self.network, features, learner, pairs > 0, seed, device)
