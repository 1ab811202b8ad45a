"""Fields of cells as a microscope shows them, drawn from a seed: uneven, touching, noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter
from scipy.special import expit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STAINS", "field_of_cells", "plate_folder"]

STAINS = ("DAPI", "GFP", "Actin")
# Radius of a nucleus in pixels, and of a cell in radii of its nucleus.
RADIUS, CELL = 13.0, 1.9


def field_of_cells(
    seed: int, side: int = 512, count: int = 70, *, entered: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A field of view and its nuclei.

    Parameters
    ----------
    seed, side, count : int
        Side in pixels; number of nuclei.
    entered : float
        Share of the GFP that lies in the nucleus, 0 to 1.

    Returns
    -------
    (3, side, side) array, uint16
        `STAINS`.
    (side, side) array, int32
        Label image of the nuclei.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    nuclei = np.zeros((side, side), np.int32)
    light = np.zeros((len(STAINS), side, side), np.float32)
    texture = gaussian_filter(rng.normal(0, 1, (2, side, side)).astype(np.float32), (0, 2.5, 2.5))
    texture /= texture.std()
    for number, (row, column) in enumerate(_places(rng, side, count), 1):
        radius = RADIUS * rng.lognormal(0, 0.13)
        turn, length = rng.uniform(0, np.pi), rng.uniform(0.95, 1.4)
        away = np.hypot(
            ((y - row) * np.cos(turn) - (x - column) * np.sin(turn)) * length**0.5,
            ((y - row) * np.sin(turn) + (x - column) * np.cos(turn)) / length**0.5,
        )
        angle = np.arctan2(y - row, x - column)
        # Lobes keep outlines from being ellipses.
        away *= 1 + sum(
            rng.normal(0, 0.05 / k) * np.cos(k * angle + rng.uniform(0, 7)) for k in (2, 3, 4)
        )
        nucleus = expit((radius - away) / 0.9)
        body = expit((CELL * radius - away) / 2.5)
        bright = rng.lognormal(0, 0.3)
        light[0] += 1900 * bright * nucleus * (1 + 0.16 * texture[0])
        inside = entered * nucleus + (1 - entered) * np.clip(body - nucleus, 0, 1)
        light[1] += rng.lognormal(0, 0.25) * (1500 * inside + 250 * body)
        rim = np.exp(-(((away - CELL * radius) / 4) ** 2))
        light[2] += rng.lognormal(0, 0.2) * (800 * rim + 450 * body * (1 + 0.5 * texture[1]))
        nuclei[(nucleus > 0.5) & (nuclei == 0)] = number
    shade = 1 - 0.35 * np.hypot(y - 0.45 * side, x - 0.6 * side) / side
    light = gaussian_filter(np.clip(light + 160, 0, None) * shade, (0, 1.1, 1.1))
    return (rng.poisson(light / 4) * 4 + rng.normal(90, 9, light.shape)).astype(np.uint16), nuclei


def _places(rng: np.random.Generator, side: int, count: int) -> list[tuple[float, float]]:
    """Middles of nuclei; some touch, none lies within another."""
    places: list[tuple[float, float]] = []
    for _ in range(60 * count):
        place = rng.uniform(0.3 * RADIUS, side - 0.3 * RADIUS, 2)
        # Every fourth may be as near as two nuclei that touch.
        apart = (1.9 if len(places) % 4 == 3 else 3.0) * RADIUS
        if all(np.hypot(*(place - other)) > apart for other in places):
            places.append((float(place[0]), float(place[1])))
        if len(places) == count:
            break
    return places


def plate_folder(
    folder: Path, name: str, rows: str = "BCD", columns: int = 6, fields: int = 2
) -> Path:
    """A plate of single-channel images; GFP enters the nuclei in the second half of the columns.

    Parameters
    ----------
    folder : Path
        Is made.
    name : str
        With ``{well}``, ``{field}`` and ``{channel}``, and ``{number}`` of the channel.
    """
    folder.mkdir(parents=True)
    for place, row in enumerate(rows):
        for column in range(2, 2 + columns):
            for field in range(1, 1 + fields):
                seed = 1000 * place + 10 * column + field
                entered = 0.9 if column >= 2 + columns // 2 else 0.1
                planes, _ = field_of_cells(seed, 160, 8, entered=entered)
                for number, (channel, plane) in enumerate(zip(STAINS, planes, strict=True), 1):
                    file = name.format(
                        well=f"{row}{column:02d}", field=field, channel=channel, number=number
                    )
                    tifffile.imwrite(folder / file, plane)
    return folder
