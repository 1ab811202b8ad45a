"""What if, where the answer is known: what edits and transplants do to a classifier's calls.

    python benchmarks/whatif.py [--small] [--sets ...] [--parts ...] [--models DIR] [--cells N]
                                [--split N] [--unseen] [--json FILE]

Held-out cells; one thread; classifiers are trained once and kept in --models (see
`whatif_sets.py`), on other cells and from another seed with --split. Every figure is a share of
cells with its 95 % interval over groups, or says what it is; what was aimed at stands beside it,
and a miss is called so. Ends with 1 where there is one.
--small: the synthetic plate alone, a network that is trained for seconds, no figure is judged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import whatif_answers as answers
import whatif_rules as rules
from whatif_figures import Aim, Figure, Measured, Questioned
from whatif_sets import FOLDED, SETS, Case, case, folds, small_case

Found = Iterator[tuple[str, Measured, Aim | None]]


PARTS: dict[str, Callable[[list[Case], Questioned], Found]] = {
    "rules": rules.rules,
    "transplants": answers.transplants,
    "null": answers.nothing_planted,
    "consistency": answers.consistency,
    "importance": answers.importance,
    "audit": answers.audited,
    "speed": answers.speed,
}


def figures(cases: list[Case], parts: list[str], limit: int) -> Iterator[Figure]:
    asked = Questioned.of(cases, limit)
    for part in parts:
        for question, measured, aim in PARTS[part](cases, asked):
            yield Figure(cases[0].name, question, measured, aim)


def opened(name: str, models: Path, split: int, new: bool, small: bool) -> list[Case]:
    if small:
        return [small_case()]
    if name in FOLDED and not new:
        return folds(name, models, split)
    return [case(name, models, split, new)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/whatif"))
    parser.add_argument("--cells", type=int, default=100, help="of each class, at most")
    parser.add_argument("--split", type=int, default=0, help="seed of the split and the training")
    parser.add_argument("--unseen", action="store_true", help="held out of the training cells")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Figure] = []
    for name in ["synthetic"] if args.small else args.sets:
        start = time.perf_counter()
        try:
            cases = opened(name, args.models, args.split, args.unseen, args.small)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name} is passed over: {error}", flush=True)
            continue
        count = sum(len(made.held_out) for made in cases)
        print(f"\n== {name}: {count:,} held-out cells", flush=True)
        for figure in figures(cases, args.parts, 20 if args.small else args.cells):
            print(figure.line, flush=True)
            rows.append(figure)
            keep(rows, args.json)
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
    missed = [figure for figure in rows if figure.reached is False]
    aimed = [figure for figure in rows if figure.reached is not None]
    print(f"\n{len(aimed) - len(missed)} of {len(aimed)} aims reached")
    return 1 if missed and not args.small else 0


def keep(rows: list[Figure], path: Path | None) -> None:
    """Write what was measured; figures of other sets and questions that were there stay."""
    if path is None:
        return
    before = json.loads(path.read_text("utf-8")) if path.exists() else []
    new = {(row.set, row.question) for row in rows}
    kept = [row for row in before if (row["set"], row["question"]) not in new]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *(row.as_dict() for row in rows)], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
