"""Does the gate know of wells? Sets without any effect, and sets with one, whose wells differ.

Every channel's gain varies by 25 % from well to well, labels are dealt to whole wells at random.
Without an effect, 'nothing can be read' must be said in at least 95 of 100 sets of 12 wells; with
one that makes accuracy about .8 on 24 wells, it must be found in at least 90 of 100; and the 95 %
interval of the accuracy must hold the true one in 90 to 98 %. The true one is the mean accuracy of
the same classifiers, those of the folds, on many fresh wells.

    python benchmarks/grouped_null.py [--null 100] [--effect 50] [--first 20000] [--epochs N]
        [--patience N] [--batch N] [--jobs 1] [--out grouped_null.jsonl]

Networks are trained as channel importance does by default, unless told otherwise. Finished sets
are kept in ``--out``, a line each, and a run that was stopped goes on there. Ends with 1 where an
aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy import stats

from napari_channelmix import Cells, channel_importance
from napari_channelmix.classify import TrainingSettings
from napari_channelmix.settings import ImportanceSettings

CHANNELS, SIDE, CELLS = 3, 24, 16
# Spread of the logarithm of a channel's gain over wells, and of single cells within a well.
GAIN, CELL = 0.25, 0.25
# Logarithm by which the first channel is brighter in one class, and the wells of such a set.
EFFECT = 0.7
NULL_WELLS, EFFECT_WELLS = 12, 24
FRESH_WELLS = 100
# How the networks are trained: these of the settings of channel importance.
DEFAULTS, TRAINING = ImportanceSettings(), ("epochs", "patience", "batch")
# A set: kind, seed and training.
Wanted = tuple[str, int, int, int, int]


def plate(seed: int, wells: int, effect: float) -> Cells:
    """Wells of cells: a blob in every channel, somewhere near the middle, and noise."""
    rng = np.random.default_rng(seed)
    well = np.repeat(np.arange(wells), CELLS)
    label = rng.permutation(np.arange(wells) % 2)[well]
    gain = np.exp(rng.normal(0, GAIN, (wells, CHANNELS)))[well]
    height = gain * np.exp(rng.normal(0, CELL, (len(well), CHANNELS)))
    height[:, 0] *= np.exp(effect * (label - 0.5))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    y, x = rng.normal(SIDE / 2, 1.5, (2, len(well), 1, 1))
    blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 4.0**2))
    noise = rng.normal(0, 0.1, (len(well), CHANNELS, SIDE, SIDE))
    crops = (height[:, :, None, None] * blob[:, None] + noise + 0.5).astype(np.float32)
    names = [f"channel {number + 1}" for number in range(CHANNELS)]
    return Cells.from_array(crops, names, label, ("a", "b"), [f"w{one}" for one in well])


def one_set(kind: str, seed: int, *training: int) -> dict[str, Any]:
    """Channel importance of a set: verdict, and whether the interval holds the true accuracy."""
    torch.set_num_threads(1)
    effect, wells = (EFFECT, EFFECT_WELLS) if kind == "effect" else (0.0, NULL_WELLS)
    found = channel_importance(
        plate(seed, wells, effect),
        network="tiny",
        settings=TrainingSettings(**dict(zip(TRAINING, training, strict=True))),
        shapley=False,
        decoys=False,
        seed=seed,
        device="cpu",
    )
    # Seeds of fresh wells lie far from those of the sets.
    fresh = plate(seed + 10**6, FRESH_WELLS, effect)
    true = []
    for classifier in found.classifiers:
        called = classifier.predict(fresh, prior="balanced")
        true.append(np.mean([np.mean(called[fresh.labels == code] == code) for code in (0, 1)]))
    reach = {name: (one.low, one.high) for name, one in found.estimates.items()}
    return {
        "kind": kind,
        "seed": seed,
        **dict(zip(TRAINING, training, strict=True)),
        "verdict": found.verdict,
        "gate": found.gate,
        "accuracy": found.accuracy,
        "p": found.accuracy_p,
        "interval": reach,
        "low": reach["mixed"][0],
        "high": reach["mixed"][1],
        "true": float(np.mean(true)),
    }


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--null", type=int, default=100, help="sets without an effect")
    parser.add_argument("--effect", type=int, default=50, help="sets with one")
    parser.add_argument("--first", type=int, default=20_000, help="seed of the first set")
    for name in TRAINING:
        parser.add_argument(f"--{name}", type=int, default=getattr(DEFAULTS, name))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=Path("grouped_null.jsonl"))
    args = parser.parse_args()
    wanted: list[Wanted] = [
        (kind, args.first + number, args.epochs, args.patience, args.batch)
        for kind in ("null", "effect")
        for number in range(getattr(args, kind))
    ]
    rows = _kept(args.out)
    left = [one for one in wanted if one not in rows]
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            for done in as_completed([pool.submit(one_set, *one) for one in left]):
                _keep(args.out, rows, done.result())
    else:
        for one in left:
            _keep(args.out, rows, one_set(*one))
    return _report([rows[one] for one in wanted])


def _kept(path: Path) -> dict[Wanted, dict[str, Any]]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {_key(row): row for row in map(json.loads, lines)}


def _key(row: dict[str, Any]) -> Wanted:
    """Rows of earlier versions name no training, which was this."""
    row = {"epochs": 6, "patience": 10, "batch": 32, **row}
    return row["kind"], row["seed"], row["epochs"], row["patience"], row["batch"]


def _keep(path: Path, rows: dict[Wanted, dict[str, Any]], row: dict[str, Any]) -> None:
    rows[_key(row)] = row
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(
        f"{row['kind']} {row['seed']}: {row['verdict']} (plain {row['accuracy']['plain']:.2f}, "
        f"true {row['true']:.2f})",
        file=sys.stderr,
        flush=True,
    )


def _report(rows: list[dict[str, Any]]) -> int:
    """The table, in Markdown; 1 where an aim is missed."""
    null = [row for row in rows if row["kind"] == "null"]
    effect = [row for row in rows if row["kind"] == "effect"]
    held = {
        kind: [row["low"] <= row["true"] <= row["high"] for row in of]
        for kind, of in (("without", null), ("with", effect))
    }
    closed = [row["verdict"].startswith("Nothing") for row in null]
    found = [not row["verdict"].startswith("Nothing") for row in effect]
    table = [
        ("'nothing can be read' without an effect, 12 wells", closed, (0.95, 1.0)),
        ("effect found, 24 wells", found, (0.90, 1.0)),
        ("interval holds the true accuracy, with an effect", held["with"], (0.90, 0.98)),
        ("interval holds the true accuracy, without one", held["without"], (0.90, 0.98)),
    ]
    print("| | sets | rate | 95 % interval | aim |\n|---|---|---|---|---|")
    missed = False
    for name, flags, (low, high) in table:
        if not flags:
            continue
        rate, hits = float(np.mean(flags)), int(np.sum(flags))
        reach = stats.binomtest(hits, len(flags)).proportion_ci(method="wilson")
        aim = f">= {low:.0%}" if high == 1 else f"{low:.0%} to {high:.0%}"
        met = low <= rate <= high
        missed |= not met
        print(
            f"| {name} | {len(flags)} | {rate:.1%} | {reach.low:.0%} to {reach.high:.0%} | "
            f"{aim}{'' if met else ' (missed)'} |"
        )
    for name, of in (("without an effect", null), ("with one", effect)):
        if of:
            plain = [row["accuracy"]["plain"] for row in of]
            print(
                f"\nSets {name}: balanced accuracy {np.mean(plain):.3f} ± {np.std(plain):.3f} "
                f"(plain network, held-out wells), true accuracy of the mixed one "
                f"{np.mean([row['true'] for row in of]):.3f}."
            )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
