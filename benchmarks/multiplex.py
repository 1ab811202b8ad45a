"""Multiplex tissue: whether the matrix of channels and classes names the markers of each type.

    python benchmarks/multiplex.py [--cells 2500] [--seeds 0 1] [--sets planted b14 lymphoid]
        [--channels 40] [--epochs 40] [--train N] [--forwards 20000] [--cost] [--make] [--small]
        [--folder DIR] [--json FILE]

planted: the set of `cm.multiplex_sample` without its constant channel (39 channels), a seed for
each sample, its split by patients and its network; 30 % of the cells, of whole patients, are held
out, and --train N trains on N of the others, of each class as large a part. b14 and
lymphoid: tissue fields whose classes are rules (their READMEs), in three parts, each held out from
a network of its own; values and directions are means over the parts. Real sets are read from the
folder CHANNELMIX_DATA, or ../shared/data beside the project; one that is not there is passed over
and said to be.

For each class with a rule: *recall at k* is the share of the k markers of its rule among the k
channels of the largest |value| in its column; *signs right* is the share of its markers whose
effect has the sign of the rule. *Read by mistake* is the share of fields of the planted set that
are said to be readable though their channel is of no rule: it says nothing of the type, so that
every such field is a mistake. Beside them the accuracy of the network and that of a logistic
regression on the mean of every channel in the crops. --cost measures `cm.channel_shapley` with 39
and with 14 channels (the markers of the rules, and the first others of the file), networks of both
of one epoch, the same cells, the same number of crops asked for: time and sampling error as ratios
in one run. --make only makes the planted sets and says how long that took and the most memory of
the process. --small runs all on few cells with a tiny network: only to see that it works. Sets and
networks that lie in the folder are used again. One thread, processor time. Ends with 1 where an aim
is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from whatif_channels import Aims
from whatif_sets import DATA

import napari_channelmix as cm
from napari_channelmix.data.multiplex_panel import (
    BLANK,
    MULTIPLEX_RULES,
    RULE_MARKERS,
    multiplex_channels,
)

Rules = Mapping[str, Mapping[str, int]]

RARE = "Treg"
# What the READMEs of the real sets say of their classes.
REAL: dict[str, tuple[str, Rules]] = {
    "b14": (
        "csm_breast_b14",
        {
            "CD8_GZMBpos": {"CD8a": 1, "GZMB": 1},
            "CD8_GZMBneg": {"CD8a": 1, "GZMB": -1},
            "TUMOR": {"CK-EPCAM": 1, "CD8a": -1},
            "OTHER": {"CK-EPCAM": -1, "CD8a": -1},
        },
    ),
    "lymphoid": (
        "lymphoid_mif_5ch",
        {"Cytotoxic T": {"Alexa594": 1}, "Helper T": {"FITC": 1}, "B": {"Cy5": 1}},
    ),
}
PARTS = 3
CHANNELS = 40
HELD_OUT = 0.3
FEW_CHANNELS, COST_REPEATS = 14, 3
AIM_RECALL, AIM_COST = 0.9, 2.2
# What 95 % intervals of one sign allow.
AIM_MISTAKES = 0.025
# Recall from which a type counts as recognised.
RECOGNISED = 0.5


def planted(folder: Path, cells: int, seed: int, channels: int = CHANNELS) -> cm.Cells:
    """The planted set without its constant channel, made where it is not there."""
    more = f"-{channels}-channels" if channels != CHANNELS else ""
    where = folder / f"planted-{cells}-{seed}{more}"
    file = where / "dataset.toml"
    if not file.exists():
        start = time.process_time()
        cm.multiplex_sample(where, cells=cells, seed=seed, channels=channels)
        print(f"made {cells:,} cells in {time.process_time() - start:.0f} s", flush=True)
    made = cm.open_dataset(file)
    return made.with_channels([name for name in made.channels if name != BLANK])


def rule_table(value: pd.DataFrame, effect: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """For each class with a rule: recall at k, share of right signs, and what leads its column.

    Parameters
    ----------
    value, effect : pandas.DataFrame
        Rows are channels, columns classes: Shapley values, and these with a sign.
    rules : mapping of str to mapping of str to int
    """
    rows = []
    for name, rule in rules.items():
        leaders = value[name].abs().sort_values(ascending=False).index[: len(rule)]
        signs = [np.sign(effect.loc[marker, name]) == sign for marker, sign in rule.items()]
        shown = (
            f"{'-' if effect.loc[row, name] < 0 else '+'}{row} {value.loc[row, name]:.2f}"
            for row in leaders
        )
        rows.append(
            {
                "class": name,
                "k": len(rule),
                "recall": len(set(leaders) & set(rule)) / len(rule),
                "signs": float(np.mean(signs)),
                "leaders": ", ".join(shown),
            }
        )
    return pd.DataFrame(rows)


def rule_aims(aims: Aims, what: str, table: pd.DataFrame) -> None:
    """Recall at k and share of right signs, over all markers of the rules of a table."""
    for figure, words in (("recall", "recall at k"), ("signs", "signs right")):
        share = float(np.average(table[figure], weights=table["k"]))
        aims.least(f"{what}: {words} ({table['k'].sum()} markers)", share, AIM_RECALL)


def by_class(result: cm.ChannelShapley, column: str) -> pd.DataFrame:
    table = result.table.pivot(index="channel", columns="class_name", values=column)
    return table.loc[list(result.channels), list(result.classes)]


def recalls(labels: np.ndarray, calls: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Share of the cells of each class that are called so; classes without a cell are left out."""
    return {
        name: float((calls[labels == code] == code).mean())
        for code, name in enumerate(classes)
        if (labels == code).any()
    }


