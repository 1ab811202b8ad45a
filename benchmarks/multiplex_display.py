"""Whether positive and negative cells of every planted marker are told apart in thumbnails.

    python benchmarks/multiplex_display.py [--channels 40 104] [--cells 2500] [--seed 0]
        [--json FILE]

The script makes the planted multiplex tissue (`cm.multiplex_sample`), opens it as a user does, and
draws every cell as the gallery does: a channel in its colour, between the limits that the display
channels give it for all cells. For each marker it prints the AUC of the displayed brightness of
positive cells against negative ones, by the true levels of the sample, which nothing that is shown
knows of:

- `cell`: brightness is the mean of the 8-bit picture over the pixels of the cell;
- `mix`: the same in the picture that the gallery shows of this marker and the other proposed
  channels, as the mean over the cell of what the picture has of the marker's colour;
- `raw`: the mean of the raw pixels over the cell: what no way of display can exceed by much;
- `by itself`: each crop stretched over its own range, as a picture without a common scale is.

A marker is told apart where `cell` is .95 or more. `mix` is lower, since colours of channels that
lie in the same pixels add up. Last, how bright a tile of all channels at once is beside one of the
display channels.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import pandas as pd

import napari_channelmix as cm
from napari_channelmix.crop_pictures import stretched
from napari_channelmix.data.channel_colors import channel_colors
from napari_channelmix.data.crop_rendering import Look, composed
from napari_channelmix.data.display_channels import (
    MOST_TOGETHER,
    DisplayChannels,
    colors_of,
    display_channels_job,
)
from napari_channelmix.data.multiplex_sample import LEVELS_FILE, MULTIPLEX_RULES, POSITIVE
from napari_channelmix.jobs import drain

TOLD_APART = 0.95
# Cells on either side that an AUC is of, at least; cells that are drawn at a time.
LEAST, BATCH = 5, 200

Doubles = npt.NDArray[np.float64]


def auc(values: Doubles, positive: npt.NDArray[np.bool_]) -> float:
    """Probability that a positive cell is brighter than a negative one; ties count half."""
    ranks = pd.Series(values).rank().to_numpy()
    count, rest = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def masks_of(cells: Any, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The pixels (n, H, W) of each cell in its crop."""
    masks = np.zeros((len(rows), cells.crop, cells.crop), bool)
    for place, row in enumerate(rows.tolist()):
        labels = np.asarray(cells.fields[int(cells.table["field"].iloc[row])].labels)
        y0, x0, y1, x1 = cells.boxes[row].tolist()
        top, left = max(0, y0), max(0, x0)
        part = labels[top : max(top, y1), left : max(left, x1)] == cells.table["object"].iloc[row]
        masks[place, top - y0 : top - y0 + part.shape[0], left - x0 : left - x0 + part.shape[1]] = (
            part
        )
    return masks


def mean_over(pictures: npt.NDArray[Any], masks: npt.NDArray[np.bool_]) -> Doubles:
    """Mean of pictures (n, H, W) over the pixels of masks."""
    counts = np.maximum(masks.sum(axis=(1, 2)), 1)
    return np.asarray((pictures * masks).sum(axis=(1, 2)) / counts, np.float64)


def own_color(pictures: npt.NDArray[np.uint8], color: str) -> Doubles:
    """How much of a colour is in pictures (n, H, W, 3): the least of its lit parts."""
    end = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)], np.float64)
    parts = [pictures[..., part] / end[part] for part in range(3) if end[part] >= 64]
    return np.asarray(np.min(parts, axis=0), np.float64)


