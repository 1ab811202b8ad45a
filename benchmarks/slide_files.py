"""Slides of any size that take little room: pyramids as OME-TIFF and OME-Zarr, with a data set.

A slide is one tile of round cells, repeated; each tile is compressed once and written again and
again, so that 10 GB of pixels are written in seconds and lie in some hundred MB. What reads the
slide decodes all of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNELS = ("DNA", "CD3", "CD8", "CK", "PD1")
TILE = 512
# Cells lie on a grid; so many pixels apart.
APART = 64
CROP = 48
CLASSES = ("lymphocyte", "tumour")


def write_slide(
    folder: Path, side: int, points: int, *, kind: str = "tiff", levels: int = 6
) -> Path:
    """Write a slide of ``side`` x ``side`` pixels, its table of points and ``dataset.toml``.

    Parameters
    ----------
    folder : Path
        New, or empty.
    side : int
        Pixels; a multiple of 512.
    points : int
        Rows of the table, at places spread evenly over the slide, in random order.
    kind : {"tiff", "zarr"}
    levels : int
        Of the pyramid; 1 for none.

    Returns
    -------
    Path
        The data-set file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"slide.ome.{'tif' if kind == 'tiff' else 'zarr'}"
    (write_tiff if kind == "tiff" else write_zarr)(folder / name, side, levels)
    rng = np.random.default_rng(1)
    columns = side // APART
    if points > columns**2:
        raise ValueError(f"a slide of {side} pixels has room for {columns**2} cells")
    chosen = rng.choice(columns**2, points, replace=False)
    y, x = (place * APART + APART // 2 for place in np.divmod(chosen, columns))
    # Cells of the right half of each tile are bright in CD8.
    code = ((x % TILE) < TILE // 2).astype(int)
    region = (y // (side // 8)) * 8 + x // (side // 8)
    lines = (
        f"{name},{a},{b},{CLASSES[c]},R{r:02d}"
        for a, b, c, r in zip(y, x, code, region, strict=True)
    )
    (folder / "cells.csv").write_text(
        "path,y,x,class,region\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    text = (
        'name = "slide"\ntable = "cells.csv"\nlabel = "class"\ngroup = "region"\n'
        f'[image]\ncolumn = "path"\naxes = "CYX"\nchannels = {json.dumps(CHANNELS)}\n'
        f'[cells]\nfrom = "point"\ncolumns = ["y", "x"]\ncrop = {CROP}\n'
    )
    path = folder / "dataset.toml"
    path.write_text(text, encoding="utf-8")
    return path


def tile_of(channel: int, step: int = 1) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """A tile of one channel, (512, 512), at a level where a pixel is ``step`` pixels wide."""
    rng = np.random.default_rng(channel)
    y, x = np.mgrid[:TILE, :TILE] * step % APART - APART // 2
    inside = np.hypot(y, x) <= APART / 4
    bright = np.full((TILE, TILE), 800 + 300 * channel)
    if CHANNELS[channel] == "CD8":
        bright[:, TILE // 2 :] *= 4
    noise = rng.integers(0, 32, (TILE, TILE)) * 8
    # Without noise outside of cells, so that most of a slide takes no room.
    return np.where(inside, bright + noise, 96).astype(np.uint16)


def write_tiff(path: Path, side: int, levels: int) -> None:
    """A tiled OME-TIFF (C, Y, X), Zstandard, with the levels of its pyramid as SubIFDs."""
    import imagecodecs
    import tifffile

    def tiles(level: int) -> Iterator[bytes]:
        across = -(-(side >> level) // TILE)
        for channel in range(len(CHANNELS)):
            coded = imagecodecs.zstd_encode(tile_of(channel, 1 << level), level=3)
            for _ in range(across**2):
                yield coded

    def options(level: int) -> dict[str, Any]:
        return {
            "shape": (len(CHANNELS), side >> level, side >> level),
            "dtype": np.uint16,
            "tile": (TILE, TILE),
            "compression": "zstd",
            "photometric": "minisblack",
        }

    meta = {"axes": "CYX", "Channel": {"Name": list(CHANNELS)}}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as file:
        file.write(tiles(0), subifds=levels - 1, metadata=meta, **options(0))
        for level in range(1, levels):
            file.write(tiles(level), subfiletype=1, **options(level))


def write_zarr(path: Path, side: int, levels: int) -> None:
    """An OME-Zarr 0.4 image (C, Y, X) of chunks of one channel, with its levels."""
    import os

    import zarr

    group = zarr.create_group(path, zarr_format=2)
    for level in range(levels):
        array = group.create_array(
            str(level),
            shape=(len(CHANNELS), side >> level, side >> level),
            chunks=(1, TILE, TILE),
            dtype="uint16",
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        across = -(-(side >> level) // TILE)
        for channel in range(len(CHANNELS)):
            tile = tile_of(channel, 1 << level)
            array[channel, :TILE, :TILE] = tile[: side >> level, : side >> level]
            first = path / str(level) / str(channel) / "0" / "0"
            for row in range(across):
                place = path / str(level) / str(channel) / str(row)
                place.mkdir(exist_ok=True)
                for column in range(across):
                    if row or column:
                        # The same chunk: a second name of it takes no room.
                        os.link(first, place / str(column))
    axes = [
        {"name": "c", "type": "channel"},
        {"name": "y", "type": "space"},
        {"name": "x", "type": "space"},
    ]
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": axes,
            "datasets": [
                {
                    "path": str(level),
                    "coordinateTransformations": [
                        {"type": "scale", "scale": [1, 2.0**level, 2.0**level]}
                    ],
                }
                for level in range(levels)
            ],
        }
    ]
    group.attrs["omero"] = {"channels": [{"label": name} for name in CHANNELS]}
