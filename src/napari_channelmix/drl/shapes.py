"""Outlines of sprites as signed distances in pixels: positive inside, negative outside.

Every outline is given at unit size, centred on its centroid, and has a rotational period: turned
by a whole turn over ``period`` it is the same picture again. Our definitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["BEAN", "ELLIPSE", "HEART", "LOBED", "OVAL", "ROUNDISH", "SQUARE", "Outline"]


@dataclass(frozen=True)
class Outline:
    """An outline of unit size.

    Attributes
    ----------
    name : str
    period : int
        Turned by 2 pi / ``period`` it looks the same. A disc, which has no orientation, is none.
    distance : callable
        Signed distance of points (..., 2), as (y, x) in units of the size; positive inside.
    """

    name: str
    period: int
    distance: Callable[[Tensor], Tensor]

    def field(self, side: int, size: float, angle: float) -> Tensor:
        """Signed distance (side, side) in pixels of the outline at this size and angle (radians).

        The centre of the outline is the centre of the field.
        """
        offsets = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
        y, x = torch.meshgrid(offsets, offsets, indexing="ij")
        cos, sin = math.cos(angle), math.sin(angle)
        rotated = torch.stack([cos * y - sin * x, sin * y + cos * x], dim=-1)
        return (size * self.distance(rotated / size)).float()

    def diameter_for_area(self) -> float:
        """Size at which the outline has the area of a disc of diameter 1."""
        side = 801
        inside = (self.field(side, side / 3, 0.0) > 0).sum().item()
        return math.sqrt(math.pi / 4 * (side / 3) ** 2 / inside)


def _box(points: Tensor, half: float) -> Tensor:
    beyond = points.abs() - half
    outside = beyond.clamp(min=0).norm(dim=-1)
    inside: Tensor = -(outside + beyond.amax(dim=-1).clamp(max=0))
    return inside


def _disc(points: Tensor, radius: float, centre: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    away: Tensor = (points - torch.tensor(centre, dtype=points.dtype)).norm(dim=-1)
    return radius - away


def _ellipse(points: Tensor, axes: tuple[float, float]) -> Tensor:
    # The implicit function over its gradient: exact on the outline, close to it nearby.
    axes_ = torch.tensor(axes, dtype=points.dtype)
    level = (points / axes_).norm(dim=-1)
    slope = (points / axes_**2).norm(dim=-1).clamp(min=1e-9)
    return torch.where(level > 1e-6, level * (1 - level) / slope, min(axes))


def _heart(points: Tensor) -> Tensor:
    half = 0.30
    # The square stands on its corner; two discs sit on the middles of its upper sides.
    s = math.sqrt(0.5)
    rotated = torch.stack(
        [s * (points[..., 0] + points[..., 1]), s * (points[..., 0] - points[..., 1])], dim=-1
    )
    # Shifted so that the centroid of the whole is the centre.
    rotated = rotated - 0.313 * half
    square = _box(rotated, half)
    disc = _disc(rotated, half, (-half, 0.0))
    other = _disc(rotated, half, (0.0, -half))
    return torch.maximum(square, torch.maximum(disc, other))


def _bean(points: Tensor) -> Tensor:
    # All points within a fixed distance of an arc of a circle.
    bend, thick, spread = 0.36, 0.23, 1.0
    # The arc's middle lies upwards; the shift brings the centroid to the centre.
    y, x = points[..., 0] - 0.2667, points[..., 1]
    angle = torch.atan2(x, -y).clamp(-spread, spread)
    nearest = torch.stack([-bend * torch.cos(angle), bend * torch.sin(angle)], dim=-1)
    away: Tensor = (torch.stack([y, x], dim=-1) - nearest).norm(dim=-1)
    return thick - away


def _lobed(points: Tensor) -> Tensor:
    lobes = [
        _disc(points, 0.25, (0.27 * math.cos(a), 0.27 * math.sin(a)))
        for a in (0.0, 2 * math.pi / 3, 4 * math.pi / 3)
    ]
    return torch.stack(lobes).amax(dim=0)


SQUARE = Outline("square", 4, lambda points: _box(points, 0.5))
ELLIPSE = Outline("ellipse", 2, lambda points: _ellipse(points, (0.35, 0.65)))
HEART = Outline("heart", 1, _heart)
ROUNDISH = Outline("roundish", 2, lambda points: _ellipse(points, (0.45, 0.56)))
OVAL = Outline("oval", 2, lambda points: _ellipse(points, (0.38, 0.66)))
BEAN = Outline("bean", 1, _bean)
LOBED = Outline("lobed", 3, _lobed)
