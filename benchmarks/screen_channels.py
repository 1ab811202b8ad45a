"""Which channel does each treatment of a screen need?  A screen of which that is known.

    python benchmarks/screen_channels.py [--plates 3] [--seeds 2] [--epochs 15] [--network tiny]
        [--seed 0] [--json FILE]

The script makes a screen in the manner of RXRX1: six stained channels of cells; controls, and four
treatments, each of which changes one or two channels; four experiments of several plates, of wells,
of two sites. Stain and exposure differ from experiment to experiment, from plate to plate, from
well to well and from site to site, by as much as the treatments do. The last plate of each
experiment is held out.

Twice, with grey values as they are and with those of each plate in units of its own controls
(minus their mean, over their standard deviation), it asks three things: the shares of DCMIX, the
Shapley values of each channel for the recall of each class, and, as the reference, the recall that
each class loses when a network is trained anew without a channel (remove and retrain). One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix import Cells, channel_importance, train_classifier
from napari_channelmix.classify import TrainingSettings
from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.classify.metrics import accuracy_of

FloatArray = npt.NDArray[np.float64]

SIDE = 32
CHANNELS = ("DNA", "ER", "RNA", "actin", "Golgi", "mito")
#: What each class changes; RNA is never changed.
PLANTED = {
    "control": (),
    "DNA condensed": ("DNA",),
    "actin up": ("actin",),
    "Golgi scattered": ("Golgi",),
    "mito down, ER up": ("ER", "mito"),
}
CLASSES = tuple(PLANTED)
EXPERIMENTS, SITES = 4, 2
WELLS = {"control": 5, **dict.fromkeys(CLASSES[1:], 3)}
CELLS_OF_A_SITE = 4
# Standard deviations of the logarithm of a channel's gain between experiments, plates, wells and
# sites, and of single cells.
GAINS = {"experiment": 0.3, "plate": 0.2, "well": 0.08, "site": 0.05, "cell": 0.12}
# Factors of the treatments that change how bright a channel is.
BRIGHTER, DIMMER = 1.45, 0.65


@dataclass(frozen=True, eq=False)
class Screen:
    """All cells of a screen.

    Attributes
    ----------
    crops : (N, 6, SIDE, SIDE) float32 array
    labels : (N,) int array
    plates : (N,) str array
        Experiment and plate.
    held_out : (N,) bool array
    """

    crops: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    plates: npt.NDArray[np.str_]
    held_out: npt.NDArray[np.bool_]

    def normalised(self) -> npt.NDArray[np.float32]:
        """Each channel of each plate minus the mean of its controls, over their spread."""
        crops = self.crops.copy()
        for plate in np.unique(self.plates):
            here = self.plates == plate
            controls = self.crops[here & (self.labels == 0)]
            mean = controls.mean(axis=(0, 2, 3), keepdims=True)
            crops[here] = (crops[here] - mean) / controls.std(axis=(0, 2, 3), keepdims=True)
        return crops

    def parts(self, *, per_plate: bool) -> tuple[Cells, Cells]:
        """Training and held-out cells; a plate is a group."""
        crops = self.normalised() if per_plate else self.crops
        return tuple(
            Cells.from_array(
                crops[some],
                CHANNELS,
                self.labels[some],
                CLASSES,
                self.plates[some].tolist(),
                name="screen",
            )
            for some in (~self.held_out, self.held_out)
        )  # type: ignore[return-value]


def screen(plates: int, seed: int) -> Screen:
    """Make a screen of so many plates in each experiment."""
    rng = np.random.default_rng(seed)
    crops, labels, names, last = [], [], [], []

    def gain(level: str) -> FloatArray:
        return np.exp(rng.normal(0, GAINS[level], len(CHANNELS)))

    for experiment in range(EXPERIMENTS):
        of_experiment = gain("experiment")
        for plate in range(plates):
            of_plate = of_experiment * gain("plate")
            background = rng.uniform(80, 140, len(CHANNELS))
            for code, name in enumerate(CLASSES):
                for _ in range(WELLS[name]):
                    of_well = of_plate * gain("well")
                    for _ in range(SITES):
                        of_site = of_well * gain("site")
                        for _ in range(CELLS_OF_A_SITE):
                            light = 400 * (of_site * gain("cell"))[:, None, None] * cell(name, rng)
                            mean = light + background[:, None, None]
                            # As many electrons as grey values, and the camera's own noise.
                            seen = rng.poisson(mean) + rng.normal(0, 6, mean.shape)
                            crops.append(seen.astype(np.float32))
                            labels.append(code)
                            names.append(f"experiment {experiment + 1}, plate {plate + 1}")
                            last.append(plate == plates - 1)
    return Screen(np.stack(crops), np.array(labels), np.array(names), np.array(last))


def cell(treatment: str, rng: np.random.Generator) -> FloatArray:
    """One cell (6, SIDE, SIDE), each channel about 1 where it is bright."""
    middle = (SIDE - 1) / 2 + rng.uniform(-2, 2, 2)
    y, x = np.mgrid[:SIDE, :SIDE] - middle[:, None, None]
    turn = rng.uniform(0, np.pi)
    along, across = np.cos(turn) * y + np.sin(turn) * x, np.cos(turn) * x - np.sin(turn) * y
    nucleus_size, body_size = rng.uniform(4.5, 5.8), rng.uniform(10.5, 13.5)

    def within(size: float, flat: float = 0.8) -> FloatArray:
        """A soft ellipse, 1 inside."""
        inside = 1 - np.hypot(along / size, across / (flat * size))
        return np.asarray(1 / (1 + np.exp(-size * inside)))

    nucleus, body = within(nucleus_size), within(body_size)
    cytoplasm = body * (1 - nucleus)

    def spots(places: FloatArray, size: float) -> FloatArray:
        away = np.square(y - places[:, :1, None]) + np.square(x - places[:, 1:, None])
        return np.asarray(np.exp(-away / (2 * size**2)).sum(axis=0))

    def around(count: int, low: float, high: float, spread: float) -> FloatArray:
        angle = rng.uniform(0, 2 * np.pi) + rng.uniform(-spread, spread, count)
        radius = rng.uniform(low, high, count)
        return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)

    condensed = treatment == "DNA condensed"
    dna = 1.25 * within(0.84 * nucleus_size) if condensed else nucleus
    er = cytoplasm * np.exp(-np.maximum(np.hypot(y, x) - nucleus_size, 0) / 5)
    rna = 0.35 * cytoplasm + nucleus * (0.3 + spots(around(3, 0.5, 3.0, np.pi), 1.1))
    direction = rng.uniform(0, np.pi)
    fibres = np.sin(1.6 * (np.cos(direction) * y + np.sin(direction) * x) + rng.uniform(0, 6))
    actin = body * (0.4 + 0.3 * fibres) + 0.8 * (within(body_size) - within(0.82 * body_size))
    scattered = treatment == "Golgi scattered"
    reach, spread = ((5, 10), np.pi) if scattered else ((5, 7.5), 0.6)
    golgi = body * spots(around(8, *reach, spread), 1.0)
    threads = rng.normal(size=(SIDE, SIDE))
    threads = threads + np.roll(threads, 1, 0) + np.roll(threads, 1, 1)
    mito = cytoplasm * (0.5 + 0.25 * threads).clip(0)
    planes = np.stack([dna, er, rna, actin, golgi, mito])
    factor = np.ones(len(CHANNELS))
    if treatment == "actin up":
        factor[CHANNELS.index("actin")] = BRIGHTER
    if treatment == "mito down, ER up":
        factor[CHANNELS.index("mito")], factor[CHANNELS.index("ER")] = DIMMER, BRIGHTER
    return np.asarray(factor[:, None, None] * planes.clip(0))


# ---------------------------------------------------------------- what is asked


def recalls(
    train: Cells, test: Cells, channels: tuple[str, ...], asked: argparse.Namespace
) -> tuple[FloatArray, str]:
    """Recall of each class (K,), mean over the seeds; and accuracy of the first seed, in words."""
    found, words = [], ""
    for seed in range(asked.seeds):
        model = train_classifier(
            train.with_channels(channels),
            network=asked.network,
            seed=seed,
            device="cpu",
            settings=TrainingSettings(epochs=asked.epochs),
        )
        guess = model.predict(test.with_channels(channels))
        found.append(accuracy_of(test.labels, guess, len(CLASSES)).recall)
        if not seed:
            words = estimate_accuracy(test.labels, guess, test.groups, CLASSES).text()
    return np.mean(found, axis=0), words


def removed(train: Cells, test: Cells, asked: argparse.Namespace) -> dict[str, Any]:
    """Recall lost (K, C) when each channel is removed and the network trained anew."""
    whole, words = recalls(train, test, CHANNELS, asked)
    without = {}
    for channel in CHANNELS:
        left = tuple(one for one in CHANNELS if one != channel)
        without[channel], _ = recalls(train, test, left, asked)
    return {
        "accuracy": float(whole.mean()),
        "words": words,
        "lost": np.stack([whole - without[one] for one in CHANNELS], axis=1),
        "accuracy without": {one: float(without[one].mean()) for one in CHANNELS},
    }


def named(name: str, values: FloatArray) -> int:
    """How many of the planted channels of a class stand on top of its values (C,)."""
    count = len(PLANTED[name])
    top = [CHANNELS[at] for at in np.argsort(-values)[:count]]
    return len(set(top) & set(PLANTED[name]))


def table(title: str, rows: dict[str, FloatArray], digits: int = 2) -> None:
    """A row for each class, a column for each channel; planted channels are bold."""
    print(f"\n{title}\n\n| class | {' | '.join(CHANNELS)} | planted on top |")
    print("|---" * (len(CHANNELS) + 2) + "|")
    for name, values in rows.items():
        words = [f"{value:.{digits}f}" for value in values]
        words = [
            f"**{word}**" if channel in PLANTED.get(name, ()) else word
            for channel, word in zip(CHANNELS, words, strict=True)
        ]
        planted = PLANTED.get(name, ())
        right = f"{named(name, values)} of {len(planted)}" if planted else ""
        print(f"| {name} | {' | '.join(words)} | {right} |")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plates", type=int, default=3, help="in each of four experiments")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each kind")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--network", default="tiny")
    parser.add_argument("--seed", type=int, default=0, help="of the screen")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    started, made = time.process_time(), screen(asked.plates, asked.seed)
    print(
        f"{len(made.labels):,} cells of {len(set(made.plates))} plates, "
        f"{made.held_out.sum():,} of them on {EXPERIMENTS} plates held out"
    )
    results: dict[str, Any] = {}
    for per_plate in (False, True):
        what = "in units of the plate's controls" if per_plate else "grey values as they are"
        train, test = made.parts(per_plate=per_plate)
        found = channel_importance(
            train,
            test,
            seeds=asked.seeds,
            decoys=False,
            network=asked.network,
            settings=TrainingSettings(epochs=asked.epochs),
            device="cpu",
        )
        reference = removed(train, test, asked)
        print(
            f"\n### {what[0].upper()}{what[1:]}\n\nFirst training: {reference['words']}. Mean of "
            f"{asked.seeds}: {reference['accuracy']:.3f}; mixed {found.accuracy['mixed']:.3f}, "
            f"plain {found.accuracy['plain']:.3f}; gate: {found.gate}"
        )
        assert found.per_class is not None
        assert found.shapley is not None
        per_class = {name: np.array(found.per_class[name], np.float64) for name in CLASSES}
        table(
            "Shares and Shapley values",
            {
                "share": np.array(found.share),
                "Shapley value, all classes": np.array(found.shapley),
                **per_class,
            },
        )
        lost = dict(zip(CLASSES, reference["lost"], strict=True))
        table(
            "Recall lost without the channel, retrained",
            {
                **lost,
                "balanced accuracy without it": np.array(
                    [reference["accuracy without"][one] for one in CHANNELS]
                ),
            },
        )
        results[what] = {
            "share": list(found.share),
            "shapley": list(found.shapley),
            "gate": found.gate,
            "per class": {name: one.tolist() for name, one in per_class.items()},
            "accuracy": found.accuracy,
            "retrained": {
                "accuracy": reference["accuracy"],
                "of the first": reference["words"],
                "lost": {name: one.tolist() for name, one in lost.items()},
                "accuracy without": reference["accuracy without"],
            },
        }
    print(f"{(time.process_time() - started) / 60:.1f} minutes of one CPU")
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
