"""Is channel importance the same with fewer epochs, and how much faster? Two settings on a set.

Both run in one process and one thread, in turn, so that other work on the machine falls on both;
the same seeds and the same cells held out. Processor time is printed; for shares, Shapley values
and balanced accuracies the mean difference over the repeats (second less first), its standard
error, and the standard deviation of the first over its repeats, against which it is small or not.

    python benchmarks/importance_speed.py [--sets bbbc013 lymphoid jurkat csm graded shuffled]
        [--before 40,10] [--after 20,6] [--seeds 4] [--seed 0] [--json FILE]

Settings are epochs and patience. Real sets are read from the folder CHANNELMIX_DATA, or
../shared/data beside the project; a set that is not there is passed over and said to be. Ends with
1 where the verdicts differ.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_channelmix import Cells, ChannelImportance, open_dataset
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.settings import ImportanceSettings

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
DEFAULTS = ImportanceSettings()


def real(folder: str) -> Cells:
    return open_dataset(DATA / folder / "dataset.toml")


def shuffled() -> Cells:
    """The graded channels with labels dealt anew: nothing can be read."""
    cells = graded_channels().cells
    return cells.with_labels(np.random.default_rng(0).permutation(cells.labels), cells.classes)


SETS: dict[str, Callable[[], Cells]] = {
    "bbbc013": lambda: real("bbbc013_wortmannin"),
    "lymphoid": lambda: real("lymphoid_mif_5ch"),
    "jurkat": lambda: real("jurkat_cellcycle_ifc"),
    "csm": lambda: real("csm_breast_b14"),
    "graded": lambda: graded_channels().cells,
    "shuffled": shuffled,
}


class Run:
    """Channel importance with some settings, a step at a time, and what it takes.

    Attributes
    ----------
    result : ChannelImportance or None
        Once it is finished.
    done : float
        Part of the work that is done, 0 to 1.
    seconds : dict
        Processor time of each stage.
    epochs : int
        Of all trainings.
    """

    def __init__(self, cells: Cells, seeds: int, seed: int, training: tuple[int, int]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        epochs, patience = training
        self._job = channel_importance_job(
            cells,
            seeds=seeds,
            seed=seed,
            epochs=epochs,
            patience=patience,
            device="cpu",
            parts=Path(self._folder.name),
        )
        self.result: ChannelImportance | None = None
        self.done, self.seconds, self.epochs = 0.0, defaultdict[str, float](float), 0

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._job.close()
        self._folder.cleanup()

    def work(self, seconds: float) -> None:
        """Go on for so long, or to the end."""
        end = time.process_time() + seconds
        while self.result is None and time.process_time() < end:
            start = time.process_time()
            try:
                step = next(self._job)
            except StopIteration as stop:
                self.result = stop.value
                self.done = 1.0
                break
            stage = re.sub(r"^repeat \d+ of \d+: |, epoch.*$|,? [\d,]+ of [\d,]+", "", step.stage)
            self.seconds[stage] += time.process_time() - start
            self.epochs += "validation_loss" in step.metrics
            self.done = step.fraction

    @property
    def repeats(self) -> list[dict[str, Any]]:
        """What is kept of each repeat that is done, in the order of the seeds."""
        rows = [json.loads(path.read_text("utf-8")) for path in self._files]
        return sorted(rows, key=lambda row: row["seed"])

    @property
    def _files(self) -> list[Path]:
        return list(Path(self._folder.name).glob("*.json"))


def compared(
    cells: Cells, seeds: int, seed: int, trainings: list[tuple[int, int]]
) -> dict[str, Any]:
    """Both runs in turn, the one that is behind first, and their differences."""
    with ExitStack() as stack:
        runs = [stack.enter_context(Run(cells, seeds, seed, one)) for one in trainings]
        shown = 0
        while any(run.result is None for run in runs):
            min((run for run in runs if run.result is None), key=lambda run: run.done).work(0.5)
            known = min(len(run.repeats) for run in runs)
            if known > shown:
                shown = known
                print(f"{known} of {seeds} repeats", file=sys.stderr, flush=True)
        results = [run.result for run in runs]
        assert all(result is not None for result in results)
        repeats = [run.repeats for run in runs]
        return {
            "channels": list(cells.channels),
            "cells": len(cells),
            "trainings": trainings,
            "seconds": [dict(run.seconds) for run in runs],
            "epochs": [run.epochs for run in runs],
            "results": [result.to_dict() for result in results if result is not None],
            "repeats": repeats,
            "differences": differences(*(_numbers(one, cells.channels) for one in repeats)),
        }


def _numbers(repeats: list[dict[str, Any]], channels: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Numbers of the repeats (S,) that are compared, by name."""
    numbers = {
        f"balanced accuracy, {name}": np.array([row[kind]["balanced"] for row in repeats])
        for kind, name in (("mixed", "channel-mixing"), ("plain", "all-channel"))
    }
    for position, channel in enumerate(channels):
        for kind, name in (
            ("share", "share"),
            ("decoy_share", "share beside decoys"),
            ("decoys", "decoy"),
            ("shapley", "Shapley value"),
        ):
            numbers[f"{name} of {channel}"] = np.array([row[kind][position] for row in repeats])
    return numbers


