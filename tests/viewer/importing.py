"""Folders of single-channel images named by well, and scans of them made by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from napari_channelmix.scan import LeftOut, Role, Scan, ScanSettings

__all__ = ["CHANNELS", "plate_folder", "scan_by_hand", "scan_of_rows"]

CHANNELS = ("DNA", "GFP")
ROLES = {"file": Role.IMAGE, "well": Role.WELL, "site": Role.FIELD, "channel": Role.CHANNEL}
NAME = re.compile(r"([A-P]\d\d)_s(\d)_(\w+)\.tif")


def plate_folder(folder: Path, rows: str = "AB", columns: int = 4, side: int = 64) -> Path:
    """Images of four nuclei each, ``A01_s1_DNA.tif``; GFP is bright in the second half."""
    folder.mkdir(parents=True)
    y, x = np.mgrid[0:side, 0:side]
    spots = sum(
        np.hypot(y - row, x - column) < 7
        for row in (side // 4, 3 * side // 4)
        for column in (side // 4, 3 * side // 4)
    )
    noise = np.random.default_rng(0).normal(100, 5, (side, side))
    for row in rows:
        for column in range(1, columns + 1):
            bright = 150 if column > columns // 2 else 20
            for channel, height in zip(CHANNELS, (200, bright), strict=True):
                picture = (noise + height * spots).astype(np.uint16)
                tifffile.imwrite(folder / f"{row}{column:02d}_s1_{channel}.tif", picture)
    return folder


def scan_by_hand(folder: Path, **more: Any) -> Scan:
    """What a scan of such a folder gives."""
    names = [path.name for path in sorted(folder.glob("*.tif"))]
    parts = [(name, *match.groups()) for name in names if (match := NAME.fullmatch(name))]
    entries = pd.DataFrame(parts, columns=list(ROLES))
    more.setdefault("left_out", (LeftOut("Thumbs.db", "no image"),))
    return Scan.of(folder, "by hand", entries, folder, ROLES, ScanSettings(), **more)


def scan_of_rows(folder: Path, count: int) -> Scan:
    """A scan of so many files that are not there, of a plate with 384 wells."""
    rows = [
        (f"{chr(65 + n % 16)}{n // 16 % 24 + 1:02d}_s{n // 768}_{CHANNELS[n // 384 % 2]}.tif")
        for n in range(count)
    ]
    entries = pd.DataFrame(
        [(name, name[:3], name[5:-8], name[-7:-4]) for name in rows], columns=list(ROLES)
    )
    return Scan.of(folder, "by hand", entries, folder, ROLES, ScanSettings())
