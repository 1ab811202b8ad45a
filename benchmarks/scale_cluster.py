"""Workers: cells a second on one core, two workers against one, and what kill -9 costs.

    python benchmarks/scale_cluster.py [--small]

Cells of one channel set, 48 pixels wide, in memory; untrained networks, since weights change no
time. Each figure is of `predict_cells` with all that it does: reading, comparing with training,
keeping each chunk, writing the table. Two workers are compared with one in turns, with the time
until the workers are there left out; it is among the details. A run that is disturbed by kill -9 is
compared with one that is not, byte by byte; ``--small`` leaves these out.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify import Classifier, NetworkSpec, TrainingData
from napari_channelmix.data import Cells, open_dataset, save_dataset
from napari_channelmix.errors import ClusterError
from napari_channelmix.report import predict_dataset
from napari_channelmix.report.predict_dataset import predict_cells_job
from napari_channelmix.settings import PredictSettings

if TYPE_CHECKING:
    from napari_channelmix.cluster import ChunkReport

SECTION_AIM = [
    "two workers at least 1.7 times as fast as one on two cores, with identical output",
    "kill -9 of a worker, of the scheduler, of the command: complete and identical after the same "
    "command; what was kept is not computed again",
]
FASTER = 1.7
NETWORKS = ("tiny", "small", "medium", "resnet18")
Row = dict[str, Any]


def random_cells(count: int, crop: int) -> Cells:
    """Cells at random places of four channels of noise, in two classes."""
    rng = np.random.default_rng(0)
    side = 1024
    planes = [rng.integers(0, 4096, (side, side), dtype=np.uint16) for _ in range(4)]
    points = rng.integers(crop, side - crop, (count, 2))
    names = ["DNA", "actin", "tubulin", "golgi"]
    cells = Cells.from_points(planes, names, points, crop=crop)
    return cells.with_labels(rng.integers(0, 2, count), ["negative", "positive"])


def untrained(cells: Cells, network: str) -> Classifier:
    """A classifier with all that predictions are compared with, but fresh weights."""
    spec = NetworkSpec(network, len(cells.channels), len(cells.classes))
    some = cells.subset(np.arange(min(len(cells), 256)))
    statistics = some.statistics()
    assert statistics.profile is not None
    return Classifier(
        spec.build().eval(),
        spec,
        cells.channels,
        cells.classes,
        statistics.mean,
        np.maximum(statistics.std, 1e-9),
        cells.crop,
        training_data=TrainingData.of(some, statistics.profile),
    )


@dataclass
class Run:
    """A run of `predict_cells`.

    Attributes
    ----------
    seconds : float
        From when the workers are there until the table is written.
    starting : float
        Until the workers are there.
    table : bytes
    report : ChunkReport
    """

    seconds: float
    starting: float
    table: bytes
    report: ChunkReport
    killed: list[int] = field(default_factory=list)


def run(
    model: Classifier,
    cells: Cells,
    out: Path,
    disturb: Callable[[Path], bool] | None = None,
    **settings: Any,
) -> Run:
    """Predict; ``disturb`` is called at every step until it says that it has done its work."""
    reports: list[ChunkReport] = []
    plain = predict_dataset.chunks_job

    def noted(*args: Any, **options: Any) -> Any:
        reports.append((yield from plain(*args, **options)))
        return reports[-1]

    predict_dataset.chunks_job = noted
    try:
        begun = working = time.perf_counter()
        job = predict_cells_job(model, cells, out, settings=PredictSettings(**settings))
        for step in job:
            if step.stage.startswith(("starting", "connecting")):
                working = time.perf_counter()
            if disturb is not None and disturb(out.with_name(f"{out.name}.parts")):
                disturb = None
    finally:
        predict_dataset.chunks_job = plain
    ended = time.perf_counter()
    return Run(ended - working, working - begun, out.read_bytes(), reports[0])


def kept(parts: Path) -> int:
    """Chunks that are kept."""
    return len(list(parts.glob("*.npz")))


def kill_worker(parts: Path) -> bool:
    """Kill one of this process's workers once two chunks are kept."""
    if kept(parts) < 2:
        return False
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == os.getpid() and b"local_worker" in command:
            os.kill(int(path.name), signal.SIGKILL)
            return True
    return False


def row(name: str, value: float, unit: str, **more: Any) -> Row:
    return {"name": name, "value": value, "aim": None, "unit": unit, "met": None, **more}


def paces(cells: Cells, folder: Path, *, small: bool) -> list[Row]:
    """Cells a second on one core, by network."""
    rows = []
    for network in NETWORKS[:1] if small else NETWORKS:
        # As many as take some ten seconds.
        count = min(len(cells), 512 if small or network in NETWORKS[2:] else 4096)
        some, model = cells.subset(np.arange(count)), untrained(cells, network)
        seconds = min(run(model, some, folder / "pace.csv").seconds for _ in range(2))
        rows.append(
            row(
                f"predict, {network}, one core",
                count / seconds,
                "cells/s",
                details={"cells": count, "crop": cells.crop, "channels": len(cells.channels)},
            )
        )
    return rows


