"""Pixel attribution against other methods: fidelity, localisation, sanity, parts and speed.

    python benchmarks/attribution.py [--sets ...] [--networks ...] [--parts ...] [--methods ...]
                                     [--cells N] [--results FOLDER] [--tables] [--picture FILE]
                                     [--small]

Held-out, correctly classified cells; one thread. Each opponent counts with the reference, the sign
and the blur that suit it best on pilot cells, which are not among those reported. Fidelity is
given for each family of references (`pcim.references`), and as their mean. Real sets are read from
the folder CHANNELMIX_DATA, or ../shared/data beside the project; a set that is not there is passed
over and said to be. Classifiers are trained once and kept in --models. Every figure is kept in
--results as soon as it is there, one file for each set and network, and a later run of the same
code with the same options goes on from there. --tables prints the tables from these files, and
measures nothing. Methods of the appendix (RISE, extremal masks, CAMs, SmoothGrad) are measured
where they are named by --methods. --small: few cells of a small plate, to see that all runs. Ends
with 1 where an expectation is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from attribution_checks import checks
from attribution_methods import (
    MORE,
    OPPONENTS,
    OURS,
    Variant,
    best_variant,
    evidence,
    maps_of_ours,
    variant_maps,
)
from attribution_parts import parts_of
from attribution_results import Results, code_digest
from attribution_scores import FAMILIES, fidelity, localised
from attribution_sets import SETS, Case, case
from attribution_speed import speed
from attribution_study import blackbox, study
from attribution_tables import print_tables

from napari_channelmix.errors import DataError
from napari_channelmix.pcim import explain
from napari_channelmix.pcim.map_reliability import randomised
from napari_channelmix.pcim.scores import rank_correlation

# Modules that have a part in the map of an opponent, and in its score.
OF_OPPONENTS = (
    "baselines",
    "batch",
    "cell_pool",
    "cell_source",
    "expected_gradients",
    "inpainting",
    "measure",
    "model_adapter",
    "references",
    "relevance",
    "scores",
    "superpixels",
    "target",
)
PARTS = ("scores", "randomisation", "parts", "blackbox", "speed", "study")


def opponent(one: Case, name: str) -> dict[str, Any]:
    """Figures of an opponent with its best variant."""
    best = best_variant(one, name)
    if isinstance(best, str):
        return {"left_out": best}
    for_fidelity, for_localisation = best
    values, work = evidence(one.reported, name, for_fidelity.kind)
    maps = variant_maps(values, for_fidelity)
    located = variant_maps(
        values,
        Variant(for_fidelity.kind, for_localisation.absolute, for_localisation.sigma),
    )
    return {
        **curves(one, maps),
        **localised(located, one.reported.masks),
        **work.each(name, len(one.reported)),
        "variant": str(for_fidelity),
    }


def ours(one: Case, name: str) -> dict[str, Any]:
    """Figures of a method of ours: fidelity of the map, localisation of the magnitude."""
    values, magnitude, work = maps_of_ours(one.reported, name)
    maps = values[:, 0].numpy()
    return {
        **curves(one, maps),
        **localised(magnitude.numpy(), one.reported.masks),
        "map_localisation": localised(maps, one.reported.masks),
        **work.each(name, len(one.reported)),
    }


def curves(one: Case, maps: np.ndarray) -> dict[str, Any]:
    result = fidelity(one, one.reported, maps)
    by_family = dict(zip(result.references, result.srg_by_reference, strict=True))
    return {"srg": result.srg, "srg_by_family": {name: by_family[name] for name in FAMILIES}}


def randomisation(one: Case) -> dict[str, Any]:
    """Rank correlation with the maps of the same network with random weights."""
    trained = one.reported.source
    sources = (trained, trained.with_model(randomised(one.classifier)))
    labels, report = one.reported.labels.tolist(), {}
    for name in ("pcim", "saliency", "integrated-gradients", "expected-gradients", "lrp"):
        pair = [explain(source.model, source, labels, name, check=False) for source in sources]
        report[name] = rank_correlation(*[made.maps for made in pair])
        if name == "pcim":
            report["magnitude of pcim"] = rank_correlation(*[made.magnitude for made in pair])
    return report


def code_of(part: str) -> str:
    """The code that a part depends on: opponents do not change with our solvers."""
    opponents = {f"scores/{name}" for name in (*OPPONENTS, *MORE)}
    return code_digest(OF_OPPONENTS if part in opponents else ())


def measure(
    one: Case, results: Results, parts: list[str], methods: list[str], limit: int, *, first: bool
) -> None:
    """All parts that are asked for and not there yet; of black boxes ``limit`` cells at most."""

    def part(name: str, run: Callable[[], dict[str, Any]]) -> None:
        if name in results:
            return
        start = time.perf_counter()
        results.put(name, run())
        print(f"  {name}: {results.line(name)}; {time.perf_counter() - start:.0f} s", flush=True)

    if "scores" in parts:
        for name in [name for name in OURS if name in methods]:
            part(f"scores/{name}", lambda name=name: ours(one, name))
        for name in [name for name in (*OPPONENTS, *MORE) if name in methods]:
            part(f"scores/{name}", lambda name=name: opponent(one, name))
    if "randomisation" in parts:
        part("randomisation", lambda: randomisation(one))
    if "parts" in parts and one.name in ("synthetic", "small"):
        part("parts", lambda: parts_of(one))
    if "blackbox" in parts:
        part("blackbox", lambda: blackbox(one, limit))
    if "speed" in parts:
        part("speed", lambda: speed(one, with_flat=first))
    if "study" in parts and first:
        part("study", lambda: study(one))


def picture(one: Case, path: Path) -> None:
    """The first reported cells seen by all methods, each opponent with its usual variant."""
    from matplotlib.figure import Figure

    methods = ("pcim", "pcim-fidelity", *OPPONENTS)
    count = min(3, len(one.cells))
    figure = Figure(figsize=(1.35 * (len(methods) + 1), 1.5 * count), layout="constrained")
    axes = figure.subplots(count, len(methods) + 1, squeeze=False)
    crops = one.cells.read(np.arange(count))
    for column, name in enumerate(("", *methods)):
        maps = None
        if name:
            source = one.reported.source.narrowed(range(count))
            maps = explain(one.classifier, source, one.cells.labels[:count], name).maps
        for row in range(count):
            place = axes[row, column]
            scaled = [(c - c.min()) / max(np.ptp(c), 1e-9) for c in crops[row][:3]]
            place.imshow(np.mean(scaled, axis=0), cmap="gray")
            if maps is not None:
                top = np.quantile(np.abs(maps[row]), 0.995) or 1
                place.imshow(maps[row], cmap="PuOr_r", vmin=-top, vmax=top, alpha=0.85)
            place.set(xticks=[], yticks=[])
        axes[0, column].set_title(name.replace("-", "\n"), fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    real_sets = [name for name in SETS if name != "small"]
    parser.add_argument("--sets", nargs="+", choices=SETS, default=real_sets)
    parser.add_argument("--networks", nargs="+", default=["small", "medium"])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    every = [*OURS, *OPPONENTS]
    parser.add_argument("--methods", nargs="+", choices=[*every, *MORE], default=every)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--blackbox-cells", type=int, default=100)
    parser.add_argument("--pilot", type=int, default=16)
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/attribution"))
    parser.add_argument(
        "--results", type=Path, default=Path("build/benchmarks/attribution/results")
    )
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--small", action="store_true")
    args = parser.parse_args()
    if args.small:
        args.sets, args.networks, args.cells, args.pilot = ["small"], ["tiny"], 8, 4
        args.parts = [part for part in args.parts if part in ("scores", "randomisation", "parts")]
    if args.tables:
        print_tables(args.results)
        return 0
    torch.set_num_threads(1)
    missed = 0
    # Network by network: where the time ends, all sets have been measured with the first.
    pairs = [(name, network) for network in args.networks for name in args.sets]
    for index, (name, network) in enumerate(pairs):
        print(f"\n== {name}, {network}", flush=True)
        try:
            one = case(name, network, args.cells, args.models, args.pilot)
        except DataError as error:
            if "no such file" not in str(error):
                raise
            print(f"passed over: {error}")
            continue
        print(
            f"{len(one.reported)} reported cells beside {args.pilot} pilot cells, held out and "
            f"correctly classified; accuracy {one.accuracy:.3f}",
            flush=True,
        )
        settings = {"cells": args.cells, "pilot": args.pilot, "classes": len(one.cells.classes)}
        results = Results(args.results / f"{name}-{network}.json", settings, code_of)
        results.put("n", {"n": len(one.reported), "accuracy": one.accuracy})
        results.put("groups", {"groups": [str(group) for group in one.reported.groups]})
        measure(one, results, args.parts, args.methods, args.blackbox_cells, first=index == 0)
        for expectation, met in checks(results).items():
            print(f"{'met   ' if met else 'MISSED'} {expectation}")
            missed += not met
        if args.picture:
            picture(one, args.picture.with_stem(f"{args.picture.stem}-{name}-{network}"))
    print(f"\n{missed} expectations missed")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
