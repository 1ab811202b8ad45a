"""The shortcut audit where the answer is known, and what training on the cell alone costs.

    python benchmarks/whatif_audit.py [--sets ...] [--models DIR] [--cells N] [--maps N]
                                      [--alone SET ...] [--json FILE]

For each set the whole card, on held-out cells, and whether it says what it must: a synthetic plate
with hardly a neighbour and no shortcut is green, and with the nuclear stain of one class twice as
bright that channel is named; of worms with both channels the call does not need the worm; in bright
field alone the background does not carry the class, and a gain of 0.7 moves two thirds; in BBBC013
the neighbours carry it too. With --alone: balanced accuracy of classifiers that are trained on
crops as they are and on each cell alone (`outside="hide"`), on the same held-out cells.

Classifiers are trained once and kept in --models (see `whatif_sets.py`). One thread. Prints
Markdown; ends with 1 where an answer is another.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from whatif_sets import SETS, case, confounded

from napari_channelmix import Cells, audit, explain, train_classifier
from napari_channelmix.classify.accuracy import accuracy_difference, estimate_accuracy
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError
from napari_channelmix.whatif.audit_result import Audit
from napari_channelmix.wording import fraction

# Wells of a plate whose cells lie so far apart that hardly a crop shows two.
SPARSE = {"wells": 12, "cells_per_well": 24, "side": 640}


def sparse() -> tuple[Cells, Cells]:
    """Half of the wells of a sparse plate, of both classes, and the other half."""
    return synthetic_plate(0, **SPARSE).cells.split(test=0.5, seed=0)


def sparse_confound() -> tuple[Cells, Cells]:
    train, test = sparse()
    return confounded(train), confounded(test)


SETS |= {"sparse": sparse, "sparse-confound": sparse_confound}

Said = Callable[[Audit], bool]


def figure(card: Audit, key: str, name: str) -> float:
    values = {row.name: row.figure for row in card.check(key).figures}
    return float("nan") if values.get(name) is None else float(values[name])  # type: ignore[arg-type]


MUST: dict[str, list[tuple[str, Said]]] = {
    "sparse": [("every check is green", lambda card: card.answer == "green")],
    "sparse-confound": [
        (
            "DNA is named",
            lambda card: (
                card.check("stain level").answer == "amber"
                and "level of DNA" in card.check("stain level").line
            ),
        )
    ],
    "confound": [
        ("DNA is named", lambda card: "the level of DNA" in card.check("stain level").line)
    ],
    "worms": [
        (
            "the call does not need the worm",
            lambda card: card.check("background alone").answer == "red",
        ),
        (
            "accuracy .97 or more with the crop replaced by its background level",
            lambda card: figure(card, "background level", "crops of the background level") >= 0.97,
        ),
    ],
    "worms-brightfield": [
        (
            "the background does not carry the class",
            lambda card: card.check("background alone").answer == "green",
        ),
        (
            "a gain of 0.7 moves two thirds",
            lambda card: figure(card, "exposure", "exposure x 0.7") >= 2 / 3,
        ),
    ],
    "bbbc013": [
        (
            "the neighbours carry it too",
            lambda card: card.check("neighbours").answer in ("amber", "red"),
        )
    ],
}


def card_of(name: str, models: Path, cells: int, maps: int) -> Audit:
    made = case(name, models)
    held_out = made.held_out
    some = np.linspace(0, len(held_out) - 1, min(maps, len(held_out))).astype(np.int64)
    given = {}
    if maps:
        attribution = explain(made.model, held_out.subset(some))
        given = {"maps": attribution.maps, "mapped": some}
    return audit(made.model, held_out, limit=cells, **given)


def alone(name: str) -> str:
    """What it costs to hide all but the cell, on the same held-out cells."""
    train, test = SETS[name]()
    calls, spans = {}, {}
    for outside in ("hide", "keep"):
        start = time.perf_counter()
        model = train_classifier(train, seed=0, device="cpu", outside=outside)
        spans[outside] = time.perf_counter() - start
        calls[outside] = model.predict(test, prior="balanced")
    keep, hide = (
        estimate_accuracy(test.labels, calls[way], test.groups, test.classes)
        for way in ("keep", "hide")
    )
    cost = accuracy_difference(
        test.labels, calls["hide"], calls["keep"], test.groups, len(test.classes)
    )
    return (
        f"| {name} | {keep.short_text} | {hide.short_text} | {cost.text()} | {len(test):,} in "
        f"{keep.n_groups} groups | {spans['keep']:.0f} s, {spans['hide']:.0f} s |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", choices=MUST, default=list(MUST))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/whatif"))
    parser.add_argument("--cells", type=int, default=100, help="of each class, at most")
    parser.add_argument("--maps", type=int, default=24, help="cells that are explained")
    parser.add_argument("--alone", nargs="*", choices=SETS, default=[])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    met, report = [], {}
    for name in args.sets:
        start = time.perf_counter()
        try:
            card = card_of(name, args.models, args.cells, args.maps)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name} is passed over: {error}", flush=True)
            continue
        seconds = time.perf_counter() - start
        print(f"\n== {name}: {card.answer}; {card.accuracy.text()}; {seconds:.0f} s", flush=True)
        print("| check | answer | figure | n | line |\n|---|---|---|---|---|")
        for check in card.checks:
            known = check.figure is not None and check.low is not None and check.high is not None
            text = (
                f"{check.what} {fraction(check.figure)} ({fraction(check.low)} to "  # type: ignore[arg-type]
                f"{fraction(check.high)})"  # type: ignore[arg-type]
                if known
                else ""
            )
            print(f"| {check.key} | {check.answer} | {text} | {check.n} | {check.line} |")
        for words, said in MUST[name]:
            met.append(said(card))
            print(f"{'said' if met[-1] else 'MISSED'}: {words}", flush=True)
        report[name] = card.as_dict()
    if args.alone:
        print("\n| set | crops as they are | the cell alone | cost | held out | training |")
        print("|" + "---|" * 6)
        for name in args.alone:
            try:
                print(alone(name), flush=True)
            except DataError as error:
                print(f"| {name} | passed over: {error} |", flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    print(f"\nanswers as expected: {sum(met)} of {len(met)}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
