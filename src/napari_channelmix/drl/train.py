"""Learning the latents from sprites.

Each step draws a few pairs of sprites that differ in one factor, corrupts what the encoder sees,
shares the posteriors of what did not change, and asks for the uncorrupted pictures back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.training import TrainingSettings, fit
from napari_channelmix.drl.corruption import Corruption, corrupted
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import (
    PRESETS,
    NetworkSettings,
    Posterior,
    VariationalAutoencoder,
)
from napari_channelmix.drl.objective import (
    PAPER_OBJECTIVE,
    Objective,
    aggregated,
    changed_latents,
    reconstruction,
)
from napari_channelmix.drl.sprites import Sprites, SpriteSet, sprite_set
from napari_channelmix.errors import ModelError
from napari_channelmix.provenance import provenance

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job

__all__ = ["RECIPES", "Recipe", "recipe", "train_sprites_job"]

# Steps between two looks at held-out sprites.
EPOCH = 500


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, but for the seed.

    Attributes
    ----------
    sprites : SpriteSet
    network : NetworkSettings
    objective : Objective
    corruption : Corruption or None
        None shows the encoder clean sprites.
    settings : TrainingSettings
        An epoch has 500 steps; ``batch`` counts pairs.
    """

    sprites: SpriteSet
    network: NetworkSettings
    objective: Objective
    corruption: Corruption | None
    settings: TrainingSettings

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sprites": self.sprites.name,
            "network": self.network.as_dict(),
            "objective": self.objective.as_dict(),
            "corruption": None if self.corruption is None else asdict(self.corruption),
            "settings": asdict(self.settings),
        }


def recipe(
    name: str, *, size: str = "medium", paper: bool = False, steps: int | None = None
) -> Recipe:
    """A recipe for a set of sprites.

    Parameters
    ----------
    name : str
        ``texture-sprites``, ``cell-sprites`` or ``paper-sprites``.
    size : str
        One of `network.PRESETS`.
    paper : bool
        The authors' objective and learning rate: weak pairs only, clean pictures.
    steps : int, optional
        Rounded up to whole epochs of 500 steps.

    Raises
    ------
    ModelError
        A name or size there is not.
    """
    of = sprite_set(name)
    if size not in PRESETS:
        raise ModelError(f"there is no size {size!r}; there are {', '.join(PRESETS)}")
    spare = 2 if of.has("Rim") else 10 - len(of.factors) - 1
    latents = len(of.factors) + 1 + spare
    network = replace(PRESETS[size], channels=of.channels, latents=latents)
    # Dimmer sprites are other sprites where intensity is a factor.
    dim = Corruption() if of.has("Color") else Corruption(gain=(1, 1), noise=0.06, background=0.05)
    # Grains and rims are faint: their latents are held closer to the factors, and for longer.
    epochs = 40 if of.has("Color") else 60
    settings = TrainingSettings(
        epochs=epochs, patience=epochs, batch=16, rate=1.5e-3, decay=0.0, clip=1.0
    )
    objective = Objective() if of.has("Color") else Objective(alignment=(200.0, 150.0))
    chosen = Recipe(of, network, objective, dim, settings)
    if paper:
        settings = replace(chosen.settings, rate=1e-4, batch=64)
        chosen = replace(chosen, objective=PAPER_OBJECTIVE, corruption=None, settings=settings)
    if steps is not None:
        epochs = max(1, -(-steps // EPOCH))
        chosen = replace(chosen, settings=replace(chosen.settings, epochs=epochs, patience=epochs))
    return chosen


RECIPES = ("texture-sprites", "cell-sprites", "paper-sprites")
#: The ones that come with the package.
SHIPPED = ("texture-sprites", "cell-sprites")


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
    said = {"recipe": how.as_dict(), "sprites": how.sprites.as_dict(), "seed": seed}
    key = json.dumps(said, sort_keys=True)
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
            module = VariationalAutoencoder(how.network)
        module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.module = module
        self.sprites = Sprites(how.sprites)
        self.code = Code(how.sprites, how.network.latents)
        self._owners = self.code.owners()
        spare = torch.where(self.code.spare, how.objective.spare, 1.0)
        self._kl_weight = spare.to(device)

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
        loss = reconstruction(self.module, latents, batch.targets, self.weight(batch))
        return loss + self.loss_of_latents(own, shared, batch)

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
