"""The material of the four jobs, made by a script: what people have on their disks, no TOML."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL import Image
from scipy.special import expit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PANEL", "Material", "own_tiff", "plate_folder", "six_files", "smear"]

PANEL = ("DAPI", "CD3", "CD8", "CD20", "CD68", "PanCK", "Ki67")
CLASSES = ("control", "treated")
RADIUS = 9.0
SIDE = 256


@dataclass(frozen=True)
class Material:
    """Files of a job, and what is right of them.

    Attributes
    ----------
    paths : tuple of Path
        What is dropped or opened.
    table : Path or None
    channels : tuple of str
    cells : int
        Cells in all images.
    places : tuple of (int, (float, float), int)
        Image, y and x in pixels, and class of each cell.
    """

    paths: tuple[Path, ...]
    table: Path | None
    channels: tuple[str, ...]
    cells: int
    places: tuple[tuple[int, tuple[float, float], int], ...]


def own_tiff(folder: Path, *, named: bool, count: int = 36, side: int = 384) -> Material:
    """A TIFF of seven channels (CYX) and a table Cell, X, Y, Phenotype.

    ``named``: ImageJ's labels name the channels, as Fiji writes them; else nothing does. The two
    classes differ in the channel Ki67 alone.
    """
    rng = np.random.default_rng(7)
    places = _grid(rng, count, side)
    codes = rng.permutation(np.arange(count) % 2)
    planes = np.stack(
        [_field(rng, places, np.full(count, 900.0 + 250 * c), side) for c in range(len(PANEL) - 1)]
        + [_field(rng, places, np.where(codes == 1, 3000.0, 300.0), side)]
    )
    path = folder / ("panel_named.tif" if named else "panel.tif")
    if named:
        tifffile.imwrite(
            path,
            planes,
            imagej=True,
            metadata={"axes": "CYX", "Labels": list(PANEL)},
        )
    else:
        tifffile.imwrite(path, planes, photometric="minisblack")
    table = folder / "cells.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Cell", "X", "Y", "Phenotype"])
        for number, ((y, x), code) in enumerate(zip(places, codes, strict=True), 1):
            rows.writerow([number, f"{x:.1f}", f"{y:.1f}", CLASSES[code]])
    return Material((path,), table, PANEL, count, _placed([places], [codes]))


def plate_folder(
    folder: Path,
    *,
    layout: bool,
    channels: tuple[str, str] = ("DAPI", "GFP"),
    wells: int = 8,
    count: int = 9,
) -> Material:
    """A folder of files ``A01_DAPI.tif``, ``A01_GFP.tif``, … for two rows of wells.

    Row A is control, row B treated; ``layout``: a table well, treatment says so. The cells of
    treated wells are bright in the second channel.
    """
    rng = np.random.default_rng(11)
    images = folder / "plate"
    images.mkdir()
    names = [f"{row}{column:02d}" for row in "AB" for column in range(1, wells // 2 + 1)]
    all_places, all_codes = [], []
    for name in names:
        places, code = _grid(rng, count, SIDE), int(name[0] == "B")
        for channel, bright in zip(channels, (2500.0, 2400.0 if code else 500.0), strict=True):
            plane = _field(rng, places, np.full(count, bright), SIDE)
            tifffile.imwrite(images / f"{name}_{channel}.tif", plane)
        all_places.append(places)
        all_codes.append(np.full(count, code))
    table = None
    if layout:
        table = images / "layout.csv"
        lines = [f"{name},{CLASSES[name[0] == 'B']}" for name in names]
        table.write_text("\n".join(["well,treatment", *lines]) + "\n", encoding="utf-8")
    return Material((images,), table, channels, wells * count, _placed(all_places, all_codes))


def six_files(folder: Path, count: int = 9) -> Material:
    """Six OME-TIFFs of two named channels; half of the cells of each are bright in GFP."""
    rng = np.random.default_rng(13)
    paths, all_places, all_codes = [], [], []
    for number in range(1, 7):
        places = _grid(rng, count, SIDE)
        codes = rng.permutation(np.arange(count) % 2)
        planes = np.stack(
            [
                _field(rng, places, np.full(count, 2500.0), SIDE),
                _field(rng, places, np.where(codes == 1, 3000.0, 300.0), SIDE),
            ]
        )
        path = folder / f"image_{number}.ome.tif"
        tifffile.imwrite(
            path, planes, metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}
        )
        paths.append(path)
        all_places.append(places)
        all_codes.append(codes)
    return Material(tuple(paths), None, ("DAPI", "GFP"), 6 * count, _placed(all_places, all_codes))


def smear(folder: Path, count: int = 16) -> Material:
    """An RGB picture of stained cells on a bright ground, as PNG."""
    rng = np.random.default_rng(17)
    places = _grid(rng, count, SIDE)
    shade = _field(rng, places, np.full(count, 1.0), SIDE, noise=0.0, level=0.0, texture=0.25)
    ground = np.array([236.0, 228.0, 234.0])
    stain = np.array([110.0, 150.0, 60.0])
    picture = ground - shade[..., None] * stain + rng.normal(0, 2, (SIDE, SIDE, 3))
    path = folder / "smear.png"
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
    channels = ("Hematoxylin", "Eosin")
    return Material((path,), None, channels, count, _placed([places], [np.zeros(count, int)]))


def _grid(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    """Places (n, 2) of cells on a grid, a little off it, none at the border."""
    columns = int(np.ceil(np.sqrt(count)))
    pitch = (side - 40) / columns
    places = [divmod(number, columns) for number in range(count)]
    middle = 20 + (np.asarray(places, float) + 0.5) * pitch
    return middle + rng.uniform(-0.12, 0.12, (count, 2)) * pitch


def _field(
    rng: np.random.Generator,
    places: np.ndarray,
    bright: np.ndarray,
    side: int,
    *,
    noise: float = 20.0,
    level: float = 200.0,
    texture: float = 0.15,
) -> np.ndarray:
    """Round cells of a brightness each, with texture, on a noisy ground; uint16, or float."""
    y, x = np.mgrid[:side, :side]
    image = np.full((side, side), level) + rng.normal(0, 1, (side, side)) * noise
    grain = 1 + texture * rng.normal(0, 1, (side, side))
    for (row, column), value in zip(places, bright, strict=True):
        away = np.hypot(y - row, (x - column) / 1.15)
        image += value * grain * expit((RADIUS - away) / 0.8)
    return image if level == 0 else image.clip(0, 65535).astype(np.uint16)


def _placed(
    places: list[np.ndarray], codes: list[np.ndarray]
) -> tuple[tuple[int, tuple[float, float], int], ...]:
    return tuple(
        (image, (float(y), float(x)), int(code))
        for image, (some, their) in enumerate(zip(places, codes, strict=True))
        for (y, x), code in zip(some, their, strict=True)
    )
