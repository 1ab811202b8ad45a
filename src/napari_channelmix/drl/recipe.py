"""Recipes: everything that decides the weights that are learnt from sprites, but for the seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.training_loop import TrainingSettings
from napari_channelmix.drl.corruption import Corruption
from napari_channelmix.drl.network import PRESETS, NetworkSettings
from napari_channelmix.drl.objective import PAPER_OBJECTIVE, Objective
from napari_channelmix.drl.sprites import SpriteSet, sprite_set
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.drl.feature_autoencoder import FeatureSettings

__all__ = ["EPOCH", "RECIPES", "SHIPPED", "Recipe", "recipe"]

# Steps between two looks at held-out sprites.
EPOCH = 500


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, but for the seed.

    Attributes
    ----------
    sprites : SpriteSet
    network : NetworkSettings or FeatureSettings
    objective : Objective
    corruption : Corruption or None
        None shows the encoder clean sprites.
    settings : TrainingSettings
        An epoch has 500 steps; ``batch`` counts pairs.
    """

    sprites: SpriteSet
    network: NetworkSettings | FeatureSettings
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
