"""Sprites: pictures drawn from known factors, any index -> picture, many at a time.

A sprite is an outline filled with a texture, black outside. Each of its factors (texture, colour,
shape, ...) takes a few values, and every combination is one sprite of the set:

1. the index is written in digits, one for each factor (the last factor runs fastest);
2. shape, scale and orientation choose a field of signed distances, position where to look at it;
3. the mask is a soft step of the distance; texture and colour (or intensity and rim) fill it.

Two pictures come of one sprite. The *input* shows the texture at a random phase, from any of its
tiles, since cells do not share a phase; the *target* shows its first tile at phase 0, since a few
latents cannot describe a phase. What the encoder learns is the texture's kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from napari_channelmix.drl import shapes, textures
from napari_channelmix.errors import ModelError

__all__ = ["CELLS", "PAPER", "SIDE", "TEXTURED", "Factor", "SpriteSet", "Sprites", "sprite_set"]

# Side of a picture in pixels.
SIDE = 64
# How steeply the mask falls at the outline, per pixel of distance.
EDGE = 3.0

# Equally bright colours, from warm to cool, so that one axis can hold them; white in the middle.
COLORS = {
    "orange": (0.9096, 0.5883, 0.3658),
    "pink": (0.9082, 0.5511, 0.7494),
    "olive": (0.6350, 0.6928, 0.3627),
    "white": (1.0, 1.0, 1.0),
    "purple": (0.6963, 0.6221, 0.8997),
    "green": (0.3765, 0.7284, 0.5963),
    "cyan": (0.3955, 0.7074, 0.7873),
}


@dataclass(frozen=True)
class Factor:
    """One thing that varies among sprites.

    Attributes
    ----------
    name : str
    values : tuple
        Its values, in the order in which the latent holds them.
    weight : float
        How often it is the one that changes in a pair, against the others.
    cyclic : bool
        Whether the last value is next to the first; such a factor takes two latents.
    """

    name: str
    values: tuple[str | float, ...]
    weight: float = 1.0
    cyclic: bool = False

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class SpriteSet:
    """What a set of sprites is made of.

    Attributes
    ----------
    name : str
    factors : tuple of Factor
        The first seven are texture, colour (or intensity), shape, scale, orientation, x and y.
    outlines : tuple of Outline
        In the order of the values of ``Shape``.
    textures : dict of str to callable
        In the order of the values of the first factor.
    channels : int
        3 for colours, 1 for intensities.
    brightness : tuple of float
        Lowest and highest grey value of a texture.
    equal_area : bool
        Whether the scale is the diameter of a disc of the same area, whatever the shape.
    anchored : bool
        Whether textures lie fixed in the frame, as in the paper, in inputs too.
    variants : int
        Tiles of each texture.
    """

    name: str
    factors: tuple[Factor, ...]
    outlines: tuple[shapes.Outline, ...]
    textures: dict[str, textures.Texture]
    channels: int
    brightness: tuple[float, float] = (0.15, 1.0)
    equal_area: bool = False
    anchored: bool = False
    variants: int = 1
    tile_seed: int = 7

    @property
    def size(self) -> int:
        """Number of sprites, all combinations."""
        return math.prod(len(factor) for factor in self.factors)

    def as_dict(self) -> dict[str, Any]:
        """All that decides what the sprites look like, for JSON."""
        return {
            "factors": {factor.name: list(factor.values) for factor in self.factors},
            "outlines": len(self.outlines),
            "textures": list(self.textures),
            "channels": self.channels,
            "brightness": list(self.brightness),
            "equal_area": self.equal_area,
            "anchored": self.anchored,
            "variants": self.variants,
            "tile_seed": self.tile_seed,
        }

    def factor(self, name: str) -> Factor:
        """The factor of this name.

        Raises
        ------
        ModelError
            No such factor.
        """
        for factor in self.factors:
            if factor.name == name:
                return factor
        names = ", ".join(factor.name for factor in self.factors)
        raise ModelError(f"{self.name} has no factor {name!r}; it has {names}")

    def __reduce__(self) -> Any:
        """By its name: how its textures are drawn is code, which another process has as well."""
        if _SETS.get(self.name) is self:
            return sprite_set, (self.name,)
        return object.__reduce_ex__(self, 2)

    def has(self, name: str) -> bool:
        """Whether there is a factor of this name."""
        return any(factor.name == name for factor in self.factors)

    def column(self, name: str) -> int:
        """Position of a factor."""
        return self.factors.index(self.factor(name))


def _steps(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(float(v) for v in torch.linspace(low, high, count, dtype=torch.float64))


def _doublings(low: float, count: int, per_doubling: float) -> tuple[float, ...]:
    return tuple(low * 2 ** (k / per_doubling) for k in range(count))


def _places(reach: int) -> tuple[float, ...]:
    return tuple(float(v) for v in range(-reach, reach + 1))


_TURNS = tuple(k / 40 for k in range(40))

#: Coloured, textured sprites in the middle of the frame, as large as cells are after cropping.
TEXTURED = SpriteSet(
    name="texture-sprites",
    factors=(
        Factor("Texture", tuple(textures.TEXTURES), 2.0),
        Factor("Color", tuple(COLORS), 2.0),
        Factor("Shape", ("square", "ellipse", "heart"), 1.5),
        Factor("Scale", _steps(18, 40, 6)),
        Factor("Orientation", _TURNS, 1.5, cyclic=True),
        Factor("PosX", _places(4), 0.5),
        Factor("PosY", _places(4), 0.5),
    ),
    outlines=(shapes.SQUARE, shapes.ELLIPSE, shapes.HEART),
    textures=textures.TEXTURES,
    channels=3,
    variants=4,
)

#: One fluorescence channel: intensity for colour, grains, roundish to lobed, dark or bright rim.
CELLS = SpriteSet(
    name="cell-sprites",
    factors=(
        Factor("Granularity", tuple(textures.CELL_TEXTURES), 2.0),
        Factor("Intensity", _doublings(0.13, 5, 2)),
        Factor("Shape", ("roundish", "oval", "bean", "lobed"), 1.5),
        Factor("Scale", _doublings(18, 6, 4)),
        Factor("Orientation", _TURNS, 1.5, cyclic=True),
        Factor("PosX", _places(4), 0.5),
        Factor("PosY", _places(4), 0.5),
        Factor("Rim", (-0.7, 0.0, 0.7), 1.5),
    ),
    outlines=(shapes.ROUNDISH, shapes.OVAL, shapes.BEAN, shapes.LOBED),
    textures=textures.CELL_TEXTURES,
    channels=1,
    brightness=(0.5, 1.5),
    equal_area=True,
    variants=8,
)

#: The geometry of the paper: small sprites anywhere in the frame, textures fixed to the frame.
PAPER = SpriteSet(
    name="paper-sprites",
    factors=(
        *TEXTURED.factors[:3],
        Factor("Scale", _steps(10, 20, 6)),
        TEXTURED.factors[4],
        Factor("PosX", _steps(-16, 15, 32), 0.5),
        Factor("PosY", _steps(-16, 15, 32), 0.5),
    ),
    outlines=TEXTURED.outlines,
    textures=TEXTURED.textures,
    channels=3,
    anchored=True,
)

_SETS = {one.name: one for one in (TEXTURED, CELLS, PAPER)}


def sprite_set(name: str) -> SpriteSet:
    """The set of this name.

    Raises
    ------
    ModelError
        No such set.
    """
    if name not in _SETS:
        raise ModelError(f"there are no sprites {name!r}; there are {', '.join(_SETS)}")
    return _SETS[name]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Sprites as they were drawn: what is inside them, and where."""

    #: (n, C, SIDE, SIDE) in [0, 1], black outside.
    inputs: Tensor
    #: (n, C, SIDE, SIDE) in [0, 1], the texture's first tile at phase 0.
    targets: Tensor
    #: (n, SIDE, SIDE) signed distance to the outline in pixels, positive inside.
    distance: Tensor = field(repr=False)

    @property
    def masks(self) -> Tensor:
        """(n, SIDE, SIDE) in [0, 1]."""
        return torch.sigmoid(EDGE * self.distance)


