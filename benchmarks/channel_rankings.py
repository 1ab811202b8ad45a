"""Which channels decide: five rankings against the known answer, and classifiers of their best.

    python benchmarks/channel_rankings.py [--sets ...] [--models DIR] [--json FILE]

Four rankings are of a classifier in hand and its held-out cells: exact Shapley values and channel
exchange (`cm.channel_shapley`), PXPermute (balanced accuracy lost when the pixels of a channel are
shuffled in each cell: 'PXPermute reveals staining importance in multichannel imaging flow
cytometry', Cell Reports Methods 2024) and the evidence of DeepLift, summed over the pixels without
sign. The fifth is the share of a mixing layer, for which a network is trained. Then a network is
trained anew on the k channels that each ranking puts first. One thread, processor time; one
training of each kind, seed 0. Real sets are read from the folder CHANNELMIX_DATA, or
../shared/data beside the project; a set that is not there is passed over and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from attribution_sets import real
from scipy import stats

import napari_channelmix as cm
from napari_channelmix import Cells, Classifier, load_model, train_classifier
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.classify.mixing import MixedNetwork
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.errors import DataError
from napari_channelmix.pcim import baselines
from napari_channelmix.pcim.cell_source import Source

# Shuffles of PXPermute, and cells that DeepLift explains.
SHUFFLES, EXPLAINED = 3, 400


def graded() -> tuple[Cells, Cells, Any]:
    train, test = graded_channels().cells.split(seed=0)
    return train, test, None


# What is known: how much each channel decides, equal numbers where no order is known; and k.
SETS: dict[str, tuple[Callable[[], Any], dict[str, float], int]] = {
    "bbbc013": (real("bbbc013_wortmannin"), {"GFP": 1, "DNA": 0}, 1),
    "b14": (
        real("csm_breast_b14"),
        {"CD8a": 1, "GZMB": 1, "CK-EPCAM": 1, "PDL1": 0, "PD1": 0, "FOXP3": 0, "DAPI": 0},
        3,
    ),
    "jurkat": (real("jurkat_cellcycle_ifc"), {"DNA": 2, "brightfield": 1, "darkfield": 0}, 2),
    "graded": (graded, graded_channels(count=8).relevance, 3),
}


def balanced(classifier: Classifier, cells: Cells) -> float:
    predicted = classifier.predict(cells)
    return accuracy_of(cells.labels, predicted, len(cells.classes)).balanced


def kept(train: Cells, path: Path, **options: Any) -> tuple[Classifier, float]:
    """A classifier from its file, trained first where there is none; and the seconds it took."""
    seconds = path.with_suffix(".seconds")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        start = time.process_time()
        trained = train_classifier(train, network="small", seed=0, device="cpu", **options)
        seconds.write_text(str(time.process_time() - start), "utf-8")
        trained.save(path)
    took = float(seconds.read_text("utf-8")) if seconds.exists() else float("nan")
    return load_model(path), took


def shuffled_pixels(classifier: Classifier, cells: Cells) -> list[float]:
    """PXPermute: balanced accuracy lost by each channel."""
    crops, rng = cells.read(), np.random.default_rng(0)
    before = balanced(classifier, cells)
    lost = []
    for channel in range(crops.shape[1]):
        after = []
        for _ in range(SHUFFLES):
            changed = crops.copy()
            flat = changed[:, channel].reshape(len(crops), -1)
            changed[:, channel] = rng.permuted(flat, axis=1).reshape(changed[:, channel].shape)
            with warnings.catch_warnings():
                # Cells without structure are meant to be unlike those of training.
                warnings.simplefilter("ignore", cm.DataShiftWarning)
                predicted = classifier.predict_proba(changed).argmax(axis=1)
            after.append(accuracy_of(cells.labels, predicted, len(cells.classes)).balanced)
        lost.append(before - float(np.mean(after)))
    return lost


def deeplift(classifier: Classifier, cells: Cells) -> list[float]:
    """Share of the evidence, without sign, in each channel; mean over the cells."""
    rows = np.random.default_rng(0).permutation(len(cells))[:EXPLAINED]
    source, parts = Source.of(classifier, cells, "cpu", chosen=rows), []
    with source.subject.at_rest():
        for start in range(0, len(rows), 32):
            some = np.arange(start, min(start + 32, len(rows)))
            values = baselines.evidence("deeplift", source.problem(some)[0])
            parts.append(values.abs().sum(dim=(2, 3)).numpy())
    amounts = np.concatenate(parts)
    shares = amounts / np.maximum(amounts.sum(axis=1, keepdims=True), 1e-12)
    return [float(share) for share in shares.mean(axis=0)]


def rankings(classifier: Classifier, test: Cells) -> dict[str, tuple[list[float], float]]:
    """How much each channel decides by each ranking of the classifier, and seconds."""
    start = time.process_time()
    rows = {row.channel: row for row in cm.channel_shapley(classifier, test).of_class()}
    game = time.process_time() - start
    order = classifier.channels
    result = {
        "Shapley value": ([float(rows[name].value) for name in order], game),
        "channel exchange": ([float(rows[name].swap) for name in order], game),
    }
    for name, run in (("PXPermute", shuffled_pixels), ("DeepLift, summed", deeplift)):
        start = time.process_time()
        values = run(classifier, test)
        result[name] = (values, time.process_time() - start)
    return result


def measured(name: str, models: Path) -> dict[str, Any]:
    """All figures of a set."""
    opened, relevance, count = SETS[name]
    train, test, _ = opened()
    classifier, _ = kept(train, models / f"{name}-small.cmx")
    channels = classifier.channels
    table = rankings(classifier, test)
    mixing, seconds = kept(train, models / f"{name}-mix-small.cmx", mix=True)
    assert isinstance(mixing.network, MixedNetwork)
    alpha = mixing.network.mixing.alpha.detach().numpy()[0]
    table["DCMIX share"] = ((alpha / alpha.sum()).tolist(), seconds)
    truth = [relevance[channel] for channel in channels]
    report: dict[str, Any] = {"all channels": balanced(classifier, test), "k": count}
    print(f"  all channels: balanced accuracy {report['all channels']:.3f}, n = {len(test)}")
    for method, (values, took) in table.items():
        order = [channels[index] for index in np.argsort(-np.asarray(values), kind="stable")]
        best = sorted(order[:count], key=channels.index)
        path = models / f"{name}-{'+'.join(best)}-small.cmx".replace(" ", "_")
        alone, _ = kept(train.with_channels(best), path)
        report[method] = {
            "values": dict(zip(channels, values, strict=True)),
            "order": order,
            "rank correlation": float(stats.kendalltau(values, truth).statistic),
            "best": float(best_possible(truth)),
            "accuracy of the first": balanced(alone, test),
            "seconds": took,
        }
        print(f"  {method}: {report[method]}", flush=True)
    return report


def best_possible(truth: list[float]) -> float:
    """Kendall's tau-b of the right order: below 1 where the truth has ties."""
    return float(stats.kendalltau(np.asarray(truth) + 1e-6 * np.arange(len(truth)), truth)[0])


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/attribution"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    reports: dict[str, Any] = {}
    for name in args.sets:
        print(f"\n== {name}", flush=True)
        try:
            reports[name] = measured(name, args.models)
        except DataError as error:
            if "no such file" not in str(error):
                raise
            print(f"passed over: {error}")
        if args.json:
            args.json.write_text(json.dumps(reports, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