def regression(train: cm.Cells, held_out: cm.Cells) -> np.ndarray:
    """What a logistic regression on the mean of every channel in the crop calls held-out cells."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    means = [_means(part) for part in (train, held_out)]
    scaler = StandardScaler().fit(means[0])
    model = LogisticRegression(class_weight="balanced", max_iter=3000)
    model.fit(scaler.transform(means[0]), train.labels)
    return np.asarray(model.predict(scaler.transform(means[1])))


def _means(cells: cm.Cells, at_once: int = 2000) -> np.ndarray:
    rows = np.array_split(np.arange(len(cells)), max(1, len(cells) // at_once))
    return np.concatenate([cells.read(part).mean(axis=(2, 3)) for part in rows])


def trained(cells: cm.Cells, seed: int, args: argparse.Namespace, name: str) -> cm.Classifier:
    """The network of this name in the folder, trained first where it is not there."""
    network, epochs = ("tiny", 2) if args.small else ("small", args.epochs)
    kept = args.folder / f"{name}-{len(cells)}-seed{seed}-{network}-{epochs}.cmx"
    if not kept.exists():
        start = time.process_time()
        model = cm.train_classifier(cells, network=network, epochs=epochs, seed=seed, device="cpu")
        spent = time.process_time() - start
        kept.parent.mkdir(parents=True, exist_ok=True)
        model.save(kept)
        print(f"{kept.stem} trained on {len(cells):,} cells in {spent:.0f} s", flush=True)
    return cm.load_model(kept)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def measured_planted(seed: int, args: argparse.Namespace, aims: Aims) -> dict[str, Any]:
    """All figures of a planted set and a network."""
    cells = planted(args.folder, args.cells, seed, args.channels)
    train, held_out = cells.split(test=HELD_OUT, seed=seed)
    if args.train and args.train < len(train):
        # Classes were dealt at random: as large a part of each.
        rows = np.argsort(train.labels, kind="stable")
        places = np.linspace(0, len(rows) - 1, args.train).round().astype(int)
        train = train.subset(np.sort(rows[places]))
    model = trained(train, seed, args, f"planted-{args.cells}-{len(cells.channels)}")
    calls = np.asarray(model.predict(held_out))
    of_network = recalls(held_out.labels, calls, cells.classes)
    of_means = recalls(held_out.labels, regression(train, held_out), cells.classes)
    groups = len(set(held_out.groups))
    balanced, on_means = (np.mean(list(shares.values())) for shares in (of_network, of_means))
    print(
        f"{len(held_out):,} cells held out, of {groups} patients: balanced accuracy "
        f"{balanced:.3f}, of a logistic regression on means {on_means:.3f}"
    )
    counts = held_out.class_counts
    for name, recall in of_network.items():
        print(f"  {name}: recall {recall:.2f} (n {counts[name]}), on means {of_means[name]:.2f}")
    result, seconds = timed(
        lambda: cm.channel_shapley(model, held_out, forwards=args.forwards, seed=seed)
    )
    value, effect = by_class(result, "value"), result.effects()
    table = rule_table(value, effect, MULTIPLEX_RULES)
    error = float(by_class(result, "sampling_error").max().max())
    of_error = f"sampling error up to {error:.3f}"
    print(f"channel_shapley: {seconds:.1f} s, {result.asked:,} crops, {of_error}")
    print(table.round(2).to_string(index=False))
    for line in result.sentences:
        print(f"  {line}")
    for line in result.warnings:
        print(f"  note: {line}")
    what = f"{args.cells:,} cells, {len(cells.channels)} channels, seed {seed}"
    rule_aims(aims, what, table)
    readable, silent = result.readable(), [n for n in cells.channels if n not in RULE_MARKERS]
    mistakes = readable.loc[silent]
    largest = value.loc[silent].where(mistakes).max().max()
    print(
        f"read by mistake: {int(mistakes.to_numpy().sum())} of {mistakes.size} fields of channels "
        f"of no rule, the largest value {0.0 if np.isnan(largest) else largest:.3f}; of the rules "
        f"{sum(bool(readable.loc[m, n]) for n, rule in MULTIPLEX_RULES.items() for m in rule)} of "
        f"{table['k'].sum()} fields are readable"
    )
    share = float(mistakes.to_numpy().mean())
    aims.most(f"{what}: read by mistake ({mistakes.size} fields)", share, AIM_MISTAKES)
    # A type that is not recognised owes its recall to no channel: its column is noise.
    known = table[[of_network.get(name, 0.0) >= RECOGNISED for name in table["class"]]]
    if 0 < len(known) < len(table):
        rule_aims(aims, f"{what}, {len(known)} of {len(table)} types that are recognised", known)
    rare = held_out.labels == cells.classes.index(RARE)
    if rare.any():
        aims.least(f"{what}: recall of {RARE} (n {rare.sum()})", of_network[RARE], RECOGNISED)
    return {
        "seed": seed,
        "cells": args.cells,
        "recall": of_network,
        "recall of means": of_means,
        "held out": counts,
        "groups": groups,
        "rules": table.to_dict("records"),
        "sentences": list(result.sentences),
        "sampling error": error,
        "read by mistake": share,
        "seconds": seconds,
        "asked": result.asked,
    }


def measured_real(name: str, seed: int, args: argparse.Namespace, aims: Aims) -> dict[str, Any]:
    """Rules of a tissue field, over parts that are each held out once."""
    from sklearn.model_selection import StratifiedKFold

    folder, rules = REAL[name]
    cells = cm.open_dataset(DATA / folder / "dataset.toml")
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=seed)
    values, effects, calls = [], [], np.zeros(len(cells), np.int64)
    of_means = calls.copy()
    for number, (train, held_out) in enumerate(parts.split(cells.labels, cells.labels)):
        model = trained(cells.subset(train), seed, args, f"{name}-part{number}")
        calls[held_out] = model.predict(cells.subset(held_out))
        of_means[held_out] = regression(cells.subset(train), cells.subset(held_out))
        result = cm.channel_shapley(
            model, cells.subset(held_out), forwards=args.forwards, seed=seed
        )
        values.append(by_class(result, "value"))
        effects.append(by_class(result, "direction"))
    value, direction = (sum(tables) / PARTS for tables in (values, effects))
    table = rule_table(value, np.sign(direction) * value.abs(), rules)
    recall = recalls(cells.labels, calls, cells.classes)
    on_means = recalls(cells.labels, of_means, cells.classes)
    print(
        f"balanced accuracy {np.mean(list(recall.values())):.3f}, of a logistic regression on "
        f"means {np.mean(list(on_means.values())):.3f} ({len(cells)} cells, no groups known)"
    )
    for of_class, share in recall.items():
        counted = cells.class_counts[of_class]
        print(f"  {of_class}: recall {share:.2f} (n {counted}), on means {on_means[of_class]:.2f}")
    print(table.round(2).to_string(index=False))
    print((np.sign(direction) * value.abs()).round(3).to_string())
    what = f"{name}, seed {seed}"
    rule_aims(aims, what, table)
    return {
        "seed": seed,
        "recall": recall,
        "recall of means": on_means,
        "rules": table.to_dict("records"),
    }


def measured_cost(args: argparse.Namespace, aims: Aims) -> dict[str, Any]:
    """Time and sampling error with all channels against a few, in turn, the same cells."""
    cells = planted(args.folder, args.cells, 0)
    kept = [name for name in multiplex_channels(FEW_CHANNELS + 1) if name != BLANK]
    seconds: dict[int, list[float]] = {}
    errors: dict[int, float] = {}
    asked: dict[int, int] = {}
    models = {}
    for names in (list(cells.channels), kept):
        train, held_out = cells.with_channels(names).split(test=HELD_OUT, seed=0)
        model = cm.train_classifier(
            train, network="tiny" if args.small else "small", epochs=1, seed=0, device="cpu"
        )
        models[len(names)] = model, held_out
    for _ in range(COST_REPEATS):
        for count, (model, held_out) in models.items():
            result, spent = timed(
                lambda model=model, held_out=held_out: cm.channel_shapley(
                    model, held_out, forwards=args.forwards
                )
            )
            seconds.setdefault(count, []).append(spent)
            errors[count] = float(by_class(result, "sampling_error").to_numpy().mean())
            asked[count] = result.asked
    many, few = (min(seconds[count]) for count in (len(cells.channels), len(kept)))
    print(
        f"cost: {len(cells.channels)} channels {many:.1f} s ({asked[len(cells.channels)]:,} crops, "
        f"mean sampling error {errors[len(cells.channels)]:.4f}), {len(kept)} channels {few:.1f} s "
        f"({asked[len(kept)]:,} crops, {errors[len(kept)]:.4f}); best of {COST_REPEATS} in turn"
    )
    aims.most("cost with 39 channels against 14, same forwards", many / few, AIM_COST)
    return {"seconds": seconds, "errors": errors, "asked": asked, "ratio": many / few}


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    sets = ["planted", *REAL]
    parser.add_argument("--cells", type=int, default=2500)
    parser.add_argument("--channels", type=int, default=CHANNELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--sets", nargs="*", choices=sets, default=sets)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--train", type=int, default=0, metavar="N")
    parser.add_argument("--forwards", type=int, default=20_000)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/multiplex"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.small:
        args.cells, args.forwards = 400, 1000
    torch.set_num_threads(1)
    if args.make:
        for seed in args.seeds:
            planted(args.folder, args.cells, seed, args.channels)
        print(f"most memory {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
        return 0
    reports: dict[str, Any] = {}
    aims = Aims()
    for name in args.sets:
        for seed in args.seeds:
            print(f"\n== {name}, seed {seed}", flush=True)
            if name == "planted":
                reports[f"{name} {seed}"] = measured_planted(seed, args, aims)
            elif (DATA / REAL[name][0]).is_dir():
                reports[f"{name} {seed}"] = measured_real(name, seed, args, aims)
            else:
                print(f"{name}: passed over: no folder {DATA / REAL[name][0]}")
    if args.cost:
        print("\n== cost", flush=True)
        reports["cost"] = measured_cost(args, aims)
    print()
    aims.show()
    if args.json:
        report = {**reports, "aims": aims.rows}
        args.json.write_text(json.dumps(report, indent=2, default=str) + "\n", "utf-8")
    missed = sum(not row["reached"] for row in aims.rows)
    print(f"\n{missed} aims missed")
    return int(missed > 0 and not args.small)


if __name__ == "__main__":
    sys.exit(main())
