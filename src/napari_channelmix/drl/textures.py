"""Procedural textures: tiles on a torus whose grey values all have the same distribution.

A tile is ranked and mapped to a uniform distribution, so that the brightness of a sprite says
nothing of its texture. Made from a seed; no picture is shipped. Our definitions, after the
recipe for a replacement of the Brodatz textures.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["CELL_TEXTURES", "SIDE", "TEXTURES", "tiles"]

# Side of a tile in pixels.
SIDE = 64

Texture = Callable[[torch.Generator], Tensor]


def tiles(
    textures: dict[str, Texture], variants: int, seed: int, low: float, high: float
) -> Tensor:
    """Tiles (T, variants, SIDE, SIDE) float32, uniform on [low, high] but for flat ones.

    A texture that is flat has the mean of the range everywhere.
    """
    made = torch.empty(len(textures), variants, SIDE, SIDE)
    for index, texture in enumerate(textures.values()):
        for variant in range(variants):
            # A stream of its own for each tile, whatever the number of the others.
            generator = torch.Generator().manual_seed(seed * 7919 + index * 101 + variant)
            made[index, variant] = _equalised(texture(generator), low, high)
    return made


def _equalised(tile: Tensor, low: float, high: float) -> Tensor:
    if tile.std() < 1e-6:
        return torch.full_like(tile, (low + high) / 2).float()
    rank = tile.flatten().argsort().argsort().reshape(tile.shape)
    return (low + (high - low) * (rank.double() + 0.5) / rank.numel()).float()


def _grid() -> tuple[Tensor, Tensor]:
    coordinates = torch.arange(SIDE, dtype=torch.float64)
    y, x = torch.meshgrid(coordinates, coordinates, indexing="ij")
    return y, x


def _frequencies() -> tuple[Tensor, Tensor, Tensor]:
    frequencies = torch.fft.fftfreq(SIDE, dtype=torch.float64)
    fy, fx = torch.meshgrid(frequencies, frequencies, indexing="ij")
    return fy, fx, torch.sqrt(fy**2 + fx**2)


def _band(
    generator: torch.Generator, low: float, high: float, keep: Tensor | None = None
) -> Tensor:
    """White noise with the frequencies low .. high (cycles a pixel) only; unit variance."""
    _, _, radius = _frequencies()
    passing = (radius >= low) & (radius <= high)
    if keep is not None:
        passing &= keep
    noise = torch.randn(SIDE, SIDE, generator=generator, dtype=torch.float64)
    filtered: Tensor = torch.fft.ifft2(torch.fft.fft2(noise) * passing).real
    return filtered / filtered.std()


def _weave(generator: torch.Generator) -> Tensor:
    y, x = _grid()
    threads = torch.sin(2 * math.pi * x / 4) + torch.sin(2 * math.pi * y / 4)
    return threads + 0.35 * _band(generator, 0.1, 0.5)


def _fibres(generator: torch.Generator) -> Tensor:
    fy, fx, _ = _frequencies()
    # Fibres lie in one direction, give or take; opposite frequencies are the same wave.
    turn = (torch.atan2(fy, fx) - 0.7 + math.pi / 2) % math.pi - math.pi / 2
    return _band(generator, 0.08, 0.25, turn.abs() < 0.25)


def _lace(generator: torch.Generator) -> Tensor:
    return -_band(generator, 0.045, 0.095).abs()


def _pebbles(generator: torch.Generator) -> Tensor:
    y, x = _grid()
    seeds = torch.rand(44, 2, generator=generator, dtype=torch.float64) * SIDE
    apart = torch.stack([y, x], dim=-1)[:, :, None] - seeds
    # The way round the torus, if that is shorter.
    apart = (apart + SIDE / 2) % SIDE - SIDE / 2
    two = apart.norm(dim=-1).topk(2, largest=False).values
    between: Tensor = two[..., 1] - two[..., 0]
    return between


def _cane(generator: torch.Generator) -> Tensor:
    y, x = _grid()
    waves = ((6, 0), (3, 5), (-3, 5))
    shift = torch.rand(2, generator=generator, dtype=torch.float64) * SIDE
    return sum(
        (
            torch.cos(2 * math.pi * (a * (x - shift[0]) + b * (y - shift[1])) / SIDE)
            for a, b in waves
        ),
        start=torch.zeros(SIDE, SIDE, dtype=torch.float64),
    )


def _flat(generator: torch.Generator) -> Tensor:
    return torch.zeros(SIDE, SIDE, dtype=torch.float64)


# From fine to coarse, so that one axis can hold them.
TEXTURES: dict[str, Texture] = {
    "weave": _weave,
    "fibres": _fibres,
    "lace": _lace,
    "pebbles": _pebbles,
    "cane": _cane,
}

# What the inside of a cell may look like in one channel: nothing, then grains that grow.
CELL_TEXTURES: dict[str, Texture] = {
    "smooth": _flat,
    "fine": lambda generator: _band(generator, 0.15, 0.25),
    "granular": lambda generator: _band(generator, 0.085, 0.125),
    "coarse": lambda generator: _band(generator, 0.05, 0.07),
}