def two_against_one(cells: Cells, folder: Path, *, small: bool) -> list[Row]:
    """Two workers against one, in turns, and whether the output is that of no worker."""
    model = untrained(cells, "tiny" if small else "medium")
    alone = run(model, cells, folder / "alone.csv")
    times: dict[int, list[Run]] = {1: [], 2: []}
    for _ in range(1 if small else 2):
        for workers in (1, 2):
            times[workers].append(run(model, cells, folder / f"{workers}.csv", workers=workers))
    same = all(one.table == alone.table for runs in times.values() for one in runs)
    one, two = (min(each.seconds for each in times[workers]) for workers in (1, 2))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        row("two workers against one", one / two, "x")
        | {
            "aim": FASTER,
            "met": one / two >= FASTER,
            "details": {
                "cells": len(cells),
                "seconds of one": one,
                "seconds of two": two,
                "seconds in this process": alone.seconds,
                "seconds until two workers are there": min(each.starting for each in times[2]),
                "cores": cores,
            },
        },
        row("output of 0, 1 and 2 workers identical", float(same), "(1: yes)")
        | {"aim": 1.0, "met": same, "details": {}},
    ]


def worker_killed(cells: Cells, folder: Path) -> list[Row]:
    """A worker is killed."""
    model = untrained(cells, "medium")
    whole = run(model, cells, folder / "alone.csv")
    disturbed = run(model, cells, folder / "killed.csv", kill_worker, workers=2)
    same = disturbed.table == whole.table and not disturbed.report.failed
    return [
        row("kill -9 of a worker: chunks done again", float(len(disturbed.report.again)), "chunks")
        | {"met": same, "details": {"chunks": disturbed.report.total, "identical": same}}
    ]


def scheduler_killed(cells: Cells, folder: Path) -> list[Row]:
    """The scheduler is killed; the same call goes on with another one at its address."""
    model = untrained(cells, "medium")
    whole = run(model, cells, folder / "whole.csv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, started = f"tcp://127.0.0.1:{port}", []

    def dask(*args: str) -> None:
        line = [sys.executable, "-m", "dask", *args, "--no-dashboard"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(
                line,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd=folder,
                env=environment,
            )
        )

    def cluster() -> None:
        dask("scheduler", "--host", "127.0.0.1", "--port", str(port))
        dask("worker", address, "--nthreads", "1", "--nworkers", "2")

    def end() -> None:
        while started:
            process = started.pop()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(parts: Path) -> bool:
        if kept(parts) < 2:
            return False
        started[0].kill()
        return True

    out = folder / "scheduler.csv"
    parts = out.with_name(f"{out.name}.parts")
    try:
        cluster()
        try:
            run(model, cells, out, kill, scheduler=address)
        except ClusterError as error:
            message = str(error)
        else:
            message = "it went on"
        left = kept(parts)
        end()
        cluster()
        again = run(model, cells, out, scheduler=address)
    finally:
        end()
    return [resumed_row("scheduler", left, again, whole, {"said": message})]


def command_killed(cells: Cells, folder: Path, dataset: Path) -> list[Row]:
    """The command is killed with its workers; the same command again."""
    model = untrained(cells, "medium")
    model.save(folder / "model.cmx")
    out = folder / "command.csv"
    parts = out.with_name(f"{out.name}.parts")
    line = [sys.executable, "-m", "napari_channelmix.run.cli", "predict", str(dataset)]
    line += ["--model", str(folder / "model.cmx"), "--out", str(out), "--workers", "2"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while kept(parts) < 2 and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    left = kept(parts)
    again = run(model, cells, out, workers=2)
    whole = run(model, cells, folder / "whole.csv")
    return [resumed_row("command", left, again, whole, {})]


def resumed_row(what: str, left: int, again: Run, whole: Run, details: Row) -> Row:
    """How many of the chunks that were kept were computed again: none should be."""
    repeated = left + again.report.total - whole.report.total
    same = again.table == whole.table
    details = {
        "chunks": whole.report.total,
        "kept": left,
        "computed by the same command": again.report.total,
        "identical": same,
        **details,
    }
    return row(f"kill -9 of the {what}: kept chunks done again", float(repeated), "chunks") | {
        "aim": 0.0,
        "met": same and not repeated,
        "details": details,
    }


def measure(folder: Path, *, small: bool) -> list[Row]:
    """All rows of the section."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        count = 1_536 if small else 6_144
        dataset = save_dataset(random_cells(count, 24 if small else 48), folder / "plate")
        cells = open_dataset(dataset)
        # Half a minute of one core: chunks that end at other times weigh little in it.
        more = cells
        if not small:
            more = open_dataset(save_dataset(random_cells(32_768, 48), folder / "more"))
        rows = [
            *paces(cells, folder, small=small),
            *two_against_one(more, folder, small=small),
        ]
        if not small:
            rows += worker_killed(cells, folder)
            rows += scheduler_killed(cells, folder)
            rows += command_killed(cells, folder, dataset)
    finally:
        torch.set_num_threads(before)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small inputs: under a minute")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for each in measure(Path(name), small=args.small):
            met = {True: "reached", False: "MISSED", None: ""}[each["met"]]
            print(f"{each['name']}: {each['value']:.3g} {each['unit']} {met} {each['details']}")


if __name__ == "__main__":
    main()