def measured(folder: Path, channels: int, cells_wanted: int, seed: int) -> dict[str, Any]:
    """All figures of one set."""
    path = cm.multiplex_sample(folder, cells=cells_wanted, seed=seed, channels=channels)
    cells = cm.open_dataset(path)
    levels = pd.read_csv(folder / LEVELS_FILE)
    assert len(levels) == len(cells)
    begun = time.perf_counter()
    display = drain(display_channels_job(cells))
    seconds = time.perf_counter() - begun
    markers = [name for name in levels.columns[5:] if name in cells.channels]
    found = {
        kind: {name: np.zeros(len(cells)) for name in markers}
        for kind in ("cell", "mix", "raw", "by itself")
    }
    bright = {"all": [], "display": []}
    plain = dict(zip(cells.channels, channel_colors(cells.channels), strict=True))
    everything = tuple(Look.of_color(plain[name], *display.contrast[name]) for name in plain)
    for start in range(0, len(cells), BATCH):
        rows = np.arange(start, min(start + BATCH, len(cells)))
        crops, masks = cells.read(rows), masks_of(cells, rows)
        for name in markers:
            plane = crops[:, [cells.channels.index(name)]]
            look = Look.of_color("#FFFFFF", *display.contrast[name])
            found["cell"][name][rows] = mean_over(composed(plane, (look,))[..., 0], masks)
            found["raw"][name][rows] = mean_over(plane[:, 0], masks)
            itself = np.stack([stretched(crop)[0] for crop in plane])
            found["by itself"][name][rows] = mean_over(itself, masks)
            shown = with_marker(display, name, cells.channels)
            picture = composed(crops, shown.looks(cells.channels))
            color = shown.colors[shown.channels.index(name)]
            found["mix"][name][rows] = mean_over(own_color(picture, color), masks)
        bright["all"].append(composed(crops, everything).mean())
        bright["display"].append(composed(crops, display.looks(cells.channels)).mean())
    rows = []
    for name in markers:
        positive = levels[name].to_numpy() > POSITIVE
        if min(positive.sum(), (~positive).sum()) >= LEAST:
            figures = {kind: auc(values[name], positive) for kind, values in found.items()}
            rows.append({"marker": name, "positive": int(positive.sum()), **figures})
    return {
        "channels": channels,
        "cells": len(cells),
        "seconds": seconds,
        "proposed": list(display.channels),
        "markers": rows,
        "brightness": {kind: float(np.mean(values)) for kind, values in bright.items()},
    }


def with_marker(display: DisplayChannels, name: str, channels: tuple[str, ...]) -> DisplayChannels:
    """The proposed channels with this one; of six, it takes the place of the last."""
    names = display.channels
    if name not in names:
        names = (*names[: MOST_TOGETHER - 1], name)
    return DisplayChannels(names, colors_of(names, channels), display.contrast)


def show(result: dict[str, Any]) -> None:
    """Print the figures of one set."""
    rules = {name for rule in MULTIPLEX_RULES.values() for name in rule}
    print(f"\n{result['channels']} channels, {result['cells']:,} cells")
    print(f"proposed in {result['seconds']:.1f} s: {', '.join(result['proposed'])}")
    print(f"{'marker':12s} {'positive':>8s} {'cell':>6s} {'mix':>6s} {'raw':>6s} {'by itself':>9s}")
    for row in sorted(result["markers"], key=lambda row: (row["marker"] not in rules, row["cell"])):
        mark = "*" if row["marker"] in rules else " "
        late = "" if row["cell"] >= TOLD_APART else "  below .95"
        print(
            f"{row['marker']:11s}{mark} {row['positive']:8d} {row['cell']:6.3f} {row['mix']:6.3f} "
            f"{row['raw']:6.3f} {row['by itself']:9.3f}{late}"
        )
    for kind, which in (("of rules (*)", True), ("others", False)):
        values = [row["cell"] for row in result["markers"] if (row["marker"] in rules) == which]
        good = sum(value >= TOLD_APART for value in values)
        print(f"{kind}: {good} of {len(values)} told apart, least {min(values):.3f}")
    one, all_ = result["brightness"]["display"], result["brightness"]["all"]
    print(f"mean brightness of a tile, of 255: all channels {all_:.0f}, display channels {one:.0f}")


def main() -> None:
    """Measure, print, and write the figures where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, nargs="+", default=[40, 104])
    parser.add_argument("--cells", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    results = []
    for channels in chosen.channels:
        with tempfile.TemporaryDirectory() as folder:
            results.append(measured(Path(folder) / "set", channels, chosen.cells, chosen.seed))
            show(results[-1])
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
