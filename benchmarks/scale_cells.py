"""Cells: time a cell and memory of the jobs, as their number and the data grow.

    python benchmarks/scale_cells.py [--small] [--cells N] [JOB ...]

Jobs: predict, latents, train, importance. A **virtual plate** of 96 wells x 4 fields x 5 channels,
20 GB, is synthesised as it is read, the same for the same place, from no disk: what grows is the
job's own. A **slide** of 10 GB (a tiled, compressed TIFF) is written and deleted again. Each figure
is of a process of its own with one thread: processor time for a cell, so that other work on the
machine counts little, and the peak of its memory above what it took after its imports.

``--cells`` is the largest number for predict and latents; the default takes minutes, a million the
better part of an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SECTION_AIM = "time a cell flat within 15 %; peak memory 1.5 GB above start, training included"

WELLS, FIELDS, CHANNELS = 96, 4, ("DNA", "actin", "ER", "Golgi", "mito")
SIDE, CROP = 2304, 64
# Side of a slide in tiles, and of a tile in pixels: 64 x 512 squared x 5 channels x 2 bytes.
TILES, TILE = 64, 512
# Gigabytes above start, and how much more the dearest number of cells may take than the cheapest.
MEMORY_AIM, FLAT_AIM = 1.5, 1.15

Row = dict[str, Any]


def blobs(side: int = 4 * CROP) -> npt.NDArray[np.uint16]:
    """A tile of round bright objects, one every 64 pixels, of several sizes."""
    rng = np.random.default_rng(0)
    tile = np.full((side, side), 100.0)
    y, x = np.mgrid[:CROP, :CROP] - (CROP - 1) / 2
    for row in range(side // CROP):
        for column in range(side // CROP):
            wide, high = rng.uniform(8, 18, 2)
            disc = 800 * np.clip(1.3 - (y / high) ** 2 - (x / wide) ** 2, 0, 1)
            tile[row * CROP :, column * CROP :][:CROP, :CROP] += disc
    return (tile + rng.integers(0, 20, tile.shape)).astype(np.uint16)


BLOBS = blobs()
UINT16 = np.dtype(np.uint16)


@dataclass(frozen=True)
class VirtualPlane:
    """One channel of a field of view, made as it is read; wells of one class are brighter."""

    field: int
    channel: int
    shape: tuple[int, int] = (SIDE, SIDE)
    dtype: np.dtype[Any] = UINT16

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[np.uint16]:
        rows, columns = (np.arange(*part.indices(SIDE)) for part in region)
        period = len(BLOBS)
        pixels = BLOBS[np.ix_(rows % period, (columns + CROP * self.channel) % period)]
        if self.channel == 0:
            # A little noise that never comes again, so that no two cells are alike.
            y, x = rows.astype(np.uint32)[:, None], columns.astype(np.uint32)
            noise = (y * np.uint32(73856093)) ^ (x * np.uint32(19349663))
            noise = (noise ^ np.uint32(self.field * 83492791 % 2**32)) * np.uint32(2654435761)
            pixels = pixels + (noise >> np.uint32(27)).astype(np.uint16)
        if self.channel == 1 and self.field // FIELDS % 2:
            pixels = pixels + np.uint16(60)
        return pixels


def virtual_plate(count: int) -> Any:
    """So many cells of the virtual plate, spread over all its fields, in a random order."""
    import pandas as pd

    from napari_channelmix.data import Cells
    from napari_channelmix.data.fields import Field

    fields = tuple(
        Field(f"field {n}", tuple(VirtualPlane(n, c) for c in range(len(CHANNELS))))
        for n in range(WELLS * FIELDS)
    )
    rng = np.random.default_rng(1)
    grid = SIDE // CROP
    # On the grid of objects first; beyond their number a few pixels beside it.
    places = len(fields) * grid * grid
    chosen = rng.permutation(places) if count > places // 2 else rng.choice(places, count, False)
    if count > places:
        chosen = np.concatenate([chosen, rng.integers(0, places, count - places)])
    chosen = chosen[:count]
    shift = np.arange(count) // places
    field, place = chosen // (grid * grid), chosen % (grid * grid)
    y0 = np.minimum(place // grid * CROP + shift, SIDE - CROP)
    x0 = np.minimum(place % grid * CROP + shift, SIDE - CROP)
    well = field // FIELDS
    names = np.array([f"{'ABCDEFGH'[n // 12]}{n % 12 + 1:02d}" for n in range(WELLS)])
    table = pd.DataFrame(
        {"field": field, "y0": y0, "x0": x0, "y1": y0 + CROP, "x1": x0 + CROP, "label": well % 2}
        | {"group": names[well], "split": "", "object": 0}
    )
    return Cells("virtual plate", CHANNELS, ("control", "treated"), CROP, fields, table)


def write_slide(path: Path) -> None:
    """A slide of 10.7 GB before compression; no two of its tiles are alike."""
    import tifffile

    tile = np.tile(BLOBS, (TILE // len(BLOBS),) * 2)

    def tiles() -> Any:
        for channel in range(len(CHANNELS)):
            rng = np.random.default_rng(channel)
            for number in range(TILES * TILES):
                pixels = tile + np.uint16(number % 128)
                pixels[:: CROP // 4, :: CROP // 4] += rng.integers(
                    0, 400, (4 * TILE // CROP,) * 2
                ).astype(np.uint16)
                if channel == 1 and number // TILES % 2:
                    pixels += np.uint16(60)
                yield pixels

    tifffile.imwrite(
        path,
        tiles(),
        shape=(len(CHANNELS), TILES * TILE, TILES * TILE),
        dtype=np.uint16,
        tile=(TILE, TILE),
        compression="zstd",
        compressionargs={"level": 1},
        bigtiff=True,
        ome=True,
        photometric="minisblack",
        metadata={"axes": "CYX", "Channel": {"Name": list(CHANNELS)}},
        maxworkers=1,
    )


def slide_cells(path: Path, count: int) -> Any:
    """So many cells of the slide, scattered; a class every other row of tiles."""
    import pandas as pd

    from napari_channelmix.data import Cells

    rng = np.random.default_rng(2)
    grid = TILES * TILE // CROP
    places = rng.choice(grid * grid, count, replace=False)
    y, x = places // grid * CROP + CROP / 2, places % grid * CROP + CROP / 2
    row = (y // TILE).astype(int)
    frame = pd.DataFrame(
        {"image": path.name, "y": y, "x": x}
        | {"class": np.where(row % 2, "treated", "control"), "block": [f"row {n}" for n in row]}
    )
    return Cells.from_frame(
        frame,
        image="image",
        x="x",
        y="y",
        label="class",
        group="block",
        crop=CROP,
        folder=path.parent,
        name="slide",
    )


# ---------------------------------------------------------------------- in a process of its own


def resident() -> float:
    """Bytes of memory that this process has now."""
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return peak()


def peak() -> float:
    """Bytes of memory that this process had at most."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says begins, on Linux, with the peak of the process that started this one.
        (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


def one(job: str, count: int, source: str, folder: Path) -> Row:
    """Run a job on so many cells; seconds of processor time, peak of memory."""
    import torch

    torch.set_num_threads(1)
    from napari_channelmix import classify, drl  # noqa: F401
    from napari_channelmix.computing import Computing, compute_with
    from napari_channelmix.dcmix import importance  # noqa: F401

    compute_with(Computing(device="cpu", threads=1))
    job_of = JOBS[job](folder)
    start = resident()
    cells = virtual_plate(count) if source == "plate" else slide_cells(Path(source), count)
    wall, cpu = time.perf_counter(), time.process_time()
    job_of(cells)
    return {
        "cells": count,
        "seconds": time.perf_counter() - wall,
        "ms_a_cell": 1000 * (time.process_time() - cpu) / count,
        "peak_gb": (peak() - start) / 1e9,
        "start_gb": start / 1e9,
    }


def _predict(folder: Path) -> Any:
    from napari_channelmix.classify import load_model
    from napari_channelmix.report.predict_dataset import predict_cells

    model = load_model(folder / "model.cmx")
    return lambda cells: predict_cells(model, cells, folder / f"predicted-{len(cells)}")


def _latents(folder: Path) -> Any:
    from napari_channelmix.drl import latents, load_disentangler

    of = load_disentangler("texture-sprites")
    return lambda cells: latents(cells, of, view="DNA", separate=False, device="cpu")


def _train(folder: Path) -> Any:
    from napari_channelmix.classify import train_classifier

    def trained(cells: Any) -> None:
        model = train_classifier(cells, network="tiny", epochs=2, device="cpu")
        if not (folder / "model.cmx").exists():
            model.save(folder / "model.cmx")

    return trained


def _importance(folder: Path) -> Any:
    from napari_channelmix import channel_importance

    return lambda cells: channel_importance(
        cells, seeds=1, epochs=2, network="tiny", shapley=False, device="cpu"
    )


JOBS = {"predict": _predict, "latents": _latents, "train": _train, "importance": _importance}


def fresh(job: str, count: int, source: str, folder: Path) -> Row:
    """`one` in a fresh process."""
    command = [sys.executable, __file__, "--one", job, str(count), source, str(folder)]
    single = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **single})
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    result: Row = json.loads(done.stdout.strip().splitlines()[-1])
    return result


