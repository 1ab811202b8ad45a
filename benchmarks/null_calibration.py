"""Are the decoy p-values honest?  Channels that carry nothing must get p < 0.05 in 5 % of cases.

Without ``--groups``: sets of single cells with two channels that matter and six that carry nothing;
mixes with decoys over four trainings each. The first sets (seeds from 1000) were used to choose the
test; the default ones (from 5000) were not.

With ``--groups``: sets of wells whose stain varies by 25 % from well to well in every channel, over
the four folds of a cross-validation, decoys dealt by whole wells. Sets without an effect, and sets
with one: then one channel matters, one only shows where the cell is, and three carry nothing. The
rates are counted for each kind of channel.

    python benchmarks/null_calibration.py [--sets 40] [--first 5000] [--network tiny]
        [--epochs 12] [--json FILE]
    python benchmarks/null_calibration.py --groups [--sets 100] [--first 5000] [--epochs 8]
        [--out null_groups.jsonl]

Sets of ``--groups`` are kept in ``--out``, a line each, and a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy import stats

from napari_channelmix import Cells
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.pixels import SelectedCrops
from napari_channelmix.classify.train import loaded, train_on
from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.dcmix.decoys import WithDecoys, decoy_p_values, holm, paired_p_values
from napari_channelmix.dcmix.divisions import divided
from napari_channelmix.dcmix.repeats import shares_of
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

RELEVANCE = (1.0, 0.6, 0, 0, 0, 0, 0, 0)
SEEDS = 4
TESTS = {"decoy test": decoy_p_values, "paired t over seeds": paired_p_values}

# Sets of wells: so many of so many cells, crops of so many pixels.
WELLS, CELLS, SIDE = 12, 16, 16
KINDS = ("matters", "locates", "nothing", "nothing", "nothing")
GAIN, EFFECT = 0.25, 1.0


def main() -> None:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--groups", action="store_true", help="sets of wells")
    parser.add_argument("--sets", type=int, help="default: 40, or 100 of either kind of wells")
    parser.add_argument("--first", type=int, default=5000, help="seed of the first set")
    parser.add_argument("--network", default="tiny")
    parser.add_argument("--epochs", type=int, help="default: 12, or 8 with --groups")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, default=Path("null_groups.jsonl"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.groups:
        _of_wells(args)
    else:
        _of_single_cells(args)


def _of_single_cells(args: argparse.Namespace) -> None:
    settings = TrainingSettings(epochs=args.epochs or 12)
    p_values: dict[str, list[float]] = {name: [] for name in TESTS}
    matter: dict[str, list[float]] = {name: [] for name in TESTS}
    families: dict[str, list[bool]] = {name: [] for name in TESTS}
    sets = args.sets or 40
    for number in range(sets):
        sample = graded_channels(RELEVANCE, seed=args.first + number, count=400, side=16)
        crops = drain(loaded(sample.cells))
        both = [_mix(crops, args.network, settings, seed) for seed in range(SEEDS)]
        shares, decoys = (np.array(one) for one in zip(*both, strict=True))
        null = np.array(list(sample.relevance.values())) == 0
        for name, test in TESTS.items():
            values = test(shares, decoys)
            p_values[name] += values[null].tolist()
            matter[name] += values[~null].tolist()
            families[name].append(bool((holm(values)[null] < 0.05).any()))
        print(f"set {number + 1} of {sets}", flush=True)
    result = {
        name: {
            **calibration(p_values[name]),
            "sets with a false find after Holm": float(np.mean(families[name])),
            "channels that matter found": float(np.mean(np.array(matter[name]) < 0.05)),
        }
        for name in TESTS
    }
    print(json.dumps(result, indent=2))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def _mix(
    crops: NormalisedCrops, network: str, settings: TrainingSettings, seed: int
) -> tuple[list[float], list[float]]:
    """Shares of the channels and of their decoys in one mix."""
    channels = len(crops.cells.channels)
    spec = NetworkSpec(network, 2 * channels, len(crops.cells.classes), mixes=1)
    doubled = WithDecoys.behind(crops, seed)
    job = train_on(doubled, spec, settings, seed=seed, device=torch.device("cpu"))
    both = shares_of(drain(job).mixing)
    return both[:channels].tolist(), both[channels:].tolist()


def calibration(values: list[float]) -> dict[str, float]:
    """Rates at which null channels pass, with what chance allows, and distance from uniform."""
    found = np.array(values)
    uniform = stats.kstest(found, "uniform")
    allowed = {level: stats.binom.interval(0.95, len(found), level) for level in (0.05, 0.01)}
    return {
        "null channels": len(found),
        "p < 0.05": float((found < 0.05).mean()),
        "p < 0.05, honest up to": float(allowed[0.05][1] / len(found)),
        "p < 0.01": float((found < 0.01).mean()),
        "p < 0.01, honest up to": float(allowed[0.01][1] / len(found)),
        "KS distance": float(uniform.statistic),
        "KS p": float(uniform.pvalue),
    }


# ---------------------------------------------------------------- wells


def plate(seed: int, effect: float) -> Cells:
    """Wells of cells, labels dealt to whole wells.

    Every channel has a blob at the cell, whose place varies, and another one elsewhere in the crop;
    only the blob at the cell depends on the class, in the first channel. The second channel has
    none elsewhere: it shows which blob is the cell's, and nothing of the class.
    """
    rng = np.random.default_rng(seed)
    well = np.repeat(np.arange(WELLS), CELLS)
    label = rng.permutation(np.arange(WELLS) % 2)[well]
    count, channels = len(well), len(KINDS)
    height = np.exp(rng.normal(0, GAIN, (WELLS, channels)))[well]
    height *= np.exp(rng.normal(0, 0.25, (count, channels)))
    height[:, 0] *= np.exp(effect * (label - 0.5))
    other = np.exp(rng.normal(0, GAIN, (WELLS, channels)))[well]
    other *= np.exp(rng.normal(0, 0.4, (count, channels)))
    other[:, KINDS.index("locates")] = 0
    turn = rng.uniform(0, 2 * np.pi, count)
    shift = np.stack([np.sin(turn), np.cos(turn)]) * SIDE / 5
    crops = (height[:, :, None, None] * _blobs(shift)[:, None]
             + other[:, :, None, None] * _blobs(-shift)[:, None]
             + rng.normal(0, 0.1, (count, channels, SIDE, SIDE)) + 0.5)  # fmt: skip
    names = [f"{kind} {number}" for number, kind in enumerate(KINDS)]
    return Cells.from_array(crops.astype(np.float32), names, label, ("a", "b"),
                            [f"w{one}" for one in well])  # fmt: skip


def _blobs(shift: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2
    y, x = shift[:, :, None, None]
    return np.asarray(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 2.0**2)))


def _of_wells(args: argparse.Namespace) -> None:
    settings = TrainingSettings(epochs=args.epochs or 8, batch=32)
    lines = args.out.read_text("utf-8").splitlines() if args.out.exists() else []
    rows = {(row["effect"], row["seed"]): row for row in map(json.loads, lines)}
    wanted = [(effect, args.first + number) for number in range(args.sets or 100)
              for effect in (0.0, EFFECT)]  # fmt: skip
    for effect, seed in wanted:
        if (effect, seed) in rows:
            continue
        both = []
        division = divided(plate(seed, effect), SEEDS, split_seed=seed)
        drain(division.pixels[0].load())
        for number, sides in enumerate(division.sides):
            crops = SelectedCrops(sides.train, drain(sides.train.statistics_job()))
            drain(sides.train.sign())
            both.append(_mix(crops, args.network, settings, seed + number))
        shares, decoys = zip(*both, strict=True)
        row = {"effect": effect, "seed": seed, "shares": shares, "decoys": decoys}
        rows[effect, seed] = row
        with args.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(f"effect {effect:g}, set {seed}", file=sys.stderr, flush=True)
    table_of_wells([rows[one] for one in wanted])


def table_of_wells(rows: list[dict[str, Any]]) -> None:
    """For each kind of channel: how often p < .05, and how often its share passes its decoy's."""
    print("| sets | channel | channels | p < .05 | 95 % interval | share above its decoy |")
    print("|---|---|---|---|---|---|")
    for effect in (0.0, EFFECT):
        some = [row for row in rows if row["effect"] == effect]
        shares, decoys = (np.array([row[name] for row in some]) for name in ("shares", "decoys"))
        p_values = np.array([decoy_p_values(*one) for one in zip(shares, decoys, strict=True)])
        above = shares.mean(axis=1) > decoys.mean(axis=1)
        for kind in dict.fromkeys(KINDS):
            of = [at for at, one in enumerate(KINDS) if one == kind]
            passed = p_values[:, of].ravel() < 0.05
            reach = stats.binomtest(int(passed.sum()), len(passed)).proportion_ci(method="wilson")
            name = kind if effect else f"{kind} (where there is an effect)"
            print(f"| {'with' if effect else 'without'} an effect | {name} | {len(passed)} | "
                  f"{passed.mean():.1%} | {reach.low:.1%} to {reach.high:.1%} | "
                  f"{above[:, of].mean():.0%} |")  # fmt: skip


if __name__ == "__main__":
    main()
