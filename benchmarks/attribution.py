"""Pixel attribution against captum's methods: fidelity, localisation, sanity and speed.

    python benchmarks/attribution.py [--sets ...] [--networks ...] [--parts ...]
                                     [--json FILE] [--picture FILE]

Held-out, correctly classified cells; one thread. Scores are taken on references that no method
works with. A baseline counts with the reference, the sign and the blur that suit it best on the
set, chosen for it on a part of the very cells that are reported. Real sets are read from the
folder CHANNELMIX_DATA, or ../shared/data beside the project; a set that is not there is passed
over and said to be. Classifiers are trained once and kept in --models. Ends with 1 where an
expectation is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy import stats
from skimage.transform import resize

from napari_channelmix import Cells, Classifier, load_model, open_dataset, train_classifier
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import baselines, explain, explain_job, measure_job
from napari_channelmix.pcim import gradient_solver as solver
from napari_channelmix.pcim.batch import Problem
from napari_channelmix.pcim.batch_size import cells_at_once
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.map_reliability import randomised
from napari_channelmix.pcim.masks import in_spreads
from napari_channelmix.pcim.scores import auroc, rank_accuracy, rank_correlation
from napari_channelmix.pcim.target import Target

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
# Cells on which the variants of the baselines compete.
PILOT = 16
PARTS = ("scores", "blackbox", "speed", "study")
OURS = ("pcim", "pcim-fidelity", "literal")

Masks = np.ndarray | None


@dataclass(frozen=True)
class Case:
    """Held-out cells, their classifier, and the pixels that matter, where they are known."""

    cells: Cells
    classifier: Classifier
    accuracy: float
    masks: Masks


# ------------------------------------------------------------------------------- the data


def synthetic() -> tuple[Cells, Cells, Callable[[Cells], Masks]]:
    """Train on a plate, explain another one."""
    held_out = synthetic_plate(1)
    truth = {one.name: held_out.pixels[i] for i, one in enumerate(held_out.cells.fields)}

    def planted(cells: Cells) -> Masks:
        return in_crops(cells, lambda one, labels, row: truth[one.name] & (labels == row.object))

    return synthetic_plate(0).cells, held_out.cells, planted


def worms(channel: str) -> Callable[[], tuple[Cells, Cells, Callable[[Cells], Masks]]]:
    def opened() -> tuple[Cells, Cells, Callable[[Cells], Masks]]:
        cells = open_dataset(DATA / "bbbc010_worms" / "dataset.toml").with_channels([channel])
        # A third is held out, so that there are 100 of them.
        train, test = cells.split(test=0.35, seed=0)
        return (
            train,
            test,
            lambda some: in_crops(some, lambda one, labels, row: labels == row.object),
        )

    return opened


def real(folder: str) -> Callable[[], tuple[Cells, Cells, Callable[[Cells], Masks]]]:
    def opened() -> tuple[Cells, Cells, Callable[[Cells], Masks]]:
        train, test = open_dataset(DATA / folder / "dataset.toml").split(seed=0)
        return train, test, lambda some: None

    return opened


def in_crops(cells: Cells, mask_of: Callable[[Any, np.ndarray, Any], np.ndarray]) -> np.ndarray:
    """Masks of the fields, cut out as the cells are; outside the field there is nothing."""
    masks = np.zeros((len(cells), cells.crop, cells.crop), bool)
    for at, row in enumerate(cells.table.itertuples()):
        one = cells.fields[row.field]
        whole = mask_of(one, np.asarray(one.labels), row)
        cut = np.zeros((row.y1 - row.y0, row.x1 - row.x0), bool)
        top, left = max(row.y0, 0), max(row.x0, 0)
        part = whole[top : row.y1, left : row.x1]
        cut[
            top - row.y0 : top - row.y0 + part.shape[0],
            left - row.x0 : left - row.x0 + part.shape[1],
        ] = part
        side = (cells.crop, cells.crop)
        masks[at] = cut if cut.shape == side else resize(cut.astype(float), side, order=1) > 0.5
    return masks


SETS = {
    "synthetic": synthetic,
    "bbbc013": real("bbbc013_wortmannin"),
    "worms-brightfield": worms("brightfield"),
    "worms-GFP": worms("GFP"),
    "jurkat": real("jurkat_cellcycle_ifc"),
}


def case(name: str, network: str, count: int, models: Path) -> Case:
    train, test, masks_of = SETS[name]()
    kept = models / f"{name}-{network}.cmx"
    if not kept.exists():
        print(f"training {network} on {name}", flush=True)
        train_classifier(train, network=network, seed=0, device="cpu").save(kept)
    classifier = load_model(kept)
    right = classifier.predict(test) == test.labels
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(right))[:count]
    # In random order, so that the first few are like the rest.
    cells = test.subset(chosen)
    return Case(cells, classifier, float(right.mean()), masks_of(cells))


# ------------------------------------------------------------------------------- the maps


def variants() -> Iterator[tuple[str, str, bool, float]]:
    """Baseline, reference, absolute, blur: every post-processing a baseline may count with."""
    for name in ("saliency", "integrated-gradients", "occlusion", "deeplift"):
        kinds = ("mean", "border", "blur") if name == "integrated-gradients" else ("mean",)
        for kind in kinds:
            for absolute in (False, True):
                for sigma in (0.0, 1.5, 3.0):
                    yield name, kind, absolute, sigma
    for sigma in (0.0, 1.5):
        yield "gradcam", "mean", False, sigma


def problem(source: Source, rows: np.ndarray, target: np.ndarray) -> Problem:
    x = source.tensor(rows)
    return Problem(source.subject, x, source.mean, Target(torch.from_numpy(target[rows])))


def evidence(one: Case, name: str, kind: str, count: int) -> torch.Tensor | None:
    """What a baseline gives for the first cells; None where it cannot look into the network."""
    source = Source.of(one.classifier, one.cells, "cpu")
    parts = []
    with source.subject.at_rest():
        for at in range(0, count, 16):
            rows = np.arange(at, min(at + 16, count))
            try:
                parts.append(
                    baselines.evidence(name, problem(source, rows, one.cells.labels), kind)
                )
            except ValueError as error:
                print(f"  {name} is passed over: {error}")
                return None
    return torch.cat(parts)


def srg(one: Case, maps: np.ndarray) -> dict[str, np.ndarray]:
    cells = one.cells.subset(slice(0, len(maps)))
    found = drain(measure_job(one.classifier, cells, maps, cells.labels, device="cpu"))
    return {"srg": found.srg, "insertion": found.insertion, "deletion": found.deletion}


def localised(one: Case, maps: np.ndarray) -> dict[str, float]:
    if one.masks is None:
        return {}
    masks = one.masks[: len(maps)]
    return {
        "rank_accuracy": float(np.nanmean(rank_accuracy(maps, masks))),
        "auroc": float(np.nanmean(auroc(maps, masks))),
    }


def best_baselines(one: Case) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Each baseline with the variant that suits it best, for fidelity and for localisation."""
    count = len(one.cells)
    pilot: dict[str, dict[tuple[str, bool, float], float]] = {}
    localisation: dict[str, dict[str, Any]] = {}
    found: dict[tuple[str, str], torch.Tensor] = {}
    for name, kind, absolute, sigma in variants():
        if (name, kind) not in found:
            given = evidence(one, name, kind, count)
            if given is None:
                continue
            found[name, kind] = given
        maps = finished(found[name, kind], absolute, sigma)
        score = float(srg(one, maps[:PILOT])["srg"].mean())
        pilot.setdefault(name, {})[kind, absolute, sigma] = score
        best = localisation.setdefault(name, {})
        for measure, value in localised(one, maps).items():
            # Each measure may choose a variant of its own.
            best[measure] = max(value, best.get(measure, 0.0))
    report, shown = {}, {}
    for name, scores in pilot.items():
        kind, absolute, sigma = max(scores, key=scores.__getitem__)
        maps = finished(found[name, kind], absolute, sigma)
        report[name] = {
            **srg(one, maps),
            **localisation[name],
            "variant": f"{kind}, {'absolute' if absolute else 'signed'}, blur {sigma:g}",
        }
        shown[name] = maps
    return report, shown


