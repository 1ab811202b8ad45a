"""The code: which latent stands for which factor, and at which value.

Each factor has a latent of its own; a cyclic one has two, on a circle. What is left over is spare.
The first seven latents are in the order of the method's authors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_channelmix.drl.network import REACH
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.drl.sprites import Factor, SpriteSet

__all__ = ["Code", "title_of"]

TITLES = {
    # What the decoder draws is how its kind typically looks, never the texture of one cell.
    "Texture": "Typical texture",
    "Granularity": "Typical texture",
    "Color": "Colour",
    "PosX": "Position x",
    "PosY": "Position y",
}


def title_of(name: str) -> str:
    """What people read where a latent or an axis is called ``name``."""
    return TITLES.get(name, name)


@dataclass(frozen=True)
class Code:
    """What the latents of a set of sprites mean.

    Attributes
    ----------
    of : SpriteSet
    latents : int
        Number of latents, at least as many as the factors take.
    """

    of: SpriteSet
    latents: int

    def __post_init__(self) -> None:
        needed = sum(1 + factor.cyclic for factor in self.of.factors)
        if self.latents < needed:
            raise ModelError(f"{self.of.name} need {needed} latents or more, not {self.latents}")

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each latent (Z): its factor, ``... (sin)`` for the second of a circle, or spare.

        Factors come in the order of the set; the second latent of a circle follows the first
        seven, as they are numbered in the paper, and further factors come after it.
        """
        first = [factor.name for factor in self.of.factors[:7]]
        sines = [f"{factor.name} (sin)" for factor in self.of.factors if factor.cyclic]
        more = [factor.name for factor in self.of.factors[7:]]
        named = first + sines + more
        spare = [f"Spare {k + 1}" for k in range(self.latents - len(named))]
        return (*named, *spare)

    def latents_of(self, factor: Factor) -> tuple[int, ...]:
        """Positions of the latents of a factor: one, or cosine and sine."""
        positions = (self.names.index(factor.name),)
        return (
            (*positions, self.names.index(f"{factor.name} (sin)")) if factor.cyclic else positions
        )

    @property
    def spare(self) -> Tensor:
        """(Z,) bool: latents without a factor."""
        return torch.tensor([name.startswith("Spare") for name in self.names])

    def owners(self) -> Tensor:
        """(K, Z) bool: which latents belong to a factor."""
        own = torch.zeros(len(self.of.factors), self.latents, dtype=torch.bool)
        for row, factor in enumerate(self.of.factors):
            own[row, list(self.latents_of(factor))] = True
        return own

    def levels(self, factor: Factor) -> Tensor:
        """Latent value of each value of a factor: (V, 1), or (V, 2) cosine and sine."""
        if factor.cyclic:
            turn = 2 * math.pi * torch.arange(len(factor)) / len(factor)
            return REACH * torch.stack([turn.cos(), turn.sin()], dim=1)
        return torch.linspace(-REACH, REACH, len(factor))[:, None]

    def targets(self, digits: Tensor) -> Tensor:
        """Latents (n, Z) that sprites of these digits (n, K) should have; 0 for spare ones."""
        targets = torch.zeros(len(digits), self.latents)
        for column, factor in enumerate(self.of.factors):
            targets[:, list(self.latents_of(factor))] = self.levels(factor)[digits[:, column]]
        return targets

    def read(self, latents: Tensor) -> Tensor:
        """Digits (n, K) of latents (n, Z): the nearest value of each factor."""
        digits = []
        for factor in self.of.factors:
            values = latents[:, list(self.latents_of(factor))]
            digits.append(torch.cdist(values, self.levels(factor)).argmin(dim=1))
        return torch.stack(digits, dim=1)
