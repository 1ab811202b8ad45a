"""How often a difference from the training data is said, and how often one is said for nothing.

    python benchmarks/shift.py [--data ../shared/data] [--seeds 10] [--only NAME ...]

Of each data set a quarter of the groups is held out, by several seeds, and compared with the rest:
as it is (nothing should be said), one class or one group of it alone (the same), and with one thing
changed (which should be said, and called by its name). A small network trained once shows what the
change does to accuracy. Prints tables in Markdown; a few minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, zoom

from napari_channelmix.classify import Classifier, NetworkSpec, TrainingData, data_shift_job
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.samples import immunohistochemistry, synthetic_plate
from napari_channelmix.jobs import drain

SETS = {
    "BBBC013": "bbbc013_wortmannin",
    "worms": "bbbc010_worms",
    "Jurkat": "jurkat_cellcycle_ifc",
    "lymphoid": "lymphoid_mif_5ch",
    "breast": "csm_breast_b14",
    "blood": "bccd_blood",
}
MOST = 1200

Crops = np.ndarray
Change = Callable[[Crops, np.random.Generator], Crops]


def spread(crops: Crops) -> Crops:
    return crops.std((0, 2, 3), keepdims=True)


def noise(crops: Crops, rng: np.random.Generator) -> Crops:
    return rng.normal(crops.mean((0, 2, 3), keepdims=True), spread(crops), crops.shape)


def shuffled(crops: Crops, rng: np.random.Generator) -> Crops:
    return rng.permuted(crops.reshape(*crops.shape[:2], -1), axis=2).reshape(crops.shape)


def background(crops: Crops, rng: np.random.Generator) -> Crops:
    ramp = np.linspace(0.5, 1.5, crops.shape[-1])
    return crops + spread(crops) * ramp


def larger(crops: Crops, rng: np.random.Generator) -> Crops:
    """Twice the magnification: the middle of each crop."""
    side, quarter = crops.shape[-1], crops.shape[-1] // 4
    middle = crops[..., quarter : quarter + side // 2, quarter : quarter + side // 2]
    return zoom(middle, (1, 1, side / middle.shape[2], side / middle.shape[3]), order=1)


def first(crops: Crops, changed: Crops | float) -> Crops:
    return np.where(np.arange(crops.shape[1])[:, None, None] == 0, changed, crops)


def few(crops: Crops, rng: np.random.Generator) -> Crops:
    some = crops.copy()
    some[0], some[2], some[4] = 0, some[4] * 16, shuffled(crops[4:5], rng)[0]
    return some


#: What is changed, and what the warning should say of it.
CHANGES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "+ 20 grey levels": (lambda x, rng: x + 20, ("shifted", "scaled")),
    "+ 1 standard deviation": (lambda x, rng: x + spread(x), ("shifted", "scaled")),
    "background not subtracted": (background, ("shifted", "scaled", "distributed")),
    "gain x 2": (lambda x, rng: x * 2, ("scaled", "shifted", "distributed")),
    "gain x 16": (lambda x, rng: x * 16, ("scaled",)),
    "gain / 16": (lambda x, rng: x / 16, ("scaled", "distributed", "shifted")),
    "16 for 8 bit, x 257": (lambda x, rng: x * 257, ("scaled",)),
    "8 for 16 bit, / 256": (
        lambda x, rng: np.floor(x / 256),
        ("scaled", "nothing", "distributed", "shifted"),
    ),
    "channels exchanged": (lambda x, rng: np.roll(x, 1, axis=1), ("exchanged",)),
    "contrast inverted": (lambda x, rng: x.max((0, 2, 3), keepdims=True) - x, ("inverted",)),
    "crops of zeros": (lambda x, rng: x * 0, ("nothing",)),
    "noise": (noise, ("noise",)),
    "pixels shuffled": (shuffled, ("noise",)),
    "first channel empty": (lambda x, rng: first(x, 0.0), ("nothing",)),
    "first channel saturated": (
        lambda x, rng: first(x, np.minimum(x, np.quantile(x[:, :1], 0.9))),
        ("saturated",),
    ),
    "blurred (sigma 2)": (lambda x, rng: gaussian_filter(x, (0, 0, 2, 2)), ("detail",)),
    "twice the magnification": (larger, ("detail", "distributed", "scaled", "shifted")),
    "3 strange cells": (few, ("cells 0, 2, 4",)),
}


def opened(folder: Path) -> Iterator[tuple[str, Cells]]:
    yield "plate (synthetic)", synthetic_plate(0).cells
    yield "tissue (stained)", immunohistochemistry().cells
    for name, place in SETS.items():
        path = folder / place / "dataset.toml"
        if path.exists():
            cells = open_dataset(path).labelled()
            if len(cells) > MOST:
                some = np.sort(np.random.default_rng(0).permutation(len(cells))[:MOST])
                cells = cells.subset(some)
            # A split of its own would be the same for every seed.
            yield name, with_splits_forgotten(cells)


def with_splits_forgotten(cells: Cells) -> Cells:
    cells.table["split"] = ""
    return cells


def remembering(train: Cells) -> Classifier:
    """A classifier that has learnt nothing, but knows what it might have been trained on."""
    spec = NetworkSpec("tiny", len(train.channels), len(train.classes))
    statistics = train.statistics()
    assert statistics.profile is not None
    data = TrainingData.of(train, statistics.profile)
    return Classifier(
        spec.build().eval(),
        spec,
        train.channels,
        train.classes,
        statistics.mean,
        np.maximum(statistics.std, 1e-9),
        train.crop,
        {},
        {},
        data,
    )


def warned(model: Classifier, crops: Crops) -> tuple[str, ...]:
    return drain(data_shift_job(model, np.asarray(crops, np.float32))).warnings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+", help="names of data sets, such as BBBC013")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    silent: dict[str, list[tuple[int, int]]] = {}
    said: dict[str, dict[str, tuple[int, int, float]]] = {}
    accuracy: dict[str, float] = {}
    alarms: list[str] = []
    for name, cells in opened(asked.data):
        if asked.only and name not in asked.only:
            continue
        changed = {change: [0, 0] for change in CHANGES}
        whole, single, alone = [0, 0], [0, 0], [0, 0]
        for seed in range(asked.seeds):
            train, test = cells.split(test=0.25, seed=seed)
            model, crops, rng = remembering(train), test.read(), np.random.default_rng(seed)

            def count(
                into: list[int],
                crops: Crops,
                model: Classifier = model,
                where: str = f"{name}, seed {seed}",
            ) -> None:
                lines = warned(model, crops)
                into[0] += bool(lines)
                into[1] += 1
                alarms.extend(f"{where}, {len(crops)} cells: {line}" for line in lines)

            count(whole, crops)
            for code in np.unique(test.labels):
                count(alone, crops[test.labels == code])
            groups = np.unique(test.groups)
            if len(groups) < len(test) / 2:
                for group in groups[:3]:
                    count(single, crops[test.groups == group])
            for change, (make, words) in CHANGES.items():
                lines = warned(model, make(crops, rng))
                changed[change][0] += bool(lines)
                changed[change][1] += any(word in line for word in words for line in lines)
        silent[name] = [tuple(whole), tuple(alone), tuple(single)]  # type: ignore[misc]
        trained = drain(measured_training_job(cells, network="tiny", epochs=6))
        accuracy[name] = trained.record["held_out"]["balanced_accuracy"]
        _, test = cells.split(test=0.25, seed=0)
        crops, rng = test.read(), np.random.default_rng(0)
        said[name] = {}
        for change, (make, _) in CHANGES.items():
            other = Cells.from_array(
                np.asarray(make(crops, rng), np.float32), test.channels, test.labels, test.classes
            )
            measured = trained.compare(other).accuracy
            said[name][change] = (*changed[change], float(measured or np.nan))
        print(f"{name}: done", flush=True)
    show(silent, said, accuracy, asked.seeds)
    print("\nFalse alarms:")
    print("\n".join(f"- {line}" for line in alarms) or "- none")


def show(
    silent: dict[str, list[tuple[int, int]]],
    said: dict[str, dict[str, tuple[int, int, float]]],
    accuracy: dict[str, float],
    seeds: int,
) -> None:
    print("\n| data set | held-out groups | one class of them | one group of them |")
    print("|---|---|---|---|")
    for name, counts in silent.items():
        print(f"| {name} | " + " | ".join(f"{a} of {n}" if n else "–" for a, n in counts) + " |")
    sums = [[sum(of[at][k] for of in silent.values()) for k in (0, 1)] for at in range(3)]
    print("| all | " + " | ".join(f"{a} of {n} ({a / max(n, 1):.1%})" for a, n in sums) + " |")
    print("\n| change | " + " | ".join(said) + " | said | named |")
    print("|---" * (len(said) + 3) + "|")
    print("| none: accuracy | " + " | ".join(f"{accuracy[name]:.2f}" for name in said) + " | | |")
    for change in CHANGES:
        fields = [of[change] for of in said.values()]
        total = seeds * len(fields)
        shown = [f"{a}/{b}, {c:.2f}" for a, b, c in fields]
        print(
            f"| {change} | {' | '.join(shown)} | {sum(f[0] for f in fields) / total:.0%} | "
            f"{sum(f[1] for f in fields) / total:.0%} |"
        )


if __name__ == "__main__":
    main()
