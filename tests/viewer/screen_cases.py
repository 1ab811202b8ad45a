"""A small screen on disk: wells of controls with two classes, and a dose series without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import tifffile

from napari_channelmix.data.samples import synthetic_plate

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = ["DNA", "reporter"]
SIDE = 24
DOSES = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
# Treated cells among 8 in the well of each dose.
TREATED = (0, 0, 1, 2, 5, 7, 8, 8)

TEXT = """
name = "{name}"
table = "table.csv"
group = "well"
{label}

[image]
column = "path"
axes = "CYX"
channels = ["DNA", "reporter"]

[cells]
from = "tile"
columns = ["y0", "x0"]
size = 24
crop = 24
"""


def controls(folder: Path) -> Path:
    """Eight wells of eight cells, half of the wells treated; its data-set file."""
    crops, labels = _crops()
    wells, rows = {}, []
    for at in range(8):
        chosen = np.flatnonzero(labels == at % 2)[8 * (at // 2) :][:8]
        wells[f"A{at + 1:02d}"] = crops[chosen]
        rows += [{"label": ("untreated", "treated")[at % 2]}] * 8
    return _saved(folder, "controls", wells, rows, 'label = "label"')


def dose_series(folder: Path) -> Path:
    """A well of eight cells for each of eight doses, without classes; its data-set file."""
    # Other cells than the controls.
    crops, labels = _crops(seed=1)
    draws, wells, rows = np.random.default_rng(3), {}, []
    for at, (dose, treated) in enumerate(zip(DOSES, TREATED, strict=True)):
        chosen = [
            draws.choice(np.flatnonzero(labels == code), count, replace=False)
            for code, count in ((1, treated), (0, 8 - treated))
        ]
        wells[f"B{at + 1:02d}"] = crops[np.concatenate(chosen)]
        rows += [{"dose": dose}] * 8
    return _saved(folder, "dose series", wells, rows, "")


def _crops(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Crops (N, 2, 24, 24) of a synthetic plate, and their classes."""
    cells = synthetic_plate(wells=8, cells_per_well=8, side=128, crop=SIDE, seed=seed).cells
    assert cells.classes == ("untreated", "treated")
    return cells.with_channels(CHANNELS).read(np.arange(len(cells))), cells.labels


def _saved(
    folder: Path, name: str, wells: dict[str, np.ndarray], rows: list[dict[str, object]], label: str
) -> Path:
    """An image for each well, its cells side by side; a row of the table for each cell."""
    folder.mkdir(parents=True)
    places = []
    for well, crops in wells.items():
        picture = np.concatenate(list(crops), axis=2).astype(np.float32)
        tifffile.imwrite(folder / f"{well}.tif", picture, metadata={"axes": "CYX"})
        places += [
            {"path": f"{well}.tif", "well": well, "y0": 0, "x0": SIDE * at}
            for at in range(len(crops))
        ]
    table = pd.DataFrame(places).join(pd.DataFrame(rows))
    table.to_csv(folder / "table.csv", index=False)
    path = folder / "dataset.toml"
    path.write_text(TEXT.format(name=name, label=label), "utf-8")
    return path
