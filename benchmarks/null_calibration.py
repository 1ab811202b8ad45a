"""Are the p-values of channels honest?  One that carries nothing must get p < .05 in 5 % of cases.

Mixes with decoys over the four folds of a cross-validation, as in a run of channel importance, and
the test of each channel alone; the p-value is the larger of the two. The rates are counted for each
kind of channel, before Holm's correction, whatever the gate says:

- single cells: two channels that matter and six that carry nothing;
- with ``--groups``, wells of 16 cells whose stain varies by 25 % from well to well in every
  channel: 12 wells without an effect, and 24 with one. Then one channel matters, one only shows
  where the cell is, and three carry nothing;
- with ``--alone``, the test of each channel alone, which takes a moment: on many sets of groups of
  other sizes and classes, without any effect.

Rates are of p < .05. Channels of one set are not independent, so the upper bound (95 %, one-sided,
Clopper and Pearson) is that of one channel of the kind per set, drawn by the seed of the set. Seeds
from 1000 served to choose the settings; those from 5000 did not.

    python benchmarks/null_calibration.py [--groups] [--sets 100] [--first 5000] [--epochs N]
        [--patience N] [--batch N] [--jobs 2] [--out null_cells.jsonl or null_groups.jsonl]
    python benchmarks/null_calibration.py --alone [--sets 500] [--first 5000]

Networks are trained as channel importance does by default, unless told otherwise. Sets are kept in
``--out``, a line each, and a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy import stats

from napari_channelmix import Cells
from napari_channelmix.classify.channel_features import CropNumbers, crop_numbers
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.pixels import SelectedCrops
from napari_channelmix.classify.train import train_on
from napari_channelmix.classify.training_loop import TrainingSettings
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.dcmix.divisions import divided
from napari_channelmix.dcmix.label_link import link_job
from napari_channelmix.dcmix.negative_control import (
    WithDecoys,
    decoy_p_values,
    holm,
    paired_p_values,
)
from napari_channelmix.dcmix.p_values import both_tests
from napari_channelmix.dcmix.repeats import shares_of
from napari_channelmix.jobs import drain
from napari_channelmix.settings import ImportanceSettings

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

FOLDS, LEVEL = 4, 0.05
# How the networks are trained: these of the settings of channel importance.
DEFAULTS, TRAINING = ImportanceSettings(), ("epochs", "patience", "batch")
# Single cells: so many, of channels with this relevance.
RELEVANCE, COUNT = (1.0, 0.6, 0, 0, 0, 0, 0, 0), 400
# Sets of wells: so many without an effect and with one, of so many cells; crops of so many pixels.
WELLS, WELLS_WITH_EFFECT, CELLS, SIDE = 12, 24, 16, 16
KINDS = ("matters", "locates", "nothing", "nothing", "nothing")
GAIN, EFFECT = 0.25, 1.0
TESTS: dict[str, Callable[[dict[str, Any]], np.ndarray]] = {
    "both tests": lambda row: both_tests(_against_decoys(row), np.array(row["p_alone"])),
    "decoys": lambda row: _against_decoys(row),
    "alone": lambda row: np.array(row["p_alone"]),
    "paired t": lambda row: paired_p_values(np.array(row["shares"]), np.array(row["decoys"])),
}


def main() -> None:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--groups", action="store_true", help="sets of wells")
    parser.add_argument("--alone", action="store_true", help="the test of channels alone only")
    parser.add_argument("--sets", type=int, help="of each kind; default: 100, or 500 with --alone")
    parser.add_argument("--first", type=int, default=5000, help="seed of the first set")
    parser.add_argument("--network", default="tiny")
    for name in TRAINING:
        parser.add_argument(f"--{name}", type=int, default=getattr(DEFAULTS, name))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="where sets are kept")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.alone:
        alone_on_many_sets(args.first, args.sets or 500)
        return
    design = "wells" if args.groups else "cells"
    out = args.out or Path("null_groups.jsonl" if args.groups else "null_cells.jsonl")
    wanted = [
        {
            "design": design,
            "effect": effect,
            "seed": args.first + number,
            "network": args.network,
            **{name: getattr(args, name) for name in TRAINING},
        }
        for number in range(args.sets or 100)
        for effect in ((0.0, EFFECT) if args.groups else (EFFECT,))
    ]
    table(list(kept_or_made(wanted, out, args.jobs)))


def kept_or_made(wanted: list[dict[str, Any]], out: Path, jobs: int) -> Iterator[dict[str, Any]]:
    """The rows of the wanted sets; those that the file lacks are made and put there."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {_key(row): row for row in rows if "design" in row}
    missing = [one for one in wanted if _key(one) not in done]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for number, future in enumerate(as_completed([pool.submit(made, one) for one in missing])):
            row = future.result()
            done[_key(row)] = row
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(
                f"{number + 1} of {len(missing)}: effect {row['effect']:g}, seed {row['seed']}, "
                f"{row['seconds']:.0f} s",
                flush=True,
            )
    yield from (done[_key(one)] for one in wanted)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a set is; rows of earlier versions name no patience and no batch, which were these."""
    row = {"patience": 10, "batch": 32, **row}
    return tuple(row[name] for name in ("design", "effect", "seed", "network", *TRAINING))


def made(wanted: dict[str, Any]) -> dict[str, Any]:
    """A set: shares of channels and decoys in each fold, and the p-values of channels alone."""
    torch.set_num_threads(1)
    start, seed = time.process_time(), wanted["seed"]
    cells, kinds = _set(wanted["design"], seed, wanted["effect"])
    settings = TrainingSettings(**{name: wanted[name] for name in TRAINING})
    division = divided(cells, FOLDS, split_seed=seed)
    drain(division.pixels[0].load())
    both = []
    for number, sides in enumerate(division.sides):
        crops = SelectedCrops(sides.train, drain(sides.train.statistics_job()))
        drain(sides.train.sign())
        both.append(_mix(crops, wanted["network"], settings, seed + number))
    shares, decoys = zip(*both, strict=True)
    link = drain(link_job(crop_numbers(cells.read()), cells.labels, cells.groups, seed=seed))
    return {
        **wanted,
        "kinds": kinds,
        "shares": shares,
        "decoys": decoys,
        "p_alone": link.p_value,
        "seconds": time.process_time() - start,
    }


def _set(design: str, seed: int, effect: float) -> tuple[Cells, Sequence[str]]:
    """Cells, and of which kind each channel is."""
    if design == "wells":
        return plate(seed, effect, WELLS_WITH_EFFECT if effect else WELLS), KINDS
    sample = graded_channels(RELEVANCE, seed=seed, count=COUNT, side=SIDE)
    kinds = [f"relevance {one:g}" if one else "nothing" for one in sample.relevance.values()]
    return sample.cells, kinds


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


def _against_decoys(row: dict[str, Any]) -> np.ndarray:
    return decoy_p_values(np.array(row["shares"]), np.array(row["decoys"]))


# ---------------------------------------------------------------- tables


def table(rows: list[dict[str, Any]]) -> None:
    """For each kind of channel: how often p < .05, by each test."""
    print(f"{np.mean([row['seconds'] for row in rows]):.1f} s of a processor for a set\n")
    print(f"| sets | channel | channels | one per set | upper bound | {' | '.join(TESTS)} |")
    print("|---" * (5 + len(TESTS)) + "|")
    for effect in dict.fromkeys(row["effect"] for row in rows):
        some = [row for row in rows if row["effect"] == effect]
        name = f"{len(some)} {'with' if effect else 'without'} an effect"
        for kind in sorted({kind for row in some for kind in row["kinds"]}):
            _row_of_kind(name, kind, some, bool(effect))
        false = [sum(_false_find(row, p_of(row)) for row in some) for p_of in TESTS.values()]
        rates = " | ".join(f"{count / len(some):.1%}" for count in false)
        print(
            f"| {name} | *any that carries nothing, after Holm* | | {false[0]} of {len(some)} | "
            f"{_bound(false[0], len(some)):.1%} | {rates} |"
        )


def _row_of_kind(name: str, kind: str, rows: list[dict[str, Any]], effect: bool) -> None:
    """Rates of all tests; one channel per set and the bound are of the first test."""
    rates = []
    for p_of in TESTS.values():
        values = [p_of(row)[np.array(row["kinds"]) == kind] for row in rows]
        rates.append((np.concatenate(values) < LEVEL).mean())
        if len(rates) == 1:
            passed = _passed(values, [row["seed"] for row in rows])
    channel = kind if effect else f"{kind} (where there is an effect)"
    print(
        f"| {name} | {channel} | {sum(row['kinds'].count(kind) for row in rows)} | "
        f"{passed} of {len(rows)} | {_bound(passed, len(rows)):.1%} | "
        f"{' | '.join(f'{rate:.1%}' for rate in rates)} |"
    )


def _false_find(row: dict[str, Any], p_values: np.ndarray) -> bool:
    """Whether a channel without a link to the labels passes after correction."""
    null = [not (row["effect"] and _matters(kind)) for kind in row["kinds"]]
    return bool((holm(p_values)[null] < LEVEL).any())


def _matters(kind: str) -> bool:
    return kind == "matters" or kind.startswith("relevance")


def _passed(values: Sequence[np.ndarray], seeds: Sequence[int]) -> int:
    """Sets in which a channel passes that was drawn by the seed of the set."""
    return sum(
        bool(np.random.default_rng([seed, 3]).choice(of) < LEVEL)
        for of, seed in zip(values, seeds, strict=True)
    )


def _bound(passed: int, of: int) -> float:
    """Upper 95 % bound of a rate, one-sided (Clopper and Pearson)."""
    return float(stats.binomtest(passed, of, alternative="less").proportion_ci(0.95).high)


# ---------------------------------------------------------------- wells


def plate(seed: int, effect: float, wells: int = WELLS) -> Cells:
    """Wells of cells, labels dealt to whole wells.

    Every channel has a blob at the cell, whose place varies, and another one elsewhere in the crop;
    only the blob at the cell depends on the class, in the first channel. The second channel has
    none elsewhere: it shows which blob is the cell's, and nothing of the class.
    """
    rng = np.random.default_rng(seed)
    well = np.repeat(np.arange(wells), CELLS)
    label = rng.permutation(np.arange(wells) % 2)[well]
    count, channels = len(well), len(KINDS)
    height = np.exp(rng.normal(0, GAIN, (wells, channels)))[well]
    height *= np.exp(rng.normal(0, 0.25, (count, channels)))
    height[:, 0] *= np.exp(effect * (label - 0.5))
    other = np.exp(rng.normal(0, GAIN, (wells, channels)))[well]
    other *= np.exp(rng.normal(0, 0.4, (count, channels)))
    other[:, KINDS.index("locates")] = 0
    turn = rng.uniform(0, 2 * np.pi, count)
    shift = np.stack([np.sin(turn), np.cos(turn)]) * SIDE / 5
    crops = (
        height[:, :, None, None] * _blobs(shift)[:, None]
        + other[:, :, None, None] * _blobs(-shift)[:, None]
        + rng.normal(0, 0.1, (count, channels, SIDE, SIDE))
        + 0.5
    )
    names = [f"{kind} {number}" for number, kind in enumerate(KINDS)]
    return Cells.from_array(
        crops.astype(np.float32), names, label, ("a", "b"), [f"w{one}" for one in well]
    )


def _blobs(shift: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2
    y, x = shift[:, :, None, None]
    return np.asarray(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * 2.0**2)))


# ---------------------------------------------------------------- channels alone


def _wells(sizes: Sequence[int], labels: np.ndarray, rng: np.random.Generator) -> Any:
    group = np.repeat(np.arange(len(sizes)), sizes)
    return rng.permutation(labels)[group], group


def _images(spread: float, rng: np.random.Generator) -> Any:
    """Eight images that hold both classes, in other shares."""
    group = np.repeat(np.arange(8), rng.integers(10, 40, 8))
    return (rng.random(len(group)) < rng.beta(spread, spread, 8)[group]).astype(np.int64), group


DESIGNS: dict[str, Callable[[np.random.Generator], Any]] = {
    "12 wells of 16 cells": lambda rng: _wells([16] * 12, np.arange(12) % 2, rng),
    "15 wells of 2 to 29 cells, a third positive": lambda rng: _wells(
        rng.integers(2, 30, 15).tolist(), (np.arange(15) % 3 == 0).astype(np.int64), rng
    ),
    "24 wells of 2 to 29 cells, 3 classes": lambda rng: _wells(
        rng.integers(2, 30, 24).tolist(), np.arange(24) % 3, rng
    ),
    "8 images of both classes, shares differ much": partial(_images, 1.5),
    "8 images of both classes, shares differ little": partial(_images, 20.0),
    "200 single cells": lambda rng: (rng.integers(0, 2, 200), np.arange(200)),
    "150 single cells, 4 classes of 15 to 60": lambda rng: (
        rng.permutation(np.repeat(np.arange(4), [15, 30, 45, 60])),
        np.arange(150),
    ),
}


def alone_on_many_sets(first: int, sets: int) -> None:
    """Level of the test of channels alone, where groups differ as much as the cells in them."""
    print("| groups | channels | one per set | upper bound | p < .05 | p < .01 |")
    print("|---|---|---|---|---|---|")
    for name, deal in DESIGNS.items():
        seeds = range(first, first + sets)
        values = []
        for seed in seeds:
            rng = np.random.default_rng([seed, 77])
            labels, groups = deal(rng)
            numbers = _numbers_of_groups(groups, 3, rng)
            values.append(np.array(drain(link_job(numbers, labels, groups, seed=seed)).p_value))
        passed, every = _passed(values, seeds), np.concatenate(values)
        rates = f"{(every < LEVEL).mean():.1%} | {(every < 0.01).mean():.1%}"
        drawn = f"{passed} of {sets} | {_bound(passed, sets):.1%}"
        print(f"| {name} | {len(every)} | {drawn} | {rates} |", flush=True)


def _numbers_of_groups(group: np.ndarray, channels: int, rng: np.random.Generator) -> CropNumbers:
    """Numbers of cells that depend on each other and on the group, and on no class."""
    count = 17
    values = rng.normal(size=(len(group), count, channels))
    values += rng.normal(size=(group.max() + 1, count, channels))[group]
    blend = rng.normal(size=(count, count))
    return CropNumbers(np.einsum("nfc,fg->ngc", values, blend), np.zeros((len(group), 0, 0)))


if __name__ == "__main__":
    main()
