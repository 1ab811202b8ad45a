"""Channels of finished classifiers: the known answer, and the time against channel importance.

    python benchmarks/whatif_channels.py --models DIR [--sets bbbc013 b14 jurkat synthetic confound]
        [--importance N] [--json FILE]

For each set, on held-out cells of its classifier (`whatif_sets`, trained where it is not in the
folder): Shapley values and exchanges of the channels, aligned transplants, and whether the aims
for them are reached or missed. `--importance N` also measures N repeats of channel
importance with its defaults on the whole set (their processor time is taken as that of four), and
prints the part of that time that Shapley values and exchanges took. One thread, processor time.
Ends with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from whatif_sets import SETS, case

import napari_channelmix as cm
from napari_channelmix.errors import ChannelMixError

REPEATS = 4


class Aims:
    """Aims of a set, and whether they are reached."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def least(self, what: str, value: float, aim: float) -> None:
        self._add(what, value, f">= {aim:g}", value >= aim)

    def most(self, what: str, value: float, aim: float) -> None:
        self._add(what, value, f"<= {aim:g}", value <= aim)

    def true(self, what: str, value: object, reached: bool) -> None:
        self._add(what, value, "", reached)

    def _add(self, what: str, value: Any, aim: str, reached: bool) -> None:
        self.rows.append({"what": what, "value": value, "aim": aim, "reached": bool(reached)})

    def show(self) -> None:
        for row in self.rows:
            value = f"{row['value']:.3f}" if isinstance(row["value"], float) else row["value"]
            print(
                f"{'reached' if row['reached'] else 'MISSED '}  {row['what']}: {value} {row['aim']}"
            )


def order_aims(name: str, aims: Aims, shapley: cm.ChannelShapley) -> None:
    """Which channels must lead: by Shapley value, and by exchange."""
    rows = {row.channel: row for row in shapley.of_class()}
    swaps = sorted(rows, key=lambda channel: -rows[channel].swap)
    leaders = {
        "bbbc013": {"GFP"},
        "b14": {"CD8a", "GZMB", "CK-EPCAM"},
        "jurkat": {"DNA"},
        "synthetic": {"reporter"},
        "confound": {"DNA"},
    }[name]
    count = len(leaders)
    aims.true("first by Shapley value", shapley.order, set(shapley.order[:count]) == leaders)
    aims.true("first by exchange", tuple(swaps), set(swaps[:count]) == leaders)
    if name == "jurkat":
        aims.true(
            "dark field last by Shapley value",
            shapley.order[-1],
            shapley.order[-1] == swaps[-1] == "darkfield",
        )


def transplant_aims(name: str, aims: Aims, result: cm.Transplants) -> None:
    """What transplants of whole channels must do."""
    parts = result.by_part.set_index("part")
    if name == "bbbc013":
        aims.least("GFP from the other class flips", float(parts.loc["GFP", "share"]), 0.85)
        aims.most("GFP from the same class flips", float(parts.loc["GFP", "sham"]), 0.15)
        aims.most("DNA from the other class flips", float(parts.loc["DNA", "share"]), 0.05)
    elif name == "confound":
        aims.least("DNA from the other class flips", float(parts.loc["DNA", "share"]), 0.9)
        aims.most("reporter flips", float(parts.loc["reporter", "share"]), 0.05)
    elif name == "synthetic":
        aims.least(
            "reporter from the other class flips", float(parts.loc["reporter", "share"]), 0.85
        )
        others = parts.loc[["DNA", "look-alike", "stress"], "share"]
        aims.most("other channels flip, at most", float(others.max()), 0.1)
    elif name == "b14":
        _marker_aims(aims, result)


# The markers that tell two classes apart, by the rules that made the labels.
RULES = {
    frozenset(("CD8_GZMBneg", "CD8_GZMBpos")): {"GZMB"},
    frozenset(("OTHER", "CD8_GZMBneg")): {"CD8a"},
    frozenset(("OTHER", "TUMOR")): {"CK-EPCAM"},
}


def _marker_aims(aims: Aims, result: cm.Transplants) -> None:
    matrix = result.matrix
    matrix = matrix[matrix["compartment"] == "whole"]
    others: list[tuple[float, str]] = []
    for row in matrix.itertuples():
        rule = RULES.get(frozenset((row.from_class, row.to_class)))
        if rule is None:
            continue
        text = f"{row.part}, {row.from_class} gets that of {row.to_class} (n = {row.n})"
        if row.part in rule:
            aims.least(f"{text} flips", float(row.share), 0.4)
        else:
            others.append((float(row.share), text))
    for share, text in others:
        if share > 0.1:
            aims.most(f"{text} flips", share, 0.1)
    within = sum(share <= 0.1 for share, _ in others)
    aims.true(
        "markers that are of no rule, at most .1",
        f"{within} of {len(others)}",
        within == len(others),
    )


def importance_seconds(cells: cm.Cells, repeats: int) -> float:
    """Processor time of channel importance with its defaults, of as many repeats as usual."""
    start = time.process_time()
    cm.channel_importance(cells, seeds=repeats, device="cpu")
    return (time.process_time() - start) * REPEATS / repeats


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def measured(name: str, models: Path, repeats: int) -> dict[str, Any]:
    """All figures of a set."""
    of = case(name, models)
    aims = Aims()
    shapley, seconds = timed(lambda: cm.channel_shapley(of.model, of.held_out))
    print(f"Shapley values and exchanges: {seconds:.1f} s, {shapley.asked:,} crops asked about")
    columns = ["channel", "value", "low", "high", "n", "n_groups", "swap", "swap_low", "swap_high"]
    table = shapley.table.query("class_name == 'all classes'")[[*columns, "sham"]]
    print(table.round(3).to_string(index=False))
    order_aims(name, aims, shapley)
    transplants, of_transplants = timed(lambda: cm.transplant(of.model, of.held_out))
    print(f"transplants: {of_transplants:.1f} s, {transplants.asked:,} crops asked about")
    columns = ["part", "share", "low", "high", "n", "n_groups", "n_donors", "sham", "alignment"]
    print(transplants.by_part[columns].round(3).to_string(index=False))
    transplant_aims(name, aims, transplants)
    report: dict[str, Any] = {
        "seconds": seconds,
        "transplant_seconds": of_transplants,
        "shapley": shapley.as_dict(),
        "transplants": transplants.as_dict(),
    }
    if repeats:
        # The whole set, as channel importance divides it itself.
        train, _ = SETS[name]()
        whole = cm.Cells.together([train, of.held_out])
        report["importance_seconds"] = importance_seconds(whole, repeats)
        ratio = seconds / report["importance_seconds"]
        aims.most(f"part of the {report['importance_seconds']:.0f} s of importance", ratio, 0.1)
    for line in (*shapley.warnings, *transplants.warnings):
        print(f"note: {line}")
    aims.show()
    return {**report, "aims": aims.rows}


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    sets = ["bbbc013", "b14", "jurkat", "synthetic", "confound"]
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets)
    parser.add_argument("--importance", type=int, default=0, metavar="N")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    reports: dict[str, Any] = {}
    for name in args.sets:
        print(f"\n== {name}", flush=True)
        try:
            reports[name] = measured(name, args.models, args.importance)
        except ChannelMixError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name}: passed over: {error}")
        sys.stdout.flush()
        if args.json:
            args.json.write_text(json.dumps(reports, indent=2) + "\n", "utf-8")
    missed = [row for of in reports.values() for row in of["aims"] if not row["reached"]]
    print(f"\n{len(missed)} aims missed")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