def differences(
    before: dict[str, np.ndarray], after: dict[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """Mean difference of paired repeats, its standard error, and the sd of the first."""
    return {
        name: {
            "before": float(before[name].mean()),
            "after": float(after[name].mean()),
            "difference": float((after[name] - before[name]).mean()),
            "error": float((after[name] - before[name]).std(ddof=1) / len(before[name]) ** 0.5),
            "sd": float(before[name].std(ddof=1)),
        }
        for name in before
    }


def show(report: dict[str, Any]) -> None:
    """The tables, in Markdown."""
    names = ["{} epochs, patience {}".format(*one) for one in report["trainings"]]
    totals = [sum(one.values()) for one in report["seconds"]]
    print(f"\n| | {names[0]} | {names[1]} | ratio |\n|---|---|---|---|")
    print(f"| processor time | {totals[0]:.0f} s | {totals[1]:.0f} s | {_ratio(totals)} |")
    for stage in report["seconds"][0]:
        both = [one.get(stage, 0.0) for one in report["seconds"]]
        if max(both) >= 0.02 * max(totals):
            print(f"| of it {stage} | {both[0]:.0f} s | {both[1]:.0f} s | {_ratio(both)} |")
    both = report["epochs"]
    print(f"| epochs of all trainings | {both[0]} | {both[1]} | {_ratio(both)} |")
    for name in ("verdict", "gate"):
        print(f"| {name} | {' | '.join(result[name] for result in report['results'])} | |")
    for name in ("p_decoy", "p_value"):
        each = [result[name] or () for result in report["results"]]
        print(f"| {name} | {' | '.join(', '.join(f'{p:.3f}' for p in one) for one in each)} | |")
    print("\n| | before | after | difference | its error | sd over repeats |")
    print("|---|---|---|---|---|---|")
    for name, row in report["differences"].items():
        print(f"| {name} | {' | '.join(f'{value:+.3f}' for value in row.values())} |")


def _ratio(both: list[float]) -> str:
    return f"{both[1] / both[0]:.2f}" if both[0] else ""


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument(
        "--before",
        type=_training,
        default=(DEFAULTS.epochs, DEFAULTS.patience),
        metavar="EPOCHS,PATIENCE",
        help="default: the defaults of channel importance",
    )
    parser.add_argument("--after", type=_training, default=(20, 6), metavar="EPOCHS,PATIENCE")
    parser.add_argument("--seeds", type=int, default=4, help="repeats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    reports: dict[str, Any] = {}
    for name in args.sets:
        try:
            cells = SETS[name]()
        except ChannelMixError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name}: passed over: {error}")
            continue
        print(f"\n== {name}: {len(cells)} cells, {args.seeds} repeats", flush=True)
        reports[name] = compared(cells, args.seeds, args.seed, [args.before, args.after])
        show(reports[name])
        sys.stdout.flush()
        if args.json:
            args.json.write_text(json.dumps(reports, indent=2) + "\n", "utf-8")
    return int(any(len({one["verdict"] for one in of["results"]}) > 1 for of in reports.values()))


def _training(text: str) -> tuple[int, int]:
    epochs, patience = text.split(",")
    return int(epochs), int(patience)


if __name__ == "__main__":
    sys.exit(main())
