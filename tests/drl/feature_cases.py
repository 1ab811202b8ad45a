"""Networks of features that are quick, and their disentanglers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.feature_learner import FeatureLearner, taught_sprites_job
from napari_channelmix.drl.feature_network import FeatureNetwork
from napari_channelmix.drl.feature_training import feature_recipe
from napari_channelmix.jobs import drain


def patches(pictures: Tensor) -> Tensor:
    """Means of 8 x 8 patches (n, C * 64)."""
    return F.avg_pool2d(pictures, 8).flatten(1)


def untrained_on_features(
    sprites: str = "texture-sprites", network: FeatureNetwork | None = None, pairs: int = 40
) -> FeatureDisentangler:
    """A disentangler of features that was never trained, but knows their constants."""
    channels = 3 if sprites == "texture-sprites" else 1
    network = network or FeatureNetwork("patches", patches, channels)
    probe = network.probe(feature_recipe(sprites, 2).sprites)
    how = feature_recipe(sprites, probe.shape[1], hidden=8)
    taught = drain(taught_sprites_job(network, how, pairs, 0))
    learner = FeatureLearner(how, 0, torch.device("cpu"), taught, probe)
    about = {"recipe": how.as_dict()}
    return FeatureDisentangler(
        learner.module.eval(), learner.code, about, features=network, taught=taught
    )
