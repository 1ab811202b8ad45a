"""Latents of deep features: how sprites are read through them, and real sets beside other columns.

    python benchmarks/deep_latents.py [--parts sprites sets] [--sets ...] [--features NAME]
                                      [--epochs 20] [--seed 0] [--prepared DIR] [--json FILE]

One thread. Needs the extra 'deep', or another network by --features. Real sets are read from the
folder CHANNELMIX_DATA, or ../shared/data beside the project; a set that is not there is passed over
and said to be. All columns of a set are tested on the same cells and folds: latents of features as
they are, fine-tuned, and with the unnamed ones; latents of pixels as they are; hand-crafted
features; 32 principal components of the deep features. One support vector machine for all (radial,
C = 5, classes weighted alike), which takes seconds where trees and a network take long. DIR keeps
the pictures of the cells for the next run. Ends with 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from napari_channelmix import Cells, load_disentangler, open_dataset
from napari_channelmix.atomic_write import write_json
from napari_channelmix.drl import View, default_view
from napari_channelmix.drl.feature_separation import beside_latents_job
from napari_channelmix.drl.feature_training import feature_disentangler_job
from napari_channelmix.drl.finetune import finetune_job
from napari_channelmix.drl.metrics import ACTIVE, omes
from napari_channelmix.drl.preparation import prepare_job
from napari_channelmix.drl.quality import associations_job, quality_job
from napari_channelmix.drl.separation import Separation, separation_job
from napari_channelmix.drl.trust import trust
from napari_channelmix.jobs import Job, Progress, drain

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
PARTS = ("sprites", "sets")
SPRITES = ("texture-sprites", "cell-sprites")
#: Set, sprites, what is looked at, most cells of a class, least share of hand-crafted accuracy.
SETS: dict[str, tuple[str, str, str | None, int, float]] = {
    "bccd": ("bccd_blood", "texture-sprites", None, 400, 1.0),
    "jurkat": ("jurkat_cellcycle_ifc", "cell-sprites", "DNA", 900, 0.95),
    "jurkat-colors": ("jurkat_cellcycle_ifc", "texture-sprites", None, 900, 0.95),
    "bbbc013": ("bbbc013_wortmannin", "cell-sprites", "GFP", 1000, 0.0),
    "plankton": ("ifcb_plankton", "texture-sprites", None, 100, 0.0),
}
NAMED = ("Texture", "Granularity", "Color", "Intensity", "Shape", "Scale", "Rim")
# The columns that the others are held against.
TUNED = "features, fine-tuned"

misses: list[str] = []


def expect(name: str, value: float, bar: float) -> None:
    """Print a figure beside its aim."""
    met = value >= bar
    print(f"{'met   ' if met else 'MISSED'} {name}: {value:.3f} (aim: >= {bar:g})", flush=True)
    if not met:
        misses.append(name)


def learnt(sprites: str, features: str, seed: int) -> Any:
    start = time.perf_counter()
    of = drain(feature_disentangler_job(sprites, features, seed=seed, device="cpu"))
    print(f"{of.title}: learnt, or found in the cache, in {time.perf_counter() - start:.0f} s")
    return of


def sprites(features: str, seed: int) -> dict[str, Any]:
    """S of each factor, OMES and MIG through the features, on fresh sprites."""
    figures: dict[str, Any] = {}
    for name in SPRITES:
        of = learnt(name, features, seed)
        quality = drain(quality_job(of, pairs=250, samples=1500))
        own = {factor: quality.of_factor(factor) for factor in quality.factors}
        print(f"{name}: S", {factor: round(value, 3) for factor, value in own.items()})
        print(
            f"  OMES-adj {quality.omes:.3f}, as published {quality.omes_paper:.3f}, MIG "
            f"{quality.mig:.3f}"
        )
        accuracy = {factor: round(value, 2) for factor, value in quality.accuracy.items()}
        print("  read as drawn, clean:", accuracy)
        named = [factor for factor in own if factor in NAMED]
        rows = [quality.latents.index(factor) for factor in named]
        columns = [quality.factors.index(factor) for factor in named]
        alone = omes(quality.association[np.ix_(rows, columns)]).score
        print(f"  OMES-adj of latents and factors but for place and turn: {alone:.3f}")
        expect(f"{name}: least S but for place and turn", min(own[one] for one in named), 0.9)
        figures[name] = quality.as_dict()
    return figures


def _chosen(cells: Cells, most: int) -> Cells:
    rng = np.random.default_rng(0)
    rows = [
        rng.permutation(np.flatnonzero(cells.labels == code))[:most]
        for code in range(len(cells.classes))
    ]
    return cells.subset(np.sort(np.concatenate(rows)))


def _prepared(
    path: Path, pixels: Any, channel: str | None, most: int, kept: Path | None
) -> dict[str, np.ndarray]:
    """Pictures of the cells, their hand-crafted features, classes and groups."""
    if kept is not None and kept.exists():
        with np.load(kept) as file:
            return {name: file[name] for name in file.files}
    cells = _chosen(open_dataset(path), most)
    view = default_view(pixels, cells) if channel is None else View.one(channel)
    prepared = drain(prepare_job(cells, view))
    data = {
        "pictures": np.asarray(prepared.pictures),
        "features": prepared.features.to_numpy(np.float64),
        "names": np.array(prepared.features.columns, dtype=str),
        "labels": cells.labels,
        "groups": np.unique(cells.groups, return_inverse=True)[1],
        "classes": np.array(cells.classes, dtype=str),
    }
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **data)
    return data


def machine(x: np.ndarray, y: np.ndarray, seed: int) -> Job[Any]:
    """A support vector machine of standardised columns."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    yield Progress(0, 1, "")
    return make_pipeline(StandardScaler(), SVC(C=5, class_weight="balanced")).fit(x, y)


