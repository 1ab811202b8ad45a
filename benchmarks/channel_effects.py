"""Signed effects of channels on classes: planted rules, sampling errors, cost of many channels.

    python benchmarks/channel_effects.py --out DIR [--cells 2500] [--channels 40] [--seeds 5]
        [--parts rules sampling cost real] [--json FILE]

The planted multiplex tissue (`cm.multiplex_sample`) is written into the folder, and a small network
trained on part of its patients; both are kept and used again. On the cells that were held out:

rules     for each class with a rule of k markers: how many are among the k largest effects (recall
          at k), and how many of those have the right sign; what a regression on means reaches
sampling  standard deviation over seeds of the Shapley values of each class, the worst channel: an
          order of each pair and its reverse against 32 orders for all of fewer pairs, which was
          the way before; processor time of both
cost      processor time with all usable channels over that with 14 of them, same cells
real      two fields of real tissue, where CHANNELMIX_DATA (or ../shared/data) has them: what each
          class needs, in words

One thread, processor time. Ends with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from whatif_channels import Aims
from whatif_sets import DATA

import napari_channelmix as cm
from napari_channelmix.classify.channel_games import donor_pairs, drawn_donors, shapley_subsets
from napari_channelmix.data.multiplex_sample import MULTIPLEX_RULES
from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.blended_calls import blend_batch, blended_probabilities
from napari_channelmix.whatif.cell_choice import chosen_cells_job

PARTS = ("rules", "sampling", "cost", "real")
FEW = 14
# Crops of the way before: as many as 32 orders for 49 cells of 39 channels.
FORWARDS = 60_000
NEEDED = tuple(dict.fromkeys(name for rule in MULTIPLEX_RULES.values() for name in rule))


def planted(folder: Path, cells: int, channels: int) -> cm.Cells:
    """The planted tissue with its usable channels; written where it is not there."""
    place = folder / f"multiplex-{cells}-{channels}"
    file = place / "dataset.toml"
    if not file.exists():
        cm.multiplex_sample(place, cells=cells, channels=channels)
    opened = cm.open_dataset(file)
    return opened.with_channels([name for name in opened.channels if name != "Blank"])


def classifier(file: Path, cells: cm.Cells, epochs: int) -> cm.Classifier:
    """A small network of part of the groups; kept."""
    if file.exists():
        return cm.load_model(file)
    model = cm.train_classifier(cells.split(seed=0)[0], network="small", epochs=epochs, seed=0)
    model.save(file)
    return model


def rules(model: cm.Classifier, cells: cm.Cells, aims: Aims) -> dict[str, Any]:
    """Effects against the planted rules."""
    result = cm.channel_shapley(model, cells, only="held-out")
    effects, readable = result.effects(), result.readable()
    print("\n".join(result.lines))
    right = named = wanted = false = 0
    for name, rule in MULTIPLEX_RULES.items():
        largest = effects[name].abs().sort_values(ascending=False).index[: len(rule)]
        among = [channel for channel in largest if channel in rule]
        signed = [
            channel for channel in among if np.sign(effects.loc[channel, name]) == rule[channel]
        ]
        others = [
            channel
            for channel in result.channels
            if channel not in NEEDED and readable.loc[channel, name]
        ]
        false += len(others)
        wanted, named, right = wanted + len(rule), named + len(among), right + len(signed)
        shown = ", ".join(
            f"{channel} {effects.loc[channel, name]:+.3f} ± {error:.3f}"
            for channel, error in (
                (row.channel, row.sampling_error)
                for row in sorted(result.of_class(name), key=lambda row: -abs(row.value))[:6]
            )
        )
        print(f"{name} (n = {result.of_class(name)[0].n}, rule {rule}): {shown}")
    means = cm.channel_means(cells, model)
    print("\n".join(means.lines))
    aims.least("recall at k of the markers of the rules", named / wanted, 0.9)
    aims.least("part of these with the right sign", right / max(named, 1), 1.0)
    aims.most(
        "readable effects of channels of no rule", float(false), 0.025 * 6 * len(result.channels)
    )
    return {"effects": result.as_dict()["effects"], "means": means.as_dict()["lines"]}


def before(model: cm.Classifier, cells: cm.Cells, seed: int, forwards: int) -> np.ndarray:
    """Values (K, C) of 32 orders for all pairs: the way before."""
    asker, fitting = drain(asker_job(model, cells, "balanced"))
    sample = drain(chosen_cells_job(model, fitting))
    rng, labels = np.random.default_rng(seed), sample.labels
    subsets, combine = shapley_subsets(len(asker.channels), rng, exact=False)
    chosen, donors = donor_pairs(labels, max(1, forwards // len(subsets)), rng)
    other = drawn_donors(chosen, labels[donors], labels, rng, sample.groups)
    donors = np.where(other >= 0, other, donors)
    pixels = fitting.read(sample.positions)
    hits = np.zeros((len(subsets), len(chosen)))
    size = blend_batch(asker, pixels[:1])
    for start in range(0, len(chosen), size):
        batch = slice(start, start + size)
        blended = blended_probabilities(asker, pixels[chosen[batch]], pixels[donors[batch]])
        for row, subset in enumerate(subsets):
            hits[row, batch] = blended(subset).argmax(axis=1) == labels[chosen[batch]]
    gains = combine(hits)
    return np.stack([gains[labels[chosen] == code].mean(axis=0) for code in np.unique(labels)])


def sampling(model: cm.Classifier, cells: cm.Cells, seeds: int, aims: Aims) -> dict[str, Any]:
    """Standard deviations over seeds, and times, of both ways."""
    old, new, said, seconds = [], [], [], [0.0, 0.0]
    for seed in range(seeds):
        start = time.process_time()
        old.append(before(model, cells, seed, FORWARDS))
        seconds[0] += time.process_time() - start
        start = time.process_time()
        result = cm.channel_shapley(model, cells, seed=seed, forwards=FORWARDS)
        seconds[1] += time.process_time() - start
        rows = [result.of_class(name) for name in result.classes if result.of_class(name)[0].n]
        new.append([[row.value for row in of_class] for of_class in rows])
        said.append([[row.sampling_error for row in of_class] for of_class in rows])
    worst = [np.std(values, axis=0, ddof=1).max(axis=1) for values in (old, new)]
    errors = np.sqrt(np.mean(np.square(said), axis=0)).max(axis=1)
    for place, name in enumerate(of_class[0].class_name for of_class in rows):
        print(
            f"{name}: sd over {seeds} seeds, worst channel: before {worst[0][place]:.3f}, now "
            f"{worst[1][place]:.3f} (sampling error said: {errors[place]:.3f})"
        )
    per_seed = [value / seeds for value in seconds]
    print(f"seconds: before {per_seed[0]:.1f}, now with exchanges {per_seed[1]:.1f}")
    aims.most("worst sd now over before", float(worst[1].max() / worst[0].max()), 0.5)
    return {"before": worst[0].tolist(), "now": worst[1].tolist(), "seconds": per_seed}


def cost(model: cm.Classifier, cells: cm.Cells, folder: Path, aims: Aims) -> dict[str, Any]:
    """Time of all channels over that of 14."""
    names = [*NEEDED, *(name for name in cells.channels if name not in NEEDED)][:FEW]
    fewer = cells.with_channels([name for name in cells.channels if name in names])
    small = classifier(folder / f"few-{len(cells)}.cmx", fewer, 2)
    seconds = {len(fewer.channels): 0.0, len(cells.channels): 0.0}
    for _ in range(2):
        for judge, some in ((small, fewer), (model, cells)):
            start = time.process_time()
            result = cm.channel_shapley(judge, some)
            seconds[len(some.channels)] += time.process_time() - start
            print(f"{len(some.channels)} channels: {result.asked:,} crops asked")
    ratio = seconds[len(cells.channels)] / seconds[len(fewer.channels)]
    print({name: round(value / 2, 1) for name, value in seconds.items()})
    aims.most(f"cost of {len(cells.channels)} channels over {FEW}", ratio, 2.2)
    return {"seconds": seconds, "ratio": ratio}


def real(folder: Path, epochs: int) -> dict[str, Any]:
    """What each class needs, in two fields of real tissue; no aim."""
    said = {}
    for name in ("csm_breast_b14", "lymphoid_mif_5ch"):
        file = DATA / name / "dataset.toml"
        if not file.exists():
            print(f"{name} is not there: passed over")
            continue
        cells = cm.open_dataset(file)
        result = cm.channel_shapley(classifier(folder / f"{name}.cmx", cells, epochs), cells)
        print(name, "\n  ".join(["", *result.lines]))
        print(result.effects().round(3).where(result.readable(), "").to_string())
        said[name] = list(result.lines)
    return said


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=2500)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    aims, made = Aims(), {}
    if set(args.parts) - {"real"}:
        cells = planted(args.out, args.cells, args.channels)
        file = args.out / f"all-{args.cells}-{len(cells.channels)}.cmx"
        model = classifier(file, cells, args.epochs)
        if "rules" in args.parts:
            made["rules"] = rules(model, cells, aims)
        if "sampling" in args.parts:
            made["sampling"] = sampling(model, cells, args.seeds, aims)
        if "cost" in args.parts:
            made["cost"] = cost(model, cells, args.out, aims)
    if "real" in args.parts:
        made["real"] = real(args.out, args.epochs)
    aims.show()
    if args.json:
        args.json.write_text(json.dumps({**made, "aims": aims.rows}, indent=1, default=str))
    return 0 if all(row["reached"] for row in aims.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
