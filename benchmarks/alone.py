"""Channels alone, all without one, and one number: answers on real cells, and what they cost.

    python benchmarks/alone.py [--sets bbbc013_wortmannin csm_breast_b14 ...] [--heads] [--cost]

For each set, on the folds of channel importance (four, whole groups): which number of which channel
tells the classes apart, the linear head on all channels, each channel alone, the smallest set that
is as good as all, and what is said. With `--heads`, other heads on other numbers beside it, from
which the one in use was chosen. With `--cost`, also one repeat of channel importance with default
settings (the mixed network, the plain one, the mix with decoys, the Shapley values), and the time
of all of the above as a share of it.

Real sets are read from the folder CHANNELMIX_DATA, or ../shared/data beside the project; one that
is not there is passed over. One thread. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_channelmix import open_dataset
from napari_channelmix.classify.channel_features import NAMES
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.dcmix.divisions import divided
from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
from napari_channelmix.dcmix.plain_classifiers import measured_job
from napari_channelmix.dcmix.separability import separability
from napari_channelmix.dcmix.single_channels import alone_job
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix import Cells
    from napari_channelmix.dcmix.plain_classifiers import MeasuredCells

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
SETS = (
    "bbbc013_wortmannin",
    "csm_breast_b14",
    "jurkat_cellcycle_ifc",
    "bccd_blood",
    "lymphoid_mif_5ch",
)
GREY = ("low", "middle", "high", "mean", "sd", "top")


def measured(cells: Cells) -> MeasuredCells:
    division = divided(cells, 4)
    for pixels in division.pixels:
        drain(pixels.load())
    return drain(measured_job(division))


def answers(name: str, cells: Cells, cost: bool) -> str:
    start = time.perf_counter()
    asked = measured(cells)
    about = {"channels": cells.channels, "classes": cells.classes}
    one = separability(asked.numbers, asked.labels, asked.groups, asked.folds, **about)
    found = drain(alone_job(asked.numbers, asked.labels, asked.groups, asked.folds, **about))
    seconds = time.perf_counter() - start
    alone = ", ".join(f"{s.channels[0]} {s.accuracy.balanced:.2f}" for s in found.alone)
    best, whole = one.best.accuracy, found.whole
    said = "; ".join([*found.sentences, *([one.groups_sentence] if one.groups_sentence else [])])
    took = f"{seconds:.0f} s"
    if cost:
        start = time.perf_counter()
        drain(divided_importance_job(cells, seeds=1, device="cpu"))
        # The run asks the same questions at its end.
        repeat = time.perf_counter() - start - seconds
        took += f" of {repeat:.0f} s ({seconds / repeat:.2f})"
    return (
        f"| {name} | {one.best.name} {best.balanced:.2f} ({best.low:.2f} to {best.high:.2f}) "
        f"| {whole.balanced:.2f} ({whole.low:.2f} to {whole.high:.2f}) "
        f"| {alone} | {said} | {took} |"
    )


def heads(name: str, asked: MeasuredCells) -> list[str]:
    """Balanced accuracy with all channels, of heads on sets of numbers."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    values, pairs = asked.numbers.values, asked.numbers.pairs
    upper = np.triu_indices(pairs.shape[1], 1)
    grey = values[:, [NAMES.index(one) for one in GREY]].reshape(len(values), -1)
    every = values.reshape(len(values), -1)
    paired = np.concatenate([every, pairs[:, upper[0], upper[1]]], axis=1)
    classes = len(np.unique(asked.labels))
    priors = np.full(classes, 1 / classes)
    tried = {
        "LDA": lambda: make_pipeline(
            StandardScaler(),
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors),
        ),
        "logistic": lambda: make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=300)
        ),
        "logistic of ranks": lambda: make_pipeline(
            QuantileTransformer(n_quantiles=100, output_distribution="normal"),
            LogisticRegression(C=0.1, class_weight="balanced", tol=1e-3, max_iter=300),
        ),
    }
    rows = []
    for words, columns in (
        ("six grey values", grey),
        ("all numbers", every),
        ("all, and pairs", paired),
    ):
        figures = []
        for make in tried.values():
            called = np.zeros_like(asked.labels)
            for fold in np.unique(asked.folds[asked.folds >= 0]):
                test = asked.folds == fold
                model = make().fit(columns[~test], asked.labels[~test])
                called[test] = model.predict(columns[test])
            held = asked.folds >= 0
            figures.append(accuracy_of(asked.labels[held], called[held], classes).balanced)
        rows.append(f"| {name} | {words} | {' | '.join(f'{value:.3f}' for value in figures)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--heads", action="store_true")
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    there = {}
    for name in args.sets:
        path = DATA / name / "dataset.toml"
        if path.exists():
            there[name] = open_dataset(path).labelled()
        else:
            print(f"passed over: {path} is not there")
    print("| set | best number | head, all channels | alone | said | time |\n|" + "---|" * 6)
    for name, cells in there.items():
        print(answers(name, cells, args.cost), flush=True)
    if args.heads:
        print("\n| set | numbers | LDA | logistic | logistic of ranks |\n|" + "---|" * 5)
        for name, cells in there.items():
            print("\n".join(heads(name, measured(cells))), flush=True)


if __name__ == "__main__":
    main()