def finished(found: torch.Tensor, absolute: bool, sigma: float) -> np.ndarray:
    return baselines.finished(found, absolute=absolute, sigma=sigma)[:, 0].numpy()


def scores(one: Case) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Fidelity of all methods on the same cells, localisation, and the randomisation test."""
    report, shown = best_baselines(one)
    cells, labels = one.cells, one.cells.labels
    untrained = randomised(one.classifier)
    for name in OURS:
        made = explain(one.classifier, cells, labels, name, device="cpu")
        report[name] = {
            **srg(one, made.maps),
            **localised(one, made.magnitude),
            "map_localisation": localised(one, made.maps),
            "seconds_per_cell": made.seconds_per_cell,
        }
        shown[name] = made.maps
        if name == "pcim":
            again = explain(untrained, cells, labels, name, device="cpu")
            report[name]["randomisation"] = rank_correlation(made.maps, again.maps)
            report[name]["randomisation_of_magnitude"] = rank_correlation(
                made.magnitude, again.magnitude
            )
    for name in ("saliency", "integrated-gradients"):
        pair = [
            explain(model, cells, labels, name, device="cpu").maps
            for model in (one.classifier, untrained)
        ]
        report[name]["randomisation"] = rank_correlation(*pair)
    return report, shown


def blackbox(one: Case, limit: int) -> dict[str, Any]:
    """Answers alone, 1,000 of them for each cell, against the default map on the same cells."""
    cells = one.cells.subset(slice(0, limit))
    report: dict[str, Any] = {"n": len(cells)}
    for name in ("pcim", "blackbox", "blackbox-sharp"):
        made = explain(one.classifier, cells, cells.labels, name, device="cpu", forwards=1000)
        report[name] = {
            **srg(one, made.maps),
            **localised(one, made.maps),
            "seconds_per_cell": made.seconds_per_cell,
        }
        share = report[name]["srg"].mean() / report["pcim"]["srg"].mean()
        report[name]["share_of_autograd"] = float(share)
        print(f"  {name:22s}", rounded(report[name]), flush=True)
    return report


def study(one: Case) -> dict[str, Any]:
    """What drives the randomisation test, and what it costs."""
    count = min(40, len(one.cells))
    cells = one.cells.subset(slice(0, count))
    models = (one.classifier, randomised(one.classifier))
    default = solver.SolverSettings()
    tried: dict[str, Callable[[Problem], tuple[torch.Tensor, torch.Tensor]]] = {}

    def solved(settings: solver.SolverSettings) -> Callable[[Problem], Any]:
        def run(asked: Problem) -> tuple[torch.Tensor, torch.Tensor]:
            *_, last = solver.solve(asked, settings)
            return last.values, last.magnitude

        return run

    tried["default"] = solved(default)
    tried["signed start alone"] = solved(replace(default, steps=0))
    tried["magnitude alone"] = lambda asked: (solved(default)(asked)[1],) * 2
    tried["map x magnitude"] = lambda asked: (product(*solved(default)(asked)),) * 2
    tried["map + magnitude"] = lambda asked: (sum_of(*solved(default)(asked)),) * 2
    for steps in (4, 16, 32):
        tried[f"{steps} steps"] = solved(replace(default, steps=steps))
    for sigma in (0.5, 3.0):
        tried[f"start blurred by {sigma:g}"] = solved(replace(default, sigma=sigma))
    tried["coarse steps (2, 4)"] = solved(replace(default, step_sigmas=(2.0, 4.0)))
    tried["fine steps (0, 1)"] = solved(replace(default, step_sigmas=(0.0, 1.0)))
    report = {}
    for name, run in tried.items():
        maps = []
        for model in models:
            source = Source.of(model, cells, "cpu")
            with source.subject.at_rest():
                parts = [
                    run(problem(source, np.arange(at, min(at + 16, count)), cells.labels))[0]
                    for at in range(0, count, 16)
                ]
            maps.append(torch.cat(parts).sum(dim=1).numpy())
        report[name] = {
            "srg": float(srg(one, maps[0])["srg"].mean()),
            "randomisation": float(rank_correlation(*maps).mean()),
            **localised(one, maps[0]),
        }
        print(f"  {name:24s}", rounded(report[name]), flush=True)
    return report


def product(maps: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    ranks = maps.flatten(1).argsort(1).argsort(1).view_as(maps) / maps[0].numel()
    return ranks * magnitude


def sum_of(maps: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    return in_spreads(maps) + in_spreads(magnitude)


# ------------------------------------------------------------------------------- the speed


def speed(one: Case, repeats: int = 5) -> dict[str, Any]:
    """Milliseconds per cell, of PCIM and captum's integrated gradients in turn; medians."""
    count = 32
    cells = one.cells.subset(slice(0, count))
    source = Source.of(one.classifier, cells, "cpu")
    settings = solver.SolverSettings()
    start_only = replace(settings, steps=0)
    # Both work on batches of the size that suits the caches.
    size = cells_at_once(source.subject, source.tensor(np.arange(1)), "autograd")
    batches = [
        problem(source, np.arange(at, min(at + size, count)), cells.labels)
        for at in range(0, count, size)
    ]
    ways: dict[str, Callable[[], object]] = {
        "integrated-gradients": lambda: [
            baselines.evidence("integrated-gradients", some) for some in batches
        ],
        "first pixels": lambda: [next(solver.solve(some, settings)) for some in batches],
        "first map": lambda: [list(solver.solve(some, start_only)) for some in batches],
        "pcim": lambda: [list(solver.solve(some, settings)) for some in batches],
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    with source.subject.at_rest():
        for turn in range(repeats + 1):
            for name, way in ways.items():
                start = time.perf_counter()
                way()
                if turn:
                    times[name].append(1e3 * (time.perf_counter() - start) / count)
    report: dict[str, Any] = {f"{name} ms": float(np.median(of)) for name, of in times.items()}
    ig = np.array(times["integrated-gradients"])
    for name in ("first pixels", "first map", "pcim"):
        report[f"{name} / integrated-gradients"] = float(np.median(np.array(times[name]) / ig))
    report |= together(one)
    return report


def together(one: Case) -> dict[str, Any]:
    """100 cells in one call against one call each."""
    cells = one.cells.subset(np.arange(100) % len(one.cells))
    crops = cells.read()
    ratios = []
    for _ in range(3):
        start = time.perf_counter()
        explain(one.classifier, crops, device="cpu")
        whole = time.perf_counter() - start
        start = time.perf_counter()
        for at in range(0, 100, 5):
            explain(one.classifier, crops[at : at + 1], device="cpu")
        single = 5 * (time.perf_counter() - start)
        ratios.append(single / whole)
    return {"one by one / together": float(np.median(ratios))}


def flat(one: Case) -> dict[str, Any]:
    """Time per cell for 100, 1,000 and 3,000 cells."""
    crops = one.cells.read(np.arange(100) % len(one.cells))
    times: dict[int, list[float]] = {100: [], 1000: [], 3000: []}
    for count, of in [pair for _ in range(3) for pair in times.items()]:
        start = time.perf_counter()
        drain(explain_job(one.classifier, np.tile(crops, (count // 100, 1, 1, 1)), device="cpu"))
        of.append(1e3 * (time.perf_counter() - start) / count)
    each = {count: float(np.median(of)) for count, of in times.items()}
    return {"ms per cell": each, "spread": max(each.values()) / min(each.values()) - 1}


# ------------------------------------------------------------------------------- the report


def checks(report: dict[str, Any]) -> dict[str, bool]:
    """The expectations, each against the best baseline of the set."""
    by_score = {name: report[name]["srg"].mean() for name in baselines.SUITING if name in report}
    best = max(by_score, key=by_score.__getitem__)
    met = {}
    for name, margin in (("pcim-fidelity", 0.03), ("pcim", 0.015)):
        gain = report[name]["srg"] - report[best]["srg"]
        p = stats.ttest_rel(report[name]["srg"], report[best]["srg"]).pvalue
        report[name] |= {"gain": float(gain.mean()), "p": float(p), "against": best}
        met[f"{name}: SRG of {best} + {margin}, p < 1e-3"] = bool(
            gain.mean() >= margin and p < 1e-3
        )
    for measure in ("rank_accuracy", "auroc"):
        known = [report[name][measure] for name in by_score if measure in report[name]]
        if known:
            met[f"{measure} not below the best baseline"] = report["pcim"][measure] >= max(known)
    met["randomisation <= 0.32"] = bool(report["pcim"]["randomisation"].mean() <= 0.32)
    return met


def rounded(of: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(float(np.mean(value)), 3) if not isinstance(value, (str, dict)) else value
        for name, value in of.items()
    }


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    return np.round(value, 5).tolist() if isinstance(value, np.ndarray) else value


def picture(rows: list[tuple[str, Case, dict[str, np.ndarray]]], path: Path) -> None:
    """The same cells seen by all methods."""
    from matplotlib.figure import Figure

    methods = (
        "saliency",
        "integrated-gradients",
        "occlusion",
        "gradcam",
        "deeplift",
        "literal",
        "pcim",
        "pcim-fidelity",
    )
    figure = Figure(figsize=(1.35 * (len(methods) + 1), 1.5 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(methods) + 1, squeeze=False)
    for number, (line, (title, one, shown)) in enumerate(zip(axes, rows, strict=True)):
        crop = one.cells.read([0])[0]
        scaled = [(c - c.min()) / max(np.ptp(c), 1e-9) for c in crop[:3]]
        grey = np.mean(scaled, axis=0)
        line[0].imshow(grey, cmap="gray")
        line[0].set_ylabel(title, fontsize=8)
        for place, name in zip(line[1:], methods, strict=True):
            place.imshow(grey, cmap="gray")
            if name in shown:
                top = np.quantile(np.abs(shown[name][0]), 0.995) or 1
                place.imshow(shown[name][0], cmap="PuOr_r", vmin=-top, vmax=top, alpha=0.85)
            if not number:
                place.set_title(name, fontsize=8)
        for place in line:
            place.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=110)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--networks", nargs="+", default=["small", "medium"])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--blackbox-cells", type=int, default=100)
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/attribution"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    whole: dict[str, Any] = {}
    if asked.json and asked.json.exists():
        # Parts that were measured before stay.
        whole = json.loads(asked.json.read_text("utf-8"))
    rows = []
    every: list[bool] = []
    for name, network in [(name, network) for name in asked.sets for network in asked.networks]:
        print(f"\n== {name}, {network}", flush=True)
        try:
            one = case(name, network, asked.cells, asked.models)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"passed over: {error}")
            continue
        print(f"{len(one.cells)} held-out cells, correctly classified; accuracy {one.accuracy:.3f}")
        report: dict[str, Any] = {"n": len(one.cells), "accuracy": one.accuracy}
        start = time.perf_counter()
        if "scores" in asked.parts:
            report["scores"], shown = scores(one)
            report["checks"] = checks(report["scores"])
            for method, of in report["scores"].items():
                print(f"  {method:22s}", rounded(of))
            rows.append((f"{name}\n{network}", one, shown))
        if "blackbox" in asked.parts:
            report["blackbox"] = blackbox(one, asked.blackbox_cells)
            best = max(
                report["blackbox"][of]["share_of_autograd"] for of in ("blackbox", "blackbox-sharp")
            )
            report.setdefault("checks", {})["black box: 95 % of the SRG of pcim"] = best >= 0.95
        if "speed" in asked.parts:
            report["speed"] = speed(one)
            ratios = report["speed"]
            report.setdefault("checks", {}).update(
                {
                    "first map <= 0.25 x integrated gradients": ratios[
                        "first map / integrated-gradients"
                    ]
                    <= 0.25,
                    "default map <= 0.6 x integrated gradients": ratios[
                        "pcim / integrated-gradients"
                    ]
                    <= 0.6,
                    "100 cells together >= 2 x faster": ratios["one by one / together"] >= 2,
                }
            )
            if (name, network) == (asked.sets[0], asked.networks[0]):
                report["flat"] = flat(one)
                report["checks"]["time per cell flat within 15 %"] = (
                    report["flat"]["spread"] <= 0.15
                )
                print("  flat:", report["flat"])
            print("  speed:", rounded(report["speed"]))
        if "study" in asked.parts and network == asked.networks[0]:
            report["study"] = study(one)
        for expectation, met in report.get("checks", {}).items():
            print(f"{'met   ' if met else 'MISSED'} {expectation}")
            every.append(met)
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
        before = whole.get(f"{name}, {network}", {})
        met = {**before.get("checks", {}), **report.get("checks", {})}
        whole[f"{name}, {network}"] = {**before, **plain(report), "checks": met}
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)
            asked.json.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
        if asked.picture and rows:
            picture(rows, asked.picture)
    return 0 if all(every) else 1


if __name__ == "__main__":
    sys.exit(main())
