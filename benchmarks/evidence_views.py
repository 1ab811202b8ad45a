"""Which of the pictures of page 'Pixels' covers the object, for each class.

    python benchmarks/evidence_views.py [--sets ...] [--network small] [--count 100]
                                        [--models DIR] [--json FILE]

Three pictures of the same cells: what speaks for the class (the map, with its negative part last),
for or against it (the absolute map), and where there is evidence at all (the magnitude). For each
class: the AUROC of a pixel of the object against one beside it, and the share of the evidence on it
(of the map: of its positive part), each with a 95 % interval over groups; and the rank
correlation with the same picture of a network with random weights, low where a picture shows what
was learnt.

Held-out, correctly classified cells of sets whose objects are known; benchmarks/attribution_sets.py
has the sets and the splits.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attribution_sets import case

from napari_channelmix.pcim import explain
from napari_channelmix.pcim.map_reliability import randomised
from napari_channelmix.pcim.scores import auroc, rank_correlation
from napari_channelmix.whatif.group_intervals import class_means

SETS = ("worms-brightfield", "worms-GFP", "synthetic")


def views(made: Any) -> dict[str, np.ndarray]:
    """The pictures (n, H, W) of some cells."""
    return {"map": made.maps, "|map|": np.abs(made.maps), "magnitude": made.magnitude}


def measured(name: str, network: str, count: int, models: Path) -> list[dict[str, Any]]:
    """A row for each class and picture."""
    chosen = case(name, network, count, models)
    cells, masks = chosen.cells, chosen.reported.masks
    assert masks is not None
    pictures = views(explain(chosen.classifier, cells, cells.labels, device="cpu"))
    untrained = randomised(chosen.classifier)
    others = views(explain(untrained, cells, cells.labels, device="cpu"))
    rows = []
    for view, maps in pictures.items():
        positive = np.maximum(maps, 0)
        share = (positive * masks).sum(axis=(1, 2)) / positive.sum(axis=(1, 2))
        figures = np.stack(
            [
                auroc(maps, masks),
                share,
                masks.mean(axis=(1, 2)),
                rank_correlation(maps, others[view]),
            ],
            axis=1,
        )
        good = np.isfinite(figures).all(axis=1)
        codes, classes = cells.labels[good], cells.classes
        means = class_means(figures[good], codes, cells.groups[good], len(classes))
        for code, label in enumerate(classes):
            if means.n[code]:
                rows.append(
                    {
                        "set": name,
                        "network": network,
                        "class": label,
                        "picture": view,
                        "n": int(means.n[code]),
                        "groups": int(means.n_groups[code]),
                        "auroc": means.mean[code, 0],
                        "auroc_interval": [means.low[code, 0], means.high[code, 0]],
                        "share": means.mean[code, 1],
                        "share_interval": [means.low[code, 1], means.high[code, 1]],
                        "area": means.mean[code, 2],
                        "randomisation": means.mean[code, 3],
                    }
                )
    return rows


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--network", default="small")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.models.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in args.sets:
        print(f"{name}, {args.network}", flush=True)
        for row in measured(name, args.network, args.count, args.models):
            rows.append(row)
            low, high = row["auroc_interval"]
            print(
                f"  {row['class']:>10} {row['picture']:>9}  n {row['n']} of {row['groups']} groups"
                f"  AUROC {row['auroc']:.2f} ({low:.2f} to {high:.2f})"
                f"  share {row['share']:.2f} of area {row['area']:.2f}"
                f"  randomisation {row['randomisation']:.2f}",
                flush=True,
            )
    if args.json is not None:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
