"""Crops whose outlines and light are known."""

from __future__ import annotations

import numpy as np

from napari_channelmix.whatif.crops import CellCrops


def discs(
    count: int = 3,
    side: int = 41,
    channels: tuple[str, ...] = ("DNA", "reporter"),
    *,
    radius: float = 8.0,
    background: float = 10.0,
    neighbour: bool = True,
) -> CellCrops:
    """A round cell of light 100, its nucleus of 300 in DNA, and a neighbour in a corner."""
    y, x = np.mgrid[:side, :side] - side // 2
    away = np.hypot(y, x)
    cell, nucleus = away <= radius, away <= radius / 2
    others = (np.hypot(y - side // 2, x - side // 2) <= radius / 2) & ~cell
    others &= neighbour
    pixels = np.full((count, len(channels), side, side), background, np.float32)
    pixels += 100 * (cell | others)
    pixels[:, 0] += 200 * nucleus
    return CellCrops(
        pixels,
        channels,
        np.repeat(cell[None], count, 0),
        np.repeat(others[None], count, 0),
        np.full(count, "label"),
        np.repeat(nucleus[None], count, 0),
        np.full((count, len(channels)), background, np.float32),
        np.arange(count),
    )