# ---------------------------------------------------------------------- the section


def measure(
    folder: Path, *, small: bool, most: int = 100_000, jobs: tuple[str, ...] = tuple(JOBS)
) -> list[Row]:
    """Rows of the section; see `benchmarks/scale.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    fresh("train", 200, "plate", folder)
    sizes = {
        "predict": [n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= most],
        # They take six times as long a cell.
        "latents": [n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= most // 3],
    }
    if small:
        sizes = {"predict": [200, 800], "latents": [100, 300]}
    for job in ("predict", "latents"):
        if job in jobs:
            rows += _rows_of(job, [fresh(job, n, "plate", folder) for n in sizes[job]])
    # More than is held in memory: the crops go into a temporary crop store.
    trained = 1_000 if small else 20_000
    for job in ("train", "importance"):
        # The second job would take the small size beyond its time.
        if job in jobs and not (small and job == "importance"):
            rows.append(_memory(job, "plate", fresh(job, trained, "plate", folder)))
    if not small:
        slide = folder / "slide.ome.tif"
        write_slide(slide)
        try:
            for job in jobs:
                count = 5_000 if job == "latents" else 20_000
                rows.append(_memory(job, "slide", fresh(job, count, str(slide), folder)))
        finally:
            slide.unlink()
    return rows


def _rows_of(job: str, results: list[Row]) -> list[Row]:
    """Time a cell, how flat it is, and memory."""
    each = [result["ms_a_cell"] for result in results]
    # What a job costs however few cells there are is the slope's offset.
    (few, many) = results[-2:]
    slope = (many["ms_a_cell"] * many["cells"] - few["ms_a_cell"] * few["cells"]) / (
        many["cells"] - few["cells"]
    )
    flat = each[-1] / each[-2]
    return [
        {
            "name": f"{job}: time a cell, {many['cells']:,} cells over {few['cells']:,}",
            "value": flat,
            "aim": FLAT_AIM,
            "unit": "x",
            "met": flat <= FLAT_AIM,
            "details": {
                "sizes": results,
                "ms_a_further_cell": slope,
                "cells_a_second": 1000 / slope,
            },
        },
        *(_memory(job, "plate", result) for result in results[-1:]),
    ]


def _memory(job: str, source: str, result: Row) -> Row:
    return {
        "name": f"{job}: memory above start, {result['cells']:,} cells of the {source}",
        "value": result["peak_gb"],
        "aim": MEMORY_AIM,
        "unit": "GB",
        "met": result["peak_gb"] <= MEMORY_AIM,
        "details": result,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--small", action="store_true", help="small inputs: under a minute")
    parser.add_argument("--cells", type=int, default=100_000, help="the largest number of cells")
    parser.add_argument("--folder", type=Path, help="for large files (default: a temporary one)")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        job, count, source, folder = args.one
        print(json.dumps(one(job, int(count), source, Path(folder))))
        return
    import tempfile

    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        chosen = tuple(args.jobs) or tuple(JOBS)
        for row in measure(Path(name), small=args.small, most=args.cells, jobs=chosen):
            met = {True: "reached", False: "MISSED", None: ""}[row["met"]]
            print(f"{row['name']}: {row['value']:.3g} {row['unit']} (aim {row['aim']}) {met}")
            print(f"    {json.dumps(row['details'])}")


if __name__ == "__main__":
    main()
