"""A whole plate: 96 wells x 4 fields of view x 5 channels as OME-Zarr, from files to predictions.

    python benchmarks/scale_plate.py [--small] [--keep FOLDER]

Writes the plate (`scripts/make_plate.py`), then does what a person would, by the command line:
scan, train on the control wells, predict all cells on two workers and in one process, both to a
Parquet file; compares the two files; opens the data set in a real window and waits for the first
picture.
Prints seconds of each step and cells a second.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
# Seconds from the start of the command until the first picture is in the window.
OPENED = 20.0

Row = dict[str, Any]


def command(*args: object) -> float:
    """Run a command of napari-channelmix; its seconds."""
    line = [sys.executable, "-m", "napari_channelmix.run.cli", *map(str, args), "--quiet"]
    begun = time.perf_counter()
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, args))}: {done.stderr.strip()}")
    return time.perf_counter() - begun


def make(folder: Path, *, small: bool) -> Path:
    """The plate, and its table of wells."""
    place = ROOT / "scripts" / "make_plate.py"
    specification = importlib.util.spec_from_file_location("make_plate", place)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    size = {"wells": 6, "fields": 1, "side": 256} if small else {"wells": 96, "fields": 4}
    path: Path = module.make_plate(folder, quiet=True, **size)
    return path


def controls_only(dataset: Path) -> Path:
    """A data-set file of the wells that have a class, beside the other."""
    text = dataset.read_text()
    path = dataset.with_name("controls.toml")
    kept = 'keep = {class = ["negative", "positive"]}\n'
    head, sign, rest = text.partition("\n[")
    path.write_text(f"{head}\n{kept}{sign}{rest}")
    return path


def opened_in_window(dataset: Path) -> float:
    """Seconds until the first picture of the data set is in the window, in a fresh process."""
    line = [sys.executable, __file__, "--window", str(dataset)]
    done = subprocess.run(line, check=True, capture_output=True, text=True, timeout=300)
    return float(done.stdout.split()[-1])


def show(dataset: Path) -> None:
    """Open a window with the data set, and print the seconds until its picture is there."""
    begun = time.perf_counter()
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_channelmix.data import open_dataset
    from napari_channelmix.viewer.page_parts.open_page import open_workspace

    viewer = napari.Viewer(title="ChannelMix")
    page = open_workspace(viewer).show_page("Images and cells")
    page.open_cells(open_dataset(dataset), str(dataset))
    while not len(viewer.layers):
        QApplication.processEvents()
        time.sleep(0.01)
    print(time.perf_counter() - begun)
    viewer.close()


def measure(folder: Path, *, small: bool = False) -> list[Row]:
    """Rows of the table; see `scale`."""
    import pandas as pd

    rows: list[Row] = []

    def add(name: str, value: float, unit: str, aim: float | None = None, **more: Any) -> None:
        at_least = more.pop("at_least", False)
        met = None if aim is None else (value >= aim if at_least else value <= aim)
        rows.append(
            {"name": name, "value": value, "aim": aim, "unit": unit, "met": met, "details": more}
        )

    begun = time.perf_counter()
    plate = make(folder, small=small)
    add("writing the plate", time.perf_counter() - begun, "s")
    dataset, model = folder / "dataset.toml", folder / "model.cmx"
    add("scan", command("scan", plate, "--out", dataset), "s")
    controls = controls_only(dataset)
    epochs = 3 if small else 10
    add(
        "train on the controls", command("train", controls, "--out", model, "--epochs", epochs), "s"
    )
    tables, seconds = [], []
    for workers in (0, 2):
        out = folder / f"cells{workers}.parquet"
        seconds.append(
            command("predict", dataset, "--model", model, "--out", out, "--workers", workers)
        )
        tables.append(pd.read_parquet(out))
    count = len(tables[0])
    for workers, spent in zip(("one process", "two workers"), seconds, strict=True):
        add(f"predict all {count:,} cells, {workers}", count / spent, "cells/s")
    alike = float(tables[0].equals(tables[1]))
    add("predictions of one process and two workers identical", alike, "", 1.0, at_least=True)
    column = tables[0]["group"].astype(str).str.extract(r"(\d+)$")[0].astype(int)
    shares = (tables[0]["prediction"] == "positive").groupby(column).mean()
    rising = float(np.corrcoef(shares.index, shares)[0, 1])
    add("share called positive rises along the plate (correlation)", rising, "", 0.9, at_least=True)
    if os.environ.get("DISPLAY"):
        add("first picture in the window", opened_in_window(dataset), "s", OPENED)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write here and keep it")
    parser.add_argument("--window", type=Path, metavar="DATASET", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.window is not None:
        show(args.window)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for row in measure(folder, small=args.small):
            aim = "" if row["aim"] is None else f" (aim {row['aim']:g})"
            print(f"{row['name']}: {row['value']:.3g} {row['unit']}{aim}")


if __name__ == "__main__":
    main()
