"""Masks: which share of the pixels is kept, soft at the edge so that it can be trained."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["in_spreads", "kept_share", "thresholds"]

# Quantiles of more pixels than this are taken from every second one in each direction.
MANY = 1024


def in_spreads(maps: Tensor) -> Tensor:
    """Maps (N, P, H, W) in units of their own spread, zero where it was; an empty map stays so."""
    spread = maps.flatten(1).std(dim=1, correction=0).view(-1, 1, 1, 1)
    # Values this small are what rounding leaves of nothing.
    return maps / torch.where(spread > 1e-12, spread, torch.inf)


def thresholds(maps: Tensor, areas: Tensor) -> Tensor:
    """The value above which a share of each map (N, P, H, W) lies: (A, N, 1, 1, 1).

    Parameters
    ----------
    maps : (N, P, H, W) tensor
    areas : (A,) tensor
        Shares, 0 to 1.
    """
    if maps.shape[2] * maps.shape[3] > MANY:
        maps = maps[:, :, ::2, ::2]
    falling = maps.flatten(1).sort(dim=1, descending=True).values
    places = (areas * falling.shape[1]).long().clamp(0, falling.shape[1] - 1)
    return falling[:, places].T[:, :, None, None, None]


def kept_share(maps: Tensor, threshold: Tensor, softness: float) -> Tensor:
    """alpha: how much of each pixel is kept, 0 to 1; above the threshold most of it."""
    return torch.sigmoid((maps - threshold) / softness)
