"""DRL: named, disentangled latents learnt on synthetic sprites, carried to real cells."""

from __future__ import annotations

from napari_channelmix.drl.channel_view import View, default_view
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.encode import latents, latents_job
from napari_channelmix.drl.feature_network import FeatureNetwork
from napari_channelmix.drl.latents import Latents
from napari_channelmix.drl.store import load_disentangler, save_disentangler

__all__ = [
    "Disentangler",
    "FeatureNetwork",
    "Latents",
    "View",
    "default_view",
    "latents",
    "latents_job",
    "load_disentangler",
    "save_disentangler",
]
