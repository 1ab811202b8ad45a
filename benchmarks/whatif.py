"""What if, where the answer is known: what edits and transplants do to a classifier's calls.

    python benchmarks/whatif.py [--small] [--sets ...] [--parts ...] [--models DIR] [--cells N]
                                [--json FILE]

Held-out cells; one thread; classifiers are trained once and kept in --models (see
`whatif_sets.py`). Every figure is a share of cells with its 95 % interval over groups, or says what
it is; what was aimed at stands beside it, and a miss is called so. Ends with 1 where there is one.
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

import numpy as np
import torch
from whatif_figures import Aim, Figure, Measured, Questioned, at_least, at_most
from whatif_sets import SETS, Case, case, small_case

import whatif_rules as rules
from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.crops import cell_crops

Found = Iterator[tuple[str, Measured, Aim | None]]


def questioned(made: Case, limit: int) -> Questioned:
    """Held-out cells of a set, at most so many of each class, and the classifier to ask."""
    cells = made.held_out
    rng = np.random.default_rng(0)
    chosen = np.sort(
        np.concatenate(
            [
                rng.permutation(np.flatnonzero(cells.labels == code))[:limit]
                for code in range(len(cells.classes))
            ]
        )
    )
    asker, fitting = drain(asker_job(made.model, cells.subset(chosen)))
    crops = cell_crops(fitting)
    return Questioned(crops, np.asarray(fitting.groups), asker.calls(crops.pixels), asker)


PARTS: dict[str, Callable[[Case, Questioned], Found]] = {
    "rules": rules.rules,
    "transplants": rules.transplants,
    "null": rules.nothing_planted,
    "consistency": rules.consistency,
    "importance": rules.importance,
    "audit": rules.audited,
    "speed": rules.speed,
}


def figures(made: Case, parts: list[str], limit: int) -> Iterator[Figure]:
    asked = questioned(made, limit)
    for part in parts:
        for question, measured, aim in PARTS[part](made, asked):
            yield Figure(made.name, question, measured, aim)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/whatif"))
    parser.add_argument("--cells", type=int, default=150, help="of each class, at most")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Figure] = []
    for name in ["synthetic"] if args.small else args.sets:
        start = time.perf_counter()
        try:
            made = small_case() if args.small else case(name, args.models)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name} is passed over: {error}", flush=True)
            continue
        print(f"\n== {name}: {len(made.held_out):,} held-out cells", flush=True)
        for figure in figures(made, args.parts, 20 if args.small else args.cells):
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
