"""A small data set on disk, to be spoilt in one place by each test."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.data import Cells, Field

WriteSet = Callable[..., Path]


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Write images, a table and a data-set file, and give the data-set file.

    Four wells of two channels (a file each, 60 x 70 pixels, uint16) with six nuclei each. ``said``
    are lines of the data-set file; ``rows`` replaces the table.
    """

    def write(*said: str, rows: Any = None) -> Path:
        rng = np.random.default_rng(0)
        listed = []
        for well in range(4):
            dna, mask = np.zeros((60, 70)), np.zeros((60, 70), np.uint16)
            for number, (y, x) in enumerate((y, x) for y in (14, 44) for x in (12, 34, 58)):
                inside = np.hypot(*(np.mgrid[0:60, 0:70] - np.array([[[y]], [[x]]]))) < 6
                dna[inside] = 1000
                # Labels with gaps: 2, 5, 8, ...
                mask[inside] = 3 * number + 2
            pictures = {
                "dna": dna + rng.normal(100, 5, dna.shape),
                "gfp": rng.normal(500 + 100 * (well % 2), 20, dna.shape),
            }
            for name, picture in pictures.items():
                tifffile.imwrite(tmp_path / f"{name}{well}.tif", picture.astype(np.uint16))
            tifffile.imwrite(tmp_path / f"mask{well}.tif", mask)
            tifffile.imwrite(tmp_path / f"binary{well}.tif", (mask > 0).astype(np.uint8) * 255)
            stack = np.stack([pictures["dna"], pictures["gfp"]]).astype(np.uint16)
            tifffile.imwrite(
                tmp_path / f"stack{well}.ome.tif",
                stack,
                photometric="minisblack",
                metadata={
                    "axes": "CYX",
                    "Channel": {"Name": ["DNA", "GFP"]},
                    "PhysicalSizeY": 0.5,
                    "PhysicalSizeX": 0.5,
                },
            )
            listed.append(
                {
                    "well": f"W{well}",
                    "label": ("control", "treated")[well % 2],
                    "part": ("train", "train", "test", "test")[well],
                    "dna": f"dna{well}.tif",
                    "gfp": f"gfp{well}.tif",
                    "stack": f"stack{well}.ome.tif",
                    "mask": f"mask{well}.tif",
                    "binary": f"binary{well}.tif",
                    "y": 14,
                    "x": 12,
                    "y0": 8,
                    "x0": 6,
                    "y1": 20,
                    "x1": 18,
                }
            )
        table = rows if isinstance(rows, str) else pd.DataFrame(rows or listed).to_csv(index=False)
        (tmp_path / "table.csv").write_text(table)
        head = ['name = "four wells"', 'table = "table.csv"', 'label = "label"']
        path = tmp_path / "dataset.toml"
        path.write_text("\n".join([*head, *said]) + "\n")
        return path

    return write


@pytest.fixture
def cells_of() -> Callable[..., Cells]:
    """A cell in each of some fields of view with pixels of given sizes."""

    def made(
        sizes: list[float | None], unit: str | None = "µm", crop: int = 8, side: int = 8
    ) -> Cells:
        plane = np.zeros((64, 64), np.uint8)
        fields = tuple(
            Field(f"f{i}", (plane,), pixel_size=None if size is None else (size, size), unit=unit)
            for i, size in enumerate(sizes)
        )
        table = pd.DataFrame(
            {
                "field": range(len(sizes)),
                "y0": 3,
                "x0": 5,
                "y1": 3 + side,
                "x1": 5 + side,
                "label": -1,
                "group": "a",
                "split": "",
                "object": 0,
            }
        )
        return Cells("set", ("DNA",), (), crop, fields, table)

    return made


@pytest.fixture
def png() -> Callable[..., bytes]:
    """Bytes of a PNG from width, height, bits, kind of colour, and its rows as they are stored."""

    def write(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
        def chunk(name: bytes, content: bytes) -> bytes:
            check = zlib.crc32(name + content)
            return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

        head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b"")
        )

    return write
