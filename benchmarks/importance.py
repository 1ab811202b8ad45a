"""Channel importance where the answer is known: real cells, graded channels, shuffled labels.

    python benchmarks/importance.py [--sets bbbc013 csm jurkat graded shuffled] [--one-split]
        [--json FILE]

Real sets are read from the folder CHANNELMIX_DATA, or ../shared/data beside the project; a set
that is not there is passed over and said to be. One thread. Ends with 1 where an expectation is
missed.
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

import numpy as np
import torch
from scipy import stats

from napari_channelmix import Cells, ChannelImportance, channel_importance, open_dataset
from napari_channelmix.data.samples import graded_channels

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))

Checks = dict[str, bool]

# Whether all repeats hold out the same cells.
ONE_SPLIT = False


def real(folder: str) -> Cells:
    return open_dataset(DATA / folder / "dataset.toml")


def bbbc013(seeds: int) -> tuple[ChannelImportance, Checks]:
    cells = real("bbbc013_wortmannin")
    found = run(cells, seeds)
    gfp = found.channels.index("GFP")
    return found, {
        "GFP share >= 0.65 in every seed": min(one[gfp] for one in found.share_of_seed) >= 0.65,
        "gate ok": found.open,
        "mixed balanced accuracy >= 0.93": found.accuracy["mixed"] >= 0.93,
        "plain balanced accuracy >= 0.93": found.accuracy["plain"] >= 0.93,
    }


def csm(seeds: int) -> tuple[ChannelImportance, Checks]:
    found = run(real("csm_breast_b14"), seeds)
    top = {found.channels[i] for i in found.order[:3]}
    return found, {
        "CD8a, GZMB, CK-EPCAM are the top three": top == {"CD8a", "GZMB", "CK-EPCAM"},
        "gate closed, Shapley beside": not found.open and found.shapley is not None,
    }


def jurkat(seeds: int) -> tuple[ChannelImportance, Checks]:
    found = run(real("jurkat_cellcycle_ifc"), seeds)
    order = [found.channels[i] for i in found.order]
    return found, {
        "DNA first": order[0] == "DNA",
        "dark field last": order[-1] == "darkfield",
    }


def graded(seeds: int) -> tuple[ChannelImportance, Checks]:
    sample = graded_channels()
    found = run(sample.cells, seeds)
    planted = [sample.relevance[name] for name in found.channels]
    rho = stats.spearmanr(found.share, planted).statistic
    each = [round(stats.spearmanr(one, planted).statistic, 3) for one in found.share_of_seed]
    print(f"Spearman rho of share and planted relevance: {rho:.3f}; in each seed {each}")
    alone = stats.spearmanr(found.share_alone, planted).statistic
    print(f"of the shares without decoys: {alone:.3f}")
    return found, {"rho >= 0.95 for the mean of the seeds": bool(rho >= 0.95)}


def shuffled(seeds: int) -> tuple[ChannelImportance, Checks]:
    """Labels dealt anew among the cells of BBBC013, or of the graded channels without it."""
    there = (DATA / "bbbc013_wortmannin").exists()
    cells = real("bbbc013_wortmannin") if there else graded_channels().cells
    dealt = np.random.default_rng(0).permutation(cells.labels)
    found = run(cells.with_labels(dealt, cells.classes), seeds)
    return found, {"says that nothing can be read": "nothing can be read" in found.gate}


SETS: dict[str, Callable[[int], tuple[ChannelImportance, Checks]]] = {
    "bbbc013": bbbc013,
    "csm": csm,
    "jurkat": jurkat,
    "graded": graded,
    "shuffled": shuffled,
}


def run(cells: Cells, seeds: int) -> ChannelImportance:
    return channel_importance(cells, seeds=seeds, device="cpu", one_split=ONE_SPLIT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one-split", action="store_true")
    asked = parser.parse_args()
    global ONE_SPLIT
    ONE_SPLIT = asked.one_split
    torch.set_num_threads(1)
    report: dict[str, Any] = {}
    for name in asked.sets:
        start = time.perf_counter()
        print(f"\n== {name}", flush=True)
        try:
            found, checks = SETS[name](asked.seeds)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"passed over: {error}")
            continue
        seconds = time.perf_counter() - start
        print(found.to_frame().round(3).to_string())
        print("share of each seed:", np.round(found.share_of_seed, 3).tolist())
        print("\n".join(found.accuracy_lines))
        print(f"{found.verdict}; gate: {found.gate}")
        for expectation, met in checks.items():
            print(f"{'met   ' if met else 'MISSED'} {expectation}")
        print(f"{seconds:.0f} s", flush=True)
        report[name] = {**found.to_dict(), "checks": checks, "seconds": seconds}
        if asked.json:
            asked.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0 if all(met for one in report.values() for met in one["checks"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
