"""Methods: cells a second that are explained and encoded, on one core and on two workers.

    python benchmarks/scale_methods.py [--small]

A synthetic plate of four channels is written and read back, so that crops come from files. Networks
are not trained: a map costs the same. On one core: cells a second of the default maps for each
network, and of the latents for each encoder, by processor time, so that other work on the machine
counts little. Then the same commands on one worker and on two, from
the first chunk that a worker takes on to the last that is kept, and whether their results are the
same to the bit. Importance: the repeats of one run, likewise.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before PyTorch is loaded: a core for each process.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import zarr

from napari_channelmix.classify import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.drl import latents_job, load_disentangler
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.run.explain_dataset import ExplainSettings, explain_cells_job

SECTION_AIM = "two workers 1.7 times as fast as one on two cores, with identical output"
FASTER_AIM = 1.7
NETWORKS = ("tiny", "small", "medium", "resnet18")
ENCODERS = ("texture-sprites", "cell-sprites")

Row = dict[str, Any]


def untrained(cells: Cells, network: str) -> Classifier:
    """A classifier of the cells whose answers mean nothing."""
    statistics = cells.statistics()
    spec = NetworkSpec(network, len(cells.channels), len(cells.classes))
    return Classifier(
        spec.build(0).eval(),
        spec,
        cells.channels,
        cells.classes,
        statistics.mean,
        statistics.std,
        cells.crop,
    )


def processor_seconds(job: Job[Any], counts: Callable[[Progress], bool]) -> float:
    """Seconds of this process from the first step that counts to the last."""
    at: list[float] = []
    drain(job, lambda step: at.append(time.process_time()) if counts(step) else None)
    return at[-1] - at[0]


def on_workers_timed(job: Job[Any]) -> tuple[Any, float]:
    """The result, and how many times the whole job could be done in a second.

    From the first step that a worker has told of, when all have loaded PyTorch, to the last.
    """
    seen: list[tuple[float, float]] = []

    def watch(step: Progress) -> None:
        if "workers" in step.metrics:
            seen.append((time.perf_counter(), step.fraction))

    result = drain(job, watch)
    first = next(n for n, (_, share) in enumerate(seen) if share > seen[0][1])
    last = next(n for n, (_, share) in enumerate(seen) if share == seen[-1][1])
    (begun, share), (ended, whole) = seen[first], seen[last]
    return result, (whole - share) / (ended - begun)


def on_one_core(cells: Cells, folder: Path, *, small: bool) -> list[Row]:
    """Cells a second for each network and encoder, in this process."""
    rows: list[Row] = []
    torch.set_num_threads(1)
    for network in NETWORKS[:1] if small else NETWORKS:
        some = cells.subset(range(16 if small else 192 if network in NETWORKS[:2] else 64))
        settings = ExplainSettings(only="all", check=False)
        job = explain_cells_job(
            untrained(some, network), some, folder / network, settings, device="cpu"
        )
        seconds = processor_seconds(job, lambda step: step.stage.startswith("explaining"))
        rows.append(row(f"explain, {network}", len(some) / seconds, cells=len(some)))
    for name in ENCODERS[1:] if small else ENCODERS:
        some = cells.subset(range(64 if small else 1000))
        view = some.channels[0] if name == "cell-sprites" else None
        job = latents_job(some, load_disentangler(name), view=view, separate=False, device="cpu")
        # From files to latents, without what measures names: that does not grow with the cells.
        seconds = processor_seconds(
            job, lambda step: step.stage in ("cutting out the cells", "encoding the cells")
        )
        rows.append(row(f"latents, {name}", len(some) / seconds, cells=len(some)))
    return rows


def row(
    name: str, value: float, aim: float | None = None, unit: str = "cells/s", **more: Any
) -> Row:
    met = None if aim is None else value >= aim
    return {"name": name, "value": value, "aim": aim, "unit": unit, "met": met, "details": more}


def on_workers(cells: Cells, folder: Path, *, small: bool) -> list[Row]:
    """Two workers against one."""
    rows = []
    some = cells.subset(range(192 if small else 1024))
    model = untrained(some, "small")

    def explain(workers: int) -> tuple[Any, float]:
        out = folder / f"explain-{workers}"
        settings = ExplainSettings(only="all", check=False, workers=workers)
        job = explain_cells_job(model, some, out, settings, device="cpu")
        _, pace = on_workers_timed(job)
        return zarr.open_array(out / "maps.zarr", mode="r")[:].tobytes(), pace

    def latents(workers: int) -> tuple[Any, float]:
        encoder = load_disentangler("texture-sprites")
        job = latents_job(cells, encoder, separate=False, device="cpu", workers=workers)
        result, pace = on_workers_timed(job)
        return result.values.tobytes(), pace

    def importance(workers: int) -> tuple[Any, float]:
        asked = {"seeds": 4, "network": "tiny", "epochs": 2 if small else 20, "device": "cpu"}
        result, pace = on_workers_timed(channel_importance_job(some, **asked, workers=workers))
        return result.share_of_seed, pace

    every = {"explain": explain, "latents": latents, "importance": importance}
    for name, run in every.items():
        if small and name != "explain":
            continue
        (one, alone), (two, together) = run(1), run(2)
        same = one == two
        measured = row(
            f"{name}: two workers against one",
            together / alone,
            FASTER_AIM,
            "times",
            identical=same,
        )
        rows.append({**measured, "met": bool(measured["met"]) and same})
    return rows


def measure(folder: Path, *, small: bool) -> list[Row]:
    """All rows of this section."""
    wells, each = (4, 60) if small else (24, 60)
    plate = synthetic_plate(wells=wells, cells_per_well=each, side=512)
    cells = open_dataset(plate.save(folder / "plate"))
    rows = on_one_core(cells, folder, small=small)
    return rows + on_workers(cells, folder, small=small)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small inputs: under a minute")
    args = parser.parse_args()
    print(SECTION_AIM)
    with tempfile.TemporaryDirectory() as name:
        for one in measure(Path(name), small=args.small):
            aim = "" if one["aim"] is None else f" (aim {one['aim']:g}: {one['met']})"
            print(f"{one['name']}: {one['value']:.3g} {one['unit']}{aim} {one['details']}")


if __name__ == "__main__":
    main()
