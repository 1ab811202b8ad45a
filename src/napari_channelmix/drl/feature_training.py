"""Learning named latents from the features of sprites, once for each network that gives them.

1. Draw pairs of sprites, corrupted as for the image encoder, and take their features.
2. Take the constants of standardisation from these.
3. Learn latents from them, with the pairs, sharing and alignment of the image encoder.
4. Measure on fresh sprites how well each latent follows its factor.

What is learnt is kept in the user's cache, and found there by the hash of the network.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_channelmix.bounds import Name
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.training_loop import TrainingSettings, fit
from napari_channelmix.classify.weights_file import described, read_sealed, write_sealed
from napari_channelmix.drl.feature_autoencoder import FeatureSettings
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.feature_learner import FeatureLearner, TaughtSprites, taught_sprites_job
from napari_channelmix.drl.feature_sources import features_from
from napari_channelmix.drl.quality import associations_job
from napari_channelmix.drl.recipe import Recipe, recipe
from napari_channelmix.drl.store import load_disentangler, save_disentangler
from napari_channelmix.errors import BundleError, SaveError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.stored_files import Stored

if TYPE_CHECKING:
    from napari_channelmix.drl.feature_network import FeatureNetwork

__all__ = ["FEATURE_PAIRS", "feature_disentangler_job", "feature_recipe"]

# Pairs of sprites, half of them each; passes over them; interventions that measure each name.
PAIRS, EPOCHS, FEATURE_PAIRS = 3000, 25, 200
# Latents that stand for no factor: they hold what else there is in the features of cells.
UNNAMED = 32
FORMAT, SCHEMA = "napari-channelmix sprite features", 1
# How long the parts take: features, training, measuring.
TAKING, TRAINING, MEASURING = 50, 20, 30


def feature_recipe(sprites: str, width: int, *, epochs: int = EPOCHS, hidden: int = 128) -> Recipe:
    """What decides the weights learnt from the features of a set of sprites, but for the seed.

    Raises
    ------
    ModelError
        No such sprites.
    """
    usual = recipe(sprites)
    named = sum(1 + factor.cyclic for factor in usual.sprites.factors)
    network = FeatureSettings(width, usual.sprites.channels, named + UNNAMED, hidden)
    settings = TrainingSettings(
        epochs=epochs, patience=epochs, batch=32, rate=1e-3, decay=0.01, clip=1.0
    )
    return replace(usual, network=network, settings=settings)


def feature_disentangler_job(
    sprites: str,
    source: Any,
    *,
    pairs: int = PAIRS,
    epochs: int = EPOCHS,
    seed: int = 0,
    device: str = "auto",
    cache: Path | None = None,
) -> Job[FeatureDisentangler]:
    """A disentangler of the features of a network, learnt or taken from the cache, as a job.

    Parameters
    ----------
    sprites : str
        ``texture-sprites`` or ``cell-sprites``.
    source : str, path, Classifier, torch.nn.Module, callable or FeatureNetwork
        See `features_from`.
    pairs : int
        Pairs of sprites whose features are taken.
    epochs : int
        Passes over them.
    seed : int
        Decides the sprites, what corrupts them, and the weights.
    device : {"auto", "cpu", "cuda", "mps"}
        For the training; features are taken on the CPU.
    cache : path, optional
        Folder of what was learnt before; default: the user's cache.

    Raises
    ------
    ModelError
        As `features_from`; no such sprites.
    """
    yield Progress(0, 1, "opening the network of features")
    of = recipe(sprites).sprites
    network = features_from(source, of)
    probe = network.probe(of)
    how = feature_recipe(sprites, probe.shape[1], epochs=epochs)
    facts = {
        "version": package_version("napari-channelmix"),
        "network": network.key(of),
        "sprites": of.as_dict(),
        "recipe": how.as_dict(),
        "pairs": pairs,
        "seed": seed,
    }
    folder = _cache() if cache is None else cache
    path = folder / f"{_mark(facts)}.safetensors"
    kept = _learnt_before(path, network)
    if kept is not None:
        return kept
    total = TAKING + TRAINING + MEASURING
    drawn = {name: facts[name] for name in ("version", "network", "sprites", "pairs", "seed")}
    corruption = None if how.corruption is None else vars(how.corruption)
    sprites_path = folder / f"sprites-{_mark({**drawn, 'corruption': corruption})}.safetensors"
    job = _kept_sprites_job(sprites_path, network, how, pairs, seed)
    taught = yield from part(job, 0, TAKING, total)
    where = choose_device(device)
    learner = FeatureLearner(how, seed, where, taught, probe)
    fitting = fit(learner, how.settings, device=where, seed=seed)
    record = yield from part(fitting, TAKING, TRAINING, total)
    about = {
        "recipe": how.as_dict(),
        "seed": seed,
        "pairs": pairs,
        "curves": record.history,
        "provenance": provenance(features=network.name, network=facts["network"]),
    }
    learnt = FeatureDisentangler(
        learner.module.cpu().eval(), learner.code, about, features=network, taught=taught
    )
    measuring = associations_job(learnt, pairs=FEATURE_PAIRS)
    card = yield from part(measuring, TAKING + TRAINING, MEASURING, total, "sprites: ")
    about = {**about, "card": {"association": card, "pairs": FEATURE_PAIRS}}
    learnt = replace(learnt, about=about)
    _keep(lambda: save_disentangler(learnt, path))
    return learnt


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("napari-channelmix", appauthor=False) / "features"


def _mark(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def _learnt_before(path: Path, network: FeatureNetwork) -> FeatureDisentangler | None:
    if not path.exists():
        return None
    try:
        kept = load_disentangler(path, network)
    except BundleError:
        # Cut off, or altered: it is learnt anew and written over.
        return None
    return kept if isinstance(kept, FeatureDisentangler) else None


def _keep(write: Callable[[], object]) -> None:
    """Write a file of the cache; where that cannot be, the result is there all the same."""
    with contextlib.suppress(SaveError, OSError):
        write()


class _OfSprites(Stored):
    """What a file of features of sprites says of itself."""

    network: Name


def _kept_sprites_job(
    path: Path, network: FeatureNetwork, how: Recipe, pairs: int, seed: int
) -> Job[TaughtSprites]:
    """Features of the sprites, taken once for each network."""
    try:
        text, tensors = read_sealed(path, FORMAT, SCHEMA, "file of sprite features")
        described(text, _OfSprites, path=path)
        digits, changed = tensors["digits"].numpy(), tensors["changed"].numpy().astype(bool)
        features = tensors["features"].float().numpy()
        if len(digits) == len(features) == 2 * len(changed) == 2 * pairs:
            return TaughtSprites(digits, changed, features)
    except (BundleError, KeyError):
        pass
    taught = yield from taught_sprites_job(network, how, pairs, seed)
    tensors = {
        "digits": torch.from_numpy(taught.digits),
        "changed": torch.from_numpy(taught.changed.astype(np.uint8)),
        "features": torch.from_numpy(taught.features),
    }
    about = json.dumps({"network": network.name})
    _keep(lambda: write_sealed(path, FORMAT, SCHEMA, about, tensors))
    return taught
