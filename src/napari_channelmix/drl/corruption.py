"""What happens to pictures of real cells: blur, dimness, noise, background, a mask a little off.

Sprites are corrupted before the encoder sees them in training, and the trained encoder is asked to
read corrupted sprites, some of them corrupted in ways it was never trained on. Our definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_channelmix.drl.sprites import EDGE

__all__ = ["TESTS", "Corruption", "corrupted"]


@dataclass(frozen=True)
class Corruption:
    """How much of what; each sprite draws its own.

    Attributes
    ----------
    blurred : float
        Share of the pictures that are blurred with a 3 x 3 box.
    gain : tuple of float
        Range of the factor of brightness.
    noisy, noise : float
        Share of the pictures with noise, and its greatest standard deviation.
    masked : float
        Share of the pictures that are cut out along a mask; the others keep the whole frame.
    off : tuple of float
        Range in pixels by which that mask is too small (negative) or too large.
    background : float
        Greatest grey value around a sprite that is cut out; a mask too large shows it.
    """

    blurred: float = 0.3
    gain: tuple[float, float] = (0.5, 1.0)
    noisy: float = 0.6
    noise: float = 0.08
    masked: float = 0.6
    off: tuple[float, float] = (-1.5, 2.5)
    background: float = 0.15

    def at(self, strength: float) -> Corruption:
        """The same with every effect but the cutting out scaled to ``strength``, 0 to 1."""
        low, high = self.gain
        return Corruption(
            self.blurred * strength,
            (1 - (1 - low) * strength, 1 - (1 - high) * strength),
            self.noisy * strength,
            self.noise,
            self.masked,
            (self.off[0] * strength, self.off[1] * strength),
            self.background * strength,
        )


def corrupted(
    pictures: Tensor, distance: Tensor, how: Corruption, generator: torch.Generator
) -> Tensor:
    """Pictures (n, C, H, W) in [0, 1], corrupted; ``distance`` (n, H, W) as of `Drawn`."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(pictures), 1, 1, 1, generator=generator)

    def some(share: float) -> Tensor:
        return uniform(0, 1) < share

    seen = torch.where(some(how.blurred), box_blurred(pictures), pictures) * uniform(*how.gain)
    distance = distance[:, None]
    cut = some(how.masked)
    background = torch.where(cut, uniform(0, how.background), 0.0)
    seen = seen + background * torch.sigmoid(-EDGE * distance)
    amount = torch.where(some(how.noisy), uniform(0, how.noise), 0.0)
    seen = seen + amount * torch.randn(seen.shape, generator=generator)
    mask = torch.sigmoid(EDGE * (distance + uniform(*how.off)))
    return torch.where(cut, seen * mask, seen).clamp(0, 1)


def box_blurred(pictures: Tensor) -> Tensor:
    """Mean of each 3 x 3 neighbourhood."""
    return F.avg_pool2d(pictures, 3, stride=1, padding=1)


def _gaussian_blurred(pictures: Tensor, sigma: float) -> Tensor:
    offsets = torch.arange(-4, 5, dtype=pictures.dtype)
    row = torch.exp(-0.5 * (offsets / sigma) ** 2)
    row = row / row.sum()
    kernel = (row[:, None] * row).expand(pictures.shape[1], 1, -1, -1)
    return F.conv2d(pictures, kernel, padding=4, groups=pictures.shape[1])


def _shaded(pictures: Tensor) -> Tensor:
    slope = torch.linspace(0.6, 1.0, pictures.shape[-1])
    return pictures * slope


def _counted(pictures: Tensor, generator: torch.Generator, photons: float) -> Tensor:
    return torch.poisson(pictures * photons, generator=generator) / photons


def _cut_out(pictures: Tensor, distance: Tensor, off: float, generator: torch.Generator) -> Tensor:
    distance = distance[:, None]
    around = 0.05 * torch.sigmoid(-EDGE * distance)
    seen = pictures + around + 0.02 * torch.randn(pictures.shape, generator=generator)
    return seen * torch.sigmoid(EDGE * (distance + off))


#: What a trained encoder must stand, and (from `Poisson noise` on) what it was not trained on:
#: pictures, distances and generator to corrupted pictures.
TESTS: dict[str, Callable[[Tensor, Tensor, torch.Generator], Tensor]] = {
    "noise sd .05 everywhere": lambda x, d, g: x + 0.05 * torch.randn(x.shape, generator=g),
    "3 x 3 blur": lambda x, d, g: box_blurred(x),
    "half brightness": lambda x, d, g: 0.5 * x,
    "mask 1 px too small": lambda x, d, g: _cut_out(x, d, -1.0, g),
    "mask 2 px too large": lambda x, d, g: _cut_out(x, d, 2.0, g),
    "Poisson noise, 60 photons": lambda x, d, g: _counted(x, g, 60),
    "Gaussian blur, sigma 1.2": lambda x, d, g: _gaussian_blurred(x, 1.2),
    "shading, 40 % across the frame": lambda x, d, g: _shaded(x),
    "gamma 1.4": lambda x, d, g: x.clamp(0, 1) ** 1.4,
}