class Sprites:
    """Draws the sprites of a set.

    Parameters
    ----------
    of : SpriteSet
    tile_seed : int, optional
        Makes other tiles than the set's own: textures nobody has trained on.
    """

    def __init__(self, of: SpriteSet, tile_seed: int | None = None) -> None:
        self.of = of
        seed = of.tile_seed if tile_seed is None else tile_seed
        tiles = textures.tiles(of.textures, of.variants, seed, *of.brightness)
        # Written twice along both axes, a tile holds every phase of itself as a plain window.
        self._tiles = tiles.tile(1, 1, 2, 2)[..., :-1, :-1].contiguous()
        self._radix = torch.tensor([len(factor) for factor in of.factors])
        self._reach = int(max(abs(float(v)) for v in of.factor("PosX").values))

    # ---------------------------------------------------------------- indices

    def digits(self, indices: Tensor) -> Tensor:
        """Digits (n, K) of indices (n,) below `SpriteSet.size`: a value of each factor.

        Raises
        ------
        ModelError
            An index outside the set.
        """
        if len(indices) and not (0 <= int(indices.min()) <= int(indices.max()) < self.of.size):
            raise ModelError(f"{self.of.name} has sprites 0 to {self.of.size - 1}")
        rest, digits = indices.long(), []
        for base in reversed(self._radix.tolist()):
            digits.append(rest % base)
            rest = rest // base
        return torch.stack(digits[::-1], dim=1)

    def random(self, count: int, generator: torch.Generator) -> Tensor:
        """Digits (count, K) of sprites drawn uniformly."""
        share = torch.rand(count, len(self._radix), generator=generator)
        return (share * self._radix).long()

    def redrawn(
        self, digits: Tensor, factor: Tensor, generator: torch.Generator, *, other: bool = True
    ) -> Tensor:
        """The same sprites with one factor (n,) each drawn anew; ``other``: never the old value."""
        rows = torch.arange(len(digits))
        base, old = self._radix[factor], digits[rows, factor]
        share = torch.rand(len(digits), generator=generator)
        new = (old + 1 + (share * (base - 1)).long()) % base if other else (share * base).long()
        changed = digits.clone()
        changed[rows, factor] = new
        return changed

    def pairs(
        self, count: int, generator: torch.Generator, changes: int = 1
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pairs of sprites that differ in 1 or ``changes`` factors, with equal probability.

        Returns
        -------
        first, second : (count, K) int tensors
            Digits.
        changed : (count, K) bool tensor
            Which factors differ.

        Raises
        ------
        ModelError
            More changes than there are factors.
        """
        if changes > len(self.of.factors):
            raise ModelError(
                f"{self.of.name} have {len(self.of.factors)} factors; {changes} of "
                "them cannot change"
            )
        weights = torch.tensor([factor.weight for factor in self.of.factors])
        first = self.random(count, generator)
        order = torch.multinomial(weights.expand(count, -1), len(weights), generator=generator)
        both = torch.rand(count, generator=generator) < 0.5
        number = torch.where(both, changes, 1)
        second, changed = first, torch.zeros(first.shape, dtype=torch.bool)
        for turn in range(changes):
            active = number > turn
            factor = order[:, turn]
            new = self.redrawn(second, factor, generator)
            second = torch.where(active[:, None], new, second)
            changed[torch.arange(count)[active], factor[active]] = True
        return first, second, changed

    # ---------------------------------------------------------------- pictures

    def draw(self, digits: Tensor, generator: torch.Generator | None = None) -> Drawn:
        """Draw sprites.

        Parameters
        ----------
        digits : (n, K) int tensor
            A value of each factor, as of `digits` or `random`.
        generator : torch.Generator, optional
            Draws tile and phase of each input; without one, inputs are the targets.
        """
        part = {factor.name: digits[:, column] for column, factor in enumerate(self.of.factors)}
        bank = self._bank_index(part)
        dy, dx = (self._reach - self._shift(part[axis], axis) for axis in ("PosY", "PosX"))
        distance = self._bank.unfold(1, SIDE, 1).unfold(2, SIDE, 1)[bank, dy, dx]
        light = self._light(part, bank, distance)
        texture = part[self.of.factors[0].name]
        flat = torch.zeros_like(texture)
        targets = self._filled(self._window(texture, flat, flat, flat), light)
        if generator is None or self.of.anchored:
            return Drawn(targets, targets, distance)
        count = len(digits)
        variant = torch.randint(0, self.of.variants, (count,), generator=generator)
        y, x = torch.randint(0, textures.SIDE, (2, count), generator=generator)
        inputs = self._filled(self._window(texture, variant, y, x), light)
        return Drawn(inputs, targets, distance)

    def _shift(self, digit: Tensor, axis: str) -> Tensor:
        values = torch.tensor([round(float(v)) for v in self.of.factor(axis).values])
        return values[digit]

    def _window(self, texture: Tensor, variant: Tensor, y: Tensor, x: Tensor) -> Tensor:
        windows = self._tiles.unfold(2, SIDE, 1).unfold(3, SIDE, 1)
        chosen: Tensor = windows[texture, variant, y, x]
        return chosen

    def _filled(self, texture: Tensor, light: Tensor) -> Tensor:
        return (texture[:, None] * light).clamp(0, 1)

    def _light(self, part: dict[str, Tensor], bank: Tensor, distance: Tensor) -> Tensor:
        """What the texture is multiplied with (n, C, SIDE, SIDE): mask, colour, intensity, rim."""
        mask = torch.sigmoid(EDGE * distance)[:, None]
        if self.of.channels == 3:
            colors = torch.tensor(list(COLORS.values()))[part["Color"]]
            return mask * colors[:, :, None, None]
        intensity = torch.tensor(self.of.factor("Intensity").values)[part["Intensity"]]
        rim = torch.tensor(self.of.factor("Rim").values)[part["Rim"]]
        # How far in a pixel lies: 0 at the outline, 1 at the deepest point.
        deepest, mean = self._depth[bank].T[:, :, None, None]
        depth = distance.clamp(min=0) / deepest
        # Centred on its mean over the sprite, so that the rim leaves the mean brightness alone.
        profile = 1 - 2 * rim[:, None, None] * (depth - mean)
        light: Tensor = mask * (intensity[:, None, None] * profile)[:, None]
        return light

    def _bank_index(self, part: dict[str, Tensor]) -> Tensor:
        scales, turns = len(self.of.factor("Scale")), len(self.of.factor("Orientation"))
        return (part["Shape"] * scales + part["Scale"]) * turns + part["Orientation"]

    @cached_property
    def _bank(self) -> Tensor:
        """Signed distances (shapes * scales * orientations, SIDE + 2 reach, same)."""
        side = SIDE + 2 * self._reach
        fields = []
        for outline in self.of.outlines:
            unit = outline.diameter_for_area() if self.of.equal_area else 1.0
            for scale in self.of.factor("Scale").values:
                for turn in self.of.factor("Orientation").values:
                    angle = 2 * math.pi * float(turn) / outline.period
                    fields.append(outline.field(side, float(scale) * unit, angle))
        return torch.stack(fields)

    @cached_property
    def _depth(self) -> Tensor:
        """Greatest depth in pixels, and mean of the depth as a share of it, of each outline."""
        inside = self._bank.clamp(min=0)
        deepest = inside.amax(dim=(1, 2))
        covered = (self._bank > 0).sum(dim=(1, 2))
        return torch.stack([deepest, inside.sum(dim=(1, 2)) / covered / deepest], dim=1)