def sets(
    names: list[str], features: str, epochs: int, seed: int, kept: Path | None
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in names:
        folder, model, channel, most, bar = SETS[name]
        path = DATA / folder / "dataset.toml"
        if not path.exists():
            print(f"{folder} is not there")
            continue
        pixels, of = load_disentangler(model), learnt(model, features, seed)
        data = _prepared(path, pixels, channel, most, kept and kept / f"{name}.npz")
        pictures = data["pictures"]
        start = time.perf_counter()
        values = of.encode(pictures)
        each = (time.perf_counter() - start) / len(pictures)
        active = (values.std(axis=0) >= ACTIVE) & ~of.code.spare.numpy()
        start = time.perf_counter()
        tuned = drain(finetune_job(of, pictures, epochs=epochs, seed=seed, device="cpu"))
        seconds = time.perf_counter() - start
        after = tuned.disentangler.posterior(pictures)[0]
        beside = drain(beside_latents_job(tuned.disentangler, pictures, after, active))
        columns = {
            TUNED: after[:, active].astype(np.float64),
            "features, as is": values[:, active].astype(np.float64),
            "pixels, as is": pixels.encode(pictures).astype(np.float64),
            "hand-crafted": data["features"],
            **beside,
        }
        axes = {
            axis: [int(active[:column].sum()) for column in of.columns(axis) if active[column]]
            for axis in of.axes()
        }
        axes = {axis: positions for axis, positions in axes.items() if positions}
        known = (data["labels"], data["groups"], data["classes"].tolist())
        job = separation_job(columns, *known, axes, seed=seed, learners={"machine": machine})
        separation: Separation = drain(job)
        print(
            f"\n== {name}: {separation.cells} cells, {separation.groups} groups, "
            f"{len(separation.classes)} classes; features {1000 * each:.0f} ms a cell, fine-tuning "
            f"{seconds:.0f} s {tuned.source_note}"
        )
        for key, best in separation.best.items():
            print(f"  {key:<22} {best.accuracy:.3f} ({best.low:.3f} to {best.high:.3f})")
        for key, best in separation.ahead.items():
            print(
                f"  fine-tuned ahead of {key}: {best.accuracy:+.3f} "
                f"({best.low:+.3f} to {best.high:+.3f})"
            )
        drops = sorted(separation.importance.items(), key=lambda pair: -pair[1][0])
        print("  importance:", ", ".join(f"{axis} {drop:.3f}" for axis, (drop, _) in drops))
        now = drain(associations_job(tuned.disentangler, pairs=100))
        before = of.about["card"]["association"]
        kl = np.zeros(values.shape[1])
        table = pd.DataFrame(data["features"], columns=data["names"])
        for tag, latents, s in (("as is", values, before), ("fine-tuned", after, now)):
            badges = trust(of.names, latents.astype(np.float64), kl, table, before, s)
            print(
                f"  {tag}:",
                "; ".join(
                    f"{one.name} {one.badge} (S {one.now:.2f}, r {one.r:+.2f})"
                    for one in badges
                    if one.badge != "spare"
                ),
            )
        ours = max(separation.best[key].accuracy for key in (TUNED, "features, as is"))
        theirs = separation.best["hand-crafted"].accuracy
        if bar:
            expect(f"{name}: latents, share of hand-crafted accuracy", ours / theirs, bar)
        expect(
            f"{name}: latents, share of the deep features' accuracy",
            ours / separation.best["deep features"].accuracy,
            0.85,
        )
        figures[name] = separation.as_dict()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--parts", nargs="+", choices=("sprites", "sets"), default=["sprites", "sets"]
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--features", default="efficientnet-lite0")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {"schema": 1}
    if "sprites" in args.parts:
        figures["sprites"] = sprites(args.features, args.seed)
    if "sets" in args.parts:
        figures["sets"] = sets(args.sets, args.features, args.epochs, args.seed, args.prepared)
    if args.json is not None:
        write_json(args.json, figures)
    print(f"\n{len(misses)} missed" + "".join(f"\n  {one}" for one in misses))
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
