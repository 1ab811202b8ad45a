"""What a step along a latent does to a drawing by definition, as sprites are drawn.

Sprites are made by operations: an outline is bent, zoomed, turned and put somewhere, and filled
with a texture, a colour and an intensity. A step along such a latent is the same operation on the
drawing of a cell: it moves what its name says, and little else. The rim alone is learnt.

1. `Shape` moves each point along its ray from the middle, as the outline of the one shape goes over
   into that of the other; both have the same area.
2. `Scale`, `Orientation`, `PosX` and `PosY` zoom, turn and shift.
3. `Texture` or `Granularity` lets the fine texture inside the cell give way to the typical one.
4. `Color` and `Intensity` multiply each channel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_channelmix.drl import textures
from napari_channelmix.drl.network import REACH
from napari_channelmix.drl.sprites import COLORS, SpriteSet, sprite_set

if TYPE_CHECKING:
    from napari_channelmix.drl.latent_code import Code

__all__ = ["OPERATIONS", "applied", "known_columns", "steps_of"]

#: Factors whose effect on a picture is an operation.
OPERATIONS = (
    "Texture",
    "Granularity",
    "Color",
    "Intensity",
    "Shape",
    "Scale",
    "Orientation",
    "PosX",
    "PosY",
)
# Latents beyond this are taken as this: operations are not extrapolated without end.
FURTHEST = 2 * REACH
# Smallest size of a sprite, in pixels, that a scale may stand for.
SMALLEST = 4.0
# Directions from the middle for which the radius of an outline is kept.
DIRECTIONS = 360
# A pixel belongs to the cell from this share of its typical light on.
LIT = 0.15
# Deviation of a typical texture from its mean of 1, at most.
CONTRAST = 0.5


@dataclass(frozen=True, eq=False)
class Steps:
    """What leads from one place on the axes to another, for each of n pictures.

    Attributes
    ----------
    gain : (n, C) tensor
        Factor of each channel.
    zoom : (n,) tensor
        Factor of lengths.
    turn : (n,) tensor
        Radians, in the direction in which sprites are turned.
    shift : (n, 2) tensor
        Pixels along y and x.
    radii : (n, DIRECTIONS) tensor
        Factor of the radius of the outline in each direction.
    texture : (n, H, W) tensor
        Typical texture, of a mean of 1.
    share : (n,) tensor
        How much of the cell's fine texture gives way to it, 0 to 1.
    """

    gain: Tensor
    zoom: Tensor
    turn: Tensor
    shift: Tensor
    radii: Tensor
    texture: Tensor
    share: Tensor


def known_columns(code: Code) -> list[int]:
    """Positions of the latents whose effect is an operation."""
    return [
        column
        for factor in code.of.factors
        if factor.name in OPERATIONS
        for column in code.latents_of(factor)
    ]


def steps_of(code: Code, start: Tensor, end: Tensor) -> Steps:
    """What leads from latents ``start`` (n, Z) to latents ``end`` (n, Z).

    The values of the latents are those of the sprites' factors, interpolated: a size in pixels for
    `Scale`, grey values for `Intensity`, colours for `Color`. A turn is divided by the rotational
    period of the outline nearest to the shape of ``start``, as sprites are turned.
    """
    count, of = len(start), code.of
    gain = torch.ones(count, of.channels)
    zoom, turn, shift = torch.ones(count), torch.zeros(count), torch.zeros(count, 2)
    column = code.latents_of(of.factor("Orientation"))
    phase = [torch.atan2(z[:, column[1]], z[:, column[0]]) for z in (start, end)]
    shape = code.latents_of(of.factor("Shape"))[0]
    periods = torch.tensor([float(outline.period) for outline in of.outlines])
    turned = torch.remainder(phase[1] - phase[0] + math.pi, 2 * math.pi) - math.pi
    turn = turned / periods[_place(start[:, shape], len(periods)).round().long()]
    for factor in of.factors:
        before, after = (z[:, code.latents_of(factor)[0]] for z in (start, end))
        if factor.name == "Color":
            colors = torch.tensor(list(COLORS.values()))
            gain = gain * _between(colors, after) / _between(colors, before)
        elif factor.name in ("Intensity", "Scale"):
            values = torch.tensor([float(value) for value in factor.values])[:, None]
            # Values that are a ratio apart stay so between and beyond them.
            ratio = factor.name == "Intensity" or of.equal_area
            lower, upper = (
                _extended(values.log() if ratio else values, z)[:, 0] for z in (before, after)
            )
            if ratio:
                step = (upper - lower).exp()
            else:
                step = upper.clamp(min=SMALLEST) / lower.clamp(min=SMALLEST)
            if factor.name == "Scale":
                zoom = step
            else:
                gain = gain * step[:, None]
        elif factor.name in ("PosX", "PosY"):
            values = torch.tensor([float(value) for value in factor.values])[:, None]
            apart = _extended(values, after) - _extended(values, before)
            shift[:, 0 if factor.name == "PosY" else 1] = apart[:, 0]
    radii = _radii(of.name)
    # Both outlines at the angle of the start: the turn comes after.
    angles = phase[0][:, None] / periods
    ratio_of_radii = _radius(radii, angles, end[:, shape]) / _radius(radii, angles, start[:, shape])
    first = code.latents_of(of.factors[0])[0]
    tiles = _typical(of.name)
    spacing = 2 * REACH / (len(tiles) - 1)
    share = ((end[:, first] - start[:, first]).abs() / spacing).clamp(0, 1)
    texture = _between(tiles.flatten(1), end[:, first]).unflatten(1, tiles.shape[1:])
    return Steps(gain, zoom, turn, shift, ratio_of_radii, texture, share)


def applied(pictures: Tensor, steps: Steps) -> Tensor:
    """Pictures (n, C, H, W) after all steps, not cut to [0, 1]; black beyond their frame.

    A cell is bent, zoomed and turned about the middle of its frame, where it lies.
    """
    bent = (steps.radii - 1).abs().amax(dim=1) > 1e-4
    moved = (
        bent
        | (steps.zoom - 1).abs().gt(1e-4)
        | steps.turn.abs().gt(1e-4)
        | steps.shift.abs().amax(dim=1).gt(1e-3)
    )
    drawn = pictures
    if moved.any():
        rows = torch.nonzero(moved)[:, 0]
        grid = _grid(steps, rows, pictures.shape[-1])
        warped = F.grid_sample(pictures[rows], grid, align_corners=False)
        drawn = pictures.index_copy(0, rows, warped)
    filled = torch.nonzero(steps.share > 1e-4)[:, 0]
    if len(filled):
        drawn = drawn.index_copy(
            0, filled, _filled(drawn[filled], steps.texture[filled], steps.share[filled])
        )
    return drawn * steps.gain[:, :, None, None]


def _grid(steps: Steps, rows: Tensor, side: int) -> Tensor:
    """Where each pixel of the new pictures comes from (n, H, W, 2), as x and y on [-1, 1]."""
    line = (torch.arange(side) + 0.5) * 2 / side - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    dy, dx = (2 * steps.shift[rows] / side).T[:, :, None, None]
    x, y = x - dx, y - dy
    cos, sin = (
        (of(steps.turn[rows]) / steps.zoom[rows])[:, None, None] for of in (torch.cos, torch.sin)
    )
    x, y = cos * x + sin * y, cos * y - sin * x
    radii = steps.radii[rows]
    # Between two directions, linear.
    place = torch.remainder(torch.atan2(y, x) / (2 * math.pi), 1.0) * DIRECTIONS
    low = place.floor().long() % DIRECTIONS
    share = place - place.floor()
    flat = radii.gather(1, low.flatten(1)).view_as(low)
    after = radii.gather(1, ((low + 1) % DIRECTIONS).flatten(1)).view_as(low)
    ratio = flat + share * (after - flat)
    return torch.stack([x / ratio, y / ratio], dim=-1)


def _filled(pictures: Tensor, texture: Tensor, share: Tensor) -> Tensor:
    """Pictures (n, C, H, W) whose fine texture gives way to another one, inside the cell."""
    light = pictures.mean(dim=1, keepdim=True).clamp(min=0)
    typical = (light**2).sum(dim=(2, 3), keepdim=True) / light.sum(dim=(2, 3), keepdim=True).clamp(
        min=1e-6
    )
    inside = (light > LIT * typical).float()
    both = torch.cat([pictures * inside, inside], dim=1)
    for _ in range(3):
        both = F.avg_pool2d(both, 5, stride=1, padding=2)
    smooth = both[:, :-1] / both[:, -1:].clamp(min=1e-3)
    # The outline itself stays as it is.
    core = ((F.avg_pool2d(inside, 5, stride=1, padding=2) - 0.6) / 0.4).clamp(0, 1)
    part = share[:, None, None, None] * core
    return (1 - part) * pictures + part * smooth * texture[:, None]


def _place(z: Tensor, count: int) -> Tensor:
    """Place (n,) of latents among the values of a factor, 0 to count - 1."""
    return ((z + REACH) / (2 * REACH) * (count - 1)).clamp(0, count - 1)


def _between(values: Tensor, z: Tensor) -> Tensor:
    """Values (V, D) of a factor at latents (n,): linear between them, the last ones beyond."""
    place = _place(z, len(values))
    low = place.floor().clamp(max=len(values) - 2).long()
    share = (place - low)[:, None]
    return values[low] + share * (values[low + 1] - values[low])


def _extended(values: Tensor, z: Tensor) -> Tensor:
    """The same, going on beyond the last ones as between them."""
    place = (z.clamp(-FURTHEST, FURTHEST) + REACH) / (2 * REACH) * (len(values) - 1)
    low = place.floor().clamp(0, len(values) - 2).long()
    share = (place - low)[:, None]
    return values[low] + share * (values[low + 1] - values[low])


@lru_cache(maxsize=4)
def _radii(name: str) -> Tensor:
    """Radius (outlines, DIRECTIONS) of each outline of a set in each direction, of equal area."""
    turns = torch.arange(DIRECTIONS, dtype=torch.float64) * 2 * math.pi / DIRECTIONS
    lengths = torch.linspace(0.002, 1.0, 500, dtype=torch.float64)
    points = torch.stack([lengths[:, None] * turns.sin(), lengths[:, None] * turns.cos()], dim=-1)
    radii = []
    for outline in sprite_set(name).outlines:
        inside = outline.distance(points) > 0
        # The outermost point, should a ray leave the outline more than once.
        radius = (inside * lengths[:, None]).amax(dim=0).clamp(min=lengths[0])
        radii.append(radius / (radius**2).mean().sqrt())
    return torch.stack(radii).float()


def _radius(radii: Tensor, angles: Tensor, z: Tensor) -> Tensor:
    """Radius (n, DIRECTIONS) at shapes (n,), outlines (V, DIRECTIONS) turned by angles (n, V)."""
    turned = torch.stack(
        [
            radii[index][
                (
                    torch.arange(DIRECTIONS)
                    - (angles[:, index] * DIRECTIONS / (2 * math.pi)).round().long()[:, None]
                )
                % DIRECTIONS
            ]
            for index in range(len(radii))
        ],
        dim=1,
    )
    place = _place(z, len(radii))
    low = place.floor().clamp(max=len(radii) - 2).long()
    share = (place - low)[:, None]
    rows = torch.arange(len(z))
    return turned[rows, low] + share * (turned[rows, low + 1] - turned[rows, low])


@lru_cache(maxsize=4)
def _typical(name: str) -> Tensor:
    """Typical textures (V, H, W) of a set, in their first phase, of a mean of 1."""
    of: SpriteSet = sprite_set(name)
    low, high = 1 - CONTRAST, 1 + CONTRAST
    return textures.tiles(of.textures, 1, of.tile_seed, low, high)[:, 0]
