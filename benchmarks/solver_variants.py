"""Other settings of PCIM (high fidelity), on cells that are in no table of the docs.

    python benchmarks/solver_variants.py [--sets plate-11 jurkat ...] [--cells 24]
                                         [--variants NAME ...] [--models FOLDER]

Cells: of a synthetic plate with another seed, and of training cells of the real sets, which the
networks know and no reported table has. For each set and family of references the SRG as it is now,
and how much each variant adds, with the 95 % interval over groups. A variant is worth having where
no family falls by more than .005. Networks are those of ``attribution.py`` and trained where they
are not there. Real sets are read from the folder CHANNELMIX_DATA, or ../shared/data beside the
project; one that is not there is passed over. One thread.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from attribution_methods import problems
from attribution_scores import FAMILIES, fidelity, paired
from attribution_sets import SETS, Case, Chosen, trained
from torch import Tensor

from napari_channelmix import Cells
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.gradient_solver import FIDELITY, SolverSettings, solve
from napari_channelmix.pcim.masks import in_order_of
from napari_channelmix.pcim.references import blurred

# Seed of the plate; the networks learn from 0, and 1 is reported.
PLATE = 11
# Another setting of the solver, and the blur of the order of the pixels afterwards, in pixels.
VARIANTS: dict[str, tuple[SolverSettings, float]] = {
    "now": (FIDELITY, 0.0),
    "order blurred by 0.5": (FIDELITY, 0.5),
    "order blurred by 1": (FIDELITY, 1.0),
    "order blurred by 1.5": (FIDELITY, 1.5),
    "finer steps": (replace(FIDELITY, step_sigmas=(0.5, 1.0)), 0.0),
    "coarser steps": (replace(FIDELITY, step_sigmas=(1.0, 3.0)), 0.0),
    "more real cells": (
        replace(FIDELITY, step_kinds=("cells", "cells", "border", "cells", "cells", "blur")),
        0.0,
    ),
    "two shares, half the steps": (replace(FIDELITY, areas=2, steps=60, rate=0.15), 0.0),
}


def case_of(name: str, network: str, count: int, models: Path) -> Case:
    """Rightly predicted cells that no table reports."""
    base = "synthetic" if name == "plate-11" else name
    train, test, _ = SETS[base]()
    classifier = trained(train, base, network, models)
    cells = synthetic_plate(PLATE).cells if name == "plate-11" else train
    whole = cells if name == "plate-11" else Cells.together([train, test])
    right = np.flatnonzero(classifier.predict(cells) == cells.labels)
    rows = np.random.default_rng(PLATE).permutation(right)[:count]
    some = cells.subset(rows)
    source = Source.of(classifier, whole, "cpu").narrowed(rows.tolist()).read()
    chosen = Chosen(source, np.asarray(some.labels), np.asarray(some.groups), None)
    return Case(name, network, classifier, some, chosen, None, len(right) / len(cells))


def solved(chosen: Chosen, settings: SolverSettings) -> Tensor:
    """Maps (N, 1, H, W)."""
    with chosen.source.subject.at_rest():
        return torch.cat([last_of(solve(problem, settings)) for _, problem in problems(chosen)])


def last_of(maps: Iterator) -> Tensor:  # type: ignore[type-arg]
    *_, last = maps
    return last.values


def reordered(values: Tensor, sigma: float) -> Tensor:
    """The same values in the order of the blurred ranks."""
    if sigma == 0:
        return values
    ranks = values.flatten(2).argsort(2).argsort(2).view_as(values).float()
    return in_order_of(blurred(ranks, sigma), values)


def main() -> None:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    names = ["plate-11", *(name for name in SETS if name not in ("small", "synthetic"))]
    parser.add_argument("--sets", nargs="+", choices=names, default=["plate-11", "jurkat"])
    parser.add_argument("--network", default="small")
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/attribution"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.sets:
        try:
            one = case_of(name, args.network, args.cells, args.models)
        except DataError as error:
            if "no such file" not in str(error):
                raise
            print(f"passed over: {error}")
            continue
        chosen = one.reported
        print(f"\n== {name}, {args.network}, n = {len(chosen)}: mean, {', '.join(FAMILIES)}")
        maps: dict[SolverSettings, Tensor] = {}
        now: dict[str, np.ndarray] = {}
        for variant in dict.fromkeys(["now", *args.variants]):
            settings, sigma = VARIANTS[variant]
            start = time.process_time()
            if settings not in maps:
                maps[settings] = solved(chosen, settings)
            seconds = time.process_time() - start
            made = reordered(maps[settings], sigma)[:, 0].numpy()
            result = fidelity(one, chosen, made)
            scores = {"mean": result.srg}
            scores |= dict(zip(result.references, result.srg_by_reference, strict=True))
            now = now or scores
            texts = [
                f"{scores[family].mean():.3f}"
                if variant == "now"
                else gain_text(scores[family], now[family], chosen.groups)
                for family in ("mean", *FAMILIES)
            ]
            print(f"{variant}: {'; '.join(texts)}; {seconds:.0f} s", flush=True)


def gain_text(values: np.ndarray, now: np.ndarray, groups: np.ndarray) -> str:
    gain = paired(values, now, groups)
    return f"{gain['gain']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"


if __name__ == "__main__":
    main()
