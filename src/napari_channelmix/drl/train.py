"""Learning the latents from sprites; see `sprite_learner`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.training_loop import fit
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.sprite_learner import SpriteLearner
from napari_channelmix.provenance import provenance

if TYPE_CHECKING:
    from napari_channelmix.drl.recipe import Recipe
    from napari_channelmix.jobs import Job

__all__ = ["train_sprites_job"]


def train_sprites_job(
    how: Recipe, *, seed: int = 0, device: str = "auto", checkpoint: Path | None = None
) -> Job[Disentangler]:
    """Train a network on sprites, as a job.

    Parameters
    ----------
    how : Recipe
    seed : int
        Decides the weights, the sprites and what corrupts them.
    device : {"auto", "cpu", "cuda", "mps"}
    checkpoint : path, optional
        File to go on from, and to keep up to date after every 500 steps.

    Yields
    ------
    Progress
        After every step; every 500 steps with the metrics of held-out sprites.

    Returns
    -------
    Disentangler
    """
    where = choose_device(device)
    learner = SpriteLearner(how, seed, where)
    config = {"recipe": how.as_dict(), "sprites": how.sprites.as_dict(), "seed": seed}
    key = json.dumps(config, sort_keys=True)
    record = yield from fit(
        learner, how.settings, device=where, seed=seed, checkpoint=checkpoint, key=key
    )
    about = {
        "recipe": how.as_dict(),
        "seed": seed,
        "curves": record.history,
        "provenance": provenance(),
    }
    return Disentangler(learner.module.cpu().eval(), learner.code, about)
